//! What ties an application to a server elsewhere: how far connecting and uninstalling have come (semantics 1.2, 1.7).

use crate::time::Timestamp;

/// The connection of an application that was installed from a link or a marketplace. Only such an application
/// changes its own settings; people may not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Connection {
    /// Id in the marketplace, when it came from one.
    pub marketplace_id: Option<String>,
    /// How far connecting has come.
    pub status: Option<ConnectionStatus>,
    /// Server URL last told to the application.
    pub last_sent_server_url: Option<String>,
    /// Uninstallation, once it has begun.
    pub uninstallation: Option<Uninstallation>,
}

/// How far connecting has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionStatus {
    /// The first payload is on its way.
    Connecting,
    /// The application did not accept the first payload.
    FailedToConnect,
    /// A changed server URL is on its way.
    Reconnecting,
    /// The application has answered.
    Connected,
}

impl ConnectionStatus {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::FailedToConnect => "failed_to_connect",
            Self::Reconnecting => "reconnecting",
            Self::Connected => "connected",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_stored(name: &str) -> Option<Self> {
        [Self::Connecting, Self::FailedToConnect, Self::Reconnecting, Self::Connected]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// An uninstallation under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uninstallation {
    /// How far it has come.
    pub status: UninstallationStatus,
    /// When it began.
    pub started_at: Timestamp,
}

/// How far uninstalling has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UninstallationStatus {
    /// The last payload is on its way.
    Sending,
    /// The last payload was refused at least once and is tried again.
    Retrying,
    /// The application never accepted the last payload.
    Failed,
    /// The application has acknowledged.
    Uninstalled,
}

impl UninstallationStatus {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Uninstalled => "uninstalled",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_stored(name: &str) -> Option<Self> {
        [Self::Sending, Self::Retrying, Self::Failed, Self::Uninstalled]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// A product that an application is known to connect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeaturedIntegration {
    /// None of those below.
    Unknown,
    /// Jenkins.
    Jenkins,
    /// TeamCity.
    TeamCity,
    /// Jira.
    Jira,
    /// YouTrack.
    YouTrack,
    /// Slack.
    Slack,
}

impl FeaturedIntegration {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Jenkins => "jenkins",
            Self::TeamCity => "teamcity",
            Self::Jira => "jira",
            Self::YouTrack => "youtrack",
            Self::Slack => "slack",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_stored(name: &str) -> Option<Self> {
        [Self::Unknown, Self::Jenkins, Self::TeamCity, Self::Jira, Self::YouTrack, Self::Slack]
            .into_iter()
            .find(|product| product.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_names_are_read_back() {
        for name in ["connecting", "failed_to_connect", "reconnecting", "connected"] {
            assert_eq!(ConnectionStatus::from_stored(name).unwrap().name(), name);
        }
        for name in ["sending", "retrying", "failed", "uninstalled"] {
            assert_eq!(UninstallationStatus::from_stored(name).unwrap().name(), name);
        }
        for name in ["unknown", "jenkins", "teamcity", "jira", "youtrack", "slack"] {
            assert_eq!(FeaturedIntegration::from_stored(name).unwrap().name(), name);
        }
        assert_eq!(ConnectionStatus::from_stored("Connected"), None);
    }
}
