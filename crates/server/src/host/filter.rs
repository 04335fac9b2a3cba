//! `/api/host/v1/catalogue/filters`: classes of filters of the host's own, described like the built-in ones.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::catalogue::check_own_filter;
use spaceport_store::{OwnFilter, StoreError};
use spaceport_wire::filter_class::{DefineFilter, DefineOwnFilter, OwnFilterClass};

use crate::http::access::{Cx, Holding, ManageCatalogue};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// Webhooks that a refusal lists.
const SHOWN: u32 = 5;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const FILTERS: &str = "/api/host/v1/catalogue/filters";
    const FILTER: &str = "/api/host/v1/catalogue/filters/{className}";
    routes
        .get(FILTERS, "host.filter.list", "Get all classes of filters of the host's own", list)
        .put(FILTER, "host.filter.put", "Add a class of filters to the catalogue", put)
        .delete(FILTER, "host.filter.delete", "Delete a class of filters from the catalogue", delete)
}

/// The class in the path.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassPath {
    /// `className` of the filters that applications send, such as `OrdersSubscriptionFilterIn`.
    pub class_name: String,
}

/// Adds a class of filters to the catalogue, or changes one that was added. Subscriptions to its subjects can have such
/// filters from now on, on every node within a second.
///
/// # Errors
/// `validation-error` for a name that is built in or badly formed, or for a field that breaks a rule.
pub async fn put(
    cx: Cx<Holding<ManageCatalogue>>,
    Path(path): Path<ClassPath>,
    Body(body): Body<DefineOwnFilter>,
) -> Result<Done, ApiError> {
    let definition = DefineFilter { class_name: path.class_name, fields: body.fields };
    let stored = serde_json::to_string(&definition).map_err(ApiError::internal)?;
    let class = definition.read()?;
    check_own_filter(&class, &body.subjects, &spaceport_wire::preset::shared(), &cx.services.catalogue.current())?;
    let filter = OwnFilter { code: class.code, subjects: body.subjects, definition: stored };
    let trail = cx.trail();
    cx.write(move |tx| {
        let before = tx.own_filters()?.into_iter().find(|known| known.code == filter.code);
        if before.as_ref() == Some(&filter) {
            return Ok(());
        }
        tx.save_filter(&filter)?;
        let old = before.as_ref();
        let subjects = filter.subjects.join(" ");
        let changes = [
            AuditChange::between("subjects", old.map(|old| old.subjects.join(" ")).as_deref(), Some(&subjects)),
            AuditChange::between("fields", old.map(|old| old.definition.as_str()), Some(&filter.definition)),
        ];
        trail.record(tx, AuditTarget::other("filter", filter.code.clone()), changes.into_iter().flatten())
    })
    .await
    .map_err(|error: StoreError| ApiError::from(error))?;
    cx.services.catalogue.notice(&cx.services.store).await?;
    Ok(Done)
}

/// All classes of filters that were added, by name, as they were put. Those that are built in are not among them.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<Holding<ManageCatalogue>>) -> Result<Json<Vec<OwnFilterClass>>, ApiError> {
    let own = cx.read(|tx| tx.own_filters()).await.map_err(|error: StoreError| ApiError::from(error))?;
    let shown = own.into_iter().map(|filter| {
        let definition: DefineFilter = serde_json::from_str(&filter.definition).map_err(ApiError::internal)?;
        Ok(OwnFilterClass { class_name: filter.code, subjects: filter.subjects, fields: definition.fields })
    });
    shown.collect::<Result<_, ApiError>>().map(Json)
}

/// Deletes a class of filters that was added. Subscriptions of archived webhooks keep such filters, and nothing passes
/// them until the class is added again.
///
/// # Errors
/// `not-found`; `validation-error` while a webhook that is not archived has a subscription with such a filter.
pub async fn delete(cx: Cx<Holding<ManageCatalogue>>, Path(path): Path<ClassPath>) -> Result<Done, ApiError> {
    let (code, trail) = (path.class_name, cx.trail());
    cx.write(move |tx| {
        let missing = || ApiError::not_found(format!("Class of filters {code} of the host's own not found"));
        let before = tx.own_filters()?.into_iter().find(|known| known.code == code).ok_or_else(missing)?;
        tx.delete_filter(&code)?;
        let users = tx.filter_use(&code, SHOWN)?;
        if !users.is_empty() {
            let users: Vec<&str> = users.iter().map(|webhook| webhook.as_str()).collect();
            return Err(ApiError::validation(format!(
                "The class of filters {code} is used by subscriptions of webhooks; change them first: {}",
                users.join(", ")
            )));
        }
        let changes = [
            AuditChange::between("subjects", Some(&before.subjects.join(" ")), None),
            AuditChange::between("fields", Some(&before.definition), None),
        ];
        Ok(trail.record(tx, AuditTarget::other("filter", code.clone()), changes.into_iter().flatten())?)
    })
    .await?;
    cx.services.catalogue.notice(&cx.services.store).await?;
    Ok(Done)
}
