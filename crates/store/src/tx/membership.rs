//! Memberships in teams, projects and channels.

use spaceport_platform::directory::membership::{Group, Member, Membership, Position};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::value::{Row, Value};

impl Tx<'_> {
    /// Stores memberships; whoever belongs there already gets the new position.
    pub fn save_memberships(&mut self, memberships: &[Membership], now: Timestamp) -> Result<(), StoreError> {
        self.rights_changed()?;
        let sets: Vec<Vec<Value>> = memberships
            .iter()
            .map(|membership| {
                let mut set = key(&membership.group, &membership.member);
                set.extend([membership.position.name().into(), now.into()]);
                set
            })
            .collect();
        let into = "INSERT INTO membership (group_kind, group_id, member_kind, member_id, position, since)";
        let tail =
            "ON CONFLICT (group_kind, group_id, member_kind, member_id) DO UPDATE SET position = excluded.position";
        self.insert_all(into, tail, &sets).map(|_| ())
    }

    /// Ends memberships; answers how many there were.
    pub fn delete_memberships(&mut self, ended: &[(Group, Member)]) -> Result<u64, StoreError> {
        self.rights_changed()?;
        let sets: Vec<Vec<Value>> = ended.iter().map(|(group, member)| key(group, member)).collect();
        self.execute_for("DELETE FROM membership WHERE (group_kind, group_id, member_kind, member_id)", &[], &sets)
    }

    /// Who belongs to a group, in the order of kind and id.
    pub fn memberships_in(&mut self, group: &Group) -> Result<Vec<Membership>, StoreError> {
        let (kind, id) = group.parts();
        let sql = "SELECT group_kind, group_id, member_kind, member_id, position FROM membership WHERE group_kind = $1 AND group_id = $2 \
                   ORDER BY member_kind, member_id";
        self.connection.query(sql, &[kind.into(), id.into()])?.into_iter().map(read).collect()
    }

    /// Who belongs to any of these groups, in no order.
    pub fn memberships_in_all(&mut self, groups: &[Group]) -> Result<Vec<Membership>, StoreError> {
        let ids: Vec<Value> = groups.iter().map(|group| group.parts().1.into()).collect();
        let select = "SELECT group_kind, group_id, member_kind, member_id, position FROM membership";
        let mut found = self.rows_in(select, "group_id", &ids)?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        // A team and a project may have the same id.
        let wanted: std::collections::HashSet<&Group> = groups.iter().collect();
        found.retain(|membership| wanted.contains(&membership.group));
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Where a person or team belongs, without what follows from teams.
    pub fn memberships_of(&mut self, member: &Member) -> Result<Vec<Membership>, StoreError> {
        let (kind, id) = member.parts();
        let sql = "SELECT group_kind, group_id, member_kind, member_id, position FROM membership WHERE member_kind = $1 AND member_id = $2 \
                   ORDER BY group_kind, group_id";
        self.connection.query(sql, &[kind.into(), id.into()])?.into_iter().map(read).collect()
    }
}

fn key(group: &Group, member: &Member) -> Vec<Value> {
    let ((group_kind, group_id), (member_kind, member_id)) = (group.parts(), member.parts());
    vec![group_kind.into(), group_id.into(), member_kind.into(), member_id.into()]
}

fn read(mut row: Row) -> Result<Membership, StoreError> {
    let (group_kind, group_id, member_kind, member_id) = (row.text()?, row.text()?, row.text()?, row.text()?);
    let position = row.text()?;
    let group = Group::from_parts(&group_kind, &group_id);
    let member = Member::from_parts(&member_kind, &member_id);
    match (group, member, Position::from_name(&position)) {
        (Some(group), Some(member), Some(position)) => Ok(Membership { group, member, position }),
        _ => Err(StoreError::corrupt(format!("a membership of a {member_kind} in a {group_kind} as {position}"))),
    }
}
