//! What is granted to whom: directly, by role, by membership.

use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::authorization::{AuthorizedRight, RightStatus};
use spaceport_platform::context::Context;
use spaceport_platform::directory::membership::{self, Group, Position};
use spaceport_platform::directory::role::MEMBERS;
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::profile::{Profile, Relation};
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::value::{Row, Value};

/// The teams of the person `$1`, with the teams these are parts of; `UNION` ends circles.
pub(crate) const TEAMS_OF_PERSON: &str = "WITH RECURSIVE team_of (id) AS (\
     SELECT team.id FROM membership JOIN team ON team.id = membership.group_id \
       WHERE group_kind = 'team' AND member_kind = 'profile' AND member_id = $1 AND team.archived_at IS NULL \
     UNION SELECT above.id FROM team_of JOIN team ON team.id = team_of.id JOIN team above ON above.id = team.parent_id \
       WHERE above.archived_at IS NULL)";

/// Where it is kept which rights of the host were handed out.
const HOST_RIGHTS: &str = "host-rights";

impl Tx<'_> {
    /// What is granted to a principal directly; nothing to nobody.
    pub fn grants(&mut self, principal: &Principal) -> Result<Vec<Grant>, StoreError> {
        let Some((kind, id)) = principal_columns(principal) else { return Ok(Vec::new()) };
        let rows = match principal {
            Principal::Application(_) => {
                let sql =
                    "SELECT right_code, context FROM authorized_right WHERE application_id = $1 AND status = 'GRANTED'";
                self.connection.query(sql, &[id.into()])?
            }
            _ => {
                let sql =
                    "SELECT right_code, context FROM granted_right WHERE principal_kind = $1 AND principal_id = $2";
                self.connection.query(sql, &[kind.into(), id.into()])?
            }
        };
        rows.into_iter().map(read).collect()
    }

    /// Grants a right; granting it again changes nothing.
    pub fn grant(&mut self, principal: &Principal, grant: &Grant, now: Timestamp) -> Result<(), StoreError> {
        self.rights_changed()?;
        let Some((kind, id)) = principal_columns(principal) else { return Ok(()) };
        if let Principal::Application(id) = principal {
            let (right, status) = (grant.right.clone(), RightStatus::Granted);
            let granted = AuthorizedRight { right, status, author: Principal::Nobody, modified_at: now };
            return self.set_authorized_rights(id, &grant.context, &[granted]);
        }
        let sql = "INSERT INTO granted_right (principal_kind, principal_id, right_code, context, granted_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let values = [kind.into(), id.into(), grant.right.code().into(), grant.context.to_string().into(), now.into()];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// Takes a directly granted right back; answers whether it was there.
    pub fn revoke_grant(&mut self, principal: &Principal, grant: &Grant) -> Result<bool, StoreError> {
        self.rights_changed()?;
        let Some((kind, id)) = principal_columns(principal) else { return Ok(false) };
        if let Principal::Application(id) = principal {
            let known = self.authorized_rights(id, &grant.context)?;
            let granted =
                known.into_iter().find(|known| known.right == grant.right && known.status == RightStatus::Granted);
            let Some(granted) = granted else { return Ok(false) };
            let withdrawn = AuthorizedRight { status: RightStatus::None, ..granted };
            return self.set_authorized_rights(id, &grant.context, &[withdrawn]).map(|()| true);
        }
        let sql = "DELETE FROM granted_right WHERE principal_kind = $1 AND principal_id = $2 AND right_code = $3 AND context = $4";
        let values = [kind.into(), id.into(), grant.right.code().into(), grant.context.to_string().into()];
        Ok(self.connection.execute(sql, &values)? > 0)
    }

    /// Everything a person holds: direct grants, roles, what memberships give, and what every member of the
    /// organization holds; through teams and the teams above them, too. Nothing for people who may not act.
    pub fn rights_of_person(&mut self, id: &ProfileId) -> Result<Vec<Grant>, StoreError> {
        match self.profile(id)? {
            Some(profile) => self.rights_of_profile(&profile),
            None => Ok(Vec::new()),
        }
    }

    /// The same for a profile at hand.
    pub fn rights_of_profile(&mut self, profile: &Profile) -> Result<Vec<Grant>, StoreError> {
        if !profile.is_active() {
            return Ok(Vec::new());
        }
        let mut grants = self.grants(&Principal::User(profile.id.clone()))?;
        let everybody = match profile.relation {
            Relation::Member => MEMBERS,
            Relation::Guest => "",
        };
        let sql = format!(
            "{TEAMS_OF_PERSON} SELECT right_code, context FROM role JOIN role_right ON role_right.role_id = role.id \
             WHERE role.id = $2 OR role.id IN (SELECT role_id FROM role_member WHERE (member_kind = 'profile' AND member_id = $1) \
             OR (member_kind = 'team' AND member_id IN (SELECT id FROM team_of)))"
        );
        for row in self.connection.query(&sql, &[(&profile.id).into(), everybody.into()])? {
            grants.push(read(row)?);
        }
        let sql = format!(
            "{TEAMS_OF_PERSON} SELECT group_kind, group_id, position FROM membership WHERE group_kind <> 'team' \
             AND ((member_kind = 'profile' AND member_id = $1) OR (member_kind = 'team' AND member_id IN (SELECT id FROM team_of)))"
        );
        for mut row in self.connection.query(&sql, &[(&profile.id).into()])? {
            let (kind, id, position) = (row.text()?, row.text()?, row.text()?);
            let group =
                Group::from_parts(&kind, &id).ok_or_else(|| StoreError::corrupt(format!("the group {kind}")))?;
            let position = Position::from_name(&position)
                .ok_or_else(|| StoreError::corrupt(format!("the position {position}")))?;
            grants.append(&mut membership::rights(&group, position));
        }
        grants.sort_by(|a, b| (&a.context, &a.right).cmp(&(&b.context, &b.right)));
        grants.dedup();
        Ok(grants)
    }

    /// Applications that hold `right` globally.
    pub fn applications_holding(&mut self, right: &Right) -> Result<Vec<ApplicationId>, StoreError> {
        let sql = "SELECT application_id FROM authorized_right WHERE right_code = $1 AND context = 'global' AND status = 'GRANTED'";
        let rows = self.connection.query(sql, &[right.code().into()])?;
        rows.into_iter().map(|mut row| row.text().map(ApplicationId::new)).collect()
    }

    /// Which of the host's rights this database has not handed out yet; from now on all of them count as
    /// handed out, so that one an administrator withdraws does not come back.
    pub fn new_host_rights(&mut self, all: &[Right]) -> Result<Vec<Right>, StoreError> {
        let sql = "SELECT value FROM setting WHERE name = $1";
        let known = match self.connection.query(sql, &[HOST_RIGHTS.into()])?.pop() {
            Some(mut row) => row.text()?,
            // Databases from before this was kept.
            None => Right::PUBLISH_EVENTS.code().to_owned(),
        };
        let sql =
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let codes: Vec<&str> = all.iter().map(Right::code).collect();
        self.connection.execute(sql, &[HOST_RIGHTS.into(), codes.join(" ").into()])?;
        let is_new = |right: &&Right| known.split(' ').all(|code| code != right.code());
        Ok(all.iter().filter(is_new).cloned().collect())
    }

    /// People who hold a grant directly, in the order of their ids.
    pub fn people_granted(&mut self, grant: &Grant) -> Result<Vec<ProfileId>, StoreError> {
        let sql = "SELECT principal_id FROM granted_right WHERE principal_kind = 'profile' AND right_code = $1 AND context = $2";
        let rows = self.connection.query(sql, &[grant.right.code().into(), grant.context.to_string().into()])?;
        let mut people =
            rows.into_iter().map(|mut row| row.text().map(ProfileId::new)).collect::<Result<Vec<_>, _>>()?;
        people.sort();
        Ok(people)
    }

    /// People who may act and hold `right` globally, directly or by a role: for [`Right::SUPERADMIN`], the
    /// administrators. What every member holds does not count.
    pub fn holders(&mut self, right: &Right) -> Result<Vec<ProfileId>, StoreError> {
        let sql = "SELECT principal_id FROM granted_right WHERE principal_kind = 'profile' AND right_code = $1 AND context = 'global'";
        let direct = self.connection.query(sql, &[right.code().into()])?;
        let sql = "WITH RECURSIVE holder (kind, id) AS (\
             SELECT member_kind, member_id FROM role JOIN role_right ON role_right.role_id = role.id JOIN role_member ON role_member.role_id = role.id \
               WHERE role.context = 'global' AND right_code = $1), \
             holder_team (id) AS (\
             SELECT team.id FROM holder JOIN team ON team.id = holder.id WHERE holder.kind = 'team' AND team.archived_at IS NULL \
             UNION SELECT team.id FROM holder_team JOIN team ON team.parent_id = holder_team.id WHERE team.archived_at IS NULL) \
             SELECT id FROM holder WHERE kind = 'profile' \
             UNION SELECT member_id FROM membership JOIN holder_team ON holder_team.id = membership.group_id \
               WHERE group_kind = 'team' AND member_kind = 'profile'";
        let by_role = self.connection.query(sql, &[right.code().into()])?;
        let mut ids: Vec<Value> = Vec::new();
        for mut row in direct.into_iter().chain(by_role) {
            ids.push(row.text()?.into());
        }
        let rows = self.rows_in("SELECT id, archived_at, suspended_at FROM profile", "id", &ids)?;
        let mut holders = Vec::new();
        for mut row in rows {
            let id = ProfileId::new(row.text()?);
            if row.optional_time()?.is_none() && row.optional_time()?.is_none() {
                holders.push(id);
            }
        }
        holders.sort();
        holders.dedup();
        Ok(holders)
    }
}

/// How a principal is stored; `None` for nobody.
pub(crate) fn principal_columns(principal: &Principal) -> Option<(&'static str, &str)> {
    match principal {
        Principal::Nobody => None,
        Principal::Application(id) => Some(("application", id.as_str())),
        Principal::User(id) => Some(("profile", id.as_str())),
    }
}

/// The inverse, from the next two columns of a row.
pub(crate) fn principal_of(row: &mut Row) -> Result<Principal, StoreError> {
    Ok(match (row.optional_text()?.as_deref(), row.optional_text()?) {
        (Some("application"), Some(id)) => Principal::Application(ApplicationId::new(id)),
        (Some("profile"), Some(id)) => Principal::User(ProfileId::new(id)),
        _ => Principal::Nobody,
    })
}

fn read(mut row: Row) -> Result<Grant, StoreError> {
    let (right, context) = (row.text()?, row.text()?);
    let context =
        Context::from_stored(&context).ok_or_else(|| StoreError::corrupt(format!("the context {context}")))?;
    Ok(Grant { right: Right::from_code(&right), context })
}
