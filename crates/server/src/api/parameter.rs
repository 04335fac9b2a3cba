//! `/api/http/applications/parameters`: texts that applications keep here, for themselves or for a person.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::parameter::{MOST, Parameter, ParameterOwner, check};
use spaceport_store::StoreError;
use spaceport_wire::parameter::{Parameter as ParameterOut, SetParameter};

use crate::http::access::{Access, Cx};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::own_access::{CallingApplication, CallingPerson};
use crate::http::reply::{Done, Json, Text};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const PARAMETERS: &str = "/api/http/applications/parameters";
    const PARAMETER: &str = "/api/http/applications/parameters/{key}";
    const PROFILE_PARAMETERS: &str = "/api/http/applications/parameters/profile";
    const PROFILE_PARAMETER: &str = "/api/http/applications/parameters/profile/{key}";
    routes
        .get(PARAMETERS, "api.parameter.list", "Get all parameters", list)
        .get(PARAMETER, "api.parameter.get", "Get parameter", get)
        .patch(PARAMETER, "api.parameter.set", "Set parameter", set)
        .delete(PARAMETER, "api.parameter.remove", "Remove parameter", remove)
        .get(PROFILE_PARAMETERS, "api.profile_parameter.list", "Get all profile parameters", list_of_profile)
        .get(PROFILE_PARAMETER, "api.profile_parameter.get", "Get profile parameter", get_of_profile)
        .patch(PROFILE_PARAMETER, "api.profile_parameter.set", "Set profile parameter", set_of_profile)
        .delete(PROFILE_PARAMETER, "api.profile_parameter.remove", "Remove profile parameter", remove_of_profile)
}

/// A parameter, by key.
#[derive(Deserialize, JsonSchema)]
pub struct Named {
    /// Key of the parameter.
    key: String,
}

/// Whose parameters a caller works on.
trait Owns {
    fn owner(&self) -> ParameterOwner;
}

impl Owns for CallingApplication {
    fn owner(&self) -> ParameterOwner {
        ParameterOwner { application: self.application.clone(), profile: None }
    }
}

impl Owns for CallingPerson {
    fn owner(&self) -> ParameterOwner {
        ParameterOwner { application: self.application.clone(), profile: Some(self.profile.clone()) }
    }
}

/// All parameters of the calling application, by key.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<CallingApplication>) -> Result<Json<Vec<ParameterOut>>, ApiError> {
    all(cx).await
}

/// The value of a parameter of the calling application.
///
/// # Errors
/// `not-found` when there is none.
pub async fn get(cx: Cx<CallingApplication>, Path(named): Path<Named>) -> Result<Text, ApiError> {
    value(cx, named).await
}

/// Sets a parameter of the calling application, new or not.
///
/// # Errors
/// `validation-error` naming the argument, or that there are too many.
pub async fn set(
    cx: Cx<CallingApplication>,
    Path(named): Path<Named>,
    Body(body): Body<SetParameter>,
) -> Result<Done, ApiError> {
    put(cx, named, body).await
}

/// Removes a parameter of the calling application.
///
/// # Errors
/// `not-found` when there is none.
pub async fn remove(cx: Cx<CallingApplication>, Path(named): Path<Named>) -> Result<Done, ApiError> {
    take_away(cx, named).await
}

/// All parameters of the application for the calling person, by key.
///
/// # Errors
/// Those of access.
pub async fn list_of_profile(cx: Cx<CallingPerson>) -> Result<Json<Vec<ParameterOut>>, ApiError> {
    all(cx).await
}

/// The value of a parameter of the application for the calling person.
///
/// # Errors
/// `not-found` when there is none.
pub async fn get_of_profile(cx: Cx<CallingPerson>, Path(named): Path<Named>) -> Result<Text, ApiError> {
    value(cx, named).await
}

/// Sets a parameter of the application for the calling person, new or not.
///
/// # Errors
/// `validation-error` naming the argument, or that there are too many.
pub async fn set_of_profile(
    cx: Cx<CallingPerson>,
    Path(named): Path<Named>,
    Body(body): Body<SetParameter>,
) -> Result<Done, ApiError> {
    put(cx, named, body).await
}

/// Removes a parameter of the application for the calling person.
///
/// # Errors
/// `not-found` when there is none.
pub async fn remove_of_profile(cx: Cx<CallingPerson>, Path(named): Path<Named>) -> Result<Done, ApiError> {
    take_away(cx, named).await
}

async fn all<A: Access + Owns>(cx: Cx<A>) -> Result<Json<Vec<ParameterOut>>, ApiError> {
    let owner = cx.access.owner();
    let found = cx.read(move |tx| tx.parameters(&owner)).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Json(found.into_iter().map(|Parameter { key, value }| ParameterOut { key, value }).collect()))
}

async fn value<A: Access + Owns>(cx: Cx<A>, Named { key }: Named) -> Result<Text, ApiError> {
    let owner = cx.access.owner();
    let asked = key.clone();
    let found =
        cx.read(move |tx| tx.parameter(&owner, &asked)).await.map_err(|error: StoreError| ApiError::from(error))?;
    found.map(Text).ok_or_else(|| missing(&key))
}

async fn put<A: Access + Owns>(cx: Cx<A>, Named { key }: Named, body: SetParameter) -> Result<Done, ApiError> {
    let (owner, now, trail) = (cx.access.owner(), cx.now(), cx.trail());
    let parameter = Parameter { key, value: body.value };
    check(&owner, &parameter)?;
    cx.write(move |tx| {
        // Holds the application, so that of many new parameters at once none slips past the limit.
        tx.application(&owner.application)?;
        let before = tx.parameter(&owner, &parameter.key)?;
        if before.as_ref() == Some(&parameter.value) {
            return Ok(());
        }
        if before.is_none() && tx.parameter_count(&owner)? >= MOST {
            return Err(ApiError::validation(format!(
                "key names a new parameter, but there are {MOST} already; remove one first"
            )));
        }
        tx.set_parameter(&owner, &parameter, now)?;
        Ok(trail.record(tx, target(&owner, &parameter.key), [AuditChange::secret("value")])?)
    })
    .await?;
    Ok(Done)
}

async fn take_away<A: Access + Owns>(cx: Cx<A>, Named { key }: Named) -> Result<Done, ApiError> {
    let (owner, trail) = (cx.access.owner(), cx.trail());
    cx.write(move |tx| {
        if !tx.remove_parameter(&owner, &key)? {
            return Err(missing(&key));
        }
        Ok(trail.record(tx, target(&owner, &key), [AuditChange::secret("value")])?)
    })
    .await?;
    Ok(Done)
}

fn missing(key: &str) -> ApiError {
    // A path can be long; what is longer than a key names none, and need not be repeated.
    let shown: String = key.chars().take(spaceport_platform::parameter::MAX_KEY).collect();
    ApiError::not_found(format!("There is no parameter `{shown}`"))
}

/// Values do not go into the trail: applications keep what they like here, tokens of other services too.
fn target(owner: &ParameterOwner, key: &str) -> AuditTarget {
    match &owner.profile {
        None => AuditTarget::of_application(&owner.application, "parameter", key),
        Some(profile) => {
            AuditTarget::of_application(&owner.application, "profile_parameter", format!("{profile}/{key}"))
        }
    }
}
