//! Access to what is in the directory: people, projects, channels, roles. Whoever may not see one gets the answer
//! he would get if there was none.

use std::marker::PhantomData;

use spaceport_platform::access::{Caller, Target, decide};
use spaceport_platform::context::{Context, Place};
use spaceport_platform::directory::channel::Channel;
use spaceport_platform::directory::project::{Openness, Project};
use spaceport_platform::directory::role::RoleName;
use spaceport_platform::grants::Limit;
use spaceport_platform::id::ProfileId;
use spaceport_platform::identifier::{ChannelIdentifier, ProfileIdentifier, ProjectIdentifier};
use spaceport_platform::profile::Profile;
use spaceport_platform::right::Right;
use spaceport_store::{StoreError, Tx, Visible};

use crate::api::profile_out::EmailsShown;
use crate::api::role_view::RoleView;
use crate::http::access::{Access, require_caller};
use crate::http::error::ApiError;
use crate::http::request::Request;

/// Whether a caller may see how to reach a person: whoever may view profiles, and the person himself, by a token
/// that lets it through.
pub fn emails_shown(caller: &Caller, person: Option<&ProfileId>) -> EmailsShown {
    let lets_through = |limit: &Limit| limit.allows(&Right::VIEW_PROFILES, &Place::GLOBAL);
    let own = person.is_some()
        && caller.user() == person
        && lets_through(&caller.scope)
        && caller.through.as_ref().is_none_or(|through| lets_through(&through.consent));
    if own || caller.holds(&Right::VIEW_PROFILES, &Place::GLOBAL) { EmailsShown::Yes } else { EmailsShown::No }
}

/// Whether a caller sees a project.
pub fn sees_project(caller: &Caller, project: &Project) -> bool {
    caller.sees(&Right::VIEW_PROJECT, &Context::Project(project.id.clone()).into(), project.openness)
}

/// Whether a caller sees a channel.
pub fn sees_channel(caller: &Caller, channel: &Channel) -> bool {
    caller.sees(&Right::VIEW_CHANNEL, &Context::Channel(channel.id.clone()).into(), channel.openness)
}

/// Which projects a caller sees.
///
/// # Errors
/// When the database fails.
pub fn visible_projects(tx: &mut Tx<'_>, caller: &Caller) -> Result<Visible, StoreError> {
    let named = caller.contexts_named(&Right::VIEW_PROJECT).into_iter();
    let ids: Vec<String> = named
        .filter_map(|context| match context {
            Context::Project(id) => Some(id),
            _ => None,
        })
        .collect();
    let seen = tx.projects(&ids)?.into_iter().filter(|project| sees_project(caller, project));
    Ok(visible(caller, &Right::VIEW_PROJECT, seen.map(|project| project.id).collect()))
}

/// Which channels a caller sees.
///
/// # Errors
/// When the database fails.
pub fn visible_channels(tx: &mut Tx<'_>, caller: &Caller) -> Result<Visible, StoreError> {
    let named = caller.contexts_named(&Right::VIEW_CHANNEL).into_iter();
    let ids: Vec<String> = named
        .filter_map(|context| match context {
            Context::Channel(id) => Some(id),
            _ => None,
        })
        .collect();
    let seen = tx.channels(&ids)?.into_iter().filter(|channel| sees_channel(caller, channel));
    Ok(visible(caller, &Right::VIEW_CHANNEL, seen.map(|channel| channel.id).collect()))
}

/// What a caller sees who sees these by name: everything with a right that holds everywhere, what is public as
/// a member.
fn visible(caller: &Caller, right: &Right, named: Vec<String>) -> Visible {
    if caller.holds(right, &Place::GLOBAL) {
        Visible::All
    } else if caller.sees(right, &Place::GLOBAL, Openness::Public) {
        Visible::PublicAnd(named)
    } else {
        Visible::Only(named)
    }
}

/// Callers who may view people, at least their names.
pub struct ViewingProfiles;

impl Access for ViewingProfiles {
    fn rule() -> String {
        "Profile.View or, for names alone, Profile.View.Basic globally".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        vec!["Profile.View", "Profile.View.Basic"]
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        require_caller(&request.caller)?;
        may_view_profiles(&request.caller).map(|()| Self)
    }
}

fn may_view_profiles(caller: &Caller) -> Result<(), ApiError> {
    if caller.holds(&Right::VIEW_PROFILE_BASICS, &Place::GLOBAL) {
        return Ok(());
    }
    let decision = decide(caller, &Right::VIEW_PROFILES, Target::Place(&Place::GLOBAL));
    ApiError::from_decision(decision, Right::VIEW_PROFILES.code()).map_or(Ok(()), Err)
}

/// The profile in the path, for callers who may view people and for the person himself.
pub struct OnProfile {
    /// The profile, archived or not.
    pub profile: Profile,
}

impl Access for OnProfile {
    fn rule() -> String {
        "Profile.View or, for names alone, Profile.View.Basic globally; oneself".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        vec!["Profile.View", "Profile.View.Basic"]
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let identifier =
            ProfileIdentifier::parse(request.variable("profile")?).map_err(|fault| fault.within("profile"))?;
        require_caller(&request.caller)?;
        let may_view = may_view_profiles(&request.caller);
        // Addresses of people are as hidden in a question as in an answer.
        if matches!(identifier, ProfileIdentifier::Email(_)) && emails_shown(&request.caller, None) == EmailsShown::No {
            let right = Right::VIEW_PROFILES;
            return Err(ApiError::denied(format!("The right {right} is needed here")));
        }
        let (asked, principal) = (identifier.clone(), request.caller.principal.clone());
        let found = request.services.store.read(move |tx| tx.find_profile(&asked, &principal)).await;
        let found = found.map_err(|error: StoreError| ApiError::from(error))?;
        match found {
            Some(profile) if request.caller.user() == Some(&profile.id) => Ok(Self { profile }),
            Some(profile) => may_view.map(|()| Self { profile }),
            None if identifier == ProfileIdentifier::Me => {
                Err(ApiError::not_found("Profile me not found: an application has no profile"))
            }
            None => {
                Err(may_view.err().unwrap_or_else(|| ApiError::not_found(format!("Profile {identifier} not found"))))
            }
        }
    }
}

/// The project in the path, for callers who see it.
pub struct OnProject {
    /// The project, archived or not.
    pub project: Project,
}

impl Access for OnProject {
    fn rule() -> String {
        "Project.View in the project; members of the organization where it is public".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        vec!["Project.View"]
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let identifier =
            ProjectIdentifier::parse(request.variable("project")?).map_err(|fault| fault.within("project"))?;
        require_caller(&request.caller)?;
        let asked = identifier.clone();
        let found = request.services.store.read(move |tx| tx.find_project(&asked)).await;
        let found = found.map_err(|error: StoreError| ApiError::from(error))?;
        let seen = found.filter(|project| sees_project(&request.caller, project));
        seen.map(|project| Self { project })
            .ok_or_else(|| ApiError::not_found(format!("Project {identifier} not found")))
    }
}

/// The channel in the path, for callers who see it.
pub struct OnChannel {
    /// The channel, archived or not.
    pub channel: Channel,
}

impl Access for OnChannel {
    fn rule() -> String {
        "Channel.ViewChannel in the channel; members of the organization where it is public".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        vec!["Channel.ViewChannel"]
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let identifier =
            ChannelIdentifier::parse(request.variable("channel")?).map_err(|fault| fault.within("channel"))?;
        require_caller(&request.caller)?;
        let asked = identifier.clone();
        let found = request
            .services
            .store
            .read(move |tx| match &asked {
                ChannelIdentifier::Id(id) => Ok(tx.channel(id)?.into_iter().collect()),
                ChannelIdentifier::Name(name) => tx.channels_by_name(name),
                ChannelIdentifier::Elsewhere(_) => Ok(Vec::new()),
            })
            .await
            .map_err(|error: StoreError| ApiError::from(error))?;
        // Names are not unique: the first one that the caller sees.
        let seen = found.into_iter().find(|channel| sees_channel(&request.caller, channel));
        seen.map(|channel| Self { channel })
            .ok_or_else(|| ApiError::not_found(format!("Channel {identifier} not found")))
    }
}

/// What somebody wants with a role.
pub trait RoleUse: Send + Sync + 'static {
    /// In words.
    const RULE: &'static str;
    /// Codes of the rights.
    const RIGHTS: &'static [&'static str];
    /// The right that is needed at `place`.
    fn right(place: &Place) -> Right;
}

/// To look at it.
pub struct LookAt;

impl LookAt {
    /// Whether a caller may look at roles that hold at `place`: also who may change them and could not otherwise.
    pub fn allows(caller: &Caller, place: &Place) -> bool {
        caller.holds(&Self::right(place), place) || caller.holds(&Change::right(place), place)
    }
}

/// To change it, or who has it.
pub struct Change;

impl RoleUse for LookAt {
    const RULE: &'static str =
        "Superadmin or Permissions.View globally, Project.View or Channel.ViewChannel where the role holds";
    const RIGHTS: &'static [&'static str] = &["Superadmin", "Permissions.View", "Project.View", "Channel.ViewChannel"];

    fn right(place: &Place) -> Right {
        match place.outer().unwrap_or_else(|| place.context()) {
            Context::Global => Right::VIEW_RIGHTS,
            Context::Channel(_) => Right::VIEW_CHANNEL,
            Context::Project(_) | Context::PackageRepository(_) => Right::VIEW_PROJECT,
        }
    }
}

impl RoleUse for Change {
    const RULE: &'static str = "Superadmin globally, Project.Admin or Channel.Admin where the role holds";
    const RIGHTS: &'static [&'static str] = &["Superadmin", "Project.Admin", "Channel.Admin"];

    fn right(place: &Place) -> Right {
        match place.outer().unwrap_or_else(|| place.context()) {
            Context::Global => Right::SUPERADMIN,
            Context::Channel(_) => Right::ADMINISTER_CHANNEL,
            Context::Project(_) | Context::PackageRepository(_) => Right::ADMINISTER_PROJECT,
        }
    }
}

/// The role in the path, for callers who may do this with it.
pub struct OnRole<U> {
    /// The role, with its rights and members.
    pub role: RoleView,
    wanted: PhantomData<U>,
}

impl<U: RoleUse> Access for OnRole<U> {
    fn rule() -> String {
        U::RULE.to_owned()
    }

    fn rights() -> Vec<&'static str> {
        U::RIGHTS.to_vec()
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let id = request.variable("roleId")?.to_owned();
        require_caller(&request.caller)?;
        let name = RoleName::from_id(&id);
        let found = request.services.store.read(move |tx| RoleView::load(tx, &name)).await;
        let found = found.map_err(|error: StoreError| ApiError::from(error))?;
        let hidden = || ApiError::not_found(format!("Role {id} not found"));
        let role = found.ok_or_else(hidden)?;
        if !LookAt::allows(&request.caller, &role.place) {
            return Err(hidden());
        }
        // Who may change it and not view what is there looks by the right to change.
        let changes = Change::right(&role.place);
        let right = if request.caller.holds(&changes, &role.place) { changes } else { U::right(&role.place) };
        match ApiError::from_decision(decide(&request.caller, &right, Target::Place(&role.place)), right.code()) {
            Some(refusal) => Err(refusal),
            None => Ok(Self { role, wanted: PhantomData }),
        }
    }
}
