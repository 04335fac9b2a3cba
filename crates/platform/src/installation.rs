//! How far an application that is connected from elsewhere has come: from its installation to its removal.
//!
//! ```text
//!                 accepted                    server moved               accepted
//!   CONNECTING ───────────────► CONNECTED ──────────────────► RECONNECTING ────────► CONNECTED
//!      ▲   │ refused                │
//!      │   ▼                        │ deleted
//!   FAILED_TO_CONNECT               ▼             refused
//!          (again, by the owner)  SENDING_UNINSTALL_PAYLOAD ──► RETRYING_… ──► FAILED       both archive
//!                                   └──────────── accepted ──────────┴──► UNINSTALLED
//! ```

use crate::application::{Application, AuthenticationMethod};
use crate::connection::{Connection, ConnectionStatus, Uninstallation, UninstallationStatus};
use crate::dispatch::PayloadClass;
use crate::invalid::Invalid;
use crate::time::Timestamp;

/// What came of an attempt to send a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The application accepted it.
    Accepted,
    /// It did not, and it is tried again.
    Refused,
    /// It did not, for the last time.
    GivenUp,
}

/// What is to be done beside keeping the changed application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consequence {
    /// Nothing.
    Nothing,
    /// The application is archived.
    Archive,
    /// The client secret before the present one ends.
    EndOldSecret,
    /// The client secret before the present one is the present one again.
    ReturnToOldSecret,
}

/// Turns a new application into one that is connected from elsewhere: by itself alone, with its own credentials and
/// with the signature that anybody can verify, unless it asked for another method (wire-protocol 5.5).
///
/// # Errors
/// When it has no endpoint that could be told.
pub fn connect(application: &mut Application) -> Result<(), Invalid> {
    if application.endpoint.is_none() {
        return Err(Invalid::new(
            "endpointUri",
            "must be given where connectToSpace is true: the application is told there",
        ));
    }
    application.flows.client_credentials = true;
    application.connection = Some(Connection { status: Some(ConnectionStatus::Connecting), ..Connection::default() });
    Ok(())
}

/// Whether payloads also carry the signature that published keys verify, besides the application's own method.
pub fn signs_for_everybody(application: &Application) -> bool {
    application.connection.is_some()
        && matches!(application.authentication, AuthenticationMethod::PublicKey | AuthenticationMethod::SigningKey)
}

/// What a failed connection is tried again with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// The first payload.
    Init,
    /// The server's URL.
    ServerUrl,
}

/// Begins to connect again after a failure.
///
/// # Errors
/// Unless connecting failed, or telling the server's URL did, of which only the caller knows.
pub fn connect_again(application: &mut Application) -> Result<Again, Invalid> {
    let Some(connection) = &mut application.connection else {
        return Err(Invalid::new("", "The application is not connected from elsewhere"));
    };
    if connection.uninstallation.is_some() {
        return Err(Invalid::new("", "The application is being uninstalled"));
    }
    match connection.status {
        Some(ConnectionStatus::FailedToConnect) => {
            connection.status = Some(ConnectionStatus::Connecting);
            Ok(Again::Init)
        }
        Some(ConnectionStatus::Reconnecting) => Ok(Again::ServerUrl),
        Some(ConnectionStatus::Connecting) => Err(Invalid::new("", "The application is being connected")),
        Some(ConnectionStatus::Connected) | None => Err(Invalid::new("", "The application is connected already")),
    }
}

/// Whether the application knows this server: only then it has to be told of changes.
pub fn is_known(application: &Application) -> bool {
    let status = application.connection.as_ref().and_then(|connection| connection.status);
    matches!(status, Some(ConnectionStatus::Connected | ConnectionStatus::Reconnecting))
}

/// How an application is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    /// At once: nobody has to be told.
    AtOnce,
    /// Once it has been told.
    AfterTelling,
    /// It is being told already.
    UnderWay,
}

/// Begins to remove an application. One that never was connected, or has no endpoint, cannot be told.
pub fn remove(application: &mut Application, now: Timestamp) -> Removal {
    let reachable = application.endpoint.is_some();
    let Some(connection) = &mut application.connection else { return Removal::AtOnce };
    if connection.uninstallation.is_some() {
        return Removal::UnderWay;
    }
    if connection.status == Some(ConnectionStatus::FailedToConnect) || !reachable {
        return Removal::AtOnce;
    }
    connection.uninstallation = Some(Uninstallation { status: UninstallationStatus::Sending, started_at: now });
    Removal::AfterTelling
}

/// What an attempt to tell the application something means for it.
pub fn told(
    application: &mut Application,
    class: PayloadClass,
    progress: Progress,
    server_url: Option<&str>,
) -> Consequence {
    let Some(connection) = &mut application.connection else { return Consequence::Nothing };
    match (class, progress) {
        (PayloadClass::Init | PayloadClass::ChangeServerUrl, Progress::Accepted) => {
            connection.status = Some(ConnectionStatus::Connected);
            connection.last_sent_server_url = server_url.map(str::to_owned);
            Consequence::Nothing
        }
        (PayloadClass::Init, Progress::GivenUp) => {
            connection.status = Some(ConnectionStatus::FailedToConnect);
            Consequence::Nothing
        }
        (PayloadClass::ChangeClientSecret, Progress::Accepted) => Consequence::EndOldSecret,
        (PayloadClass::ChangeClientSecret, Progress::GivenUp) => Consequence::ReturnToOldSecret,
        (PayloadClass::ApplicationUninstalled, progress) => {
            let (status, consequence) = match progress {
                Progress::Accepted => (UninstallationStatus::Uninstalled, Consequence::Archive),
                Progress::Refused => (UninstallationStatus::Retrying, Consequence::Nothing),
                Progress::GivenUp => (UninstallationStatus::Failed, Consequence::Archive),
            };
            if let Some(uninstallation) = &mut connection.uninstallation {
                uninstallation.status = status;
            }
            consequence
        }
        _ => Consequence::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Owner;
    use crate::application::Endpoint;
    use crate::id::{ApplicationId, ProfileId};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn connecting() -> Application {
        let owner = Owner::User(ProfileId::new("u"));
        let mut application = Application::new(ApplicationId::new("a"), "c", "n", owner, at(1));
        assert_eq!(connect(&mut application).unwrap_err().field, "endpointUri");
        application.endpoint = Some(Endpoint { url: "https://a.example".to_owned(), ssl_verification: true });
        application.flows.client_credentials = false;
        connect(&mut application).unwrap();
        assert!(application.flows.client_credentials);
        application
    }

    fn status(application: &Application) -> Option<ConnectionStatus> {
        application.connection.as_ref().unwrap().status
    }

    #[test]
    fn the_first_payload_decides_and_a_failure_can_be_repeated() {
        let mut application = connecting();
        assert_eq!(status(&application), Some(ConnectionStatus::Connecting));
        assert!(connect_again(&mut application).is_err() && !is_known(&application));
        assert_eq!(
            told(&mut application, PayloadClass::Init, Progress::GivenUp, Some("https://s")),
            Consequence::Nothing
        );
        assert_eq!(status(&application), Some(ConnectionStatus::FailedToConnect));
        assert_eq!(connect_again(&mut application), Ok(Again::Init));
        told(&mut application, PayloadClass::Init, Progress::Accepted, Some("https://s"));
        assert_eq!(status(&application), Some(ConnectionStatus::Connected));
        assert_eq!(application.connection.as_ref().unwrap().last_sent_server_url.as_deref(), Some("https://s"));
        assert!(connect_again(&mut application).is_err() && is_known(&application));
    }

    #[test]
    fn removal_waits_for_the_application_only_where_it_can_be_told() {
        use UninstallationStatus::{Failed, Retrying, Sending, Uninstalled};
        let mut application = connecting();
        told(&mut application, PayloadClass::Init, Progress::GivenUp, None);
        assert_eq!(remove(&mut application, at(2)), Removal::AtOnce);
        let mut application = connecting();
        assert_eq!(remove(&mut application, at(2)), Removal::AfterTelling);
        assert_eq!(remove(&mut application, at(3)), Removal::UnderWay);
        let uninstallation =
            |application: &Application| application.connection.as_ref().unwrap().uninstallation.unwrap();
        assert_eq!(uninstallation(&application), Uninstallation { status: Sending, started_at: at(2) });
        for (progress, expected, consequence) in [
            (Progress::Refused, Retrying, Consequence::Nothing),
            (Progress::GivenUp, Failed, Consequence::Archive),
            (Progress::Accepted, Uninstalled, Consequence::Archive),
        ] {
            let mut application = application.clone();
            assert_eq!(told(&mut application, PayloadClass::ApplicationUninstalled, progress, None), consequence);
            assert_eq!(uninstallation(&application).status, expected);
        }
        let mut deaf = connecting();
        deaf.endpoint = None;
        assert_eq!(remove(&mut deaf, at(2)), Removal::AtOnce);
    }

    #[test]
    fn the_secret_before_ends_when_the_new_one_is_known_and_comes_back_when_it_is_not() {
        let mut application = connecting();
        let class = PayloadClass::ChangeClientSecret;
        assert_eq!(told(&mut application, class, Progress::Accepted, None), Consequence::EndOldSecret);
        assert_eq!(told(&mut application, class, Progress::Refused, None), Consequence::Nothing);
        assert_eq!(told(&mut application, class, Progress::GivenUp, None), Consequence::ReturnToOldSecret);
    }
}
