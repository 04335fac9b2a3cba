//! Events about applications: made, changed, archived, restored, rights asked for and changed, SSH keys.
//!
//! One function for each; an operation calls it in the transaction of its change. An application hears of itself
//! and of those it made without any right, everybody else needs the rights of the event type.

use serde_json::{Value, json};
use spaceport_platform::access::{Owner, Principal};
use spaceport_platform::application::Application;
use spaceport_platform::context::{Context, Place};
use spaceport_platform::event::About;
use spaceport_platform::time::Timestamp;
use spaceport_platform::unfurl::{TargetKind, Wanted};
use spaceport_platform::webhook::Webhook;
use spaceport_store::{StoreError, Tx};

use crate::http::news::News;

/// The subject of all of them.
const SUBJECT: &str = "Application";

/// Which secrets of an application got a new value. The values are never told.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct NewSecrets {
    /// The client secret.
    pub client_secret: bool,
    /// The signing key.
    pub signing_key: bool,
    /// The verification token.
    pub verification_token: bool,
}

/// An application was made.
///
/// # Errors
/// When the database fails.
pub fn created(news: &News, tx: &mut Tx<'_>, application: &Application) -> Result<(), StoreError> {
    let meta = meta(news, tx, "Created")?;
    let payload = changed(None, application, NewSecrets::default(), [Value::Null, meta]);
    publish(news, tx, "Application.Created", application, &payload)
}

/// Settings or secrets of an application changed. The event says which, of those that it has a place for.
///
/// # Errors
/// When the database fails.
pub fn updated(
    news: &News,
    tx: &mut Tx<'_>,
    before: &Application,
    after: &Application,
    secrets: NewSecrets,
) -> Result<(), StoreError> {
    let meta = meta(news, tx, "Updated")?;
    let payload = changed(Some(before), after, secrets, [Value::Null, meta]);
    publish(news, tx, "Application.Updated", after, &payload)
}

/// An application was archived.
///
/// # Errors
/// When the database fails.
pub fn archived(news: &News, tx: &mut Tx<'_>, application: &Application) -> Result<(), StoreError> {
    archiving(news, tx, "Application.Archived", application, json!({ "old": false, "new": true }), "Archived")
}

/// An archived application came back.
///
/// # Errors
/// When the database fails.
pub fn restored(news: &News, tx: &mut Tx<'_>, application: &Application) -> Result<(), StoreError> {
    archiving(news, tx, "Application.Restored", application, json!({ "old": true, "new": false }), "Restored")
}

fn archiving(
    news: &News,
    tx: &mut Tx<'_>,
    event_type: &str,
    application: &Application,
    change: Value,
    method: &str,
) -> Result<(), StoreError> {
    let meta = meta(news, tx, method)?;
    let payload = changed(Some(application), application, NewSecrets::default(), [change, meta]);
    publish(news, tx, event_type, application, &payload)
}

/// An application asks for rights in a context; in a channel nobody is told.
///
/// # Errors
/// When the database fails.
pub fn authorization_requested(
    news: &News,
    tx: &mut Tx<'_>,
    application: &Application,
    place: &Place,
) -> Result<(), StoreError> {
    authorization(
        news,
        tx,
        ("Application.AuthorizationRequested", "ApplicationAuthorizationRequestedEvent"),
        application,
        place,
    )
}

/// The rights that an application holds in a context changed: some were granted, or taken back; in a
/// channel nobody is told.
///
/// # Errors
/// When the database fails.
pub fn authorized(news: &News, tx: &mut Tx<'_>, application: &Application, place: &Place) -> Result<(), StoreError> {
    authorization(news, tx, ("Application.Authorized", "ApplicationAuthorizedWebhookEvent"), application, place)
}

fn authorization(
    news: &News,
    tx: &mut Tx<'_>,
    (event_type, class): (&str, &str),
    application: &Application,
    place: &Place,
) -> Result<(), StoreError> {
    let Some(scope) = scope(place) else { return Ok(()) };
    let payload = json!({
        "className": class, "meta": meta(news, tx, "Updated")?, "application": reference(application), "scope": scope,
    });
    publish(news, tx, event_type, application, &payload)
}

/// What happened to a target of link previews.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnfurlNews {
    /// The application asks for it.
    Requested,
    /// It may preview it.
    Authorized,
}

/// An application asks to preview links, or may.
///
/// # Errors
/// When the database fails.
pub fn unfurl_target(
    news: &News,
    tx: &mut Tx<'_>,
    application: &Application,
    what: UnfurlNews,
    (kind, wanted): (TargetKind, &Wanted),
) -> Result<(), StoreError> {
    let target = match kind {
        TargetKind::Domain => json!({ "className": "ApplicationUnfurlTarget.Domain", "domain": wanted.name }),
        TargetKind::Pattern => json!({ "className": "ApplicationUnfurlTarget.Pattern", "pattern": wanted.name }),
    };
    let event_type = match what {
        UnfurlNews::Requested => "Application.UnfurlTarget.Requested",
        UnfurlNews::Authorized => "Application.UnfurlTarget.Authorized",
    };
    let payload = json!({
        "className": "ApplicationUnfurlTargetWebhookEvent", "meta": meta(news, tx, "Updated")?,
        "application": reference(application), "target": target,
    });
    publish(news, tx, event_type, application, &payload)
}

/// A webhook of an application was switched off, because all its deliveries have failed since then.
///
/// # Errors
/// When the database fails.
pub fn webhook_disabled(
    news: &News,
    tx: &mut Tx<'_>,
    application: &Application,
    webhook: &Webhook,
    since: Timestamp,
) -> Result<(), StoreError> {
    let payload = json!({
        "className": "ApplicationWebhookDisabledEvent", "meta": meta(news, tx, "Updated")?, "application": reference(application),
        "webhook": { "id": webhook.id.as_str(), "name": webhook.name }, "failingSince": { "iso": since.to_iso(), "timestamp": since.millis() },
    });
    publish(news, tx, "Application.WebhookDisabled", application, &payload)
}

/// What an SSH key looks like in events.
#[derive(Clone, Copy, Debug)]
pub struct SshKey<'a> {
    /// Its fingerprint, as the API shows it.
    pub fingerprint: &'a str,
    /// What its owner said about it.
    pub comment: &'a str,
}

/// An application got an SSH key.
///
/// # Errors
/// When the database fails.
pub fn ssh_key_added(
    news: &News,
    tx: &mut Tx<'_>,
    application: &Application,
    key: SshKey<'_>,
) -> Result<(), StoreError> {
    let change = |text: &str| json!({ "old": null, "new": text });
    let payload = ssh_key(news, tx, "Created", application, [change(key.fingerprint), change(key.comment)])?;
    publish(news, tx, "Application.SshKey.Added", application, &payload)
}

/// An application lost an SSH key.
///
/// # Errors
/// When the database fails.
pub fn ssh_key_deleted(
    news: &News,
    tx: &mut Tx<'_>,
    application: &Application,
    key: SshKey<'_>,
) -> Result<(), StoreError> {
    let change = |text: &str| json!({ "old": text, "new": null });
    let payload = ssh_key(news, tx, "Deleted", application, [change(key.fingerprint), change(key.comment)])?;
    publish(news, tx, "Application.SshKey.Deleted", application, &payload)
}

fn ssh_key(
    news: &News,
    tx: &mut Tx<'_>,
    method: &str,
    application: &Application,
    [fingerprint, comment]: [Value; 2],
) -> Result<Value, StoreError> {
    Ok(json!({
        "className": "ApplicationSshKeyWebhookEvent", "meta": meta(news, tx, method)?, "application": reference(application),
        "fingerprint": fingerprint, "comment": comment,
    }))
}

fn publish(
    news: &News,
    tx: &mut Tx<'_>,
    event_type: &str,
    application: &Application,
    payload: &Value,
) -> Result<(), StoreError> {
    let maker = match &application.owner {
        Owner::Application(id) => Some(id.clone()),
        Owner::User(_) => None,
    };
    let about = About { application: application.id.clone(), maker };
    news.publish(tx, (SUBJECT, event_type), Place::GLOBAL, Some(about), payload)
}

/// `ApplicationWebhookEvent`: a property that did not change is null.
fn changed(
    before: Option<&Application>,
    after: &Application,
    secrets: NewSecrets,
    [archived, meta]: [Value; 2],
) -> Value {
    let change = |old: Option<Value>, new: Value| match (before, old) {
        (Some(_), old) if old.as_ref() == Some(&new) => Value::Null,
        (_, old) => json!({ "old": old, "new": new }),
    };
    let endpoint = |application: &Application| json!(application.endpoint.as_ref().map(|endpoint| &endpoint.url));
    let owner = |application: &Application| match &application.owner {
        Owner::User(id) => json!({ "id": id.as_str() }),
        Owner::Application(_) => Value::Null,
    };
    json!({
        "className": "ApplicationWebhookEvent",
        "meta": meta,
        "application": reference(after),
        "name": change(before.map(|before| json!(before.name)), json!(after.name)),
        "owner": change(before.map(owner), owner(after)),
        "archived": archived,
        "endpointURI": change(before.map(endpoint), endpoint(after)),
        "clientIdChanged": before.is_some_and(|before| before.client_id != after.client_id),
        "clientSecretChanged": secrets.client_secret,
        "verificationTokenChanged": secrets.verification_token,
        "signingKeyChanged": secrets.signing_key,
    })
}

fn reference(application: &Application) -> Value {
    json!({ "id": application.id.as_str() })
}

/// Clients know of two scopes only: the organization and a project. What is granted in a package repository is told of
/// its project; a channel is in neither, and an event that said so would be believed (semantics 2.4).
fn scope(place: &Place) -> Option<Value> {
    match (place.context(), place.outer()) {
        (Context::Global, _) => Some(json!({ "className": "GlobalScope" })),
        (Context::Project(id), _) | (_, Some(Context::Project(id))) => {
            Some(json!({ "className": "ProjectScope", "project": { "id": id } }))
        }
        _ => None,
    }
}

/// Who did it, when and how.
fn meta(news: &News, tx: &mut Tx<'_>, method: &str) -> Result<Value, StoreError> {
    let (name, details) = match &news.caller.principal {
        Principal::User(id) => {
            let name = tx.profile(id)?.map(|profile| profile.username);
            (name, json!({ "className": "CUserPrincipalDetails", "user": { "id": id.as_str() } }))
        }
        Principal::Application(id) => {
            let name = tx.application_name(id)?;
            (name, json!({ "className": "CApplicationPrincipalDetails", "app": { "id": id.as_str() } }))
        }
        Principal::Nobody => (
            Some("Spaceport".to_owned()),
            json!({ "className": "CBuiltInServicePrincipalDetails", "name": "Spaceport" }),
        ),
    };
    Ok(json!({
        "principal": { "name": name.unwrap_or_default(), "details": details },
        "timestamp": { "iso": news.now.to_iso(), "timestamp": news.now.millis() },
        "method": method,
    }))
}
