//! Profiles: found by every spelling of their identifier, listed, stored, archived.

use std::collections::HashMap;

use spaceport_platform::access::Principal;
use spaceport_platform::id::{ProfileId, TeamId};
use spaceport_platform::identifier::ProfileIdentifier;
use spaceport_platform::profile::{Picture, Profile, Relation, folded};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::list::{ListOrder, ListStart, Listed, Listing, page};
use crate::tx::{Tx, containing, placeholders};
use crate::value::{Row, Value};

pub(crate) use crate::tx::grant::principal_columns;

const COLUMNS: &str = "id, username, first_name, last_name, external_id, picture_small, picture_medium, picture_full, relation, \
     created_at, archived_at, suspended_at, tokens_not_before";

/// Which profiles a list holds.
#[derive(Clone, Default, Debug)]
pub struct ProfileFilter {
    /// Part of a name, in any case; empty finds everybody.
    pub query: String,
    /// Whether `query` is also looked for in addresses.
    pub addresses: Addresses,
    /// Those who have left too; or only they.
    pub past: Past,
    /// Members or guests only.
    pub relation: Option<Relation>,
    /// Members of this team only.
    pub team: Option<TeamId>,
    /// What the list is ordered by.
    pub order: ListOrder,
    /// These only.
    pub ids: Option<Vec<ProfileId>>,
}

/// Whether addresses are searched.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Addresses {
    /// No: the caller may not see them, so a search must not tell them.
    #[default]
    Hidden,
    /// Yes.
    Searched,
}

/// Whether people who have left are in a list.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Past {
    /// No.
    #[default]
    Without,
    /// Everybody.
    With,
    /// Nobody else.
    Only,
}

impl Tx<'_> {
    /// Stores a new profile.
    pub fn insert_profile(&mut self, profile: &Profile) -> Result<(), StoreError> {
        self.save_profiles(std::slice::from_ref(profile))
    }

    /// Stores profiles, in place of those with the same ids. Whoever has left claims no address.
    pub fn save_profiles(&mut self, profiles: &[Profile]) -> Result<(), StoreError> {
        self.rights_changed()?;
        // First everybody gives up what is unique, so that two people can swap names in one go.
        let ids: Vec<Vec<Value>> = profiles.iter().map(|profile| vec![(&profile.id).into()]).collect();
        let sql = "UPDATE profile SET username = ':' || id, username_folded = ':' || id, external_id = NULL WHERE id";
        self.execute_for(sql, &[], &ids)?;
        self.execute_for("DELETE FROM profile_email WHERE profile_id", &[], &ids)?;
        let changed = COLUMNS.split(',').map(str::trim).chain(["username_folded", "name_folded"]).skip(1);
        let sets: Vec<String> =
            changed.filter(|name| *name != "created_at").map(|name| format!("{name} = excluded.{name}")).collect();
        let into = format!("INSERT INTO profile ({COLUMNS}, username_folded, name_folded)");
        let tail = format!("ON CONFLICT (id) DO UPDATE SET {}", sets.join(", "));
        self.insert_all(&into, &tail, &profiles.iter().map(values).collect::<Vec<_>>())?;
        self.insert_emails(profiles)
    }

    /// The profile with this id.
    pub fn profile(&mut self, id: &ProfileId) -> Result<Option<Profile>, StoreError> {
        Ok(self.profiles(std::slice::from_ref(id))?.pop())
    }

    /// The profiles with these ids, in no order; unknown ids are left out.
    pub fn profiles(&mut self, ids: &[ProfileId]) -> Result<Vec<Profile>, StoreError> {
        let ids: Vec<Value> = ids.iter().map(Value::from).collect();
        self.profiles_where("id", &ids)
    }

    /// The profile with this username, in any case.
    pub fn profile_by_username(&mut self, username: &str) -> Result<Option<Profile>, StoreError> {
        Ok(self.profiles_where("username_folded", &[folded(username).into()])?.pop())
    }

    /// The profile that another system knows under this id.
    pub fn profile_by_external_id(&mut self, id: &str) -> Result<Option<Profile>, StoreError> {
        Ok(self.profiles_where("external_id", &[id.into()])?.pop())
    }

    /// The profile of the person who has not left and has this address, in any case.
    pub fn profile_by_email(&mut self, address: &str) -> Result<Option<Profile>, StoreError> {
        let sql = "SELECT profile_id FROM profile_email WHERE claimed = $1";
        match self.connection.query(sql, &[folded(address).into()])?.pop() {
            Some(mut row) => self.profile(&ProfileId::new(row.text()?)),
            None => Ok(None),
        }
    }

    /// The profile an identifier names; `me` is the calling person.
    pub fn find_profile(
        &mut self,
        identifier: &ProfileIdentifier,
        caller: &Principal,
    ) -> Result<Option<Profile>, StoreError> {
        match (identifier, caller) {
            (ProfileIdentifier::Id(id), _) | (ProfileIdentifier::Me, Principal::User(id)) => self.profile(id),
            (ProfileIdentifier::Username(name), _) => self.profile_by_username(name),
            (ProfileIdentifier::ExternalId(id), _) => self.profile_by_external_id(id),
            (ProfileIdentifier::Email(address), _) => self.profile_by_email(address),
            (ProfileIdentifier::Me, Principal::Application(_) | Principal::Nobody) => Ok(None),
        }
    }

    /// Who has these usernames, in the form they are compared in.
    pub fn username_owners(&mut self, usernames: &[String]) -> Result<HashMap<String, ProfileId>, StoreError> {
        self.owners("SELECT username_folded, id FROM profile", "username_folded", usernames)
    }

    /// Who has these external ids.
    pub fn external_id_owners(&mut self, ids: &[String]) -> Result<HashMap<String, ProfileId>, StoreError> {
        self.owners("SELECT external_id, id FROM profile", "external_id", ids)
    }

    /// Who claims these addresses, in the form they are compared in.
    pub fn email_owners(&mut self, addresses: &[String]) -> Result<HashMap<String, ProfileId>, StoreError> {
        self.owners("SELECT claimed, profile_id FROM profile_email", "claimed", addresses)
    }

    /// A page of profiles.
    pub fn list_profiles(
        &mut self,
        filter: &ProfileFilter,
        start: &ListStart,
        limit: i64,
    ) -> Result<Listed<Profile>, StoreError> {
        let (mut conditions, mut bound): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
        if !filter.query.is_empty() {
            bound.push(containing(&filter.query));
            let mut found = "name_folded LIKE $1 ESCAPE '!' OR username_folded LIKE $1 ESCAPE '!'".to_owned();
            if filter.addresses == Addresses::Searched {
                found.push_str(
                    " OR id IN (SELECT profile_id FROM profile_email WHERE address_folded LIKE $1 ESCAPE '!')",
                );
            }
            conditions.push(format!("({found})"));
        }
        match filter.past {
            Past::Without => conditions.push("archived_at IS NULL".to_owned()),
            Past::With => {}
            Past::Only => conditions.push("archived_at IS NOT NULL".to_owned()),
        }
        if let Some(relation) = filter.relation {
            bound.push(relation.name().into());
            conditions.push(format!("relation = ${}", bound.len()));
        }
        if let Some(team) = &filter.team {
            bound.push(team.into());
            conditions.push(format!(
                "id IN (SELECT member_id FROM membership WHERE group_kind = 'team' AND group_id = ${} AND member_kind = 'profile')",
                bound.len()
            ));
        }
        match &filter.ids {
            None => {}
            Some(ids) if ids.is_empty() => conditions.push("1 = 0".to_owned()),
            Some(ids) => {
                conditions.push(format!("id IN ({})", placeholders(bound.len() + 1, ids.len())));
                bound.extend(ids.iter().map(Value::from));
            }
        }
        let listing = Listing { table: "profile", columns: COLUMNS, conditions, bound, order: filter.order };
        let (rows, total) = self.listed(listing, start, limit)?;
        let mut found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        self.add_emails(&mut found)?;
        Ok(page(found, total, filter.order, |profile| (folded_name(profile), profile.id.to_string())))
    }

    /// Ends every token of people: those that are stored are revoked, the others began too early.
    pub fn end_tokens_of_people(&mut self, people: &[ProfileId], now: Timestamp) -> Result<(), StoreError> {
        self.rights_changed()?;
        let (now, ids) = ([now.into()], people.iter().map(|id| vec![id.into()]).collect::<Vec<_>>());
        self.execute_for("UPDATE profile SET tokens_not_before = $1 WHERE id", &now, &ids)?;
        let sql =
            "UPDATE token SET revoked_at = $1 WHERE principal_kind = 'profile' AND revoked_at IS NULL AND principal_id";
        self.execute_for(sql, &now, &ids).map(|_| ())
    }

    fn profiles_where(&mut self, column: &str, among: &[Value]) -> Result<Vec<Profile>, StoreError> {
        let rows = self.rows_in(&format!("SELECT {COLUMNS} FROM profile"), column, among)?;
        let mut found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        self.add_emails(&mut found)?;
        Ok(found)
    }

    pub(crate) fn owners<K>(
        &mut self,
        select: &str,
        column: &str,
        among: &[String],
    ) -> Result<HashMap<String, spaceport_platform::id::Id<K>>, StoreError> {
        let among: Vec<Value> = among.iter().map(|text| text.as_str().into()).collect();
        let rows = self.rows_in(select, column, &among)?;
        rows.into_iter().map(|mut row| Ok((row.text()?, spaceport_platform::id::Id::new(row.text()?)))).collect()
    }
}

fn folded_name(profile: &Profile) -> String {
    folded(format!("{} {}", profile.first_name, profile.last_name).trim())
}

fn values(profile: &Profile) -> Vec<Value> {
    let text = |text: &Option<String>| Value::from(text.as_deref());
    vec![
        (&profile.id).into(),
        profile.username.as_str().into(),
        profile.first_name.as_str().into(),
        profile.last_name.as_str().into(),
        text(&profile.external_id),
        text(&profile.picture.small),
        text(&profile.picture.medium),
        text(&profile.picture.full),
        profile.relation.name().into(),
        profile.created_at.into(),
        profile.archived_at.into(),
        profile.suspended_at.into(),
        profile.tokens_not_before.into(),
        folded(&profile.username).into(),
        folded_name(profile).into(),
    ]
}

fn read(mut row: Row) -> Result<Profile, StoreError> {
    Ok(Profile {
        id: ProfileId::new(row.text()?),
        username: row.text()?,
        first_name: row.text()?,
        last_name: row.text()?,
        emails: Vec::new(),
        external_id: row.optional_text()?,
        picture: Picture { small: row.optional_text()?, medium: row.optional_text()?, full: row.optional_text()? },
        relation: {
            let relation = row.text()?;
            Relation::from_name(&relation).ok_or_else(|| StoreError::corrupt(format!("the relation {relation}")))?
        },
        created_at: row.time()?,
        archived_at: row.optional_time()?,
        suspended_at: row.optional_time()?,
        tokens_not_before: row.time()?,
    })
}
