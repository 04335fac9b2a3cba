//! A role with everything that belongs to it, stored or always there.

use spaceport_platform::access::Grant;
use spaceport_platform::context::{Context, Place};
use spaceport_platform::directory::membership::{self, Group, Member, Position};
use spaceport_platform::directory::role::{Role, RoleName};
use spaceport_platform::identifier::{PermissionContextIdentifier, ProjectIdentifier};
use spaceport_platform::right::Right;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::role::{Role as RoleOut, RoleType};

/// A role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleView {
    /// Which one.
    pub name: RoleName,
    /// Where its rights hold.
    pub place: Place,
    /// What people read.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Its rights, by code.
    pub rights: Vec<Right>,
    /// Who has it; nobody is listed for the role of all members.
    pub members: Vec<Member>,
}

impl RoleView {
    /// The role of this name; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(tx: &mut Tx<'_>, name: &RoleName) -> Result<Option<Self>, StoreError> {
        match name {
            RoleName::Stored(id) => match tx.role(id)? {
                Some(role) => Self::stored(tx, &role).map(Some),
                None => Ok(None),
            },
            RoleName::Administrators => Self::administrators(tx).map(Some),
            RoleName::Holders(group, position) => Self::holders(tx, group, *position),
        }
    }

    /// All roles of a place: those that are always there come first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn all(tx: &mut Tx<'_>, place: &Place) -> Result<Vec<Self>, StoreError> {
        let mut roles = Vec::new();
        let group = match place.context() {
            Context::Global => {
                roles.push(Self::administrators(tx)?);
                None
            }
            Context::Project(id) => Some(Group::Project(id.clone())),
            Context::Channel(id) => Some(Group::Channel(id.clone())),
            Context::PackageRepository(_) => None,
        };
        for position in [Position::Admin, Position::Member] {
            if let Some(group) = &group {
                roles.extend(Self::holders(tx, group, position)?);
            }
        }
        for role in tx.roles_in(place.context())? {
            roles.push(Self::stored(tx, &role)?);
        }
        Ok(roles)
    }

    fn stored(tx: &mut Tx<'_>, role: &Role) -> Result<Self, StoreError> {
        Ok(Self {
            name: RoleName::Stored(role.id.clone()),
            place: tx.place_of(role.context.clone())?,
            title: role.name.clone(),
            description: role.description.clone().unwrap_or_default(),
            rights: tx.role_rights(&role.id)?,
            members: tx.role_members(&role.id)?,
        })
    }

    fn administrators(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        let people = tx.people_granted(&Grant { right: Right::SUPERADMIN, context: Context::Global })?;
        Ok(Self {
            name: RoleName::Administrators,
            place: Place::GLOBAL,
            title: "System administrators".to_owned(),
            description: "They hold every right everywhere".to_owned(),
            rights: vec![Right::SUPERADMIN],
            members: people.into_iter().map(Member::Profile).collect(),
        })
    }

    fn holders(tx: &mut Tx<'_>, group: &Group, position: Position) -> Result<Option<Self>, StoreError> {
        let (identifier, kind) = match group {
            Group::Team(_) => return Ok(None),
            Group::Project(id) => (PermissionContextIdentifier::Project(ProjectIdentifier::Id(id.clone())), "Project"),
            Group::Channel(id) => (PermissionContextIdentifier::Channel(id.clone()), "Channel"),
        };
        let Some(place) = tx.place(&identifier)? else { return Ok(None) };
        let (title, description) = match position {
            Position::Admin => (format!("{kind} administrators"), "They decide about rights here"),
            Position::Member => (format!("{kind} members"), "They belong here"),
        };
        let members = tx.memberships_in(group)?.into_iter().filter(|it| it.position == position);
        Ok(Some(Self {
            name: RoleName::Holders(group.clone(), position),
            place,
            title,
            description: description.to_owned(),
            rights: membership::rights(group, position).into_iter().map(|grant| grant.right).collect(),
            members: members.map(|membership| membership.member).collect(),
        }))
    }

    /// Whether its rights can be changed.
    pub fn has_editable_rights(&self) -> bool {
        matches!(self.name, RoleName::Stored(_))
    }

    /// Whether it can be given and taken.
    pub fn has_editable_members(&self) -> bool {
        match &self.name {
            RoleName::Stored(_) => self.name.code().is_none(),
            RoleName::Administrators | RoleName::Holders(..) => true,
        }
    }

    /// As the API shows it.
    pub fn out(&self) -> RoleOut {
        RoleOut {
            role_id: self.name.to_string(),
            kind: if self.name.code().is_some() { RoleType::Predefined } else { RoleType::Custom },
            code: self.name.code().map(str::to_owned),
            name: self.title.clone(),
            description: self.description.clone(),
            members_editable: self.has_editable_members(),
            rights_editable: Some(self.has_editable_rights()),
        }
    }
}
