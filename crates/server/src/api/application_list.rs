//! `GET /api/http/applications/paged`: applications, filtered, ordered, page by page.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::Principal;
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::identifier::ProfileIdentifier;
use spaceport_platform::invalid::Invalid;
use spaceport_store::{ApplicationFilter, ApplicationOrder, ApplicationPlace, ApplicationStart, StoreError, Tx};
use spaceport_wire::application::{AppsOrdering, EsApp};
use spaceport_wire::batch::Batch;

use crate::api::application_out::{ExtensionFields, out_all};
use crate::api::page::{Cursor, Page, Start, page_size};
use crate::http::access::{Cx, Holding, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::Json;
use crate::services::Services;

/// Filters of the list.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListFilter {
    /// `next` of the page before.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top", default = "page_size")]
    top: Option<i32>,
    /// Part of the name, in any case.
    name: Option<String>,
    /// Owners, any of them.
    owner: Option<Vec<String>>,
    /// Archived ones too.
    #[serde(default = "without")]
    with_archived: Option<bool>,
    /// Those made by other applications too.
    #[serde(default = "with")]
    with_managed: Option<bool>,
    /// Order.
    ordering: Option<AppsOrdering>,
}

const fn without() -> Option<bool> {
    Some(false)
}

const fn with() -> Option<bool> {
    Some(true)
}

/// Applications, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list(
    cx: Cx<Holding<ViewApplications>>,
    Query(query): Query<ListFilter>,
) -> Result<Json<Batch<EsApp>>, ApiError> {
    let page = Page::walked(query.skip.as_deref(), query.top.map(i64::from))?;
    let owners = owners(query.owner.as_deref(), &cx.caller.principal)?;
    let (order, order_name) = match query.ordering {
        None | Some(AppsOrdering::NameAscending) => (ApplicationOrder::NameAscending, "n"),
        Some(AppsOrdering::NameDescending) => (ApplicationOrder::NameDescending, "z"),
        Some(AppsOrdering::LastEdited) => (ApplicationOrder::LastEdited, "e"),
    };
    let start = match (page.cursor(order_name)?, &page.start) {
        (Some(cursor), _) => ApplicationStart::After(ApplicationPlace {
            began: cursor.began,
            key: cursor.key.clone(),
            id: ApplicationId::new(cursor.id.as_str()),
        }),
        (None, Start::Offset(offset)) => ApplicationStart::Offset(*offset),
        (None, Start::After(_)) => ApplicationStart::Offset(0),
    };
    let (name, limit, now, caller) = (query.name, page.limit, cx.now(), cx.caller.principal.clone());
    let (looking, fields) = (Arc::clone(&cx.caller), ExtensionFields::needed(&cx.fields));
    let (with_archived, with_managed) = (query.with_archived.unwrap_or(false), query.with_managed.unwrap_or(true));
    let (data, total, last) = cx
        .read(move |tx| {
            let owners = owners.as_deref().map(|owners| resolve(tx, owners, &caller)).transpose()?;
            let filter = ApplicationFilter { name: name.clone(), owners, with_archived, with_managed };
            let found = tx.applications(&filter, order, &start, limit, now)?;
            Ok::<_, StoreError>((out_all(tx, &looking, &found.applications, fields)?, found.total, found.last))
        })
        .await
        .map_err(ApiError::from)?;
    let last = last.map(|place| Cursor {
        order: order_name.to_owned(),
        began: place.began,
        key: place.key,
        id: place.id.to_string(),
    });
    Ok(Json(page.batch_after(data, total, last.as_ref())))
}

/// The named people; no list at all means everybody.
fn owners(texts: Option<&[String]>, caller: &Principal) -> Result<Option<Vec<ProfileIdentifier>>, Invalid> {
    let Some(texts) = texts else { return Ok(None) };
    let read = |(index, text): (usize, &String)| {
        let place = format!("owner[{index}]");
        match (ProfileIdentifier::parse(text).map_err(|fault| fault.within(&place))?, caller) {
            (ProfileIdentifier::Me, Principal::Application(_) | Principal::Nobody) => {
                Err(Invalid::new(place, "can be `me` only in calls made by people"))
            }
            (identifier, _) => Ok(identifier),
        }
    };
    texts.iter().enumerate().map(read).collect::<Result<_, _>>().map(Some)
}

/// Ids of the people who exist.
fn resolve(tx: &mut Tx<'_>, owners: &[ProfileIdentifier], caller: &Principal) -> Result<Vec<ProfileId>, StoreError> {
    let mut found = Vec::with_capacity(owners.len());
    for identifier in owners {
        found.extend(tx.find_profile(identifier, caller)?.map(|profile| profile.id));
    }
    Ok(found)
}

/// How long a walk through a list may take and still see every entry once, wherever it moves meanwhile.
const WALK: Duration = Duration::from_secs(24 * 3_600);

/// Forgets places that applications left longer ago than a walk may take.
pub fn forget_places(services: Services) -> BoxFuture<'static, Result<(), String>> {
    async move {
        let before = services.clock.now().minus(WALK);
        services.store.write(move |tx| tx.forget_places(before)).await.map_err(|error: StoreError| error.to_string())
    }
    .boxed()
}
