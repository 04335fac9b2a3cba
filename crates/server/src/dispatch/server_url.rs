//! The server moved: every application that knows it under another URL is told, a few in each transaction.

use std::sync::Arc;

use spaceport_platform::access::Caller;
use spaceport_platform::application_changes::changes;
use spaceport_platform::audit::AuditTarget;
use spaceport_platform::connection::ConnectionStatus;
use spaceport_platform::dispatch::PayloadClass;
use spaceport_platform::id::ApplicationId;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application_payload::{ApplicationPayload, ChangeServerUrlPayload, Recipient};

use super::put;
use crate::http::news::News;
use crate::http::trail::Trail;
use crate::services::Services;

/// Applications that one transaction tells.
const STEP: u32 = 100;

/// Puts the URL of the configuration on its way to every application that was last told another one. What a stop cuts
/// off goes on with the next start: whoever was put on the list stays there, and the others are found again.
///
/// # Errors
/// When the database failed.
pub async fn tell_all(services: &Services) -> Result<(), String> {
    // A URL that was made up from the address we listen on says nothing about where applications reach us.
    let Some(url) = services.settings.public_url.clone() else { return Ok(()) };
    let (now, mut after): (_, Option<ApplicationId>) = (services.clock.now(), None);
    loop {
        let trail = Trail::of_server("server.url", now, services.clone());
        let news = News::new(Arc::new(Caller::nobody()), now, services.clone());
        let (written, url, from) = (news.clone(), url.clone(), after.clone());
        let step = services.store.write(move |tx| {
            let others = tx.applications_with_other_server_url(&url, from.as_ref(), STEP)?;
            for id in &others {
                tell(tx, &written, &trail, id, &url)?;
            }
            Ok(others)
        });
        let told = step
            .await
            .map_err(|error: StoreError| format!("applications cannot be told of the server's URL: {error}"))?;
        news.wake();
        let Some(last) = told.last() else { return Ok(()) };
        tracing::info!(applications = told.len(), "telling applications of the server's URL");
        after = Some(last.clone());
    }
}

/// Puts the server's URL on its way to one application.
///
/// # Errors
/// When the database failed.
pub(crate) fn tell(
    tx: &mut Tx<'_>,
    news: &News,
    trail: &Trail,
    id: &ApplicationId,
    url: &str,
) -> Result<(), StoreError> {
    let Some(before) = tx.application(id)? else { return Ok(()) };
    let mut application = before.clone();
    if let Some(connection) = &mut application.connection {
        connection.status = Some(ConnectionStatus::Reconnecting);
    }
    // An older move that nobody has heard of is no news any more.
    tx.cancel_waiting_dispatches_of(id, PayloadClass::ChangeServerUrl, news.now)?;
    let payload = ApplicationPayload::ChangeServerUrlPayload(ChangeServerUrlPayload {
        new_server_url: url.to_owned(),
        user_id: super::user_id(news),
        recipient: Recipient::default(),
    });
    put(news, tx, id, &payload)?;
    tx.update_application(&application)?;
    trail.record(tx, AuditTarget::application(id), changes(Some(&before), &application))
}
