//! `/api/host/v1/applications/{application}/public-keys`: the key pairs that sign what an application is sent take turns.
//!
//! ```text
//!   made ──► published ──(a day)──► signs ──(a newer one signs)──► still published ──(a day)──► gone
//! ```

use std::time::Duration;

use futures_util::FutureExt as _;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::lifecycle;
use spaceport_platform::time::Timestamp;
use spaceport_store::{PublicKey, StoreError};
use spaceport_wire::host::{ApplicationPublicKey, PublicKeyState, RotatePublicKey};
use spaceport_wire::scalar::DateTime;

use crate::api::application_state::loaded;
use crate::http::access::{Cx, LookAfterApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Json;
use crate::http::routes::Routes;
use crate::keys::NewKey;
use crate::services::Services;
use crate::tasks::Periodic;

/// Published applications keep keys that they read for a day (wire-protocol 4.3): so long a key is published before it
/// signs, and after it signed last.
pub const CACHED: Duration = Duration::from_secs(24 * 3600);
/// Keys that one transaction looks at.
const STEP: u32 = 100;

/// Lets keys whose time has come take their turn.
pub const TASK: Periodic = Periodic {
    name: "rotation of the keys of applications",
    period: Duration::from_secs(60),
    run: |services| take_turns(services).boxed(),
};

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get(
            "/api/host/v1/applications/{application}/public-keys",
            "host.application.public_keys.list",
            "List the key pairs that sign what an application is sent",
            list,
        )
        .post(
            "/api/host/v1/applications/{application}/public-keys/rotate",
            "host.application.public_keys.rotate",
            "Replace the key pair that signs what an application is sent",
            rotate,
        )
}

/// Keys that are published, the newest last.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<Vec<ApplicationPublicKey>>, ApiError> {
    let (id, now) = (cx.access.application.id.clone(), cx.now());
    let keys = cx.read(move |tx| tx.application_keys(&id)).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Json(out(&keys, now)))
}

fn out(keys: &[PublicKey], now: Timestamp) -> Vec<ApplicationPublicKey> {
    let signs = keys.iter().rposition(|key| key.signs_from <= now);
    let shown = |(index, key): (usize, &PublicKey)| ApplicationPublicKey {
        key_id: key.id.to_string(),
        created_at: DateTime(key.created_at),
        state: match signs {
            Some(signs) if index == signs => PublicKeyState::Signs,
            Some(signs) if index < signs => PublicKeyState::Retires,
            _ => PublicKeyState::Waits,
        },
        signs_from: DateTime(key.signs_from.max(key.created_at)),
        retires_at: key.retires_at.map(DateTime),
    };
    keys.iter().enumerate().map(shown).collect()
}

/// Makes a key pair that is published at once, signs in a day, and whose forerunner goes another day later. When the present
/// one may be known to somebody else, `immediately` lets the new one sign at once and takes the others away: then
/// applications that keep what they read fail to verify until they read the keys again.
///
/// # Errors
/// `validation-error` while another key waits for its turn, or when the application is archived.
pub async fn rotate(
    cx: Cx<OnApplication<LookAfterApplications>>,
    Body(body): Body<RotatePublicKey>,
) -> Result<Json<Vec<ApplicationPublicKey>>, ApiError> {
    let (now, trail) = (cx.now(), cx.trail());
    lifecycle::require_active(&cx.access.application)?;
    let mut made = NewKey::generate(&cx.services, now).await?;
    if !body.immediately {
        made.public.signs_from = now.plus(CACHED);
    }
    let id = cx.access.application.id.clone();
    let keys = cx.write(move |tx| {
        lifecycle::require_active(&loaded(tx, &id)?)?;
        let before = tx.application_keys(&id)?;
        if !body.immediately && before.iter().any(|key| key.signs_from > now) {
            return Err(Invalid::new("", "Another key waits for its turn already").into());
        }
        made.insert(tx, &id)?;
        if body.immediately {
            tx.delete_application_keys_but(&id, &made.public.id)?;
        }
        let name = |key: &PublicKey| key.id.to_string();
        let change =
            AuditChange::between("publicKey", before.last().map(name).as_deref(), Some(made.public.id.as_str()));
        trail.record(tx, AuditTarget::application(&id), change)?;
        Ok::<_, ApiError>(tx.application_keys(&id)?)
    });
    let keys = keys.await?;
    Ok(Json(out(&keys, now)))
}

async fn take_turns(services: Services) -> Result<(), String> {
    let now = services.clock.now();
    let failed = |error: StoreError| format!("the keys of applications cannot be replaced: {error}");
    let turns = move |tx: &mut spaceport_store::Tx<'_>| {
        Ok::<_, StoreError>((
            tx.replace_application_keys(now, now.plus(CACHED), STEP)?,
            tx.delete_retired_application_keys(now, STEP)?,
        ))
    };
    // Nothing to do is the rule; then nobody waits for the writer.
    if !services.store.read(move |tx| tx.application_keys_take_turns(now)).await.map_err(failed)? {
        return Ok(());
    }
    let (replaced, gone) = services.store.write(turns).await.map_err(failed)?;
    tracing::info!(replaced, gone, "keys of applications took turns");
    Ok(())
}
