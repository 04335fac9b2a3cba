//! People, as the host says them.

use std::collections::HashMap;

use spaceport_platform::audit::AuditChange;
use spaceport_platform::id::ProfileId;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::profile::{Picture, Profile, Relation, check, folded};
use spaceport_platform::time::Timestamp;
use spaceport_store::{ListStart, Listed, Past, ProfileFilter, StoreError, Tx};
use spaceport_wire::batch::Batch;
use spaceport_wire::directory::{Ids, Outcome, ProfileEntries, ProfileEntry};
use spaceport_wire::profile::ProfileName;
use spaceport_wire::scalar::List;

use crate::host::directory::{
    At, BODY_LIMIT, Feeding, Kind, Named, Paging, archive, flag, list, listed_id, put, read_all, show, single_id,
};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path, Query};
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const PROFILES: &str = "/api/host/v1/directory/profiles";
    const PROFILE: &str = "/api/host/v1/directory/profiles/{id}";
    routes
        .get(PROFILES, "host.profile.list", "List profiles", list_all)
        .put(PROFILES, "host.profile.put_all", "Put profiles", put_all)
        .with_body_limit(BODY_LIMIT)
        .delete(PROFILES, "host.profile.delete_all", "Archive profiles", delete_all)
        .with_body_limit(BODY_LIMIT)
        .get(PROFILE, "host.profile.get", "Get profile", get_one)
        .put(PROFILE, "host.profile.put", "Put profile", put_one)
        .delete(PROFILE, "host.profile.delete", "Archive profile", delete_one)
}

/// A profile as a `PUT` would say it.
///
/// # Errors
/// `not-found`.
pub async fn get_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<ProfileEntry>, ApiError> {
    show::<Profile>(&cx, path.id).await.map(Json)
}

/// All profiles, archived ones too, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list_all(cx: Feeding, Query(paging): Query<Paging>) -> Result<Json<Batch<ProfileEntry>>, ApiError> {
    list::<Profile>(&cx, &paging).await.map(Json)
}

/// Puts a profile.
///
/// # Errors
/// `duplicated-entity`, `validation-error` naming the field.
pub async fn put_one(
    cx: Feeding,
    Path(path): Path<Named>,
    Body(body): Body<ProfileEntry>,
) -> Result<Json<Outcome>, ApiError> {
    let id = single_id(path.id, body.id.as_deref())?;
    let profile = read(id, body, cx.now())?;
    put(&cx, vec![profile], At::Single).await.map(Json)
}

/// Puts many profiles.
///
/// # Errors
/// `duplicated-entity`, `validation-error` naming the entry and the field.
pub async fn put_all(cx: Feeding, Body(body): Body<ProfileEntries>) -> Result<Json<Outcome>, ApiError> {
    let now = cx.now();
    let profiles = read_all(Profile::LIST, body.profiles, |mut body| read(listed_id(body.id.take())?, body, now))?;
    put(&cx, profiles, At::List(Profile::LIST)).await.map(Json)
}

/// Archives a profile: the person has left, and every token of his is dead.
///
/// # Errors
/// `validation-error` for the last administrator.
pub async fn delete_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<Outcome>, ApiError> {
    archive::<Profile>(&cx, vec![path.id]).await.map(Json)
}

/// Archives many profiles.
///
/// # Errors
/// `validation-error` for the last administrator.
pub async fn delete_all(cx: Feeding, Body(body): Body<Ids>) -> Result<Json<Outcome>, ApiError> {
    archive::<Profile>(&cx, body.ids).await.map(Json)
}

fn read(id: String, body: ProfileEntry, now: Timestamp) -> Result<Profile, Invalid> {
    let name = body.name.unwrap_or_default();
    let since = |flag: Option<bool>| flag.unwrap_or(false).then_some(now);
    let profile = Profile {
        first_name: name.first_name,
        last_name: name.last_name,
        emails: body.emails.map(|emails| emails.0).unwrap_or_default(),
        external_id: body.external_id,
        picture: Picture { small: body.small_avatar, medium: body.avatar, full: body.profile_picture },
        relation: if body.not_a_member == Some(true) { Relation::Guest } else { Relation::Member },
        archived_at: since(body.archived),
        suspended_at: since(body.suspended),
        ..Profile::new(ProfileId::new(id), body.username, now)
    };
    check(&profile)?;
    Ok(profile)
}

impl Kind for Profile {
    const LIST: &'static str = "profiles";
    const NAME: &'static str = "profile";

    type Out = ProfileEntry;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn out(&self) -> ProfileEntry {
        ProfileEntry {
            id: Some(self.id.to_string()),
            username: self.username.clone(),
            name: Some(ProfileName { first_name: self.first_name.clone(), last_name: self.last_name.clone() }),
            emails: Some(List(self.emails.clone())),
            external_id: self.external_id.clone(),
            small_avatar: self.picture.small.clone(),
            avatar: self.picture.medium.clone(),
            profile_picture: self.picture.full.clone(),
            not_a_member: Some(self.relation == Relation::Guest),
            suspended: Some(self.suspended_at.is_some()),
            archived: Some(self.archived_at.is_some()),
        }
    }

    fn page(tx: &mut Tx<'_>, start: &ListStart, limit: i64) -> Result<Listed<Self>, StoreError> {
        tx.list_profiles(&ProfileFilter { past: Past::With, ..ProfileFilter::default() }, start, limit)
    }

    fn inherit(&mut self, known: &Self) {
        self.created_at = known.created_at;
        self.tokens_not_before = known.tokens_not_before;
        // Since when somebody is gone is not said again and again.
        self.archived_at = self.archived_at.map(|now| known.archived_at.unwrap_or(now));
        self.suspended_at = self.suspended_at.map(|now| known.suspended_at.unwrap_or(now));
    }

    fn archive(&mut self, now: Timestamp) {
        self.archived_at = self.archived_at.or(Some(now));
    }

    fn changes(&self, known: Option<&Self>) -> Vec<AuditChange> {
        let of = |read: fn(&Self) -> Option<&str>| (known.and_then(read), read(self));
        let text = |field, (old, new): (Option<&str>, Option<&str>)| AuditChange::between(field, old, new);
        let emails = |profile: &Self| Some(profile.emails.join(" ")).filter(|emails| !emails.is_empty());
        [
            text("username", of(|it| Some(&it.username))),
            text("firstName", of(|it| Some(it.first_name.as_str()).filter(|name| !name.is_empty()))),
            text("lastName", of(|it| Some(it.last_name.as_str()).filter(|name| !name.is_empty()))),
            AuditChange::between("emails", known.and_then(emails).as_deref(), emails(self).as_deref()),
            text("externalId", of(|it| it.external_id.as_deref())),
            text("smallAvatar", of(|it| it.picture.small.as_deref())),
            text("avatar", of(|it| it.picture.medium.as_deref())),
            text("profilePicture", of(|it| it.picture.full.as_deref())),
            flag("notAMember", known.map(|it| it.relation == Relation::Guest), self.relation == Relation::Guest),
            flag("suspended", known.map(|it| it.suspended_at.is_some()), self.suspended_at.is_some()),
            flag("archived", known.map(|it| it.archived_at.is_some()), self.archived_at.is_some()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn load(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<Self>, StoreError> {
        let ids: Vec<ProfileId> = ids.iter().map(|id| ProfileId::new(id.as_str())).collect();
        tx.profiles(&ids)
    }

    fn save(tx: &mut Tx<'_>, entries: &[(usize, Self)], now: Timestamp, at: &At) -> Result<(), ApiError> {
        let coming: HashMap<&str, &Self> = entries.iter().map(|(_, profile)| (profile.id.as_str(), profile)).collect();
        // Whoever is in this call has what the call says; everybody else has what is stored.
        let taken = |index: usize, field: &str, holder: &ProfileId| {
            ApiError::duplicated(format!("{} is taken by the profile {holder}", at.field(index, field)))
        };
        let usernames: Vec<String> = entries.iter().map(|(_, profile)| folded(&profile.username)).collect();
        let mut holders = tx.username_owners(&usernames)?;
        holders.retain(|_, holder| !coming.contains_key(holder.as_str()));
        for (index, profile) in entries {
            if let Some(holder) = holders.insert(folded(&profile.username), profile.id.clone()) {
                return Err(taken(*index, "username", &holder));
            }
        }
        let externals: Vec<String> = entries.iter().filter_map(|(_, profile)| profile.external_id.clone()).collect();
        let mut holders = tx.external_id_owners(&externals)?;
        holders.retain(|_, holder| !coming.contains_key(holder.as_str()));
        for (index, profile) in entries {
            if let Some(external) = &profile.external_id
                && let Some(holder) = holders.insert(external.clone(), profile.id.clone())
            {
                return Err(taken(*index, "externalId", &holder));
            }
        }
        let claims = || entries.iter().filter(|(_, profile)| profile.archived_at.is_none());
        let emails: Vec<String> =
            claims().flat_map(|(_, profile)| &profile.emails).map(|email| folded(email)).collect();
        let mut holders = tx.email_owners(&emails)?;
        holders.retain(|_, holder| !coming.contains_key(holder.as_str()));
        for (index, profile) in claims() {
            for (position, email) in profile.emails.iter().enumerate() {
                if let Some(holder) = holders.insert(folded(email), profile.id.clone()) {
                    return Err(taken(*index, &format!("emails[{position}]"), &holder));
                }
            }
        }
        let profiles: Vec<Self> = entries.iter().map(|(_, profile)| profile.clone()).collect();
        tx.save_profiles(&profiles)?;
        let gone: Vec<ProfileId> =
            profiles.iter().filter(|profile| !profile.is_active()).map(|profile| profile.id.clone()).collect();
        Ok(tx.end_tokens_of_people(&gone, now)?)
    }
}
