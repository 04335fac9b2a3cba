//! Teams.

use std::collections::HashMap;

use spaceport_platform::directory::team::Team;
use spaceport_platform::id::TeamId;
use spaceport_platform::identifier::TeamIdentifier;
use spaceport_platform::profile::folded;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::list::{ListOrder, ListStart, Listed, Listing, page};
use crate::value::{Row, Value};

const COLUMNS: &str = "id, name, description, parent_id, external_id, created_at, archived_at";

impl Tx<'_> {
    /// Stores teams, in place of those with the same ids.
    pub fn save_teams(&mut self, teams: &[Team]) -> Result<(), StoreError> {
        self.rights_changed()?;
        // First each gives up its external id, so that two can swap them.
        let ids: Vec<Vec<Value>> = teams.iter().map(|team| vec![(&team.id).into()]).collect();
        self.execute_for("UPDATE team SET external_id = NULL WHERE id", &[], &ids)?;
        let into = format!("INSERT INTO team ({COLUMNS}, name_folded)");
        let tail = "ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, \
                    parent_id = excluded.parent_id, external_id = excluded.external_id, \
                    archived_at = excluded.archived_at, name_folded = excluded.name_folded";
        self.insert_all(&into, tail, &teams.iter().map(values).collect::<Vec<_>>()).map(|_| ())
    }

    /// The team with this id, archived or not.
    pub fn team(&mut self, id: &TeamId) -> Result<Option<Team>, StoreError> {
        Ok(self.teams(std::slice::from_ref(id))?.pop())
    }

    /// The teams with these ids, in no order; unknown ids are left out.
    pub fn teams(&mut self, ids: &[TeamId]) -> Result<Vec<Team>, StoreError> {
        let ids: Vec<Value> = ids.iter().map(Value::from).collect();
        self.rows_in(&format!("SELECT {COLUMNS} FROM team"), "id", &ids)?.into_iter().map(read).collect()
    }

    /// The oldest team of this name that is not archived, in any case of letters.
    pub fn team_by_name(&mut self, name: &str) -> Result<Option<Team>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM team WHERE name_folded = $1 AND archived_at IS NULL ORDER BY created_at, id LIMIT 1"
        );
        self.connection.query(&sql, &[folded(name).into()])?.pop().map(read).transpose()
    }

    /// The team that another system knows under this id.
    pub fn team_by_external_id(&mut self, id: &str) -> Result<Option<Team>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM team WHERE external_id = $1");
        self.connection.query(&sql, &[id.into()])?.pop().map(read).transpose()
    }

    /// The team an identifier names.
    pub fn find_team(&mut self, identifier: &TeamIdentifier) -> Result<Option<Team>, StoreError> {
        match identifier {
            TeamIdentifier::Id(id) => self.team(id),
            TeamIdentifier::Name(name) => self.team_by_name(name),
            TeamIdentifier::ExternalId(id) => self.team_by_external_id(id),
        }
    }

    /// Which teams have these external ids.
    pub fn team_external_id_owners(&mut self, ids: &[String]) -> Result<HashMap<String, TeamId>, StoreError> {
        self.owners("SELECT external_id, id FROM team", "external_id", ids)
    }

    /// A page of teams by id, archived ones too.
    pub fn list_teams(&mut self, start: &ListStart, limit: i64) -> Result<Listed<Team>, StoreError> {
        let (conditions, bound, order) = (Vec::new(), Vec::new(), ListOrder::Id);
        let listing = Listing { table: "team", columns: COLUMNS, conditions, bound, order };
        let (rows, total) = self.listed(listing, start, limit)?;
        let found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(page(found, total, order, |team| (String::new(), team.id.to_string())))
    }

    /// A team that is, through its parents, a part of itself; `None` when all is well.
    pub fn team_in_circle(&mut self, among: &[TeamId]) -> Result<Option<TeamId>, StoreError> {
        let sql = "WITH RECURSIVE above (id) AS (SELECT parent_id FROM team WHERE id = $1 AND parent_id IS NOT NULL \
                   UNION SELECT team.parent_id FROM team JOIN above ON above.id = team.id WHERE team.parent_id IS NOT NULL) \
                   SELECT id FROM above WHERE id = $1";
        for id in among {
            if !self.connection.query(sql, &[id.into()])?.is_empty() {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }
}

fn values(team: &Team) -> Vec<Value> {
    vec![
        (&team.id).into(),
        team.name.as_str().into(),
        team.description.as_deref().into(),
        team.parent.as_ref().into(),
        team.external_id.as_deref().into(),
        team.created_at.into(),
        team.archived_at.into(),
        folded(&team.name).into(),
    ]
}

fn read(mut row: Row) -> Result<Team, StoreError> {
    Ok(Team {
        id: TeamId::new(row.text()?),
        name: row.text()?,
        description: row.optional_text()?,
        parent: row.optional_text()?.map(TeamId::new),
        external_id: row.optional_text()?,
        created_at: row.time()?,
        archived_at: row.optional_time()?,
    })
}
