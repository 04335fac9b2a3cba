//! `spaceport admin-link`: another one-time administrator link, when the first is used up or lost.

use std::time::Duration;

use serde_json::json;
use spaceport_platform::time::SystemClock;
use spaceport_server::administrator_link::NewLink;
use spaceport_server::random::SecureRandom;
use spaceport_server::start::{Existing, existing};

use crate::options::Options;
use crate::say;

/// How long a running server gets to answer. It looks every second.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes a link, also beside a running server, and prints it.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) async fn administrator_link(options: &Options) -> Result<(), String> {
    let settings = options.settings()?;
    let random = SecureRandom::default();
    let link = NewLink::generate(&random);
    let url = match existing(&settings).await? {
        Existing::Opened(store) => {
            let stored = link.store(&store, &SystemClock, &random).await;
            store.close().await;
            stored.map_err(|why| format!("The link could not be made: {why}"))?;
            settings.url_at(settings.listen.port())
        }
        Existing::InUse(_) => link.ask_server(&settings.data, PATIENCE).await?,
    };
    let link = link.url(&url);
    if options.json {
        say(&json!({ "adminLink": link }).to_string());
        return Ok(());
    }
    say(&format!("  administrator link   {link}   (works once, for a day)"));
    Ok(())
}
