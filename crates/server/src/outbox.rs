//! The sender's outbox on top of the store: leases rows, renders bodies, loads targets.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moka::sync::Cache;
use spaceport_delivery::outbox::{
    Claimed, Due, Finished, GivenBack, Lease, Outbox, OutboxError, Pace, PayloadKind, Retries, Target, Want,
};
use spaceport_platform::application::{Application, SecretKind, VerificationToken};
use spaceport_platform::id::WebhookId;
use spaceport_platform::secret::Secret;
use spaceport_platform::sending::Sending;
use spaceport_platform::time::{Clock, Timestamp};
use spaceport_platform::webhook::Webhook;
use spaceport_store::{ClaimedRow, Store, StoreError, Tx, Wanted};
use spaceport_wire::payload::Shape;
use spaceport_wire::payload_fields::Withheld;

use crate::api::webhook_out::authenticated;
use crate::catalogues::Catalogues;
use crate::target;

/// Most applications one look for what is due names.
pub(crate) const DUE_LIMIT: usize = 1_000;

/// What the log shows in place of a secret.
pub(crate) const MASK: &str = "***";

/// Targets are remembered by webhook and both revisions: whatever changes a target changes one of
/// them, on every node.
type TargetKey = (WebhookId, i64, i64);

/// The outbox of the running server.
pub struct StoreOutbox {
    store: Store,
    clock: Arc<dyn Clock>,
    catalogue: Arc<Catalogues>,
    targets: Cache<TargetKey, Loaded>,
}

/// What a target's deliveries need: where and how they are sent, and the token inside their bodies.
#[derive(Clone)]
struct Loaded {
    target: Arc<Target>,
    verification_token: Option<Arc<Secret>>,
    shape: Arc<Shape>,
}

impl StoreOutbox {
    /// On top of `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, catalogue: Arc<Catalogues>) -> Self {
        Self { store, clock, catalogue, targets: Cache::new(10_000) }
    }

    async fn loaded(&self, row: &ClaimedRow) -> Result<Loaded, OutboxError> {
        let key = (row.webhook.clone(), row.webhook_revision, row.application_revision);
        if let Some(loaded) = self.targets.get(&key) {
            return Ok(loaded);
        }
        let (application, webhook) = (row.application.clone(), row.webhook.clone());
        let now = self.clock.now();
        let loaded = self
            .store
            .read(move |tx| {
                let Some(application) = tx.application(&application)? else { return Ok(None) };
                let Some(webhook) = tx.webhook(&application.id, &webhook)? else { return Ok(None) };
                let target = Arc::new(load(tx, &application, &webhook, now)?);
                let verification_token = match application.verification_token {
                    VerificationToken::Sent => tx.secret(application.id.as_str(), SecretKind::VerificationToken)?,
                    VerificationToken::Unused => None,
                };
                // What was accepted once is read again; should a newer version refuse it, all is sent.
                let shape = Arc::new(Shape::parse(&webhook.payload).unwrap_or_default());
                Ok(Some(Loaded { target, verification_token: verification_token.map(Arc::new), shape }))
            })
            .await
            .map_err(failed)?;
        let loaded =
            loaded.ok_or_else(|| OutboxError::Unavailable(format!("webhook {} is gone", row.webhook).into()))?;
        self.targets.insert(key, loaded.clone());
        Ok(loaded)
    }
}

/// What a failure of the database means to the sender: try again, or this one never succeeds.
pub(crate) fn failed(error: StoreError) -> OutboxError {
    match error {
        StoreError::Corrupt(_) | StoreError::Refused(_) => OutboxError::Refused(Box::new(error)),
        other => OutboxError::Unavailable(Box::new(other)),
    }
}

fn load(tx: &mut Tx<'_>, application: &Application, webhook: &Webhook, now: Timestamp) -> Result<Target, StoreError> {
    let endpoint = webhook.endpoint.as_ref().or(application.endpoint.as_ref());
    let (method, keystore) = authenticated(application, webhook);
    let owner = if webhook.authentication.is_some() { webhook.id.as_str() } else { application.id.as_str() };
    let authentication = target::authentication(tx, application, owner, method, now)?;
    Ok(Target {
        // No endpoint at all: the sender refuses the empty URL, and the attempt says so.
        url: endpoint.map(|endpoint| endpoint.url.clone()).unwrap_or_default(),
        ssl_verification: target::ssl_verification(endpoint),
        identity: keystore.map(|name| target::identity(tx, name)).transpose()?,
        authentication,
        standard: target::standard(tx, application, owner, method, now)?,
        headers: tx
            .custom_headers(&webhook.id)?
            .into_iter()
            .map(|header| (header.name, header.value.reveal().to_owned()))
            .collect(),
        accepted_codes: webhook.accepted_codes.clone(),
        retries: if webhook.retries { Retries::Enabled } else { Retries::Disabled },
        delays: webhook.sending.retry_delays.clone(),
        pace: pace(webhook),
    })
}

/// Order and limits, if the webhook has any.
fn pace(webhook: &Webhook) -> Option<Pace> {
    let Sending { ordered, most_in_flight, most_per_minute, .. } = webhook.sending;
    let paced = ordered || most_in_flight.is_some() || most_per_minute.is_some();
    paced.then(|| Pace { of: webhook.id.clone(), ordered, most_in_flight, most_per_minute })
}

#[async_trait]
impl Outbox for StoreOutbox {
    async fn due(&self, now: Timestamp) -> Result<Due, OutboxError> {
        let (applications, next) = self.store.read(move |tx| tx.due(now, DUE_LIMIT)).await.map_err(failed)?;
        Ok(Due { applications, next })
    }

    async fn claim(&self, wants: &[Want], now: Timestamp, lease_until: Timestamp) -> Result<Vec<Claimed>, OutboxError> {
        let wanted = |want: &Want| Wanted {
            application: want.application.clone(),
            capacity: want.capacity,
            except: want.except.clone(),
        };
        let wants: Vec<Wanted> = wants.iter().map(wanted).collect();
        let field_rights = Arc::clone(self.catalogue.current().field_rights());
        let rows = self.store.write(move |tx| tx.claim(&wants, &field_rights, now, lease_until));
        let rows = rows.await.map_err(failed)?;
        let (mut claimed, mut unloadable) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            // One target that cannot be loaded must not keep the others of this claim waiting.
            let Loaded { target, verification_token, shape } = match self.loaded(&row).await {
                Ok(loaded) => loaded,
                Err(error) => {
                    tracing::error!(%error, delivery = %row.id, "the target of a delivery cannot be loaded");
                    let lease = Lease { id: row.id, attempt: row.attempt };
                    unloadable.push(GivenBack { lease, due_at: lease_until });
                    continue;
                }
            };
            let withheld = Withheld::of_paths(row.withheld.iter().map(String::as_str));
            let body = |token: Option<&str>| {
                Bytes::from(shape.body(&row.client_id, row.webhook.as_str(), &row.payload, token, &withheld))
            };
            let token = verification_token.as_ref().map(|token| token.reveal());
            let follows_from_event = *shape == Shape::Whole && withheld.is_empty();
            let (body, logged) = match (follows_from_event, token) {
                (true, _) => (body(token), None),
                (false, None) => {
                    let body = body(None);
                    (body.clone(), Some(body))
                }
                (false, Some(_)) => (body(token), Some(body(Some(MASK)))),
            };
            claimed.push(Claimed {
                id: row.id,
                application: row.application,
                target,
                kind: PayloadKind::Webhook,
                attempt: row.attempt,
                tried_before: row.tried_before,
                body,
                logged,
                created_at: row.created_at,
            });
        }
        // They were not tried. Should this fail as well, their leases run out at the same time.
        if !unloadable.is_empty()
            && let Err(error) = self.release(unloadable).await
        {
            tracing::error!(%error, "leases of deliveries without a target cannot be given back");
        }
        Ok(claimed)
    }

    async fn record(&self, finished: Vec<Finished>) -> Result<(), OutboxError> {
        let attempts: Vec<_> = finished.iter().map(crate::attempt::recorded).collect();
        let now = self.clock.now();
        self.store.write(move |tx| tx.record(&attempts, now)).await.map_err(failed)
    }

    async fn release(&self, leases: Vec<GivenBack>) -> Result<(), OutboxError> {
        let leases: Vec<_> = leases.into_iter().map(|back| (back.lease.id, back.lease.attempt, back.due_at)).collect();
        self.store.write(move |tx| tx.release(&leases)).await.map_err(failed)
    }
}
