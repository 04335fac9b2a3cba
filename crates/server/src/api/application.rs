//! `/api/http/applications`: applications are registered, listed, changed, archived.

use spaceport_platform::access::{Owner, Principal};
use spaceport_platform::application::{
    Application, ChosenAuthentication, Endpoint, Flows, SecretKind, check, check_chosen_secret,
};
use spaceport_platform::id::{ApplicationId, Id, ProfileId, random_text};
use spaceport_platform::identifier::ProfileIdentifier;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use spaceport_store::{ApplicationFilter, ApplicationOrder, StoreError, Tx};
use spaceport_wire::application::{AppsOrdering, CreateApplication, EndpointAuthCreate, EsApp, UpdateApplication};
use spaceport_wire::batch::Batch;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::application_out::{out, out_all};
use crate::api::change::{self, Authentication};
use crate::api::page::Page;
use crate::http::access::{
    CreateApplications, Cx, DeleteApplications, EditApplications, Holding, OnApplication, ViewApplications,
};
use crate::http::error::ApiError;
use crate::http::input::{Body, Query};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;
use crate::keys::{self, NewKey};

/// Characters of a generated client secret or signing key: 380 bits.
pub const SECRET_LENGTH: usize = 64;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const APPLICATION: &str = "/api/http/applications/{application}";
    routes
        .post("/api/http/applications", "api.application.create", "Create application", create)
        .get("/api/http/applications/paged", "api.application.list", "Get all applications", list)
        .get(APPLICATION, "api.application.get", "Get application", get)
        .patch(APPLICATION, "api.application.update", "Update application", update)
        .delete(APPLICATION, "api.application.delete", "Delete application", delete)
}

/// Registers an application.
///
/// # Errors
/// `validation-error` naming the argument; `duplicated-entity` for a client id that is taken.
pub async fn create(
    cx: Cx<Holding<CreateApplications>>,
    Body(body): Body<CreateApplication>,
) -> Result<Json<EsApp>, ApiError> {
    refuse_unavailable(&body)?;
    let now = cx.now();
    let random = cx.services.random.as_ref();
    let id: ApplicationId = Id::generate(now, random);
    let authentication = chosen(&body)?;
    let client_secret = match body.client_secret {
        Some(chosen) => {
            let secret = Secret::new(chosen);
            check_chosen_secret("clientSecret", &secret)?;
            secret
        }
        None => Secret::new(random_text(SECRET_LENGTH, random)),
    };
    let signing_key = Secret::new(random_text(SECRET_LENGTH, random));
    let application = Application {
        id,
        client_id: body.client_id.unwrap_or_else(|| keys::uuid(random)),
        name: body.name.trim().to_owned(),
        description: body.description,
        email: body.email,
        default_external_picture: body.default_external_picture,
        owner: owner(&cx.caller.principal)?,
        created_at: now,
        updated_at: now,
        archived_at: None,
        flows: Flows {
            client_credentials: body.client_credentials_flow_enabled.unwrap_or(true),
            code: body.code_flow_enabled.unwrap_or(false),
            code_redirect_uris: body.code_flow_redirect_uris,
            pkce_required: body.pkce_required.unwrap_or(false),
            public_clients_allowed: body.public_clients_allowed.unwrap_or(false),
            implicit: body.implicit_flow_enabled.unwrap_or(false),
            implicit_redirect_uris: body.implicit_flow_redirect_uris,
        },
        endpoint: body
            .endpoint_uri
            .filter(|url| !url.is_empty())
            .map(|url| Endpoint { url, ssl_verification: body.endpoint_ssl_verification.unwrap_or(true) }),
        authentication: authentication.method(),
        tokens_not_before: Timestamp::from_millis(0),
        revision: 1,
    };
    check(&application)?;
    change::check_address(&cx.services.guard, "endpointUri", application.endpoint.as_ref())?;
    let key = NewKey::generate(&cx.services, now).await?;
    let created = cx
        .write(move |tx| {
            if tx.application_by_client_id(&application.client_id)?.is_some() {
                return Err(ApiError::duplicated(format!("The client id {} is taken", application.client_id)));
            }
            tx.insert_application(&application)?;
            let owner = application.id.as_str();
            tx.set_secret(owner, SecretKind::ClientSecret, &client_secret)?;
            tx.set_secret(owner, SecretKind::SigningKey, &signing_key)?;
            if let Some((kind, secret)) = authentication.secret() {
                tx.set_secret(owner, kind, secret)?;
            }
            key.insert(tx, &application.id)?;
            out(tx, &application)
        })
        .await?;
    Ok(Json(created))
}

/// Arguments whose capability does not exist are refused, not ignored.
fn refuse_unavailable(body: &CreateApplication) -> Result<(), Invalid> {
    if body.connect_to_space == Some(true) {
        return Err(Invalid::new(
            "connectToSpace",
            "must not be true: connected (multi-org) applications cannot be installed on this server",
        ));
    }
    if let Some(name) = &body.ssl_keystore_auth {
        return Err(Invalid::new("sslKeystoreAuth", format!("names `{name}`, but there is no such keystore")));
    }
    if let Some(id) = &body.picture_attachment_id {
        return Err(Invalid::new("pictureAttachmentId", format!("names `{id}`, but there is no such attachment")));
    }
    Ok(())
}

/// The authentication method, from `appLevelAuth` or its deprecated flat twins.
fn chosen(body: &CreateApplication) -> Result<ChosenAuthentication, Invalid> {
    if let Some(method) = &body.app_level_auth {
        return change::authentication(method).map_err(|fault| fault.within("appLevelAuth"));
    }
    let flat = match (&body.basic_auth_username, &body.basic_auth_password, &body.bearer_auth_token) {
        (Some(username), Some(password), _) => {
            Some(EndpointAuthCreate::Basic { username: username.clone(), password: password.clone() })
        }
        (Some(_), None, _) => {
            return Err(Invalid::new("basicAuthPassword", "must be given together with basicAuthUsername"));
        }
        (None, Some(_), _) => {
            return Err(Invalid::new("basicAuthUsername", "must be given together with basicAuthPassword"));
        }
        (None, None, Some(token)) => Some(EndpointAuthCreate::Bearer { token: token.clone() }),
        (None, None, None) if body.has_signing_key == Some(true) && body.has_public_key_signature != Some(true) => {
            Some(EndpointAuthCreate::SigningKey)
        }
        _ => None,
    };
    flat.as_ref().map_or(Ok(ChosenAuthentication::PublicKey), change::authentication)
}

fn owner(principal: &Principal) -> Result<Owner, ApiError> {
    match principal {
        Principal::User(id) => Ok(Owner::User(id.clone())),
        Principal::Application(id) => Ok(Owner::Application(id.clone())),
        Principal::Nobody => Err(ApiError::internal("nobody was admitted to create an application")),
    }
}

/// The application.
///
/// # Errors
/// Those of access.
pub async fn get(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<EsApp>, ApiError> {
    let application = cx.access.application.clone();
    let found = cx.read(move |tx| out::<StoreError>(tx, &application)).await.map_err(ApiError::from)?;
    Ok(Json(found))
}

/// Filters of the list.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListFilter {
    /// Offset of the first entry.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top")]
    top: Option<i64>,
    /// Part of the name, in any case.
    name: Option<String>,
    /// Owners, any of them.
    #[serde(default)]
    owner: Vec<String>,
    /// Archived ones too.
    with_archived: Option<bool>,
    /// Those made by other applications too.
    with_managed: Option<bool>,
    /// Order.
    ordering: Option<AppsOrdering>,
}

/// Applications, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list(
    cx: Cx<Holding<ViewApplications>>,
    Query(query): Query<ListFilter>,
) -> Result<Json<Batch<EsApp>>, ApiError> {
    let page = Page::new(query.skip.as_deref(), query.top)?;
    let mut owners = Vec::with_capacity(query.owner.len());
    for (index, text) in query.owner.iter().enumerate() {
        owners.push(ProfileIdentifier::parse(text).map_err(|fault| fault.within(&format!("owner[{index}]")))?);
    }
    let order = match query.ordering {
        None | Some(AppsOrdering::NameAscending) => ApplicationOrder::NameAscending,
        Some(AppsOrdering::NameDescending) => ApplicationOrder::NameDescending,
        Some(AppsOrdering::LastEdited) => ApplicationOrder::LastEdited,
    };
    let (name, caller) = (query.name.filter(|name| !name.is_empty()), cx.caller.principal.clone());
    let (with_archived, with_managed) = (query.with_archived.unwrap_or(false), query.with_managed.unwrap_or(true));
    let (found, total) = cx
        .read(move |tx| {
            let filter = ApplicationFilter {
                name: name.clone(),
                owners: resolve(tx, &owners, &caller)?,
                with_archived,
                with_managed,
            };
            let (applications, total) = tx.applications(&filter, order, page.offset, page.limit)?;
            Ok::<_, StoreError>((out_all(tx, &applications)?, total))
        })
        .await
        .map_err(ApiError::from)?;
    Ok(Json(page.batch(found, total)))
}

/// Ids of the named people. A name nobody has stays in the list as itself, so that it matches nothing.
fn resolve(tx: &mut Tx<'_>, owners: &[ProfileIdentifier], caller: &Principal) -> Result<Vec<ProfileId>, StoreError> {
    owners
        .iter()
        .map(|identifier| {
            Ok(match (identifier, caller) {
                (ProfileIdentifier::Id(id), _) | (ProfileIdentifier::Me, Principal::User(id)) => id.clone(),
                (ProfileIdentifier::Username(name), _) => {
                    tx.profile_by_username(name)?.map_or_else(|| ProfileId::new(""), |profile| profile.id)
                }
                _ => ProfileId::new(""),
            })
        })
        .collect()
}

/// Changes settings: absent keeps, null clears.
///
/// # Errors
/// `validation-error` naming the argument.
pub async fn update(
    cx: Cx<OnApplication<EditApplications>>,
    Body(body): Body<UpdateApplication>,
) -> Result<Json<EsApp>, ApiError> {
    if cx.access.application.archived_at.is_some() {
        return Err(ApiError::validation("The application is archived; restore it first"));
    }
    let now = cx.now();
    let change = change::Change::read(body)?;
    let id = cx.access.application.id.clone();
    let guard = cx.services.guard.clone();
    let updated = cx
        .write(move |tx| {
            // Read again inside the transaction: two changes at once must not lose one of them.
            let Some(mut application) = tx.application(&id)? else {
                return Err(ApiError::not_found(format!("Application id:{id} not found")));
            };
            change.apply(&mut application)?;
            application.updated_at = now;
            check(&application)?;
            change::check_address(&guard, "endpointUri", application.endpoint.as_ref())?;
            if let Some(secret) = &change.client_secret {
                tx.set_secret(id.as_str(), SecretKind::ClientSecret, secret)?;
                application.tokens_not_before = now;
            }
            if let Authentication::Chosen(chosen) = &change.authentication
                && let Some((kind, secret)) = chosen.secret()
            {
                tx.set_secret(id.as_str(), kind, secret)?;
            }
            tx.update_application(&application)?;
            out(tx, &application)
        })
        .await?;
    cx.services.callers.forget();
    Ok(Json(updated))
}

/// Archives the application: its tokens end, its deliveries stop.
///
/// # Errors
/// `validation-error` when it is archived already.
pub async fn delete(cx: Cx<OnApplication<DeleteApplications>>) -> Result<Done, ApiError> {
    if cx.access.application.archived_at.is_some() {
        return Err(ApiError::validation("The application is archived already"));
    }
    let (id, now) = (cx.access.application.id.clone(), cx.now());
    cx.write(move |tx| tx.archive_application(&id, now)).await.map_err(|error: StoreError| ApiError::from(error))?;
    cx.services.callers.forget();
    Ok(Done)
}
