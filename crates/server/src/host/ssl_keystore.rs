//! `/api/host/v1/ssl-keystores`: client certificates that deliveries show, kept by administrators.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_keys::keystore::{Keystore as Parsed, MAX_BYTES, from_pem, from_pkcs12};
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::keystore::{Ending, Keystore, MAX_KEYSTORES, check_name, check_validity, ending};
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use spaceport_store::{KeystoreUse, StoreError};
use spaceport_wire::keystore::{CreateSslKeystore, SslKeystoreContents, SslKeystoreRecord};
use spaceport_wire::scalar::DateTime;

use crate::http::access::{Administer, Cx, Holding};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;
use crate::services::Services;
use crate::tasks::Periodic;

/// Names of users that a refusal lists.
const SHOWN: u32 = 5;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const KEYSTORES: &str = "/api/host/v1/ssl-keystores";
    const KEYSTORE: &str = "/api/host/v1/ssl-keystores/{name}";
    routes
        .post(KEYSTORES, "host.ssl_keystore.create", "Store SSL keystore", create)
        .get(KEYSTORES, "host.ssl_keystore.list", "Get all SSL keystores", list)
        .put(KEYSTORE, "host.ssl_keystore.replace", "Replace SSL keystore", replace)
        .delete(KEYSTORE, "host.ssl_keystore.delete", "Delete SSL keystore", delete)
}

/// Tells operators of certificates that end.
pub const WATCH: Periodic = Periodic {
    name: "look at SSL keystores",
    period: Duration::from_secs(12 * 60 * 60),
    run: |services| watch(services).boxed(),
};

async fn watch(services: Services) -> Result<(), String> {
    let found = services.store.read(|tx| tx.keystores()).await.map_err(|error: StoreError| error.to_string())?;
    for keystore in found {
        let (name, until) = (&keystore.name, keystore.valid_until);
        match ending(until, services.clock.now()) {
            Ending::Far => {}
            Ending::Soon => tracing::warn!(keystore = %name, %until, "a client certificate ends soon; replace it"),
            Ending::Over => tracing::warn!(keystore = %name, %until, "a client certificate has ended; replace it"),
        }
    }
    Ok(())
}

/// Stores a keystore under a new name. Nobody can read its private key back.
///
/// # Errors
/// `validation-error` naming the argument; `duplicated-entity` when the name is taken.
pub async fn create(
    cx: Cx<Holding<Administer>>,
    Body(body): Body<CreateSslKeystore>,
) -> Result<Json<SslKeystoreRecord>, ApiError> {
    check_name(&body.name)?;
    let (now, trail) = (cx.now(), cx.trail());
    let CreateSslKeystore { name, certificate, private_key, pkcs12, password } = body;
    let contents = SslKeystoreContents { certificate, private_key, pkcs12, password };
    let parsed = cx.services.key_reading.run(move || read(contents, now)).await??;
    let keystore = keystore(name, &parsed, now, now);
    let shown = record(&keystore);
    cx.write(move |tx| {
        if tx.keystores()?.len() >= MAX_KEYSTORES {
            return Err(ApiError::validation(format!("There can be {MAX_KEYSTORES} keystores; delete one first")));
        }
        if !tx.insert_keystore(&keystore, parsed.key.secret_der())? {
            return Err(ApiError::duplicated(format!("There is a keystore named {} already", keystore.name)));
        }
        Ok(trail.record(tx, target(&keystore.name), changes(None, Some(&keystore)))?)
    })
    .await?;
    Ok(Json(shown))
}

/// All keystores by name, without their private keys.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<Holding<Administer>>) -> Result<Json<Vec<SslKeystoreRecord>>, ApiError> {
    let found = cx.read(|tx| tx.keystores()).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Json(found.iter().map(record).collect()))
}

/// The keystore in the path.
#[derive(Deserialize, JsonSchema)]
pub struct KeystorePath {
    /// Its name.
    name: String,
}

/// Stores other contents under a known name: deliveries from now on show the new certificate.
///
/// # Errors
/// `not-found`; `validation-error` naming the argument.
pub async fn replace(
    cx: Cx<Holding<Administer>>,
    Path(path): Path<KeystorePath>,
    Body(body): Body<SslKeystoreContents>,
) -> Result<Json<SslKeystoreRecord>, ApiError> {
    let (now, trail) = (cx.now(), cx.trail());
    let parsed = cx.services.key_reading.run(move || read(body, now)).await??;
    let shown = cx
        .write(move |tx| {
            let before = tx.keystore(&path.name)?.ok_or_else(|| missing(&path.name))?;
            let after = keystore(path.name.clone(), &parsed, before.created_at, now);
            tx.replace_keystore(&after, parsed.key.secret_der())?;
            trail.record(tx, target(&path.name), changes(Some(&before), Some(&after)))?;
            Ok::<_, ApiError>(record(&after))
        })
        .await?;
    Ok(Json(shown))
}

/// Forgets a keystore that nothing uses.
///
/// # Errors
/// `not-found`; `validation-error` with the names of what uses it.
pub async fn delete(cx: Cx<Holding<Administer>>, Path(path): Path<KeystorePath>) -> Result<Done, ApiError> {
    let trail = cx.trail();
    cx.write(move |tx| {
        let before = tx.keystore(&path.name)?.ok_or_else(|| missing(&path.name))?;
        tx.delete_keystore(&path.name)?;
        // Asked after the deletion: nobody can begin to use it now, and the refusal takes the deletion back.
        let used = tx.keystore_use(&path.name, SHOWN)?;
        if !used.applications.is_empty() || !used.webhooks.is_empty() {
            return Err(ApiError::validation(in_use(&path.name, &used)));
        }
        Ok(trail.record(tx, target(&path.name), changes(Some(&before), None))?)
    })
    .await?;
    Ok(Done)
}

/// Reads what was sent. Costs CPU: not for an async thread.
fn read(contents: SslKeystoreContents, now: Timestamp) -> Result<Parsed, Invalid> {
    let SslKeystoreContents { certificate, private_key, pkcs12, password } = contents;
    let (private_key, password) = (private_key.map(Secret::new), password.map(Secret::new));
    let parsed = match (certificate, private_key, pkcs12) {
        (Some(certificate), Some(key), None) => from_pem(&certificate, key.reveal())?,
        (None, None, Some(file)) => {
            // Base64 is a third longer.
            if file.len() > 2 * MAX_BYTES {
                return Err(Invalid::new("pkcs12", format!("must have at most {MAX_BYTES} bytes")));
            }
            let text: String = file.split_whitespace().collect();
            let bytes =
                STANDARD.decode(text).map_err(|_| Invalid::new("pkcs12", "must be base64 of a PKCS #12 file"))?;
            from_pkcs12(&bytes, &password.unwrap_or_else(|| Secret::new("")))?
        }
        (Some(_), None, None) => return Err(Invalid::new("privateKey", "is required beside certificate")),
        (None, Some(_), None) => return Err(Invalid::new("certificate", "is required beside privateKey")),
        (None, None, None) => return Err(Invalid::new("certificate", "and privateKey are required, or else pkcs12")),
        _ => return Err(Invalid::new("pkcs12", "must be absent beside certificate and privateKey")),
    };
    check_validity(parsed.leaf.valid_until, now)?;
    Ok(parsed)
}

fn keystore(name: String, parsed: &Parsed, created_at: Timestamp, updated_at: Timestamp) -> Keystore {
    let leaf = parsed.leaf.clone();
    Keystore {
        name,
        chain: parsed.chain.clone(),
        subject: leaf.subject,
        issuer: leaf.issuer,
        valid_from: leaf.valid_from,
        valid_until: leaf.valid_until,
        fingerprint: leaf.fingerprint,
        created_at,
        updated_at,
    }
}

fn record(keystore: &Keystore) -> SslKeystoreRecord {
    SslKeystoreRecord {
        name: keystore.name.clone(),
        subject: keystore.subject.clone(),
        issuer: keystore.issuer.clone(),
        valid_from: DateTime(keystore.valid_from),
        valid_until: DateTime(keystore.valid_until),
        fingerprint: keystore.fingerprint.clone(),
        certificates: keystore.chain.len(),
        created: DateTime(keystore.created_at),
        updated: DateTime(keystore.updated_at),
    }
}

fn changes(before: Option<&Keystore>, after: Option<&Keystore>) -> Vec<AuditChange> {
    let field = |name, value: fn(&Keystore) -> String| {
        AuditChange::between(name, before.map(value).as_deref(), after.map(value).as_deref())
    };
    let visible = [
        field("fingerprint", |keystore| keystore.fingerprint.clone()),
        field("subject", |keystore| keystore.subject.clone()),
        field("validUntil", |keystore| keystore.valid_until.to_string()),
    ];
    visible.into_iter().flatten().chain([AuditChange::secret("privateKey")]).collect()
}

fn target(name: &str) -> AuditTarget {
    AuditTarget::other("ssl-keystore", name)
}

fn missing(name: &str) -> ApiError {
    ApiError::not_found(format!("SSL keystore {name} not found"))
}

fn in_use(name: &str, used: &KeystoreUse) -> String {
    let listed = |kind: &str, names: &[String]| (!names.is_empty()).then(|| format!("{kind} {}", names.join(", ")));
    let users = [listed("applications", &used.applications), listed("webhooks", &used.webhooks)];
    let users = users.into_iter().flatten().collect::<Vec<_>>().join(" and ");
    format!("The keystore {name} is in use by {users}; take it away from them first")
}
