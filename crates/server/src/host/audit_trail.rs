//! `/api/host/v1/audit-trail`: who changed what, when, through which token, for administrators.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::{Credential, Principal};
use spaceport_platform::audit::AuditEntry;
use spaceport_platform::id::{ApplicationId, AuditEntryId, ProfileId, TokenId};
use spaceport_platform::identifier::{ApplicationIdentifier, ProfileIdentifier};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use spaceport_store::{AuditFilter, StoreError, Tx};
use spaceport_wire::audit::{
    AuditActor, AuditActorKind, AuditChange, AuditCredential, AuditEntry as AuditEntryOut, AuditName, AuditTarget,
};
use spaceport_wire::batch::Batch;
use spaceport_wire::scalar::DateTime;

use crate::api::page::LogPage;
use crate::http::access::{Administer, Cx, Holding};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/host/v1/audit-trail", "host.audit_trail.list", "Read the audit trail", list)
}

/// Which entries.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListFilter {
    /// The `next` of the page before.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top")]
    top: Option<i64>,
    /// Those about an application and what belongs to it, as `id:…` or `clientId:…`.
    application: Option<String>,
    /// Those of a person, as `id:…` or `username:…`.
    profile: Option<String>,
    /// Those made by an application, as `id:…` or `clientId:…`.
    actor_application: Option<String>,
    /// Those of an operation, such as `api.application.update`.
    operation: Option<String>,
    /// Those about a kind of thing, such as `webhook`.
    target_kind: Option<String>,
    /// Those about the thing with this id.
    target: Option<String>,
    /// Those at or after this moment, in ISO 8601.
    since: Option<String>,
    /// Those before this moment, in ISO 8601.
    until: Option<String>,
}

/// Entries of the audit trail, the newest first, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list(
    cx: Cx<Holding<Administer>>,
    Query(query): Query<ListFilter>,
) -> Result<Json<Batch<AuditEntryOut>>, ApiError> {
    let page = LogPage::new(query.skip, query.top, |id| Some(AuditEntryId::new(id)))?;
    let (before, limit) = (page.before.clone(), page.limit);
    let application = identifier("application", query.application.as_deref(), ApplicationIdentifier::parse)?;
    let made_by = identifier("actorApplication", query.actor_application.as_deref(), ApplicationIdentifier::parse)?;
    let person = identifier("profile", query.profile.as_deref(), ProfileIdentifier::parse)?;
    if made_by.is_some() && person.is_some() {
        return Err(Invalid::new("profile", "must be absent when actorApplication is given").into());
    }
    let filter = AuditFilter {
        operation: query.operation,
        target_kind: query.target_kind,
        target: query.target,
        since: moment("since", query.since.as_deref())?,
        until: moment("until", query.until.as_deref())?,
        ..AuditFilter::default()
    };
    let caller = cx.caller.principal.clone();
    let (entries, last) = cx
        .read(move |tx| {
            let mut filter = filter.clone();
            filter.application =
                application.as_ref().map(|identifier| application_id(tx, identifier, &caller)).transpose()?;
            if let Some(identifier) = &made_by {
                filter.actor = Some(Principal::Application(application_id(tx, identifier, &caller)?));
            }
            if let Some(identifier) = &person {
                filter.actor = Some(Principal::User(profile_id(tx, identifier, &caller)?));
            }
            let entries = tx.audit_entries(&filter, before.as_ref(), limit)?;
            let last = entries.last().map(|entry| entry.id.to_string());
            let names = Names::of(tx, &entries)?;
            let out: Vec<AuditEntryOut> = entries.into_iter().map(|entry| names.out(entry)).collect();
            Ok::<_, StoreError>((out, last))
        })
        .await
        .map_err(ApiError::from)?;
    Ok(Json(page.batch(entries, last)))
}

fn identifier<T>(
    field: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<Option<T>, Invalid> {
    text.map(|text| parse(text).map_err(|fault| fault.within(field))).transpose()
}

/// A moment in a query.
///
/// # Errors
/// Names the parameter.
pub fn moment(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, Invalid> {
    let wrong = || Invalid::new(field, "must be an ISO date-time like 2024-03-05T09:07:00.000Z");
    text.map(|text| Timestamp::parse_iso(text).ok_or_else(wrong)).transpose()
}

/// The id that is meant. What exists no more is still found by its id, and a name that nobody has matches nothing.
fn application_id(
    tx: &mut Tx<'_>,
    identifier: &ApplicationIdentifier,
    caller: &Principal,
) -> Result<ApplicationId, StoreError> {
    Ok(match (identifier, caller) {
        (ApplicationIdentifier::Id(id), _) | (ApplicationIdentifier::Me, Principal::Application(id)) => id.clone(),
        (ApplicationIdentifier::ClientId(client_id), _) => {
            tx.application_by_client_id(client_id)?.map_or_else(|| ApplicationId::new(""), |found| found.id)
        }
        (ApplicationIdentifier::Me, _) => ApplicationId::new(""),
    })
}

fn profile_id(tx: &mut Tx<'_>, identifier: &ProfileIdentifier, caller: &Principal) -> Result<ProfileId, StoreError> {
    Ok(match (identifier, caller) {
        (ProfileIdentifier::Id(id), _) | (ProfileIdentifier::Me, Principal::User(id)) => id.clone(),
        (ProfileIdentifier::Username(name), _) => {
            tx.profile_by_username(name)?.map_or_else(|| ProfileId::new(""), |found| found.id)
        }
        _ => ProfileId::new(""),
    })
}

/// The present names of what the entries of a page mention.
#[derive(Default)]
struct Names {
    applications: HashMap<ApplicationId, String>,
    people: HashMap<ProfileId, String>,
    tokens: HashMap<TokenId, String>,
}

impl Names {
    fn of(tx: &mut Tx<'_>, entries: &[AuditEntry]) -> Result<Self, StoreError> {
        let mut names = Self::default();
        for entry in entries {
            let acting = match &entry.actor {
                Principal::Application(id) => Some(id),
                Principal::User(_) | Principal::Nobody => None,
            };
            let mentioned = [acting, entry.target.application.as_ref(), entry.through.as_ref()];
            for id in mentioned.into_iter().flatten() {
                if !names.applications.contains_key(id)
                    && let Some(application) = tx.application(id)?
                {
                    names.applications.insert(id.clone(), application.name);
                }
            }
            if let Principal::User(id) = &entry.actor
                && !names.people.contains_key(id)
                && let Some(profile) = tx.profile(id)?
            {
                let name = format!("{} {}", profile.first_name, profile.last_name).trim().to_owned();
                names.people.insert(id.clone(), name);
            }
            if let Some(id) = &entry.token
                && !names.tokens.contains_key(id)
                && let Some(name) = tx.token_name(id)?
            {
                names.tokens.insert(id.clone(), name);
            }
        }
        Ok(names)
    }

    fn out(&self, entry: AuditEntry) -> AuditEntryOut {
        let application =
            |id: ApplicationId| AuditName { name: self.applications.get(&id).cloned(), id: id.to_string() };
        let actor = match entry.actor {
            Principal::Application(id) => {
                let AuditName { id, name } = application(id);
                AuditActor { kind: AuditActorKind::Application, id: Some(id), name }
            }
            Principal::User(id) => AuditActor {
                kind: AuditActorKind::Profile,
                name: self.people.get(&id).cloned(),
                id: Some(id.to_string()),
            },
            Principal::Nobody => AuditActor { kind: AuditActorKind::Nobody, id: None, name: None },
        };
        AuditEntryOut {
            id: entry.id.to_string(),
            at: DateTime(entry.at),
            actor,
            credential: match entry.credential {
                Credential::None => None,
                Credential::AccessToken => Some(AuditCredential::AccessToken),
                Credential::PermanentToken => Some(AuditCredential::PermanentToken),
                Credential::Session => Some(AuditCredential::Session),
            },
            token: entry.token.map(|id| AuditName { name: self.tokens.get(&id).cloned(), id: id.to_string() }),
            through_application: entry.through.map(application),
            operation: entry.operation.into_owned(),
            request_id: Some(entry.request).filter(|request| !request.is_empty()),
            target: AuditTarget { kind: entry.target.kind.into_owned(), id: entry.target.id },
            application: entry.target.application.map(application),
            changes: entry
                .changes
                .into_iter()
                .map(|change| AuditChange {
                    field: change.field.into_owned(),
                    old: change.old,
                    new: change.new,
                    secret: change.secret,
                })
                .collect(),
            comment: entry.comment,
        }
    }
}
