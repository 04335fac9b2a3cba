//! How applications end and come back: archive, restore, force-remove (semantics 1.7).

use crate::access::{Caller, Owner, Principal};
use crate::application::Application;
use crate::connection::{ConnectionStatus, UninstallationStatus};
use crate::invalid::Invalid;
use crate::time::Timestamp;

/// Refuses changes of an application that has ended.
///
/// # Errors
/// Says how to bring it back.
pub fn require_active(application: &Application) -> Result<(), Invalid> {
    match application.archived_at {
        None => Ok(()),
        Some(_) => Err(Invalid::new("", "The application is archived; restore it first")),
    }
}

/// Refuses to archive what is archived.
///
/// # Errors
/// When it is archived already.
pub fn require_not_archived_twice(application: &Application) -> Result<(), Invalid> {
    match application.archived_at {
        None => Ok(()),
        Some(_) => Err(Invalid::new("", "The application is archived already")),
    }
}

/// Refuses to remove by force what could still be removed with the application's consent.
///
/// # Errors
/// Unless the application is being uninstalled and has failed to answer at least once.
pub fn require_failed_uninstallation(application: &Application) -> Result<(), Invalid> {
    require_not_archived_twice(application)?;
    let uninstallation = application.connection.as_ref().and_then(|connection| connection.uninstallation);
    match uninstallation.map(|uninstallation| uninstallation.status) {
        Some(UninstallationStatus::Retrying | UninstallationStatus::Failed) => Ok(()),
        Some(UninstallationStatus::Sending | UninstallationStatus::Uninstalled) | None => Err(Invalid::new(
            "",
            "The application can be removed by force only after it has failed at least once to answer that it was uninstalled; \
             delete it instead",
        )),
    }
}

/// Brings an archived application back. Its secrets and rights count again; tokens from before stay dead, because
/// `tokens_not_before` stays at the moment it was archived.
///
/// # Errors
/// When it is not archived.
pub fn restore(application: &mut Application, now: Timestamp) -> Result<(), Invalid> {
    if application.archived_at.is_none() {
        return Err(Invalid::new("", "The application is not archived"));
    }
    application.archived_at = None;
    application.updated_at = now;
    let reachable = application.endpoint.is_some();
    if let Some(connection) = &mut application.connection {
        connection.uninstallation = None;
        if reachable {
            // It may have forgotten everything, so it is installed anew.
            connection.status = Some(ConnectionStatus::Connecting);
        }
    }
    Ok(())
}

/// What an operation touches of an application, and with it, who may use it on a connected one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Whether it lives, what it is told and what it may do: open to whoever holds the right.
    Life,
    /// What it decides about itself.
    Settings,
    /// What proves an identity, or what it keeps to itself.
    Secrets,
}

/// Whether a part of an application is open to the caller, given that he holds the right. Of a connected application,
/// settings are changed by itself alone (reference page, update application); secrets are shown to itself and to the
/// application that made it, which configures it.
pub fn is_open_to(caller: &Caller, application: &Application, part: Part) -> bool {
    let itself = || caller.principal == Principal::Application(application.id.clone());
    let made_it = || match &application.owner {
        Owner::Application(owner) => caller.principal == Principal::Application(owner.clone()),
        Owner::User(_) => false,
    };
    application.connection.is_none()
        || match part {
            Part::Life => true,
            Part::Settings => itself(),
            Part::Secrets => itself() || made_it(),
        }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access::Credential;
    use crate::application::Endpoint;
    use crate::connection::{Connection, Uninstallation};
    use crate::grants::Limit;
    use crate::id::{ApplicationId, ProfileId};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn application() -> Application {
        Application::new(ApplicationId::new("a"), "c", "n", Owner::User(ProfileId::new("u")), at(1))
    }

    fn connected(status: Option<UninstallationStatus>) -> Application {
        let uninstallation = status.map(|status| Uninstallation { status, started_at: at(2) });
        Application { connection: Some(Connection { uninstallation, ..Connection::default() }), ..application() }
    }

    #[test]
    fn force_removal_needs_a_failed_uninstallation() {
        use UninstallationStatus::{Failed, Retrying, Sending, Uninstalled};
        assert!(require_failed_uninstallation(&application()).is_err());
        assert!(require_failed_uninstallation(&connected(None)).is_err());
        for (status, allowed) in [(Sending, false), (Retrying, true), (Failed, true), (Uninstalled, false)] {
            assert_eq!(require_failed_uninstallation(&connected(Some(status))).is_ok(), allowed, "{status:?}");
        }
        let archived = Application { archived_at: Some(at(3)), ..connected(Some(Failed)) };
        assert!(require_failed_uninstallation(&archived).is_err());
    }

    #[test]
    fn restoring_leaves_the_stamp_that_ended_the_tokens() {
        let mut archived = Application {
            archived_at: Some(at(5)),
            tokens_not_before: at(5),
            ..connected(Some(UninstallationStatus::Uninstalled))
        };
        assert!(require_active(&archived).is_err());
        restore(&mut archived, at(9)).unwrap();
        assert_eq!((archived.archived_at, archived.updated_at, archived.tokens_not_before), (None, at(9), at(5)));
        assert_eq!(archived.connection, Some(Connection::default()), "without an endpoint there is nobody to tell");
        archived.archived_at = Some(at(5));
        archived.endpoint = Some(Endpoint { url: "https://a.example".to_owned(), ssl_verification: true });
        restore(&mut archived, at(9)).unwrap();
        assert_eq!(archived.connection.as_ref().unwrap().status, Some(ConnectionStatus::Connecting));
        assert!(require_active(&archived).is_ok());
        assert!(restore(&mut archived, at(10)).is_err());
    }

    #[test]
    fn a_connected_application_changes_its_settings_itself() {
        let caller = |principal| Caller::new(principal, Arc::default(), Limit::Everything, Credential::AccessToken);
        let (itself, person) = (Principal::Application(ApplicationId::new("a")), Principal::User(ProfileId::new("u")));
        for (principal, itself) in [(itself, true), (person, false)] {
            let open = |application: &Application, part| is_open_to(&caller(principal.clone()), application, part);
            for part in [Part::Life, Part::Settings, Part::Secrets] {
                assert!(open(&application(), part));
                assert_eq!(open(&connected(None), part), itself || part == Part::Life, "{part:?}");
            }
        }
        let maker = ApplicationId::new("maker");
        let made = Application { owner: Owner::Application(maker.clone()), ..connected(None) };
        let maker = caller(Principal::Application(maker));
        assert!(is_open_to(&maker, &made, Part::Secrets) && !is_open_to(&maker, &made, Part::Settings));
    }
}
