//! `/api/http/applications/{application}/ssh-keys`: keys that an application signs in to repositories with.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_keys::ssh::{self, Fingerprint};
use spaceport_platform::application::Application;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::gpg_key::{MAX_KEYS, check_comment};
use spaceport_platform::lifecycle::require_active;
use spaceport_platform::ssh_key::SshKey;
use spaceport_store::StoreError;
use spaceport_wire::scalar::DateTime;
use spaceport_wire::ssh_key::{AddSshKey, SshKeyData};

use crate::api::application_state::loaded;
use crate::events::application::{SshKey as KeyTold, ssh_key_added, ssh_key_deleted};
use crate::http::access::{Cx, EditApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const KEYS: &str = "/api/http/applications/{application}/ssh-keys";
    const KEY: &str = "/api/http/applications/{application}/ssh-keys/{fingerprint}";
    routes.post(KEYS, "api.ssh_key.add", "Add ssh key", add).get(KEYS, "api.ssh_key.list", "Get ssh keys", list).delete(
        KEY,
        "api.ssh_key.delete",
        "Delete ssh key",
        delete,
    )
}

/// Adds a key. It belongs to one application in the whole organization: it tells who signs in.
///
/// # Errors
/// `validation-error` says what is wrong with the key; `duplicated-entity` when some application has it.
pub async fn add(cx: Cx<OnApplication<EditApplications>>, Body(body): Body<AddSshKey>) -> Result<Done, ApiError> {
    check_comment(&body.comment)?;
    let read = ssh::parse(&body.public_key).map_err(|fault| fault.within("publicKey"))?;
    let comment = if body.comment.trim().is_empty() { read.comment } else { body.comment };
    let key = SshKey {
        application: cx.access.application.id.clone(),
        md5_fingerprint: read.md5_fingerprint,
        sha256_fingerprint: read.sha256_fingerprint,
        public_key: read.public_key,
        comment,
        added_at: cx.now(),
    };
    let (trail, news) = (cx.trail(), cx.news());
    cx.write(move |tx| {
        let application = loaded(tx, &key.application)?;
        require_active(&application)?;
        if tx.count_ssh_keys(&application.id)? >= i64::try_from(MAX_KEYS).unwrap_or(i64::MAX) {
            return Err(ApiError::validation(format!("An application can have {MAX_KEYS} SSH keys; delete one first")));
        }
        if !tx.insert_ssh_key(&key)? {
            return Err(ApiError::duplicated(format!("The key {} is in use already", key.sha256_fingerprint)));
        }
        let changes = [
            AuditChange::between("fingerprint", None, Some(&key.sha256_fingerprint)),
            AuditChange::between("comment", Some(""), Some(&key.comment)),
        ];
        trail.record(tx, target(&application, &key), changes.into_iter().flatten())?;
        Ok(ssh_key_added(&news, tx, &application, told(&key))?)
    })
    .await?;
    Ok(Done)
}

/// Keys in the order they were added.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<Vec<SshKeyData>>, ApiError> {
    let id = cx.access.application.id.clone();
    let keys = cx.read(move |tx| tx.ssh_keys(&id)).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Json(keys.into_iter().map(data).collect()))
}

/// The key in the path.
#[derive(Deserialize, JsonSchema)]
pub struct KeyPath {
    /// Either fingerprint: `aa:bb:…` (MD5) or `SHA256:…`, percent-encoded.
    fingerprint: String,
}

/// Forgets a key.
///
/// # Errors
/// `not-found`.
pub async fn delete(cx: Cx<OnApplication<EditApplications>>, Path(path): Path<KeyPath>) -> Result<Done, ApiError> {
    let (application, trail, news) = (cx.access.application.clone(), cx.trail(), cx.news());
    cx.write(move |tx| {
        let missing = || ApiError::not_found(format!("SSH key {} not found", path.fingerprint));
        let fingerprint = match Fingerprint::parse(&path.fingerprint).ok_or_else(missing)? {
            Fingerprint::Md5(text) | Fingerprint::Sha256(text) => text,
        };
        let key = tx.delete_ssh_key(&application.id, &fingerprint)?.ok_or_else(missing)?;
        let changes = [
            AuditChange::between("fingerprint", Some(&key.sha256_fingerprint), None),
            AuditChange::between("comment", Some(&key.comment), Some("")),
        ];
        trail.record(tx, target(&application, &key), changes.into_iter().flatten())?;
        Ok::<_, ApiError>(ssh_key_deleted(&news, tx, &application, told(&key))?)
    })
    .await?;
    Ok(Done)
}

fn told(key: &SshKey) -> KeyTold<'_> {
    KeyTold { fingerprint: &key.md5_fingerprint, comment: &key.comment }
}

fn target(application: &Application, key: &SshKey) -> AuditTarget {
    AuditTarget::of_application(&application.id, "ssh-key", key.sha256_fingerprint.as_str())
}

fn data(key: SshKey) -> SshKeyData {
    SshKeyData {
        fingerprint: key.md5_fingerprint,
        sha256_fingerprint: Some(key.sha256_fingerprint),
        public_key: key.public_key,
        comment: key.comment,
        created_at: Some(DateTime(key.added_at)),
        // Whoever serves repositories knows; nobody tells this server.
        last_used: None,
        last_resource: None,
    }
}
