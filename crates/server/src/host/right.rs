//! `/api/host/v1`: rights of the host's own, and who holds which.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::catalogue::{RightEntry, check_own_right};
use spaceport_platform::identifier::PermissionContextIdentifier;
use spaceport_platform::invalid::Invalid;
use spaceport_store::StoreError;
use spaceport_wire::permission::{CheckResult, CheckResults, Checks, DefineRight, OwnRight};

use crate::asked::{Question, answers};
use crate::http::access::{CheckRights, Cx, Holding, ManageCatalogue};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// Most questions of one call.
pub const MOST: usize = 1_000;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const RIGHTS: &str = "/api/host/v1/catalogue/rights";
    const RIGHT: &str = "/api/host/v1/catalogue/rights/{code}";
    routes
        .get(RIGHTS, "host.right.list", "Get all rights of the host's own", list)
        .put(RIGHT, "host.right.put", "Add a right to the catalogue", put)
        .post("/api/host/v1/check", "host.right.check", "Check rights", check)
}

/// The code in the path.
#[derive(Deserialize, JsonSchema)]
pub struct Coded {
    /// Code of the right, such as `Shop.Orders.View`.
    pub code: String,
}

/// Adds a right to the catalogue, or changes one that was added. It can be requested and granted from now on, on
/// every node within a second.
///
/// # Errors
/// `validation-error` for a code that is built in or badly formed, or for a field that breaks a rule.
pub async fn put(
    cx: Cx<Holding<ManageCatalogue>>,
    Path(path): Path<Coded>,
    Body(body): Body<DefineRight>,
) -> Result<Done, ApiError> {
    let entry = RightEntry {
        description: body.description.unwrap_or_else(|| spaceport_wire::preset::described(&body.title)),
        group: body.group.unwrap_or_else(|| path.code.split('.').next().unwrap_or_default().to_owned()),
        code: path.code,
        title: body.title,
        target: body.target,
        dependencies: body.dependencies,
    };
    check_own_right(&entry, &spaceport_wire::preset::shared(), &cx.services.catalogue.current())?;
    let trail = cx.trail();
    cx.write(move |tx| {
        let before = tx.own_rights()?.into_iter().find(|known| known.code == entry.code);
        if before.as_ref() == Some(&entry) {
            return Ok(());
        }
        tx.save_right(&entry)?;
        let old = |pick: fn(&RightEntry) -> String| before.as_ref().map(pick);
        let change = |field, pick: fn(&RightEntry) -> String| {
            AuditChange::between(field, old(pick).as_deref(), Some(pick(&entry).as_str()))
        };
        let changes = [
            change("title", |entry| entry.title.clone()),
            change("description", |entry| entry.description.clone()),
            change("target", |entry| entry.target.clone()),
            change("group", |entry| entry.group.clone()),
            change("dependencies", |entry| entry.dependencies.join(" ")),
        ];
        trail.record(tx, AuditTarget::other("right", entry.code.clone()), changes.into_iter().flatten())
    })
    .await
    .map_err(|error: StoreError| ApiError::from(error))?;
    cx.services.catalogue.notice(&cx.services.store).await?;
    Ok(Done)
}

/// All rights that were added, by code, as they were put. Those that are built in are not among them.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<Holding<ManageCatalogue>>) -> Result<Json<Vec<OwnRight>>, ApiError> {
    let own = cx.read(|tx| tx.own_rights()).await.map_err(|error: StoreError| ApiError::from(error))?;
    let shown = own.into_iter().map(|entry| OwnRight {
        code: entry.code,
        title: entry.title,
        description: entry.description,
        target: entry.target,
        group: entry.group,
        dependencies: entry.dependencies,
    });
    Ok(Json(shown.collect()))
}

/// Answers up to a thousand questions, by the decision that the API itself asks.
///
/// # Errors
/// `validation-error` naming the question by index.
pub async fn check(cx: Cx<Holding<CheckRights>>, Body(body): Body<Checks>) -> Result<Json<CheckResults>, ApiError> {
    if body.checks.len() > MOST {
        return Err(ApiError::validation(format!("checks must hold at most {MOST}, holds {}", body.checks.len())));
    }
    let catalogue = cx.services.catalogue.current();
    let mut questions = Vec::with_capacity(body.checks.len());
    for (index, check) in body.checks.into_iter().enumerate() {
        let within = |fault: Invalid| fault.within(&format!("checks[{index}].right"));
        let right = catalogue.named_right(&check.right.0).map_err(within)?;
        let context = check.context.map_or(PermissionContextIdentifier::Global, |context| context.0);
        questions.push(Question::read(&check.principal, right, context, &cx.caller)?);
    }
    let services = &cx.services;
    let answers = answers(&services.callers, &services.store, services.clock.as_ref(), questions).await?;
    Ok(Json(CheckResults { results: answers.into_iter().map(|allowed| CheckResult { allowed }).collect() }))
}
