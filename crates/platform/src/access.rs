//! The decision: may this caller use this right on this target?
//!
//! One pure function, [`decide`], that every operation asks. Nothing else in the code looks at who
//! somebody is to decide what he may do.

use std::sync::Arc;

use crate::context::{Context, Place};
use crate::directory::project::Openness;
use crate::grants::{Grants, Limit};
use crate::id::{ApplicationId, ProfileId, TokenId};
use crate::right::Right;

/// Who makes a request, and with what authority.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The one who acts: the user, when an application acts for one.
    pub principal: Principal,
    /// Rights granted to the principal, with the contexts they hold in.
    pub grants: Arc<Grants>,
    /// What the token may be used for.
    pub scope: Limit,
    /// How the caller proved who he is.
    pub credential: Credential,
    /// The stored token, when one was used.
    pub token: Option<TokenId>,
    /// The application that acts for the user, when one does.
    pub through: Option<Through>,
}

/// An application that acts for a user: both bound what can be done (security P1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Through {
    /// The application the token was issued to.
    pub application: ApplicationId,
    /// Rights authorized for the application.
    pub grants: Arc<Grants>,
    /// What the user has consented to.
    pub consent: Limit,
}

/// The one who acts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
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
    /// A session of a browser.
    Session,
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
    /// Something in a context; [`Place::GLOBAL`] for the organization as a whole.
    Place(&'a Place),
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
        Self::new(Principal::Nobody, Arc::default(), Limit::nothing(), Credential::None)
    }

    /// A caller who acts for himself.
    pub fn new(principal: Principal, grants: Arc<Grants>, scope: Limit, credential: Credential) -> Self {
        Self { principal, grants, scope, credential, token: None, through: None }
    }

    /// The same, by a stored token.
    #[must_use]
    pub fn by_token(mut self, token: TokenId) -> Self {
        self.token = Some(token);
        self
    }

    /// The same, acting through an application.
    #[must_use]
    pub fn through(mut self, through: Through) -> Self {
        self.through = Some(through);
        self
    }

    /// The application whose requests are counted where their number is limited: the one that calls, for itself or for a user. The
    /// host is not limited; all of the product's users come through it.
    pub fn limited(&self) -> Option<&ApplicationId> {
        let (application, grants) = match (&self.through, &self.principal) {
            (Some(through), _) => (&through.application, &through.grants),
            (None, Principal::Application(id)) => (id, &self.grants),
            (None, Principal::User(_) | Principal::Nobody) => return None,
        };
        (!grants.holds(&Right::PUBLISH_EVENTS, &Place::GLOBAL)).then_some(application)
    }

    /// The calling application, if an application calls on its own behalf.
    pub fn application(&self) -> Option<&ApplicationId> {
        match &self.principal {
            Principal::Application(id) => Some(id),
            Principal::User(_) | Principal::Nobody => None,
        }
    }

    /// The application that calls, on its own behalf or for a user: whom `me` names among applications.
    pub fn acting_application(&self) -> Option<&ApplicationId> {
        self.application().or_else(|| self.through.as_ref().map(|through| &through.application))
    }

    /// The calling person, on his own or through an application.
    pub fn user(&self) -> Option<&ProfileId> {
        match &self.principal {
            Principal::User(id) => Some(id),
            Principal::Application(_) | Principal::Nobody => None,
        }
    }

    /// Whether the caller holds `right` at `place`: granted to him, within the token's scope, and where he acts
    /// through an application, consented to and authorized for that application too.
    ///
    /// A person who holds `Superadmin` globally holds every right. An application does not.
    pub fn holds(&self, right: &Right, place: &Place) -> bool {
        self.is_granted(right, place) && self.is_let_through(right, place)
    }

    /// Whether the caller sees what is at `place`: by `right`, or, where it is public, as a member of the
    /// organization. Tokens, consent and the application he acts through bound that as they bound the right.
    pub fn sees(&self, right: &Right, place: &Place, openness: Openness) -> bool {
        let member =
            openness == Openness::Public && self.grants.names(&Right::BELONG_TO_ORGANIZATION, &Context::Global);
        (member || self.is_granted(right, place)) && self.is_let_through(right, place)
    }

    /// Whether the caller administers the server: a person who holds `Superadmin` globally and acts for himself, by a
    /// token that lets everything through. He holds every right, and nothing else bounds him.
    pub fn administers(&self) -> bool {
        let everything = self.scope.is_everything() && self.through.is_none();
        everything && self.user().is_some() && self.grants.names(&Right::SUPERADMIN, &Context::Global)
    }

    /// Whether the caller may give `right` at `place` to people: nobody gives what he does not hold (security P6). Of a
    /// person, `Superadmin` everywhere makes an administrator, who holds every right; so it takes one to make one.
    pub fn may_give(&self, right: &Right, place: &Place) -> bool {
        let everything = *right == Right::SUPERADMIN && *place.context() == Context::Global;
        self.holds(right, place) && (!everything || self.administers())
    }

    /// Whether the caller is an application, or made it, and acts for himself.
    pub fn controls(&self, id: &ApplicationId, owner: &Owner) -> bool {
        self.through.is_none() && controls(&self.principal, id, owner)
    }

    /// Every context in which `right` is granted, consented to or in scope: outside of these and what lies in
    /// them the caller does not hold it, unless he administers.
    pub fn contexts_named(&self, right: &Right) -> Vec<Context> {
        let limits = [Some(&self.scope), self.through.as_ref().map(|through| &through.consent)];
        let limits = limits.into_iter().flatten().filter_map(|limit| match limit {
            Limit::Everything => None,
            Limit::Only(grants) => Some(grants),
        });
        let granted = [Some(&*self.grants), self.through.as_ref().map(|through| &*through.grants)];
        let all = granted.into_iter().flatten().chain(limits);
        let mut contexts: Vec<Context> = all.flat_map(|grants| grants.contexts_of(right)).cloned().collect();
        contexts.sort();
        contexts.dedup();
        contexts
    }

    fn is_let_through(&self, right: &Right, place: &Place) -> bool {
        self.scope.allows(right, place)
            && self
                .through
                .as_ref()
                .is_none_or(|through| through.consent.allows(right, place) && through.grants.holds(right, place))
    }

    fn is_granted(&self, right: &Right, place: &Place) -> bool {
        let administers = self.user().is_some() && self.grants.names(&Right::SUPERADMIN, &Context::Global);
        administers || self.grants.holds(right, place)
    }

    /// Whether the token's scope lets through what an application holds on itself without any grant.
    ///
    /// Whoever has the client secret can have a token of any scope, so a narrow scope protects nothing there,
    /// and applications that ask for `global:Profile.View` do go on to manage their own webhooks. A permanent
    /// token is given away on its own, and a user token carries what the user agreed to, so there it counts.
    fn own_right_in_scope(&self, right: &Right) -> bool {
        let by_client_secret = self.application().is_some() && self.credential == Credential::AccessToken;
        by_client_secret || self.scope.allows(right, &Place::GLOBAL)
    }
}

/// May `caller` use `right` on `target`?
///
/// * An application holds view, edit, delete and view-secrets on itself and on the applications it
///   made; a person holds the same on the applications he made (semantics 1.6).
/// * Everybody else needs the right by grant, in the global context for applications.
/// * Who acts through an application needs that the application may do it as well, and the user's consent.
pub fn decide(caller: &Caller, right: &Right, target: Target<'_>) -> Decision {
    if caller.principal == Principal::Nobody {
        return Decision::Unauthenticated;
    }
    let allowed = match target {
        Target::Place(place) => caller.holds(right, place),
        Target::Application { id, owner } => on_application(caller, right, id, owner),
    };
    if allowed { Decision::Allowed } else { Decision::Denied }
}

fn on_application(caller: &Caller, right: &Right, id: &ApplicationId, owner: &Owner) -> bool {
    let comes_with_it = own_rights().contains(right);
    let own = comes_with_it && controls(&caller.principal, id, owner) && caller.own_right_in_scope(right);
    let granted = caller.is_granted(right, &Place::GLOBAL) && caller.scope.allows(right, &Place::GLOBAL);
    let passes_through = caller.through.as_ref().is_none_or(|through| {
        let application = Principal::Application(through.application.clone());
        let own = comes_with_it && controls(&application, id, owner);
        through.consent.allows(right, &Place::GLOBAL) && (own || through.grants.holds(right, &Place::GLOBAL))
    });
    (own || granted) && passes_through
}

/// Rights that come with being, or having made, an application.
pub fn own_rights() -> [Right; 4] {
    [Right::VIEW_APPLICATIONS, Right::EDIT_APPLICATIONS, Right::DELETE_APPLICATIONS, Right::VIEW_APPLICATION_SECRETS]
}

fn controls(principal: &Principal, id: &ApplicationId, owner: &Owner) -> bool {
    match (principal, owner) {
        (Principal::Application(me), _) if me == id => true,
        (Principal::Application(me), Owner::Application(maker)) => me == maker,
        (Principal::User(me), Owner::User(maker)) => me == maker,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::Limit;
    use crate::scope::Scope;

    fn scope(text: &str) -> Limit {
        Limit::of(&Scope::parse(text).unwrap(), |_| Ok::<_, ()>(Some(Context::Global))).unwrap()
    }

    fn granted(rights: &[Right], context: &Context) -> Arc<Grants> {
        Arc::new(rights.iter().map(|right| Grant { right: right.clone(), context: context.clone() }).collect())
    }

    fn application(id: &str) -> Caller {
        let principal = Principal::Application(ApplicationId::new(id));
        Caller::new(principal, Arc::default(), Limit::Everything, Credential::AccessToken)
    }

    fn user(id: &str, rights: &[Right]) -> Caller {
        let grants = granted(rights, &Context::Global);
        Caller::new(Principal::User(ProfileId::new(id)), grants, Limit::Everything, Credential::PermanentToken)
            .by_token(TokenId::new("t"))
    }

    fn through(user: Caller, id: &str, rights: &[Right], consent: &str) -> Caller {
        let grants = granted(rights, &Context::Global);
        user.through(Through { application: ApplicationId::new(id), grants, consent: scope(consent) })
    }

    fn on<'a>(id: &'a ApplicationId, owner: &'a Owner) -> Target<'a> {
        Target::Application { id, owner }
    }

    #[test]
    fn nobody_has_to_sign_in() {
        let decision = decide(&Caller::nobody(), &Right::VIEW_APPLICATIONS, Target::Place(&Place::GLOBAL));
        assert_eq!(decision, Decision::Unauthenticated);
    }

    #[test]
    fn requests_count_for_the_application_that_makes_them_but_not_for_the_host() {
        let (host, administrator) = (&[Right::PUBLISH_EVENTS], &[Right::SUPERADMIN]);
        let mut hosts_own = application("host");
        hosts_own.grants = granted(host, &Context::Global);
        let counted = |caller: Caller| caller.limited().map(ToString::to_string);
        assert_eq!(counted(application("a")).as_deref(), Some("a"));
        assert_eq!(counted(through(user("u", host), "a", administrator, "**")).as_deref(), Some("a"));
        assert_eq!(counted(through(user("u", &[]), "host", host, "**")), None);
        assert_eq!(counted(hosts_own), None);
        assert_eq!(counted(user("u", administrator)), None);
        assert_eq!(counted(Caller::nobody()), None);
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
        assert_eq!(decide(&administrator, &Right::PUBLISH_EVENTS, Target::Place(&Place::GLOBAL)), Decision::Allowed);
        let viewer = user("v", &[Right::VIEW_APPLICATIONS]);
        assert_eq!(decide(&viewer, &Right::VIEW_APPLICATIONS, on(&id, &owner)), Decision::Allowed);
        assert_eq!(decide(&viewer, &Right::EDIT_APPLICATIONS, on(&id, &owner)), Decision::Denied);
    }

    #[test]
    fn members_see_what_is_public_and_others_only_what_they_may_view() {
        let place: Place = Context::Project("p".to_owned()).into();
        let sees = |caller: &Caller, openness| caller.sees(&Right::VIEW_PROJECT, &place, openness);
        let member = user("u", &[Right::BELONG_TO_ORGANIZATION]);
        assert!(sees(&member, Openness::Public) && !sees(&member, Openness::Private));
        assert!(!sees(&user("guest", &[]), Openness::Public) && !sees(&application("a"), Openness::Public));
        let viewer = user("v", &[Right::VIEW_PROJECT]);
        assert!(sees(&viewer, Openness::Public) && sees(&viewer, Openness::Private));
        assert!(!sees(&through(member.clone(), "a", &[], "**"), Openness::Public), "the application may not");
        assert!(sees(&through(member, "a", &[Right::VIEW_PROJECT], "**"), Openness::Public));
    }

    #[test]
    fn an_application_with_superadmin_is_no_administrator() {
        let mut caller = application("a");
        caller.grants = granted(&[Right::SUPERADMIN], &Context::Global);
        assert_eq!(decide(&caller, &Right::PUBLISH_EVENTS, Target::Place(&Place::GLOBAL)), Decision::Denied);
    }

    #[test]
    fn only_an_administrator_acting_for_himself_makes_administrators() {
        let project: Place = Context::Project("p".to_owned()).into();
        let gives = |caller: &Caller, place: &Place| caller.may_give(&Right::SUPERADMIN, place);
        let administrator = user("root", &[Right::SUPERADMIN]);
        assert!(gives(&administrator, &Place::GLOBAL) && gives(&administrator, &project));
        assert!(administrator.may_give(&Right::VIEW_PROFILES, &Place::GLOBAL));
        let mut narrow = administrator.clone();
        narrow.scope = scope("global:Superadmin");
        let lent = through(administrator, "a", &[Right::SUPERADMIN], "**");
        let mut tool = application("a");
        tool.grants = granted(&[Right::SUPERADMIN], &Context::Global);
        for caller in [narrow, lent, tool] {
            assert!(caller.holds(&Right::SUPERADMIN, &Place::GLOBAL) && !gives(&caller, &Place::GLOBAL));
            assert!(gives(&caller, &project), "there it is a right like any other");
            assert!(!caller.may_give(&Right::VIEW_PROFILES, &Place::GLOBAL));
        }
    }

    #[test]
    fn the_scope_narrows_grants_and_a_permanent_tokens_own_rights() {
        let (id, owner) = (ApplicationId::new("a"), Owner::User(ProfileId::new("u")));
        let mut administrator = user("root", &[Right::SUPERADMIN]);
        administrator.scope = scope("global:Applications.View");
        assert_eq!(decide(&administrator, &Right::VIEW_APPLICATIONS, on(&id, &owner)), Decision::Allowed);
        assert_eq!(decide(&administrator, &Right::EDIT_APPLICATIONS, on(&id, &owner)), Decision::Denied);

        let mut token = application("a");
        token.scope = scope("");
        assert_eq!(decide(&token, &Right::EDIT_APPLICATIONS, on(&id, &owner)), Decision::Allowed);
        token.credential = Credential::PermanentToken;
        assert_eq!(decide(&token, &Right::EDIT_APPLICATIONS, on(&id, &owner)), Decision::Denied);
        token.scope = scope("global:Applications.Edit");
        assert_eq!(decide(&token, &Right::EDIT_APPLICATIONS, on(&id, &owner)), Decision::Allowed);
        assert_eq!(decide(&token, &Right::DELETE_APPLICATIONS, on(&id, &owner)), Decision::Denied);
    }

    #[test]
    fn who_acts_through_an_application_does_only_what_all_three_allow() {
        let view = Right::VIEW_PROFILES;
        let at = |caller: Caller| decide(&caller, &view, Target::Place(&Place::GLOBAL));
        let (may, all) = (|| user("u", &[Right::VIEW_PROFILES]), "**");
        assert_eq!(at(through(may(), "a", &[Right::VIEW_PROFILES], all)), Decision::Allowed);
        assert_eq!(at(through(may(), "a", &[Right::VIEW_PROFILES], "global:Profile.View")), Decision::Allowed);
        assert_eq!(at(through(may(), "a", &[], all)), Decision::Denied, "the application may not");
        assert_eq!(at(through(may(), "a", &[Right::VIEW_PROFILES], "")), Decision::Denied, "no consent");
        assert_eq!(
            at(through(user("u", &[]), "a", &[Right::VIEW_PROFILES], all)),
            Decision::Denied,
            "the user may not"
        );
        let mut narrow = through(may(), "a", &[Right::VIEW_PROFILES], all);
        narrow.scope = scope("");
        assert_eq!(at(narrow), Decision::Denied, "the token may not");
        let administrator = user("root", &[Right::SUPERADMIN]);
        assert_eq!(
            at(through(administrator, "a", &[Right::SUPERADMIN], all)),
            Decision::Denied,
            "no administrator itself"
        );
    }

    #[test]
    fn through_an_application_its_owner_manages_that_one_and_no_other() {
        let (own, other, owner) = (ApplicationId::new("a"), ApplicationId::new("b"), Owner::User(ProfileId::new("u")));
        let caller = through(user("u", &[]), "a", &[], "**");
        assert_eq!(decide(&caller, &Right::EDIT_APPLICATIONS, on(&own, &owner)), Decision::Allowed);
        assert_eq!(decide(&caller, &Right::EDIT_APPLICATIONS, on(&other, &owner)), Decision::Denied);
        let stranger = through(user("v", &[]), "a", &[], "**");
        assert_eq!(decide(&stranger, &Right::EDIT_APPLICATIONS, on(&own, &owner)), Decision::Denied);
        assert_eq!(caller.acting_application(), Some(&own));
        assert_eq!(caller.application(), None);
    }

    #[test]
    fn a_grant_in_a_project_holds_only_there() {
        let mut caller = application("a");
        let project = Context::Project("p1".to_owned());
        let right = Right::from_code("Project.Issues.View");
        caller.grants = granted(std::slice::from_ref(&right), &project);
        assert_eq!(decide(&caller, &right, Target::Place(&project.into())), Decision::Allowed);
        assert_eq!(decide(&caller, &right, Target::Place(&Place::GLOBAL)), Decision::Denied);
    }
}
