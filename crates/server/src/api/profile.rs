//! `/api/http/team-directory/profiles`: who there is.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spaceport_platform::id::TeamId;
use spaceport_platform::identifier::ProfileIdentifier;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::profile::Relation;
use spaceport_store::{Addresses, ListOrder, Listed, Past, ProfileFilter, StoreError};
use spaceport_wire::batch::Batch;
use spaceport_wire::profile::MemberProfile;

use crate::api::page::Page;
use crate::api::profile_out::{EmailsShown, profile_out};
use crate::api::walk;
use crate::http::access::Cx;
use crate::http::directory_access::{OnProfile, ViewingProfiles, emails_shown};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/http/team-directory/profiles", "api.profile.list", "Get all profiles", list).get(
        "/api/http/team-directory/profiles/{profile}",
        "api.profile.get",
        "Get profile",
        get,
    )
}

/// A profile, by any of its identifiers; `me` is the calling person.
///
/// # Errors
/// Those of access.
pub async fn get(cx: Cx<OnProfile>) -> Result<Json<MemberProfile>, ApiError> {
    let profile = &cx.access.profile;
    Ok(Json(profile_out(profile, emails_shown(&cx.caller, Some(&profile.id)))))
}

/// Filters of the list. All must hold.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListFilter {
    /// Where the page begins.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top")]
    top: Option<i32>,
    /// Part of a name, or of an address for callers who may see these, in any case.
    query: Option<String>,
    /// People who have left, too.
    report_past_members: Option<bool>,
    /// People who will come; there are none.
    report_future_members: Option<bool>,
    /// People who are here; false leaves only those who have left.
    report_current_members: Option<bool>,
    /// Id of a team: its members only.
    team_id: Option<String>,
    /// Id of a location; nobody has one.
    location_id: Option<String>,
    /// Id of a position; nobody has one.
    role_id: Option<String>,
    /// Whether the calling person comes first on the first page.
    me_on_top: Option<bool>,
    /// Order; by id when absent, so that a walk through all pages misses nobody.
    order: Option<ProfileOrder>,
    /// Members, guests or both.
    org_relation: Option<ProfileOrgRelation>,
    /// These only.
    profiles: Option<Vec<String>>,
}

/// Order of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProfileOrder {
    /// By id.
    Default,
    /// By first and last name.
    FullName,
}

/// How people stand to the organization.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProfileOrgRelation {
    /// Members.
    Member,
    /// Guests.
    Guest,
    /// Both.
    Any,
}

/// Profiles, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list(
    cx: Cx<ViewingProfiles>,
    Query(query): Query<ListFilter>,
) -> Result<Json<Batch<MemberProfile>>, ApiError> {
    let page = Page::walked(query.skip.as_deref(), query.top.map(i64::from))?;
    let order = match query.order {
        None | Some(ProfileOrder::Default) => ListOrder::Id,
        Some(ProfileOrder::FullName) => ListOrder::Name,
    };
    let start = walk::start(&page, order)?;
    let named = query.profiles.as_deref().map(identifiers).transpose()?;
    let shown = emails_shown(&cx.caller, None);
    let _ = query.report_future_members;
    let current = query.report_current_members.unwrap_or(true);
    let past = match (query.report_past_members.unwrap_or(false), current) {
        (false, true) => Past::Without,
        (true, true) => Past::With,
        (true, false) => Past::Only,
        // Only those who will come, if anybody: nobody is known before.
        (false, false) => return Ok(Json(page.batch_after(Vec::new(), 0, None))),
    };
    if query.location_id.is_some() || query.role_id.is_some() {
        return Ok(Json(page.batch_after(Vec::new(), 0, None)));
    }
    let filter = ProfileFilter {
        query: query.query.unwrap_or_default(),
        addresses: match shown {
            EmailsShown::Yes => Addresses::Searched,
            EmailsShown::No => Addresses::Hidden,
        },
        past,
        relation: match query.org_relation {
            None | Some(ProfileOrgRelation::Member) => Some(Relation::Member),
            Some(ProfileOrgRelation::Guest) => Some(Relation::Guest),
            Some(ProfileOrgRelation::Any) => None,
        },
        team: query.team_id.map(TeamId::new),
        order,
        ids: None,
    };
    let (caller, limit) = (Arc::clone(&cx.caller), page.limit);
    let listed = cx
        .read(move |tx| {
            let mut filter = filter.clone();
            if let Some(named) = &named {
                let mut ids = Vec::new();
                for identifier in named {
                    ids.extend(tx.find_profile(identifier, &caller.principal)?.map(|profile| profile.id));
                }
                filter.ids = Some(ids);
            }
            tx.list_profiles(&filter, &start, limit)
        })
        .await
        .map_err(|error: StoreError| ApiError::from(error))?;
    let mut entries: Vec<MemberProfile> = listed
        .entries
        .iter()
        .map(|profile| profile_out(profile, emails_shown(&cx.caller, Some(&profile.id))))
        .collect();
    if query.me_on_top == Some(true)
        && let Some(me) = cx.caller.user()
    {
        // Within the page: whoever walks on must not meet the person twice.
        entries.sort_by_key(|entry| entry.id != me.as_str());
    }
    let listed = Listed { entries, total: listed.total, last: listed.last };
    Ok(Json(walk::batch(&page, order, listed)))
}

fn identifiers(texts: &[String]) -> Result<Vec<ProfileIdentifier>, Invalid> {
    let read = |(index, text): (usize, &String)| {
        ProfileIdentifier::parse(text).map_err(|fault| fault.within(&format!("profiles[{index}]")))
    };
    texts.iter().enumerate().map(read).collect()
}
