//! Which links an application may preview: asked for by itself, answered by those who decide about it.

use spaceport_platform::access::{Caller, Decision, Target, decide};
use spaceport_platform::application::Application;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::authorization::RightStatus;
use spaceport_platform::context::Place;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::lifecycle;
use spaceport_platform::right::Right;
use spaceport_platform::unfurl::{self, MAX_TARGETS, TargetKind, UnfurlTarget, Wanted, replaced};
use spaceport_store::{StoreError, Tx};

use crate::api::application_state::loaded;
use crate::events::application::{UnfurlNews, unfurl_target};
use crate::http::error::ApiError;
use crate::http::news::News;
use crate::http::trail::Trail;

/// Whether `caller` decides which links the application may preview. No application decides about itself, the ones of
/// its making, or the ones that made it.
///
/// # Errors
/// When the database fails.
pub fn decides(tx: &mut Tx<'_>, caller: &Caller, application: &ApplicationId) -> Result<bool, StoreError> {
    if decide(caller, &Right::AUTHORIZE_UNFURLS, Target::Place(&Place::GLOBAL)) != Decision::Allowed {
        return Ok(false);
    }
    let Some(acting) = caller.acting_application() else { return Ok(true) };
    Ok(tx.family(acting)?.root != tx.family(application)?.root)
}

/// Targets of one kind that nobody has answered.
///
/// # Errors
/// When the database fails.
pub fn waiting(
    tx: &mut Tx<'_>,
    application: &ApplicationId,
    kind: TargetKind,
) -> Result<Vec<UnfurlTarget>, StoreError> {
    let mut targets = tx.unfurl_targets(application, kind)?;
    targets.retain(|target| target.status == RightStatus::Requested);
    Ok(targets)
}

/// Replaces the targets of one kind by what the application wants now.
///
/// # Errors
/// `validation-error` when there are too many, or the application is archived.
pub fn ask(
    tx: &mut Tx<'_>,
    trail: &Trail,
    news: &News,
    application: &ApplicationId,
    (kind, field): (TargetKind, &'static str),
    wanted: Vec<Wanted>,
) -> Result<(), ApiError> {
    if wanted.len() > MAX_TARGETS {
        return Err(Invalid::new(field, format!("must hold at most {MAX_TARGETS} entries")).into());
    }
    let application = loaded(tx, application)?;
    lifecycle::require_active(&application)?;
    let before = tx.unfurl_targets(&application.id, kind)?;
    let after = replaced(&before, wanted, &news.caller.principal, news.now);
    if before == after {
        return Ok(());
    }
    tx.set_unfurl_targets(&application.id, kind, &after)?;
    let text = |targets: &[UnfurlTarget]| {
        let names: Vec<&str> = targets.iter().map(|target| target.wanted.name.as_str()).collect();
        names.join(" ")
    };
    let target = AuditTarget::of_application(&application.id, "unfurlTargets", kind.name());
    trail.record(tx, target, AuditChange::between(field, Some(&text(&before)), Some(&text(&after))))?;
    for target in after.iter().filter(|target| !before.contains(target)) {
        unfurl_target(news, tx, &application, UnfurlNews::Requested, (kind, &target.wanted))?;
    }
    Ok(())
}

/// Answers an application about targets of one kind, in the capacity of one who [`decides`].
///
/// # Errors
/// `validation-error` naming the target that it does not ask for, or when the application is archived.
pub fn answer(
    tx: &mut Tx<'_>,
    trail: &Trail,
    news: &News,
    application: &ApplicationId,
    (kind, field): (TargetKind, &str),
    names: &[String],
    approve: bool,
) -> Result<(), ApiError> {
    let application: Application = loaded(tx, application)?;
    lifecycle::require_active(&application)?;
    let mut targets = tx.unfurl_targets(&application.id, kind)?;
    let status = if approve { RightStatus::Granted } else { RightStatus::Rejected };
    let (mut changes, mut granted) = (Vec::new(), Vec::new());
    for (index, name) in names.iter().enumerate() {
        let named = format!("{field}[{index}]");
        let name = match kind {
            TargetKind::Domain => unfurl::domain(&named, name)?.name,
            TargetKind::Pattern => name.clone(),
        };
        let unknown = || Invalid::new(named.as_str(), format!("names {name}, for which the application does not ask"));
        let target = targets.iter_mut().find(|target| target.wanted.name == name).ok_or_else(unknown)?;
        if target.status == status {
            continue;
        }
        changes.push(AuditChange {
            field: name.into(),
            old: Some(target.status.name().to_owned()),
            new: Some(status.name().to_owned()),
            secret: false,
        });
        *target = UnfurlTarget {
            wanted: target.wanted.clone(),
            status,
            author: news.caller.principal.clone(),
            modified_at: news.now,
        };
        if approve {
            granted.push(target.wanted.clone());
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    tx.set_unfurl_targets(&application.id, kind, &targets)?;
    trail.record(tx, AuditTarget::of_application(&application.id, "unfurlTargets", kind.name()), changes)?;
    for wanted in &granted {
        unfurl_target(news, tx, &application, UnfurlNews::Authorized, (kind, wanted))?;
    }
    Ok(())
}
