//! Scopes in words: what an application may do, place by place.

use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::consent::Presence;
use spaceport_platform::context::Context;
use spaceport_platform::id::ProfileId;
use spaceport_platform::identifier::{PermissionContextIdentifier, ProjectIdentifier};
use spaceport_platform::scope::Scope;
use spaceport_store::{StoreError, Tx};

/// What a scope allows, in words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScopeWords {
    /// Everything that the user may do.
    pub everything: bool,
    /// Otherwise, place by place. Nothing but to know who the user is when empty.
    pub places: Vec<PlaceWords>,
    /// Also while the user is away.
    pub offline: bool,
}

/// What is allowed in one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceWords {
    /// Such as `In the project Demo`.
    pub place: String,
    /// Titles of rights.
    pub rights: Vec<String>,
}

impl ScopeWords {
    /// Whether nothing is asked but who the user is.
    pub fn only_identity(&self) -> bool {
        !self.everything && self.places.is_empty()
    }

    /// Puts a scope into words.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of(
        tx: &mut Tx<'_>,
        catalogue: &Catalogue,
        user: &ProfileId,
        scope: &Scope,
        presence: Presence,
    ) -> Result<Self, StoreError> {
        let offline = presence == Presence::Offline;
        let Scope::Elements(elements) = scope else {
            return Ok(Self { everything: true, places: Vec::new(), offline });
        };
        let held = tx.rights_of_person(user)?;
        let reaches = |context: &Context| held.iter().any(|grant| grant.context.covers(context));
        let mut places: Vec<(&PermissionContextIdentifier, PlaceWords)> = Vec::new();
        for element in elements {
            let code = element.right.code();
            let title = catalogue.right(code).map_or_else(|| code.to_owned(), |right| right.title.clone());
            match places.iter_mut().find(|(known, _)| *known == &element.context) {
                Some((_, words)) => words.rights.push(title),
                None => {
                    let place = place(tx, &element.context, reaches)?;
                    places.push((&element.context, PlaceWords { place, rights: vec![title] }));
                }
            }
        }
        Ok(Self { everything: false, places: places.into_iter().map(|(_, words)| words).collect(), offline })
    }
}

/// A place in words, for somebody who may see it.
///
/// # Errors
/// When the database fails.
pub fn place_name(tx: &mut Tx<'_>, context: &Context) -> Result<String, StoreError> {
    place(tx, &context.clone().into(), |_| true)
}

/// The name of a place is told to those who hold something there; others read what the application wrote.
fn place(
    tx: &mut Tx<'_>,
    context: &PermissionContextIdentifier,
    reaches: impl Fn(&Context) -> bool,
) -> Result<String, StoreError> {
    Ok(match context {
        PermissionContextIdentifier::Global => "Everywhere".to_owned(),
        PermissionContextIdentifier::Project(identifier) => {
            let (ProjectIdentifier::Id(named) | ProjectIdentifier::Key(named)) = identifier;
            let project = tx.find_project(identifier)?.filter(|project| reaches(&Context::Project(project.id.clone())));
            format!("In the project {}", project.map_or_else(|| named.clone(), |project| project.name))
        }
        PermissionContextIdentifier::Channel(id) => {
            let channel = tx.channel(id)?.filter(|channel| reaches(&Context::Channel(channel.id.clone())));
            format!("In the channel {}", channel.map_or_else(|| id.clone(), |channel| channel.name))
        }
        PermissionContextIdentifier::PackageRepository(id) => {
            let found = tx.package_repository(id)?;
            let found = found.filter(|found| reaches(&Context::PackageRepository(found.id.clone())));
            format!("In the package repository {}", found.map_or_else(|| id.clone(), |found| found.name))
        }
    })
}
