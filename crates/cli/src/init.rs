//! `spaceport init`: the first start without serving.

use serde_json::json;
use spaceport_server::run::{Surroundings, administrator_link};
use spaceport_server::start;

use crate::options::Options;
use crate::say;

/// Makes what the first start makes and prints the credentials once.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) async fn init(options: &Options) -> Result<(), String> {
    let settings = options.settings()?;
    let around = Surroundings::default();
    let (store, first) = start::open(&settings, around.clock.as_ref(), around.random.as_ref(), &around.keys).await?;
    store.close().await;
    let first = first.ok_or_else(|| {
        format!(
            "{} is set up already; its credentials were printed by the first start and are not kept in clear.",
            settings.data.display()
        )
    })?;
    let url = settings.url_at(settings.listen.port());
    let link = administrator_link(&url, &first);
    if options.json {
        say(&json!({
            "serverUrl": url,
            "adminToken": first.admin_token,
            "hostClientId": first.host_client_id,
            "hostClientSecret": first.host_client_secret,
            "adminLink": link,
        })
        .to_string());
        return Ok(());
    }
    say(&format!(
        "Made {}: database, master.key (keep a copy: without it the database's secrets are lost).",
        settings.data.display()
    ));
    say("Shown only now:");
    say(&format!("  administrator token  {}", first.admin_token));
    say(&format!("  administrator link   {link}   (works once, for a week)"));
    say(&format!("  host client id       {}", first.host_client_id));
    say(&format!("  host client secret   {}", first.host_client_secret));
    say(&format!("Next: {}", options.line("serve")));
    Ok(())
}
