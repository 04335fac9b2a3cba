//! `/api/http/permissions`: which rights there are, and whether somebody holds one.

use std::collections::BTreeMap;

use spaceport_platform::catalogue::{Catalogue, RightEntry};
use spaceport_platform::identifier::PermissionContextIdentifier;
use spaceport_wire::permission::{
    CheckPermission, FullRightWithoutType, PermissionTarget, RightReference, RightType, RightTypeRight, RightsDeps,
    RightsGroup, RightsWithHierarchy,
};

use crate::asked::{Question, answer};
use crate::http::access::{Authenticated, Cx};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/http/permissions", "api.permission.list", "Get all permissions", list).post(
        "/api/http/permissions/check-permission",
        "api.permission.check",
        "Check permission",
        check,
    )
}

/// All rights: built in, of the host API, and of the host's own.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<Authenticated>) -> Result<Json<RightsWithHierarchy>, ApiError> {
    Ok(Json(hierarchy(&cx.services.catalogue.current())))
}

fn hierarchy(catalogue: &Catalogue) -> RightsWithHierarchy {
    let mut by_type: BTreeMap<&str, Vec<FullRightWithoutType>> = BTreeMap::new();
    let mut by_group: BTreeMap<&str, Vec<RightReference>> = BTreeMap::new();
    for entry in catalogue.rights() {
        by_type.entry(&entry.target).or_default().push(full(entry));
        let reference = RightReference { type_code: entry.target.clone(), code: entry.code.clone() };
        by_group.entry(&entry.group).or_default().push(reference);
    }
    let rights = by_type.into_iter().map(|(target, rights)| RightTypeRight {
        right_type: RightType { type_code: target.to_owned(), title: target.to_owned() },
        rights,
    });
    let groups = by_group.into_iter().zip(0..).map(|((title, rights), priority)| RightsGroup {
        title: title.to_owned(),
        priority,
        rights,
    });
    let with_dependencies = catalogue.rights().filter(|entry| !entry.dependencies.is_empty());
    RightsWithHierarchy {
        rights: rights.collect(),
        rights_groups: groups.collect(),
        deps: with_dependencies
            .map(|entry| RightsDeps { code: entry.code.clone(), deps: entry.dependencies.clone() })
            .collect(),
    }
}

fn full(entry: &RightEntry) -> FullRightWithoutType {
    FullRightWithoutType {
        code: entry.code.clone(),
        title: entry.title.clone(),
        description: Some(entry.description.clone()),
        granted_for_users: false,
        feature_flag: None,
    }
}

/// Whether a principal holds a right on a target. Applications of today ask about themselves and their users on each page
/// they show. Who or what does not exist holds nothing, and neither does whom the caller may not ask about.
///
/// # Errors
/// `validation-error` for a right that does not exist, or for `me` where the caller is no such principal.
pub async fn check(cx: Cx<Authenticated>, Body(body): Body<CheckPermission>) -> Result<Json<bool>, ApiError> {
    let named = &body.unique_right_code.0;
    let right = cx.services.catalogue.current().named_right(named).map_err(|fault| fault.within("uniqueRightCode"))?;
    let context = match body.target {
        PermissionTarget::GlobalPermissionTarget => PermissionContextIdentifier::Global,
        PermissionTarget::ProjectPermissionTarget { project } => PermissionContextIdentifier::Project(project.0),
        PermissionTarget::ChannelPermissionTarget { channel } => {
            let id = channel_id(&channel).ok_or_else(|| {
                ApiError::validation("target.channel must name the channel by id: `id:…`, `channel:id:…`")
            })?;
            PermissionContextIdentifier::Channel(id)
        }
        // People and teams are no contexts: what holds for them, holds in the whole organization.
        PermissionTarget::ProfilePermissionTarget { .. } | PermissionTarget::TeamPermissionTarget { .. } => {
            PermissionContextIdentifier::Global
        }
    };
    let question = Question::read(&body.principal, right, context, &cx.caller)?;
    let services = &cx.services;
    Ok(Json(answer(&services.callers, &services.store, services.clock.as_ref(), (&cx.caller, question)).await?))
}

/// The id in any of the spellings of a channel that name it by id.
fn channel_id(named: &serde_json::Value) -> Option<String> {
    let part = |key: &str| named.get(key).and_then(serde_json::Value::as_str);
    match named {
        serde_json::Value::String(text) => {
            let text = text.strip_prefix("channel:").unwrap_or(text);
            let id = text.strip_prefix("id:").unwrap_or(text);
            (!id.is_empty() && !id.contains(':')).then(|| id.to_owned())
        }
        serde_json::Value::Object(_) => match part("className")? {
            "ChannelIdentifier.Id" | "ChatChannel.FromId" => part("id").map(str::to_owned),
            "ChannelIdentifier.Channel" => channel_id(named.get("channel")?),
            _ => None,
        },
        _ => None,
    }
}
