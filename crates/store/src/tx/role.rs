//! Roles, their rights and who has them.

use spaceport_platform::context::Context;
use spaceport_platform::directory::membership::Member;
use spaceport_platform::directory::role::Role;
use spaceport_platform::id::RoleId;
use spaceport_platform::profile::folded;
use spaceport_platform::right::Right;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::list::{ListOrder, ListStart, Listed, Listing, page};
use crate::value::{Row, Value};

const COLUMNS: &str = "id, context, name, description, created_at";

impl Tx<'_> {
    /// Stores a role in place of the one with the same id; its rights and members stay.
    pub fn save_role(&mut self, role: &Role) -> Result<(), StoreError> {
        self.rights_changed()?;
        let sql = format!(
            "INSERT INTO role ({COLUMNS}, name_folded) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET \
             context = excluded.context, name = excluded.name, description = excluded.description, name_folded = excluded.name_folded"
        );
        let values = [
            (&role.id).into(),
            role.context.to_string().into(),
            role.name.as_str().into(),
            role.description.as_deref().into(),
            role.created_at.into(),
            folded(&role.name).into(),
        ];
        self.connection.execute(&sql, &values).map(|_| ())
    }

    /// Deletes a role with its rights and members; answers whether it was there.
    pub fn delete_role(&mut self, id: &RoleId) -> Result<bool, StoreError> {
        self.rights_changed()?;
        Ok(self.connection.execute("DELETE FROM role WHERE id = $1", &[id.into()])? > 0)
    }

    /// The role with this id. In a writing transaction it cannot change under the caller before the commit.
    pub fn role(&mut self, id: &RoleId) -> Result<Option<Role>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM role WHERE id = $1 {}", self.connection.held_for_update());
        self.connection.query(&sql, &[id.into()])?.pop().map(read).transpose()
    }

    /// The role of this name in a context, in any case of letters.
    pub fn role_by_name(&mut self, context: &Context, name: &str) -> Result<Option<Role>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM role WHERE context = $1 AND name_folded = $2");
        let values = [context.to_string().into(), folded(name).into()];
        self.connection.query(&sql, &values)?.pop().map(read).transpose()
    }

    /// The roles of a context by name.
    pub fn roles_in(&mut self, context: &Context) -> Result<Vec<Role>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM role WHERE context = $1 ORDER BY name_folded, id");
        self.connection.query(&sql, &[context.to_string().into()])?.into_iter().map(read).collect()
    }

    /// A page of all roles by id.
    pub fn list_roles(&mut self, start: &ListStart, limit: i64) -> Result<Listed<Role>, StoreError> {
        let (conditions, bound, order) = (Vec::new(), Vec::new(), ListOrder::Id);
        let listing = Listing { table: "role", columns: COLUMNS, conditions, bound, order };
        let (rows, total) = self.listed(listing, start, limit)?;
        let found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(page(found, total, order, |role| (String::new(), role.id.to_string())))
    }

    /// The rights of a role, by code.
    pub fn role_rights(&mut self, id: &RoleId) -> Result<Vec<Right>, StoreError> {
        let sql = "SELECT right_code FROM role_right WHERE role_id = $1";
        let rows = self.connection.query(sql, &[id.into()])?;
        let mut rights = rows
            .into_iter()
            .map(|mut row| row.text().map(|code| Right::from_code(&code)))
            .collect::<Result<Vec<_>, _>>()?;
        rights.sort();
        Ok(rights)
    }

    /// Adds rights to a role; those it has stay.
    pub fn add_role_rights(&mut self, id: &RoleId, rights: &[Right]) -> Result<(), StoreError> {
        self.rights_changed()?;
        let sets: Vec<Vec<Value>> = rights.iter().map(|right| vec![id.into(), right.code().into()]).collect();
        let sql = "INSERT INTO role_right (role_id, right_code) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.execute_all(sql, &sets).map(|_| ())
    }

    /// Takes rights from a role; those it has not are left alone.
    pub fn remove_role_rights(&mut self, id: &RoleId, rights: &[Right]) -> Result<(), StoreError> {
        self.rights_changed()?;
        let sets: Vec<Vec<Value>> = rights.iter().map(|right| vec![id.into(), right.code().into()]).collect();
        self.execute_all("DELETE FROM role_right WHERE role_id = $1 AND right_code = $2", &sets).map(|_| ())
    }

    /// Who has a role, in the order of kind and id.
    pub fn role_members(&mut self, id: &RoleId) -> Result<Vec<Member>, StoreError> {
        let sql = "SELECT member_kind, member_id FROM role_member WHERE role_id = $1 ORDER BY member_kind, member_id";
        let rows = self.connection.query(sql, &[id.into()])?;
        rows.into_iter()
            .map(|mut row| {
                let (kind, id) = (row.text()?, row.text()?);
                Member::from_parts(&kind, &id).ok_or_else(|| StoreError::corrupt(format!("a role of a {kind}")))
            })
            .collect()
    }

    /// Gives a role to people and teams; those who have it keep it.
    pub fn add_role_members(&mut self, id: &RoleId, members: &[Member]) -> Result<(), StoreError> {
        self.rights_changed()?;
        let sql =
            "INSERT INTO role_member (role_id, member_kind, member_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        self.execute_all(sql, &member_sets(id, members)).map(|_| ())
    }

    /// Takes a role from people and teams; those who have it not are left alone.
    pub fn remove_role_members(&mut self, id: &RoleId, members: &[Member]) -> Result<(), StoreError> {
        self.rights_changed()?;
        let sql = "DELETE FROM role_member WHERE role_id = $1 AND member_kind = $2 AND member_id = $3";
        self.execute_all(sql, &member_sets(id, members)).map(|_| ())
    }
}

fn member_sets(id: &RoleId, members: &[Member]) -> Vec<Vec<Value>> {
    let set = |member: &Member| {
        let (kind, member) = member.parts();
        vec![id.into(), kind.into(), member.into()]
    };
    members.iter().map(set).collect()
}

fn read(mut row: Row) -> Result<Role, StoreError> {
    Ok(Role {
        id: RoleId::new(row.text()?),
        context: {
            let context = row.text()?;
            Context::from_stored(&context).ok_or_else(|| StoreError::corrupt(format!("the context {context}")))?
        },
        name: row.text()?,
        description: row.optional_text()?,
        created_at: row.time()?,
    })
}
