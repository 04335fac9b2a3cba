//! `/api/http/chats/channels`: where people talk.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spaceport_platform::directory::channel::Channel;
use spaceport_platform::directory::membership::{Group, Member};
use spaceport_platform::directory::project::Openness;
use spaceport_store::{ChannelFilter, ListOrder, Listed, StoreError};
use spaceport_wire::batch::Batch;
use spaceport_wire::channel::{
    Channel as ChannelOut, ChannelAccess, ChannelContact, ChannelContactInfo, ChannelListEntry,
};
use spaceport_wire::scalar::DateTime;

use crate::api::page::Page;
use crate::api::walk;
use crate::http::access::{Authenticated, Cx};
use crate::http::directory_access::{OnChannel, visible_channels};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/http/chats/channels/all-channels", "api.channel.list", "List all channels", list).get(
        "/api/http/chats/channels/{channel}",
        "api.channel.get",
        "Get channel",
        get,
    )
}

/// A channel.
///
/// # Errors
/// Those of access.
pub async fn get(cx: Cx<OnChannel>) -> Result<Json<ChannelOut>, ApiError> {
    Ok(Json(channel_out(&cx.access.channel)))
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
    /// Part of the name, in any case; empty finds all.
    query: Option<String>,
    /// Public ones only.
    public_only: Option<bool>,
    /// Archived ones too, as long as this is not false.
    with_archived: Option<bool>,
    /// Direction of the names.
    sort_order: Option<ColumnSortOrder>,
}

/// Direction of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ColumnSortOrder {
    /// From A to Z.
    Asc,
    /// From Z to A.
    Desc,
}

/// Channels that the caller sees, page by page, by name.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list(
    cx: Cx<Authenticated>,
    Query(query): Query<ListFilter>,
) -> Result<Json<Batch<ChannelListEntry>>, ApiError> {
    let page = Page::walked(query.skip.as_deref(), query.top.map(i64::from))?;
    let order = match query.sort_order {
        None | Some(ColumnSortOrder::Asc) => ListOrder::Name,
        Some(ColumnSortOrder::Desc) => ListOrder::NameBackwards,
    };
    let start = walk::start(&page, order)?;
    let (name, with_archived) = (query.query.unwrap_or_default(), query.with_archived.unwrap_or(true));
    let public_only = query.public_only.unwrap_or(false);
    let (caller, limit) = (Arc::clone(&cx.caller), page.limit);
    let listed = cx
        .read(move |tx| {
            let visible = visible_channels(tx, &caller)?;
            let filter = ChannelFilter { visible, query: name.clone(), with_archived, public_only, order };
            let listed = tx.list_channels(&filter, &start, limit)?;
            let groups: Vec<Group> = listed.entries.iter().map(|channel| Group::Channel(channel.id.clone())).collect();
            let memberships = tx.memberships_in_all(&groups)?;
            let me = caller.user().cloned().map(Member::Profile);
            let entry = |channel: &Channel| {
                let here = memberships.iter().filter(|it| it.group.parts() == ("channel", channel.id.as_str()));
                let members: Vec<&Member> = here.map(|membership| &membership.member).collect();
                ChannelListEntry {
                    channel_id: channel.id.clone(),
                    name: channel.name.clone(),
                    description: channel.description.clone().unwrap_or_default(),
                    access: access(channel.openness),
                    icon: channel.icon.clone(),
                    created: DateTime(channel.created_at),
                    subscribers: i32::try_from(members.len()).unwrap_or(i32::MAX),
                    subscribed: me.as_ref().is_some_and(|me| members.contains(&me)),
                    archived: channel.archived_at.is_some(),
                }
            };
            let entries = listed.entries.iter().map(entry).collect();
            Ok::<_, StoreError>(Listed { entries, total: listed.total, last: listed.last })
        })
        .await
        .map_err(ApiError::from)?;
    Ok(Json(walk::batch(&page, order, listed)))
}

/// A channel.
pub fn channel_out(channel: &Channel) -> ChannelOut {
    let archived = channel.archived_at.is_some();
    ChannelOut {
        id: channel.id.clone(),
        contact: ChannelContact {
            default_name: channel.name.clone(),
            key: format!("channel:{}", channel.id),
            ext: Some(ChannelContactInfo::M2SharedChannelContent {
                name: channel.name.clone(),
                group: String::new(),
                access: access(channel.openness),
                description: channel.description.clone().unwrap_or_default(),
                icon_id: channel.icon.clone(),
            }),
        },
        total_messages: 0,
        channel_archived: Some(archived),
        archived,
    }
}

fn access(openness: Openness) -> ChannelAccess {
    match openness {
        Openness::Public => ChannelAccess::Public,
        Openness::Private => ChannelAccess::Private,
    }
}
