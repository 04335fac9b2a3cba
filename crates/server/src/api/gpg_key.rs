//! `/api/http/applications/{application}/gpg-keys`: keys that signatures of an application are checked with.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_keys::openpgp;
use spaceport_platform::application::Application;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::gpg_key::{self, GpgKey, MAX_KEYS, Revocation, check_comment};
use spaceport_platform::lifecycle::require_active;
use spaceport_store::StoreError;
use spaceport_wire::gpg_key::{AddGpgKey, GpgKeyData, GpgKeyUserId, RevokeGpgKey};
use spaceport_wire::scalar::DateTime;

use crate::api::application_state::loaded;
use crate::http::access::{Cx, EditApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const KEYS: &str = "/api/http/applications/{application}/gpg-keys";
    const KEY: &str = "/api/http/applications/{application}/gpg-keys/{fingerprint}";
    routes
        .post(KEYS, "api.gpg_key.add", "Add gpg key", add)
        .get(KEYS, "api.gpg_key.list", "Get gpg keys", list)
        .patch(KEY, "api.gpg_key.revoke", "Revoke gpg key", revoke)
        .delete(KEY, "api.gpg_key.delete", "Delete gpg key", delete)
}

/// Adds a key. It belongs to one application in the whole organization.
///
/// # Errors
/// `validation-error` says what is wrong with the key; `duplicated-entity` when some application has it.
pub async fn add(
    cx: Cx<OnApplication<EditApplications>>,
    Body(body): Body<AddGpgKey>,
) -> Result<Json<GpgKeyData>, ApiError> {
    check_comment(&body.comment)?;
    let (now, application) = (cx.now(), cx.access.application.id.clone());
    let text = body.public_key;
    let (read, text) = cx.services.key_reading.run(move || (openpgp::parse(&text, now), text)).await?;
    let read = read.map_err(|fault| fault.within("publicKey"))?;
    let revocation = read.revocation.map(|revoked| Revocation { at: revoked.at, comment: revoked.reason });
    let key = GpgKey {
        application,
        fingerprint: read.fingerprint,
        public_key: text.trim().to_owned(),
        user_ids: read.user_ids,
        comment: body.comment,
        created_at: read.created_at,
        added_at: now,
        expires_at: read.expires_at,
        revocation,
    };
    let trail = cx.trail();
    let shown = cx
        .write(move |tx| {
            let application = loaded(tx, &key.application)?;
            require_active(&application)?;
            if tx.count_gpg_keys(&application.id)? >= i64::try_from(MAX_KEYS).unwrap_or(i64::MAX) {
                return Err(ApiError::validation(format!(
                    "An application can have {MAX_KEYS} GPG keys; delete one first"
                )));
            }
            if !tx.insert_gpg_key(&key)? {
                return Err(ApiError::duplicated(format!("The key {} is in use already", key.fingerprint)));
            }
            let changes = [
                AuditChange::between("fingerprint", None, Some(&key.fingerprint)),
                AuditChange::between("comment", Some(""), Some(&key.comment)),
            ];
            trail.record(tx, target(&application, &key.fingerprint), changes.into_iter().flatten())?;
            Ok(data(&application, &key))
        })
        .await?;
    Ok(Json(shown))
}

/// Keys in the order they were added, revoked ones too.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<Vec<GpgKeyData>>, ApiError> {
    let application = cx.access.application.clone();
    let id = application.id.clone();
    let keys = cx.read(move |tx| tx.gpg_keys(&id)).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Json(keys.iter().map(|key| data(&application, key)).collect()))
}

/// The key in the path.
#[derive(Deserialize, JsonSchema)]
pub struct KeyPath {
    /// Fingerprint in hex digits; spaces and case do not matter.
    fingerprint: String,
}

/// Takes a key back: it stays in the list, so that signatures can be judged by their date.
///
/// # Errors
/// `not-found`; `validation-error` when it is revoked already.
pub async fn revoke(
    cx: Cx<OnApplication<EditApplications>>,
    Path(path): Path<KeyPath>,
    Body(body): Body<RevokeGpgKey>,
) -> Result<Done, ApiError> {
    let (application, now, trail) = (cx.access.application.clone(), cx.now(), cx.trail());
    let fingerprint = plain(&path.fingerprint);
    cx.write(move |tx| {
        let mut key = tx.gpg_key(&application.id, &fingerprint)?.ok_or_else(|| missing(&fingerprint))?;
        key.revoke(Revocation { at: now, comment: body.comment.clone() })?;
        tx.set_gpg_key_revocation(&key)?;
        let changes = AuditChange::between("revoked", Some("false"), Some("true"));
        let comment = Some(body.comment.as_str()).filter(|comment| !comment.is_empty());
        Ok::<_, ApiError>(trail.record_with(tx, target(&application, &fingerprint), changes, comment)?)
    })
    .await?;
    Ok(Done)
}

/// Forgets a key; it can be added again.
///
/// # Errors
/// `not-found`.
pub async fn delete(cx: Cx<OnApplication<EditApplications>>, Path(path): Path<KeyPath>) -> Result<Done, ApiError> {
    let (application, trail) = (cx.access.application.clone(), cx.trail());
    let fingerprint = plain(&path.fingerprint);
    cx.write(move |tx| {
        if !tx.delete_gpg_key(&application.id, &fingerprint)? {
            return Err(missing(&fingerprint));
        }
        let changes = AuditChange::between("fingerprint", Some(&fingerprint), None);
        Ok(trail.record(tx, target(&application, &fingerprint), changes)?)
    })
    .await?;
    Ok(Done)
}

/// Fingerprints are printed in groups and in either case.
fn plain(fingerprint: &str) -> String {
    fingerprint.chars().filter(|digit| !digit.is_whitespace()).collect::<String>().to_uppercase()
}

fn target(application: &Application, fingerprint: &str) -> AuditTarget {
    AuditTarget::of_application(&application.id, "gpg-key", fingerprint)
}

fn missing(fingerprint: &str) -> ApiError {
    ApiError::not_found(format!("GPG key {fingerprint} not found"))
}

fn data(application: &Application, key: &GpgKey) -> GpgKeyData {
    let address = application.email.as_deref().unwrap_or_default();
    let user_id = |id: &String| GpgKeyUserId { id: id.clone(), verified: gpg_key::names_address(id, address) };
    GpgKeyData {
        fingerprint: key.fingerprint.clone(),
        public_key: key.public_key.clone(),
        user_ids: key.user_ids.iter().map(user_id).collect(),
        comment: key.comment.clone(),
        created: DateTime(key.created_at),
        added: DateTime(key.added_at),
        expires: key.expires_at.map(DateTime),
        revoked: key.revocation.is_some(),
        revoked_at: key.revocation.as_ref().map(|revocation| DateTime(revocation.at)),
        revoke_comment: key.revocation.as_ref().map(|revocation| revocation.comment.clone()),
    }
}
