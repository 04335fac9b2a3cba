//! The outbox of dispatches on top of the store: leases rows, completes payloads, applies what comes of them.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use spaceport_delivery::outbox::{
    Claimed, Due, Finished, GivenBack, Lease, Outbox, OutboxError, PayloadKind, Retries, Want,
};
use spaceport_platform::application::SecretKind;
use spaceport_platform::dispatch::Tries;
use spaceport_platform::time::Timestamp;
use spaceport_store::{ClaimedDispatch, Store, StoreError, Tx};
use spaceport_wire::application_payload::ApplicationPayload;

use super::outcome;
use crate::attempt::recorded;
use crate::outbox::{DUE_LIMIT, MASK, failed};
use crate::services::{Parts, Services};
use crate::target;

/// The outbox of the running server.
pub struct DispatchOutbox {
    store: Store,
    /// Weak, because the services hold the engine that holds this.
    services: Weak<Parts>,
}

impl DispatchOutbox {
    /// On top of the server's store.
    pub fn new(services: &Services) -> Self {
        Self { store: services.store.clone(), services: services.downgrade() }
    }

    fn services(&self) -> Result<Services, OutboxError> {
        let services = self.services.upgrade().map(Services::from);
        services.ok_or_else(|| OutboxError::Unavailable("the server has ended".into()))
    }
}

/// Where it goes and what it says, with what is known only now: the application's secrets.
fn complete(tx: &mut Tx<'_>, row: &ClaimedDispatch, now: Timestamp) -> Result<Claimed, StoreError> {
    let dispatch = &row.dispatch;
    let gone = || StoreError::corrupt(format!("the application {} is gone", dispatch.application));
    let application = tx.application(&dispatch.application)?.ok_or_else(gone)?;
    let class = dispatch.class;
    let (kind, retries) = match class.tries() {
        Tries::One => (PayloadKind::Lifecycle, Retries::Disabled),
        Tries::AFew => (PayloadKind::Webhook, Retries::Enabled),
        Tries::OverAnHour => (PayloadKind::Lifecycle, Retries::Enabled),
    };
    let target = Arc::new(target::of_application(tx, &application, retries, now)?);
    let unreadable =
        |invalid: &dyn std::fmt::Display| StoreError::corrupt(format!("the dispatch {}: {invalid}", dispatch.id));
    let mut payload = ApplicationPayload::from_stored(&row.payload).map_err(|invalid| unreadable(&invalid))?;
    let recipient = target::recipient(tx, &application)?;
    let logged = payload.clone().masked_body_for(recipient.clone(), MASK).map_err(|invalid| unreadable(&invalid))?;
    let secret = match &mut payload {
        ApplicationPayload::InitPayload(payload) => Some(&mut payload.client_secret),
        ApplicationPayload::ChangeClientSecretPayload(payload) => Some(&mut payload.new_client_secret),
        _ => None,
    };
    if let Some(place) = secret {
        let secret = tx.secret(application.id.as_str(), SecretKind::ClientSecret)?.ok_or_else(gone)?;
        secret.reveal().clone_into(place);
    }
    let body = payload.body_for(recipient).map_err(|invalid| unreadable(&invalid))?;
    Ok(Claimed {
        id: dispatch.id.clone(),
        application: application.id,
        target,
        kind,
        attempt: dispatch.attempts,
        tried_before: 0,
        body: Bytes::from(body),
        logged: Some(Bytes::from(logged)),
        created_at: dispatch.created_at,
    })
}

#[async_trait]
impl Outbox for DispatchOutbox {
    async fn due(&self, now: Timestamp) -> Result<Due, OutboxError> {
        let (applications, next) =
            self.store.read(move |tx| tx.dispatches_due(now, DUE_LIMIT)).await.map_err(failed)?;
        Ok(Due { applications, next })
    }

    async fn claim(&self, wants: &[Want], now: Timestamp, lease_until: Timestamp) -> Result<Vec<Claimed>, OutboxError> {
        let wants: Vec<_> = wants.iter().map(|want| (want.application.clone(), want.capacity)).collect();
        let rows = self.store.write(move |tx| tx.claim_dispatches(&wants, now, lease_until)).await.map_err(failed)?;
        let (mut claimed, mut unloadable) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            let lease = Lease { id: row.dispatch.id.clone(), attempt: row.dispatch.attempts };
            match self.store.read(move |tx| complete(tx, &row, now)).await {
                Ok(one) => claimed.push(one),
                // One that cannot be put together must not keep the others waiting.
                Err(error) => {
                    tracing::error!(%error, dispatch = %lease.id, "a payload cannot be put together");
                    unloadable.push(GivenBack { lease, due_at: lease_until });
                }
            }
        }
        if !unloadable.is_empty()
            && let Err(error) = self.release(unloadable).await
        {
            tracing::error!(%error, "leases of payloads that cannot be put together cannot be given back");
        }
        Ok(claimed)
    }

    async fn record(&self, finished: Vec<Finished>) -> Result<(), OutboxError> {
        let services = self.services()?;
        outcome::record(&services, finished.iter().map(recorded).collect()).await.map_err(failed)
    }

    async fn release(&self, leases: Vec<GivenBack>) -> Result<(), OutboxError> {
        let leases: Vec<_> = leases.into_iter().map(|back| (back.lease.id, back.lease.attempt, back.due_at)).collect();
        self.store.write(move |tx| tx.release_dispatches(&leases)).await.map_err(failed)
    }
}
