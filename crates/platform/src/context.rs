//! Permission contexts: where a right holds.

use std::fmt;

/// A resolved permission context: ids instead of keys (compare `PermissionContextIdentifier`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Context {
    /// The whole organization; a right held here holds everywhere.
    Global,
    /// A project, by id.
    Project(String),
    /// A channel, by id.
    Channel(String),
    /// A package repository, by id.
    PackageRepository(String),
}

impl Context {
    /// Whether what holds here also holds in `other`.
    pub fn covers(&self, other: &Self) -> bool {
        *self == Self::Global || self == other
    }

    /// Reads the stored form, the inverse of `Display`.
    pub fn from_stored(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "global" => Some(Self::Global),
            Some(("project", id)) => Some(Self::Project(id.to_owned())),
            Some(("channel", id)) => Some(Self::Channel(id.to_owned())),
            Some(("packageRepository", id)) => Some(Self::PackageRepository(id.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Project(id) => write!(f, "project:{id}"),
            Self::Channel(id) => write!(f, "channel:{id}"),
            Self::PackageRepository(id) => write!(f, "packageRepository:{id}"),
        }
    }
}

/// Where a right is used: a context, and the context that it lies in.
///
/// A package repository lies in its project, so what holds in the project holds there. Projects and channels lie
/// in nothing but the organization.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    context: Context,
    within: Option<Context>,
}

impl Place {
    /// The whole organization.
    pub const GLOBAL: Self = Self { context: Context::Global, within: None };

    /// A context that lies in another one.
    pub fn within(context: Context, outer: Context) -> Self {
        Self { context, within: Some(outer) }
    }

    /// The context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The context it lies in, unless that is the organization.
    pub fn outer(&self) -> Option<&Context> {
        self.within.as_ref()
    }

    /// Every context in which a grant holds here too, from the widest to the narrowest.
    pub fn covering(&self) -> impl Iterator<Item = &Context> {
        let own = (self.context != Context::Global).then_some(&self.context);
        [Some(&Context::Global), self.within.as_ref(), own].into_iter().flatten()
    }
}

impl From<Context> for Place {
    fn from(context: Context) -> Self {
        Self { context, within: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_covers_a_place_is_the_organization_what_it_lies_in_and_itself() {
        let (project, repository) = (Context::Project("p".into()), Context::PackageRepository("r".into()));
        let place = Place::within(repository.clone(), project.clone());
        assert_eq!(place.covering().collect::<Vec<_>>(), [&Context::Global, &project, &repository]);
        assert_eq!(Place::GLOBAL.covering().collect::<Vec<_>>(), [&Context::Global]);
        assert_eq!(Place::from(project.clone()).covering().collect::<Vec<_>>(), [&Context::Global, &project]);
    }

    #[test]
    fn global_covers_every_context_and_others_only_themselves() {
        let project = Context::Project("p1".to_owned());
        assert!(Context::Global.covers(&project));
        assert!(project.covers(&project));
        assert!(!project.covers(&Context::Global));
        assert!(!project.covers(&Context::Project("p2".to_owned())));
    }

    #[test]
    fn stored_forms_survive_a_round_trip() {
        for context in [
            Context::Global,
            Context::Project("p".into()),
            Context::Channel("c".into()),
            Context::PackageRepository("r".into()),
        ] {
            assert_eq!(Context::from_stored(&context.to_string()), Some(context));
        }
        assert_eq!(Context::from_stored("planet:earth"), None);
    }
}
