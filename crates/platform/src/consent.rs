//! What a user has agreed to, and what is still to be asked.

use crate::id::{ApplicationId, ApprovedScopeId, ConsentId, ProfileId};
use crate::identifier::PermissionContextIdentifier;
use crate::scope::{Scope, ScopeElement};
use crate::time::Timestamp;

/// A user's consent to an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent {
    /// The id.
    pub id: ConsentId,
    /// Who agreed.
    pub profile: ProfileId,
    /// To which application.
    pub application: ApplicationId,
    /// To what.
    pub scopes: Vec<ApprovedScope>,
}

/// One scope that a user approved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApprovedScope {
    /// The id.
    pub id: ApprovedScopeId,
    /// What.
    pub scope: Scope,
    /// Whether also while the user is away (refresh tokens).
    pub presence: Presence,
    /// When.
    pub approved_at: Timestamp,
}

/// Whether an application may act while the user is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Only as long as an access token lives (`access_type=online`).
    Online,
    /// Also later, by a refresh token (`access_type=offline`).
    Offline,
}

impl Presence {
    fn covers(self, asked: Self) -> bool {
        self == Self::Offline || asked == Self::Online
    }
}

/// What of `asked` no approved scope covers; `None` when nothing has to be asked.
///
/// Asking for nothing (an empty scope) still has to be agreed to once: the application learns who the user is.
pub fn missing(approved: &[ApprovedScope], asked: &Scope, presence: Presence) -> Option<Scope> {
    let mut counting = approved.iter().filter(|approved| approved.presence.covers(presence)).map(|it| &it.scope);
    match asked {
        Scope::Everything => (!counting.any(|scope| *scope == Scope::Everything)).then_some(Scope::Everything),
        Scope::Elements(elements) if elements.is_empty() => counting.next().is_none().then(|| asked.clone()),
        Scope::Elements(elements) => {
            let counting: Vec<&Scope> = counting.collect();
            let new: Vec<ScopeElement> = elements
                .iter()
                .filter(|element| !counting.iter().any(|scope| covers(scope, element)))
                .cloned()
                .collect();
            (!new.is_empty()).then_some(Scope::Elements(new))
        }
    }
}

/// Whether all of `part` lies within `whole`.
pub fn within(part: &Scope, whole: &Scope) -> bool {
    match (part, whole) {
        (_, Scope::Everything) => true,
        (Scope::Everything, Scope::Elements(_)) => false,
        (Scope::Elements(elements), _) => elements.iter().all(|element| covers(whole, element)),
    }
}

fn covers(scope: &Scope, asked: &ScopeElement) -> bool {
    match scope {
        Scope::Everything => true,
        Scope::Elements(elements) => elements.iter().any(|element| {
            element.right == asked.right
                && (element.context == asked.context || element.context == PermissionContextIdentifier::Global)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approved(scope: &str, presence: Presence) -> ApprovedScope {
        let scope = Scope::parse(scope).unwrap();
        ApprovedScope { id: ApprovedScopeId::new("a"), scope, presence, approved_at: Timestamp::from_millis(0) }
    }

    fn asked(known: &[ApprovedScope], scope: &str, presence: Presence) -> Option<String> {
        missing(known, &Scope::parse(scope).unwrap(), presence).map(|scope| scope.to_string())
    }

    #[test]
    fn only_what_is_new_is_asked() {
        let known = [
            approved("global:Profile.View", Presence::Online),
            approved("project:id:p:Project.View", Presence::Offline),
        ];
        assert_eq!(asked(&known, "global:Profile.View project:id:p:Project.View", Presence::Online), None);
        let more = asked(&known, "global:Profile.View global:Channel.View", Presence::Online);
        assert_eq!(more.as_deref(), Some("global:Channel.View"));
        assert_eq!(asked(&known, "channel:c:Profile.View", Presence::Online), None, "global covers every context");
        assert_eq!(asked(&known, "global:Project.View", Presence::Online).as_deref(), Some("global:Project.View"));
        assert_eq!(asked(&known, "**", Presence::Online).as_deref(), Some("**"));
    }

    #[test]
    fn acting_while_the_user_is_away_is_asked_on_its_own() {
        let known = [approved("global:Profile.View", Presence::Online)];
        assert_eq!(asked(&known, "global:Profile.View", Presence::Offline).as_deref(), Some("global:Profile.View"));
        let known = [approved("**", Presence::Offline)];
        assert_eq!(asked(&known, "global:Profile.View", Presence::Online), None);
        assert_eq!(asked(&known, "**", Presence::Offline), None);
    }

    #[test]
    fn who_the_user_is_is_asked_once() {
        assert_eq!(asked(&[], "", Presence::Online).as_deref(), Some(""));
        assert_eq!(asked(&[approved("", Presence::Online)], "", Presence::Online), None);
    }

    #[test]
    fn a_part_lies_within_its_whole_and_not_the_other_way_round() {
        let scope = |text: &str| Scope::parse(text).unwrap();
        assert!(within(&scope("global:A"), &scope("global:A global:B")));
        assert!(!within(&scope("global:A global:B"), &scope("global:A")));
        assert!(!within(&scope("**"), &scope("global:A")));
        assert!(within(&scope("**"), &scope("**")));
        assert!(within(&scope(""), &scope("global:A")));
    }
}
