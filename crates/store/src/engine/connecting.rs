//! Why PostgreSQL cannot be reached, in a sentence that says what to do. It never holds the password.

use std::error::Error;

use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;

use crate::error::StoreError;

/// The port that PostgreSQL listens on unless another is named.
const USUAL_PORT: u16 = 5432;

/// Where a configuration leads: each host with its port.
pub(super) fn place(config: &Config) -> String {
    let (hosts, ports) = (config.get_hosts(), config.get_ports());
    let named = |(index, host): (usize, &Host)| {
        // One port counts for every host.
        let port = ports.get(index).or_else(|| ports.first()).copied().unwrap_or(USUAL_PORT);
        match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{}, port {port}", folder.display()),
        }
    };
    hosts.iter().enumerate().map(named).collect::<Vec<_>>().join(" or ")
}

/// What a failed connection is answered with.
pub(super) fn refusal(error: &tokio_postgres::Error, place: &str) -> StoreError {
    let sentence = match (error.as_db_error(), error.code()) {
        (Some(fault), Some(code)) => {
            format!("PostgreSQL at {place} refused: {}. {}", fault.message(), advice(code))
        }
        _ => format!(
            "There is no connection to PostgreSQL at {place}: {}. Check that it runs there, and host and port in the database URL.",
            causes(error)
        ),
    };
    StoreError::Unreachable(sentence)
}

fn advice(code: &SqlState) -> &'static str {
    if *code == SqlState::INVALID_CATALOG_NAME {
        "Create the database, or correct its name in the database URL."
    } else if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code) {
        "Correct user and password in the database URL, or let the user sign in (CREATE ROLE, pg_hba.conf)."
    } else if *code == SqlState::TOO_MANY_CONNECTIONS {
        "Raise its max_connections; each node of this server opens up to 16."
    } else {
        "Its log tells more."
    }
}

/// An error with the errors behind it, which tell what happened; nothing twice.
pub(super) fn causes(error: &dyn Error) -> String {
    let (mut text, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_without_user_and_password() {
        let place_of = |url: &str| place(&url.parse().unwrap());
        assert_eq!(place_of("postgres://ann:hunter2@db.example/spaceport"), "db.example:5432");
        assert_eq!(
            place_of("postgres://db.example:6000,other.example:6001/spaceport"),
            "db.example:6000 or other.example:6001"
        );
        assert_eq!(place_of("postgres:///spaceport?host=/run/postgresql"), "/run/postgresql, port 5432");
    }
}
