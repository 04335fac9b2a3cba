//! The decision: may this caller use this right on this target?
//!
//! One pure function, [`decide`], that every operation asks. Nothing else in the code looks at who
//! somebody is to decide what he may do.

use crate::context::Context;
use crate::id::{ApplicationId, ProfileId, TokenId};
use crate::right::Right;
use crate::scope::Scope;

/// Who makes a request, and with what authority.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The one who acts.
    pub principal: Principal,
    /// Rights granted to the principal, with the contexts they hold in.
    pub grants: Vec<Grant>,
    /// What the token may be used for.
    pub scope: Scope,
    /// How the caller proved who he is.
    pub credential: Credential,
    /// The stored token, when one was used.
    pub token: Option<TokenId>,
    /// The application the token was issued to, when a person acts through one.
    pub issued_to: Option<ApplicationId>,
}

/// The one who acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Principal {
    /// No token was sent.
    Nobody,
    /// An application on its own behalf.
    Application(ApplicationId),
    /// A person.
    User(ProfileId),
}

/// How the caller proved who he is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Credential {
    /// Not at all.
    None,
    /// An access token from the token endpoint.
    AccessToken,
    /// A permanent token.
    PermanentToken,
}

/// A right that holds in a context and everywhere below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// What.
    pub right: Right,
    /// Where.
    pub context: Context,
}

/// Who owns an application: exactly one of the two (reference page, `owner` and `ownerApp`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Owner {
    /// The person who made it.
    User(ProfileId),
    /// The application that made it.
    Application(ApplicationId),
}

/// What a right is used on.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Something in a context; [`Context::Global`] for the organization as a whole.
    Context(&'a Context),
    /// An application.
    Application {
        /// Which.
        id: &'a ApplicationId,
        /// Whose.
        owner: &'a Owner,
    },
}

/// The answer of [`decide`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Go ahead.
    Allowed,
    /// Sign in first.
    Unauthenticated,
    /// Known, but not entitled.
    Denied,
}

impl Caller {
    /// A caller without a token.
    pub fn nobody() -> Self {
        Self {
            principal: Principal::Nobody,
            grants: Vec::new(),
            scope: Scope::Elements(Vec::new()),
            credential: Credential::None,
            token: None,
            issued_to: None,
        }
    }

    /// The calling application, if an application calls.
    pub fn application(&self) -> Option<&ApplicationId> {
        match &self.principal {
            Principal::Application(id) => Some(id),
            Principal::User(_) | Principal::Nobody => None,
        }
    }

    /// Whether the caller holds `right` in `context`, by grant and within the token's scope.
    ///
    /// A person who holds `Superadmin` globally holds every right but those of the host API's
    /// application; an administrator may do all that too, so that a stuck host can be helped.
    pub fn holds(&self, right: &Right, context: &Context) -> bool {
        let granted = self.grants.iter().any(|grant| {
            let same = grant.right == *right;
            let administers = grant.right == Right::SUPERADMIN
                && grant.context == Context::Global
                && matches!(self.principal, Principal::User(_));
            (same || administers) && grant.context.covers(context)
        });
        granted && self.scope_allows(right, context)
    }

    fn scope_allows(&self, right: &Right, context: &Context) -> bool {
        match &self.scope {
            Scope::Everything => true,
            Scope::Elements(elements) => elements.iter().any(|element| {
                element.right == *right && context_of(&element.context).is_some_and(|scope| scope.covers(context))
            }),
        }
    }

    /// Whether the token may be used for what its application holds on itself without any grant.
    ///
    /// Whoever has the client secret can have a token of any scope, so a narrow scope protects
    /// nothing there, and applications that ask for `global:Profile.View` do go on to manage their own
    /// webhooks. A permanent token is given away on its own, so its scope counts.
    fn acts_fully_on_itself(&self) -> bool {
        self.credential == Credential::AccessToken || self.scope == Scope::Everything
    }
}

/// The context an identifier names, where that needs no directory: keys have to be resolved first.
fn context_of(identifier: &crate::identifier::PermissionContextIdentifier) -> Option<Context> {
    use crate::identifier::{PermissionContextIdentifier as Identifier, ProjectIdentifier};
    match identifier {
        Identifier::Global => Some(Context::Global),
        Identifier::Project(ProjectIdentifier::Id(id)) => Some(Context::Project(id.clone())),
        Identifier::Project(ProjectIdentifier::Key(_)) => None,
        Identifier::Channel(id) => Some(Context::Channel(id.clone())),
        Identifier::PackageRepository(id) => Some(Context::PackageRepository(id.clone())),
    }
}

/// May `caller` use `right` on `target`?
///
/// * An application holds view, edit, delete and view-secrets on itself and on the applications it
///   made; a person holds the same on the applications he made (semantics 1.6).
/// * Everybody else needs the right by grant, in the global context for applications.
pub fn decide(caller: &Caller, right: &Right, target: Target<'_>) -> Decision {
    if caller.principal == Principal::Nobody {
        return Decision::Unauthenticated;
    }
    let allowed = match target {
        Target::Context(context) => caller.holds(right, context),
        Target::Application { id, owner } => {
            let own = own_rights().contains(right) && caller.acts_fully_on_itself() && controls(caller, id, owner);
            own || caller.holds(right, &Context::Global)
        }
    };
    if allowed { Decision::Allowed } else { Decision::Denied }
}

/// Rights that come with being, or having made, an application.
fn own_rights() -> [Right; 4] {
    [Right::VIEW_APPLICATIONS, Right::EDIT_APPLICATIONS, Right::DELETE_APPLICATIONS, Right::VIEW_APPLICATION_SECRETS]
}

fn controls(caller: &Caller, id: &ApplicationId, owner: &Owner) -> bool {
    match (&caller.principal, owner) {
        (Principal::Application(me), _) if me == id => true,
        (Principal::Application(me), Owner::Application(maker)) => me == maker,
        (Principal::User(me), Owner::User(maker)) => me == maker,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(id: &str) -> Caller {
        Caller {
            principal: Principal::Application(ApplicationId::new(id)),
            grants: Vec::new(),
            scope: Scope::Everything,
            credential: Credential::AccessToken,
            token: None,
            issued_to: None,
        }
    }

    fn user(id: &str, rights: &[Right]) -> Caller {
        Caller {
            principal: Principal::User(ProfileId::new(id)),
            grants: rights.iter().map(|right| Grant { right: right.clone(), context: Context::Global }).collect(),
            scope: Scope::Everything,
            credential: Credential::PermanentToken,
            token: Some(TokenId::new("t")),
            issued_to: None,
        }
    }

    fn on<'a>(id: &'a ApplicationId, owner: &'a Owner) -> Target<'a> {
        Target::Application { id, owner }
    }

    #[test]
    fn nobody_has_to_sign_in() {
        let decision = decide(&Caller::nobody(), &Right::VIEW_APPLICATIONS, Target::Context(&Context::Global));
        assert_eq!(decision, Decision::Unauthenticated);
    }

    #[test]
    fn an_application_holds_everything_on_itself_and_its_children_but_nothing_on_others() {
        let (own, child, other) = (ApplicationId::new("a"), ApplicationId::new("b"), ApplicationId::new("c"));
        let (made_by_user, made_by_a) = (Owner::User(ProfileId::new("u")), Owner::Application(ApplicationId::new("a")));
        let caller = application("a");
        for right in own_rights() {
            assert_eq!(decide(&caller, &right, on(&own, &made_by_user)), Decision::Allowed);
            assert_eq!(decide(&caller, &right, on(&child, &made_by_a)), Decision::Allowed);
            assert_eq!(decide(&caller, &right, on(&other, &made_by_user)), Decision::Denied);
        }
    }

    #[test]
    fn a_child_holds_nothing_on_its_maker() {
        let (maker, owner) = (ApplicationId::new("a"), Owner::User(ProfileId::new("u")));
        assert_eq!(decide(&application("b"), &Right::VIEW_APPLICATIONS, on(&maker, &owner)), Decision::Denied);
    }

    #[test]
    fn an_administrator_holds_everything_and_a_person_only_what_was_granted() {
        let (id, owner) = (ApplicationId::new("a"), Owner::User(ProfileId::new("u")));
        let administrator = user("root", &[Right::SUPERADMIN]);
        assert_eq!(decide(&administrator, &Right::VIEW_APPLICATION_SECRETS, on(&id, &owner)), Decision::Allowed);
        assert_eq!(
            decide(&administrator, &Right::PUBLISH_EVENTS, Target::Context(&Context::Global)),
            Decision::Allowed
        );
        let viewer = user("v", &[Right::VIEW_APPLICATIONS]);
        assert_eq!(decide(&viewer, &Right::VIEW_APPLICATIONS, on(&id, &owner)), Decision::Allowed);
        assert_eq!(decide(&viewer, &Right::EDIT_APPLICATIONS, on(&id, &owner)), Decision::Denied);
    }

    #[test]
    fn an_application_with_superadmin_is_no_administrator() {
        let mut caller = application("a");
        caller.grants.push(Grant { right: Right::SUPERADMIN, context: Context::Global });
        assert_eq!(decide(&caller, &Right::PUBLISH_EVENTS, Target::Context(&Context::Global)), Decision::Denied);
    }

    #[test]
    fn the_scope_narrows_grants_and_a_permanent_tokens_own_rights() {
        let (id, owner) = (ApplicationId::new("a"), Owner::User(ProfileId::new("u")));
        let mut administrator = user("root", &[Right::SUPERADMIN]);
        administrator.scope = Scope::parse("global:Applications.View").unwrap();
        assert_eq!(decide(&administrator, &Right::VIEW_APPLICATIONS, on(&id, &owner)), Decision::Allowed);
        assert_eq!(decide(&administrator, &Right::EDIT_APPLICATIONS, on(&id, &owner)), Decision::Denied);

        let mut token = application("a");
        token.scope = Scope::Elements(Vec::new());
        assert_eq!(decide(&token, &Right::EDIT_APPLICATIONS, on(&id, &owner)), Decision::Allowed);
        token.credential = Credential::PermanentToken;
        assert_eq!(decide(&token, &Right::EDIT_APPLICATIONS, on(&id, &owner)), Decision::Denied);
    }

    #[test]
    fn a_grant_in_a_project_holds_only_there() {
        let mut caller = application("a");
        let project = Context::Project("p1".to_owned());
        let right = Right::from_code("Project.Issues.View");
        caller.grants.push(Grant { right: right.clone(), context: project.clone() });
        assert_eq!(decide(&caller, &right, Target::Context(&project)), Decision::Allowed);
        assert_eq!(decide(&caller, &right, Target::Context(&Context::Global)), Decision::Denied);
    }
}
