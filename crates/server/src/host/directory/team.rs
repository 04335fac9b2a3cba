//! Teams, as the host says them.

use std::collections::{HashMap, HashSet};

use spaceport_platform::audit::AuditChange;
use spaceport_platform::directory::team::{Team, check};
use spaceport_platform::id::TeamId;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use spaceport_store::{ListStart, Listed, StoreError, Tx};
use spaceport_wire::batch::Batch;
use spaceport_wire::directory::{Ids, Outcome, TeamEntries, TeamEntry};

use crate::host::directory::{
    At, BODY_LIMIT, Feeding, Kind, Named, Paging, archive, flag, list, listed_id, put, read_all, show, single_id,
};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path, Query};
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/host/v1/directory/teams";
    const ONE: &str = "/api/host/v1/directory/teams/{id}";
    routes
        .get(ALL, "host.team.list", "List teams", list_all)
        .put(ALL, "host.team.put_all", "Put teams", put_all)
        .with_body_limit(BODY_LIMIT)
        .delete(ALL, "host.team.delete_all", "Archive teams", delete_all)
        .with_body_limit(BODY_LIMIT)
        .get(ONE, "host.team.get", "Get team", get_one)
        .put(ONE, "host.team.put", "Put team", put_one)
        .delete(ONE, "host.team.delete", "Archive team", delete_one)
}

/// A team as a `PUT` would say it.
///
/// # Errors
/// `not-found`.
pub async fn get_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<TeamEntry>, ApiError> {
    show::<Team>(&cx, path.id).await.map(Json)
}

/// All teams, archived ones too, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list_all(cx: Feeding, Query(paging): Query<Paging>) -> Result<Json<Batch<TeamEntry>>, ApiError> {
    list::<Team>(&cx, &paging).await.map(Json)
}

/// Puts a team.
///
/// # Errors
/// `validation-error` naming the field.
pub async fn put_one(
    cx: Feeding,
    Path(path): Path<Named>,
    Body(body): Body<TeamEntry>,
) -> Result<Json<Outcome>, ApiError> {
    let id = single_id(path.id, body.id.as_deref())?;
    let entry = read(id, body, cx.now())?;
    put(&cx, vec![entry], At::Single).await.map(Json)
}

/// Puts many teams.
///
/// # Errors
/// `validation-error` naming the entry and the field.
pub async fn put_all(cx: Feeding, Body(body): Body<TeamEntries>) -> Result<Json<Outcome>, ApiError> {
    let now = cx.now();
    let entries = read_all(Team::LIST, body.teams, |mut body| read(listed_id(body.id.take())?, body, now))?;
    put(&cx, entries, At::List(Team::LIST)).await.map(Json)
}

/// Archives a team. It gives nobody anything any more.
///
/// # Errors
/// Those of access.
pub async fn delete_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<Outcome>, ApiError> {
    archive::<Team>(&cx, vec![path.id]).await.map(Json)
}

/// Archives many teams.
///
/// # Errors
/// Those of access.
pub async fn delete_all(cx: Feeding, Body(body): Body<Ids>) -> Result<Json<Outcome>, ApiError> {
    archive::<Team>(&cx, body.ids).await.map(Json)
}

fn read(id: String, body: TeamEntry, now: Timestamp) -> Result<Team, Invalid> {
    let team = Team {
        id: TeamId::new(id),
        name: body.name,
        description: body.description,
        parent: body.parent.map(TeamId::new),
        external_id: body.external_id,
        created_at: now,
        archived_at: body.archived.unwrap_or(false).then_some(now),
    };
    check(&team)?;
    Ok(team)
}

impl Kind for Team {
    const LIST: &'static str = "teams";
    const NAME: &'static str = "team";

    type Out = TeamEntry;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn out(&self) -> TeamEntry {
        TeamEntry {
            id: Some(self.id.to_string()),
            name: self.name.clone(),
            description: self.description.clone(),
            parent: self.parent.as_ref().map(ToString::to_string),
            external_id: self.external_id.clone(),
            archived: Some(self.archived_at.is_some()),
        }
    }

    fn page(tx: &mut Tx<'_>, start: &ListStart, limit: i64) -> Result<Listed<Self>, StoreError> {
        tx.list_teams(start, limit)
    }

    fn inherit(&mut self, known: &Self) {
        self.created_at = known.created_at;
        self.archived_at = self.archived_at.map(|now| known.archived_at.unwrap_or(now));
    }

    fn archive(&mut self, now: Timestamp) {
        self.archived_at = self.archived_at.or(Some(now));
    }

    fn changes(&self, known: Option<&Self>) -> Vec<AuditChange> {
        let text =
            |field, read: fn(&Self) -> Option<&str>| AuditChange::between(field, known.and_then(read), read(self));
        [
            text("name", |it| Some(&it.name)),
            text("description", |it| it.description.as_deref()),
            text("parent", |it| it.parent.as_ref().map(TeamId::as_str)),
            text("externalId", |it| it.external_id.as_deref()),
            flag("archived", known.map(|it| it.archived_at.is_some()), self.archived_at.is_some()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn load(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<Self>, StoreError> {
        let ids: Vec<TeamId> = ids.iter().map(|id| TeamId::new(id.as_str())).collect();
        tx.teams(&ids)
    }

    fn save(tx: &mut Tx<'_>, entries: &[(usize, Self)], _: Timestamp, at: &At) -> Result<(), ApiError> {
        let coming: HashMap<&str, &Self> = entries.iter().map(|(_, team)| (team.id.as_str(), team)).collect();
        let externals: Vec<String> = entries.iter().filter_map(|(_, team)| team.external_id.clone()).collect();
        let mut holders = tx.team_external_id_owners(&externals)?;
        holders.retain(|_, holder| !coming.contains_key(holder.as_str()));
        for (index, team) in entries {
            if let Some(external) = &team.external_id
                && let Some(holder) = holders.insert(external.clone(), team.id.clone())
            {
                let field = at.field(*index, "externalId");
                return Err(ApiError::duplicated(format!("{field} is taken by the team {holder}")));
            }
        }
        let parents: Vec<TeamId> = entries.iter().filter_map(|(_, team)| team.parent.clone()).collect();
        let mut known: HashSet<TeamId> = tx.teams(&parents)?.into_iter().map(|team| team.id).collect();
        known.extend(entries.iter().map(|(_, team)| team.id.clone()));
        for (index, team) in entries {
            if let Some(parent) = team.parent.as_ref().filter(|parent| !known.contains(parent)) {
                let fault = Invalid::new("parent", format!("names no known team: `{parent}`"));
                return Err(at.fault(*index, fault).into());
            }
        }
        let teams: Vec<Self> = entries.iter().map(|(_, team)| team.clone()).collect();
        tx.save_teams(&teams)?;
        let children: Vec<TeamId> =
            teams.iter().filter(|team| team.parent.is_some()).map(|team| team.id.clone()).collect();
        match tx.team_in_circle(&children)? {
            Some(id) => {
                let index = entries.iter().find(|(_, team)| team.id == id).map_or(0, |(index, _)| *index);
                let fault = Invalid::new("parent", format!("must not make the team {id} a part of itself"));
                Err(at.fault(index, fault).into())
            }
            None => Ok(()),
        }
    }
}
