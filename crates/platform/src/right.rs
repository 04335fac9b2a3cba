//! Rights: what somebody may be allowed to do, named by a code.

use std::borrow::Cow;
use std::fmt;

/// A right, by its unique code such as `Applications.View` (catalogue: rights of Space plus `Host.*`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right(Cow<'static, str>);

impl Right {
    /// View applications.
    pub const VIEW_APPLICATIONS: Self = Self::known("Applications.View");
    /// Create applications.
    pub const CREATE_APPLICATIONS: Self = Self::known("Applications.Create");
    /// Change applications, their webhooks and keys.
    pub const EDIT_APPLICATIONS: Self = Self::known("Applications.Edit");
    /// Delete (archive) applications.
    pub const DELETE_APPLICATIONS: Self = Self::known("Applications.Delete");
    /// Read secrets of applications.
    pub const VIEW_APPLICATION_SECRETS: Self = Self::known("Applications.ViewSecrets");
    /// Grant rights to others; held globally it makes an administrator.
    pub const SUPERADMIN: Self = Self::known("Superadmin");
    /// View profiles of people.
    pub const VIEW_PROFILES: Self = Self::known("Profile.View");
    /// View and withdraw what people allowed applications; everybody holds it on himself.
    pub const EDIT_APPLICATION_CONSENTS: Self = Self::known("Profile.ApplicationConsents.Edit");
    /// View names and pictures of people, but not how to reach them.
    pub const VIEW_PROFILE_BASICS: Self = Self::known("Profile.View.Basic");
    /// Belong to the organization; every member holds it, and sees what is public.
    pub const BELONG_TO_ORGANIZATION: Self = Self::known("Permissions.OrgMember");
    /// View which rights others have.
    pub const VIEW_RIGHTS: Self = Self::known("Permissions.View");
    /// Decide which links applications preview.
    pub const AUTHORIZE_UNFURLS: Self = Self::known("Unfurl.App.Authorize");
    /// View a project.
    pub const VIEW_PROJECT: Self = Self::known("Project.View");
    /// Decide about rights in a project.
    pub const ADMINISTER_PROJECT: Self = Self::known("Project.Admin");
    /// View a channel.
    pub const VIEW_CHANNEL: Self = Self::known("Channel.ViewChannel");
    /// View who takes part in a channel.
    pub const VIEW_CHANNEL_PARTICIPANTS: Self = Self::known("Channel.ViewChannelParticipants");
    /// Decide about rights in a channel.
    pub const ADMINISTER_CHANNEL: Self = Self::known("Channel.Admin");
    /// Make permanent tokens for oneself.
    pub const CREATE_OWN_TOKENS: Self = Self::known("Profile.PermanentTokens.Create");
    /// View teams.
    pub const VIEW_TEAMS: Self = Self::known("Team.View");
    /// Feed the directory through the host API.
    pub const MANAGE_DIRECTORY: Self = Self::known("Host.ManageDirectory");
    /// Add rights of the host's own to the catalogue.
    pub const MANAGE_CATALOGUE: Self = Self::known("Host.ManageCatalogue");
    /// Ask through the host API who holds which rights.
    pub const CHECK_RIGHTS: Self = Self::known("Host.CheckRights");
    /// Publish events through the host API.
    pub const PUBLISH_EVENTS: Self = Self::known("Host.PublishEvents");

    /// Hand signed-in users over to the pages through the host API.
    pub const CREATE_SESSIONS: Self = Self::known("Host.CreateSessions");

    /// Every right of the host API; the host application gets them when it is made.
    pub const HOST: [Self; 5] = [
        Self::PUBLISH_EVENTS,
        Self::MANAGE_DIRECTORY,
        Self::MANAGE_CATALOGUE,
        Self::CHECK_RIGHTS,
        Self::CREATE_SESSIONS,
    ];

    const fn known(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// Takes a code that the catalogue knows.
    pub fn from_code(code: &str) -> Self {
        Self(Cow::Owned(code.to_owned()))
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// Whether this right belongs to the host API. Such rights are given only when the host is made.
    pub fn is_of_host(&self) -> bool {
        self.0.starts_with("Host.")
    }
}

impl fmt::Debug for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
