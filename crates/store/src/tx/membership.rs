//! Memberships in teams, projects and channels.

use spaceport_platform::directory::membership::{Member, Membership, Place, Position};
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
                let mut set = key(&membership.place, &membership.member);
                set.extend([membership.position.name().into(), now.into()]);
                set
            })
            .collect();
        let sql = "INSERT INTO membership (place_kind, place_id, member_kind, member_id, position, since) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (place_kind, place_id, member_kind, member_id) DO UPDATE SET position = excluded.position";
        self.execute_all(sql, &sets).map(|_| ())
    }

    /// Ends memberships; answers how many there were.
    pub fn delete_memberships(&mut self, ended: &[(Place, Member)]) -> Result<u64, StoreError> {
        self.rights_changed()?;
        let sets: Vec<Vec<Value>> = ended.iter().map(|(place, member)| key(place, member)).collect();
        let sql =
            "DELETE FROM membership WHERE place_kind = $1 AND place_id = $2 AND member_kind = $3 AND member_id = $4";
        self.execute_all(sql, &sets)
    }

    /// Who belongs to a place, in the order of kind and id.
    pub fn memberships_in(&mut self, place: &Place) -> Result<Vec<Membership>, StoreError> {
        let (kind, id) = place.parts();
        let sql = "SELECT place_kind, place_id, member_kind, member_id, position FROM membership WHERE place_kind = $1 AND place_id = $2 \
                   ORDER BY member_kind, member_id";
        self.connection.query(sql, &[kind.into(), id.into()])?.into_iter().map(read).collect()
    }

    /// Who belongs to any of these places, in no order.
    pub fn memberships_in_all(&mut self, places: &[Place]) -> Result<Vec<Membership>, StoreError> {
        let ids: Vec<Value> = places.iter().map(|place| place.parts().1.into()).collect();
        let select = "SELECT place_kind, place_id, member_kind, member_id, position FROM membership";
        let mut found = self.rows_in(select, "place_id", &ids)?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        // A team and a project may have the same id.
        let wanted: std::collections::HashSet<&Place> = places.iter().collect();
        found.retain(|membership| wanted.contains(&membership.place));
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Where a person or team belongs, without what follows from teams.
    pub fn memberships_of(&mut self, member: &Member) -> Result<Vec<Membership>, StoreError> {
        let (kind, id) = member.parts();
        let sql = "SELECT place_kind, place_id, member_kind, member_id, position FROM membership WHERE member_kind = $1 AND member_id = $2 \
                   ORDER BY place_kind, place_id";
        self.connection.query(sql, &[kind.into(), id.into()])?.into_iter().map(read).collect()
    }
}

fn key(place: &Place, member: &Member) -> Vec<Value> {
    let ((place_kind, place_id), (member_kind, member_id)) = (place.parts(), member.parts());
    vec![place_kind.into(), place_id.into(), member_kind.into(), member_id.into()]
}

fn read(mut row: Row) -> Result<Membership, StoreError> {
    let (place_kind, place_id, member_kind, member_id) = (row.text()?, row.text()?, row.text()?, row.text()?);
    let position = row.text()?;
    let place = Place::from_parts(&place_kind, &place_id);
    let member = Member::from_parts(&member_kind, &member_id);
    match (place, member, Position::from_name(&position)) {
        (Some(place), Some(member), Some(position)) => Ok(Membership { place, member, position }),
        _ => Err(StoreError::corrupt(format!("a membership of a {member_kind} in a {place_kind} as {position}"))),
    }
}
