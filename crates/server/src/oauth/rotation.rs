//! The server's own keys take turns: the periodic task that carries out the plan of `platform::server_key`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::Id;
use spaceport_platform::server_key::{KeyPolicy, KeyState, KeyStep, plan};
use spaceport_store::{StoreError, Tx};

use crate::http::trail::Trail;
use crate::oauth::signing;
use crate::services::Services;
use crate::tasks::Periodic;

/// How long key sets may be cached by whoever read them: published applications keep them for a day.
const PUBLISHED_BEFORE: Duration = Duration::from_secs(24 * 3600);
/// What is added to the life of a token before the key that signed it goes.
const PUBLISHED_AFTER: Duration = Duration::from_secs(3600);

/// Looks at the keys every minute; that is also how soon a node learns which key signs now.
pub const TASK: Periodic = Periodic {
    name: "rotation of the keys of access tokens",
    period: Duration::from_secs(60),
    run: |services| run(services).boxed(),
};

/// When keys change, by the settings.
pub fn policy(algorithm: spaceport_platform::server_key::Algorithm, days: u32, token_seconds: i64) -> KeyPolicy {
    KeyPolicy {
        algorithm,
        period: Duration::from_secs(u64::from(days) * 24 * 3600),
        published_before: PUBLISHED_BEFORE,
        published_after: PUBLISHED_AFTER + Duration::from_secs(u64::try_from(token_seconds).unwrap_or(0)),
    }
}

async fn run(services: Services) -> Result<(), String> {
    let text = |error: StoreError| error.to_string();
    let policy = services.key_policy;
    let facts = services.store.read(|tx| tx.server_key_facts()).await.map_err(text)?;
    for step in plan(&facts, &policy, services.clock.now()) {
        carry_out(&services, step).await?;
    }
    services.tokens.reload(&services.store).await.map_err(text)
}

async fn carry_out(services: &Services, step: KeyStep) -> Result<(), String> {
    let now = services.clock.now();
    let trail = Trail::of_server("server.key.rotate", now, services.clone());
    let target = |id: &str| AuditTarget::other("server_key", id);
    let state = |old: Option<KeyState>, new: Option<KeyState>| {
        AuditChange::between("state", old.map(KeyState::name), new.map(KeyState::name))
    };
    let work: BoxFuture<'_, Result<(), StoreError>> = match step {
        KeyStep::Make(algorithm) => {
            let source = Arc::clone(&services.keys);
            let made = tokio::task::spawn_blocking(move || signing::generate(algorithm, &source));
            let pkcs8 = made.await.map_err(|error| error.to_string())??;
            let id = Id::generate(now, services.random.as_ref());
            let work = move |tx: &mut Tx<'_>| {
                // Of several nodes one stores its key; the others throw theirs away.
                if tx.insert_server_key(&id, algorithm, KeyState::Next, &pkcs8, now)? {
                    trail.record(tx, target(id.as_str()), state(None, Some(KeyState::Next)))?;
                }
                Ok(())
            };
            services.store.write(work).boxed()
        }
        KeyStep::Activate(id) => {
            let work = move |tx: &mut Tx<'_>| {
                if tx.activate_server_key(&id, now)? {
                    let change = state(Some(KeyState::Next), Some(KeyState::Active));
                    trail.record(tx, target(id.as_str()), change)?;
                }
                Ok(())
            };
            services.store.write(work).boxed()
        }
        KeyStep::Delete(id) => {
            let work = move |tx: &mut Tx<'_>| {
                tx.delete_server_key(&id)?;
                trail.record(tx, target(id.as_str()), state(Some(KeyState::Retired), None))
            };
            services.store.write(work).boxed()
        }
    };
    work.await.map_err(|error| error.to_string())
}
