//! `spaceport serve`: the server itself.

use std::io::IsTerminal as _;

use serde_json::json;
use spaceport_server::run::{Running, Surroundings, run};

use crate::options::Options;
use crate::say;

/// Runs the server until it is asked to stop or fails.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) async fn serve(options: &Options) -> Result<(), String> {
    start_log(options.json);
    let settings = options.settings()?;
    let mut running = run(&settings, Surroundings::default()).await?;
    introduce(options, &running, &settings.data.display().to_string());
    tokio::select! {
        () = asked_to_stop() => {
            tracing::info!("stopping");
            running.stop().await;
            Ok(())
        }
        why = running.failed() => Err(format!("The server stopped: {why}")),
    }
}

/// Structured logs to standard error: JSON with `--json`, lines otherwise.
pub(crate) fn start_log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second subscriber is refused; the first one goes on, which is what is wanted.
    let _ = if json { log.json().try_init() } else { log.try_init() };
}

fn introduce(options: &Options, running: &Running, data: &str) {
    if options.json {
        let mut line = json!({ "serverUrl": running.public_url, "listen": running.address.to_string() });
        if let (Some(first), Some(object)) = (&running.first, line.as_object_mut()) {
            object.insert("adminToken".into(), json!(first.admin_token));
            object.insert("hostClientId".into(), json!(first.host_client_id));
            object.insert("hostClientSecret".into(), json!(first.host_client_secret));
            object.insert("adminLink".into(), json!(running.administrator_link()));
        }
        say(&line.to_string());
        return;
    }
    if let (Some(first), Some(link)) = (&running.first, running.administrator_link()) {
        say(&format!("First start: made {data} with a database and master.key (keep a copy of both)."));
        say(&format!("  administrator link   {link}   (works once, for a week; `spaceport admin-link` makes another)"));
        say(&format!("  host client id       {}", first.host_client_id));
        say(&format!("  host client secret   {}   (shown only now)", first.host_client_secret));
    }
    say(&format!("Spaceport listens on http://{} as {}", running.address, running.public_url));
}

/// Ends when the process is asked to stop, by Ctrl-C or by the system.
pub(crate) async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
