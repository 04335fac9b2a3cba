//! The change of an application's rights: states, audit trail and events in one transaction.

use spaceport_platform::application::Application;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::authorization::{AuthorizedRight, Capacity, RightStatus, Wish};
use spaceport_platform::context::Place;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::lifecycle;
use spaceport_platform::right::Right;
use spaceport_store::Tx;

use crate::api::application_state::loaded;
use crate::events::application::{authorization_requested, authorized};
use crate::http::error::ApiError;
use crate::http::in_context::knows;
use crate::http::news::News;
use crate::http::trail::Trail;

/// What shall become of rights of an application.
pub struct Change {
    /// Whose.
    pub application: ApplicationId,
    /// In each of these.
    pub places: Vec<Place>,
    /// Which rights, and what about them.
    pub wishes: Vec<(Right, Wish)>,
    /// In which capacity.
    pub capacity: Capacity,
    /// On whose behalf, for the audit trail.
    pub actor: Option<String>,
    /// Why, for the audit trail.
    pub comment: Option<String>,
}

/// Brings rights to where somebody wants them. What is there already is left alone and leaves no trace.
///
/// # Errors
/// `validation-error` when a status refuses the wish, or the application is archived.
pub fn apply(tx: &mut Tx<'_>, trail: &Trail, news: &News, change: &Change) -> Result<(), ApiError> {
    // Held until the end, so that two changes at once do not lose one of them.
    let application = loaded(tx, &change.application)?;
    if change.wishes.iter().any(|(_, wish)| matches!(wish, Wish::Request | Wish::Grant)) {
        lifecycle::require_active(&application)?;
    }
    for place in &change.places {
        apply_in(tx, trail, news, change, &application, place)?;
    }
    Ok(())
}

fn apply_in(
    tx: &mut Tx<'_>,
    trail: &Trail,
    news: &News,
    change: &Change,
    application: &Application,
    place: &Place,
) -> Result<(), ApiError> {
    let known = tx.authorized_rights(&application.id, place.context())?;
    let mut moved: Vec<(RightStatus, AuthorizedRight)> = Vec::new();
    for (right, wish) in &change.wishes {
        let before = known.iter().find(|known| known.right == *right).map_or(RightStatus::None, |known| known.status);
        let status = before.after(*wish, change.capacity).map_err(|fault| fault.within(right.code()))?;
        if status != before {
            let author = news.caller.principal.clone();
            moved.push((before, AuthorizedRight { right: right.clone(), status, author, modified_at: news.now }));
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    let rights: Vec<AuthorizedRight> = moved.iter().map(|(_, right)| right.clone()).collect();
    tx.set_authorized_rights(&application.id, place.context(), &rights)?;
    let withdrawn: Vec<Right> = moved
        .iter()
        .filter(|(before, right)| *before == RightStatus::Granted && right.status != RightStatus::Granted)
        .map(|(_, right)| right.right.clone())
        .collect();
    tx.cancel_unentitled(&application.id, &withdrawn, news.now)?;
    record(tx, trail, change, application, place, &moved)?;
    let turned = |to: RightStatus| moved.iter().any(|(_, right)| right.status == to);
    // Where the one who asks may not know of the place, no event tells: it would tell him.
    if turned(RightStatus::Requested) && knows(tx, &news.caller, application, place)? {
        authorization_requested(news, tx, application, place)?;
    }
    if turned(RightStatus::Granted) || !withdrawn.is_empty() {
        authorized(news, tx, application, place)?;
    }
    Ok(())
}

fn record(
    tx: &mut Tx<'_>,
    trail: &Trail,
    change: &Change,
    application: &Application,
    place: &Place,
    moved: &[(RightStatus, AuthorizedRight)],
) -> Result<(), ApiError> {
    let statuses = moved.iter().map(|(before, right)| AuditChange {
        field: right.right.code().to_owned().into(),
        old: Some(before.name().to_owned()),
        new: Some(right.status.name().to_owned()),
        secret: false,
    });
    let actor = AuditChange::between("actor", None, change.actor.as_deref());
    let target = AuditTarget::of_application(&application.id, "authorization", place.context().to_string());
    let comment = change.comment.as_deref();
    Ok(trail.record_with(tx, target, statuses.chain(actor), comment)?)
}
