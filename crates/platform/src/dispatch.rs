//! Payloads that are no events: which classes there are, how each is sent, and what a dispatch of one is.
//!
//! ```text
//!   somebody waits    one call, ten seconds, the answer is shown           (menu items, buttons, commands …)
//!   nobody waits      a row, sent until it is accepted or the tries end    (installation, secret, URL, removal …)
//! ```

use std::time::Duration;

use crate::delivery::DeliveryState;
use crate::id::{ApplicationId, DeliveryId};
use crate::time::Timestamp;

/// The classes of payloads (wire-protocol 5.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PayloadClass {
    /// An application is being installed.
    Init,
    /// Its client secret changes.
    ChangeClientSecret,
    /// The server moved.
    ChangeServerUrl,
    /// A person approved what it asked for.
    RefreshToken,
    /// It is being removed.
    ApplicationUninstalled,
    /// Whether its endpoint answers.
    AppPublicationCheck,
    /// Which commands a chat bot knows.
    ListCommands,
    /// A person wrote to it.
    Message,
    /// A person pressed a button in a message.
    MessageAction,
    /// A person picked a menu item.
    MenuAction,
    /// A person pressed a button in a preview.
    UnfurlAction,
    /// Links wait for previews.
    NewUnfurlQueueItems,
    /// An event for a webhook; these are deliveries, not dispatches.
    WebhookRequest,
    /// Commits mention issues of its tracker.
    NewExternalIssueEvent,
    /// A person creates an issue in its tracker.
    CreateExternalIssueRequest,
    /// A person used another action.
    CustomAction,
    /// A merge waits for its build.
    SafeMergeCommand,
}

/// Whether a person waits for the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// Somebody does: one call, and its answer counts.
    Somebody,
    /// Nobody does: it is tried again.
    Nobody,
}

/// How often a payload is sent before it is given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tries {
    /// Once: whoever caused it decides what follows.
    One,
    /// Like events: first, and three more within minutes.
    AFew,
    /// Five, over somewhat more than an hour.
    OverAnHour,
}

/// In which order the payloads of one application go out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Each waits until the one before has ended: what they say builds on each other.
    OneAfterTheOther,
    /// As they come.
    Any,
}

impl PayloadClass {
    /// Every class.
    pub const ALL: [Self; 17] = [
        Self::Init,
        Self::ChangeClientSecret,
        Self::ChangeServerUrl,
        Self::RefreshToken,
        Self::ApplicationUninstalled,
        Self::AppPublicationCheck,
        Self::ListCommands,
        Self::Message,
        Self::MessageAction,
        Self::MenuAction,
        Self::UnfurlAction,
        Self::NewUnfurlQueueItems,
        Self::WebhookRequest,
        Self::NewExternalIssueEvent,
        Self::CreateExternalIssueRequest,
        Self::CustomAction,
        Self::SafeMergeCommand,
    ];

    /// `className` of its payloads; also the stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "InitPayload",
            Self::ChangeClientSecret => "ChangeClientSecretPayload",
            Self::ChangeServerUrl => "ChangeServerUrlPayload",
            Self::RefreshToken => "RefreshTokenPayload",
            Self::ApplicationUninstalled => "ApplicationUninstalledPayload",
            Self::AppPublicationCheck => "AppPublicationCheckPayload",
            Self::ListCommands => "ListCommandsPayload",
            Self::Message => "MessagePayload",
            Self::MessageAction => "MessageActionPayload",
            Self::MenuAction => "MenuActionPayload",
            Self::UnfurlAction => "UnfurlActionPayload",
            Self::NewUnfurlQueueItems => "NewUnfurlQueueItemsPayload",
            Self::WebhookRequest => "WebhookRequestPayload",
            Self::NewExternalIssueEvent => "NewExternalIssueEventPayload",
            Self::CreateExternalIssueRequest => "CreateExternalIssueRequestPayload",
            Self::CustomAction => "CustomActionPayload",
            Self::SafeMergeCommand => "SafeMergeCommandPayload",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether a person waits for the answer.
    pub const fn waiting(self) -> Waiting {
        match self {
            Self::Init
            | Self::ChangeClientSecret
            | Self::ChangeServerUrl
            | Self::RefreshToken
            | Self::ApplicationUninstalled
            | Self::Message
            | Self::NewUnfurlQueueItems
            | Self::WebhookRequest
            | Self::NewExternalIssueEvent => Waiting::Nobody,
            Self::AppPublicationCheck
            | Self::ListCommands
            | Self::MessageAction
            | Self::MenuAction
            | Self::UnfurlAction
            | Self::CreateExternalIssueRequest
            | Self::CustomAction
            | Self::SafeMergeCommand => Waiting::Somebody,
        }
    }

    /// How long one call may take, from the first look-up to the last byte: ten seconds where a person waits, thirty
    /// otherwise, because published applications make some twenty calls of their own before they answer.
    pub const fn time_limit(self) -> Duration {
        match self.waiting() {
            Waiting::Somebody => Duration::from_secs(10),
            Waiting::Nobody => Duration::from_secs(30),
        }
    }

    /// How often it is sent.
    pub const fn tries(self) -> Tries {
        match self {
            // The installer sees that it failed, and has a button to try again.
            Self::Init => Tries::One,
            // Links wait in their queue for half an hour anyway.
            Self::NewUnfurlQueueItems => Tries::One,
            Self::ChangeClientSecret | Self::ChangeServerUrl | Self::RefreshToken | Self::ApplicationUninstalled => {
                Tries::OverAnHour
            }
            Self::Message | Self::WebhookRequest | Self::NewExternalIssueEvent => Tries::AFew,
            Self::AppPublicationCheck
            | Self::ListCommands
            | Self::MessageAction
            | Self::MenuAction
            | Self::UnfurlAction
            | Self::CreateExternalIssueRequest
            | Self::CustomAction
            | Self::SafeMergeCommand => Tries::One,
        }
    }

    /// Whether it waits for those before it.
    pub const fn order(self) -> Order {
        match self {
            Self::Init | Self::ChangeClientSecret | Self::ChangeServerUrl | Self::ApplicationUninstalled => {
                Order::OneAfterTheOther
            }
            _ => Order::Any,
        }
    }
}

/// A payload on its way to an application, nobody waiting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dispatch {
    /// Its id; applications get it with every attempt.
    pub id: DeliveryId,
    /// For whom.
    pub application: ApplicationId,
    /// What it carries.
    pub class: PayloadClass,
    /// The server URL that it tells, if it tells one.
    pub server_url: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was sent.
    pub attempts: u32,
    /// When it is sent next, while it waits.
    pub due_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What came of the last attempt.
    pub last: Option<LastTry>,
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastTry {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Status of the answer, if one came.
    pub status: Option<u16>,
    /// The kind of failure that kept the answer away, if none came.
    pub error_kind: Option<String>,
    /// The same in words.
    pub message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for class in PayloadClass::ALL {
            assert_eq!(PayloadClass::from_name(class.name()), Some(class));
        }
        assert_eq!(PayloadClass::from_name("Init"), None);
    }

    #[test]
    fn what_somebody_waits_for_is_sent_once_and_soon_over() {
        for class in PayloadClass::ALL.into_iter().filter(|class| class.waiting() == Waiting::Somebody) {
            assert_eq!((class.tries(), class.time_limit()), (Tries::One, Duration::from_secs(10)), "{class:?}");
            assert_eq!(class.order(), Order::Any, "{class:?}");
        }
    }
}
