//! Grants by hash: which rights hold where, looked up in the same time however many there are.

use std::collections::{HashMap, HashSet};

use crate::access::Grant;
use crate::context::{Context, Place};
use crate::identifier::PermissionContextIdentifier;
use crate::right::Right;
use crate::scope::Scope;

/// Rights with the contexts they hold in.
///
/// [`Grants::holds`] makes at most four look-ups, one for the right and one for each context that covers a
/// place, so a hundred thousand grants cost no more than one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grants {
    places: HashMap<Right, HashSet<Context>>,
    count: usize,
}

/// What a token or a consent lets through of what its principal may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Limit {
    /// All of it (`**`).
    Everything,
    /// These rights in these contexts.
    Only(Grants),
}

impl Grants {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a grant; what holds already is left alone.
    pub fn add(&mut self, grant: Grant) {
        if self.places.entry(grant.right).or_default().insert(grant.context) {
            self.count += 1;
        }
    }

    /// Whether `right` holds at `place`: there, or in a context above it.
    pub fn holds(&self, right: &Right, place: &Place) -> bool {
        self.places.get(right).is_some_and(|contexts| place.covering().any(|context| contexts.contains(context)))
    }

    /// Whether `right` is granted in exactly this context.
    pub fn names(&self, right: &Right, context: &Context) -> bool {
        self.places.get(right).is_some_and(|contexts| contexts.contains(context))
    }

    /// Contexts in which `right` is granted, in no order.
    pub fn contexts_of(&self, right: &Right) -> impl Iterator<Item = &Context> {
        self.places.get(right).into_iter().flatten()
    }

    /// How many grants there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        let mut all = Self::none();
        grants.into_iter().for_each(|grant| all.add(grant));
        all
    }
}

impl Limit {
    /// Nothing.
    pub fn nothing() -> Self {
        Self::Only(Grants::none())
    }

    /// The limit a scope sets. `resolve` finds the context behind an identifier; elements about contexts that
    /// do not exist let nothing through.
    ///
    /// # Errors
    /// What `resolve` fails with.
    pub fn of<E>(
        scope: &Scope,
        mut resolve: impl FnMut(&PermissionContextIdentifier) -> Result<Option<Context>, E>,
    ) -> Result<Self, E> {
        let Scope::Elements(elements) = scope else { return Ok(Self::Everything) };
        let mut grants = Grants::none();
        for element in elements {
            if let Some(context) = resolve(&element.context)? {
                grants.add(Grant { right: element.right.clone(), context });
            }
        }
        Ok(Self::Only(grants))
    }

    /// Whether `right` gets through at `place`.
    pub fn allows(&self, right: &Right, place: &Place) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(grants) => grants.holds(right, place),
        }
    }

    /// Whether this limit lets everything through.
    pub fn is_everything(&self) -> bool {
        *self == Self::Everything
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(code: &str, context: Context) -> Grant {
        Grant { right: Right::from_code(code), context }
    }

    #[test]
    fn a_right_holds_where_it_is_granted_and_below() {
        let grants: Grants =
            [grant("Profile.View", Context::Global), grant("Project.View", Context::Project("p".to_owned()))]
                .into_iter()
                .collect();
        let repository = Place::within(Context::PackageRepository("r".to_owned()), Context::Project("p".to_owned()));
        assert!(grants.holds(&Right::from_code("Profile.View"), &repository));
        assert!(grants.holds(&Right::from_code("Project.View"), &repository));
        assert!(!grants.holds(&Right::from_code("Project.View"), &Place::GLOBAL));
        assert!(!grants.names(&Right::from_code("Profile.View"), repository.context()));
        assert_eq!(grants.len(), 2);
    }

    #[test]
    fn granting_twice_is_one_grant() {
        let grants: Grants = (0..2).map(|_| grant("Profile.View", Context::Global)).collect();
        assert_eq!(grants.len(), 1);
    }

    #[test]
    fn elements_about_unknown_contexts_let_nothing_through() {
        let scope = Scope::parse("project:key:GONE:Project.View global:Profile.View").unwrap();
        let limit = Limit::of(&scope, |identifier| {
            Ok::<_, ()>((*identifier == PermissionContextIdentifier::Global).then_some(Context::Global))
        })
        .unwrap();
        assert!(limit.allows(&Right::VIEW_PROFILES, &Place::GLOBAL));
        assert!(!limit.allows(&Right::from_code("Project.View"), &Place::GLOBAL));
        assert!(Limit::of(&Scope::Everything, |_| Ok::<_, ()>(None)).unwrap().is_everything());
    }

    #[test]
    fn a_hundred_thousand_grants_are_looked_up_and_not_searched_through() {
        let project = |index: usize| Context::Project(format!("p{index}"));
        let right = Right::from_code("Project.View");
        let grants: Grants = (0..100_000).map(|index| grant("Project.View", project(index))).collect();
        // Searching would make 10^10 comparisons here, which takes minutes; look-ups take a blink.
        for index in 0..100_000 {
            assert!(grants.holds(&right, &project(index).into()));
            assert!(!grants.holds(&right, &project(index + 100_000).into()));
        }
    }
}
