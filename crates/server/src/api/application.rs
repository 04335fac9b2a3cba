//! `/api/http/applications`: applications are read and changed. Creation, lists and the end of an application have
//! files of their own beside this one.

use std::sync::Arc;

use spaceport_platform::access::{Decision, Target, decide};
use spaceport_platform::application::{SecretKind, VerificationToken, check};
use spaceport_platform::application_changes::changes;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::random_text;
use spaceport_platform::identifier::ApplicationIdentifier;
use spaceport_platform::lifecycle;
use spaceport_platform::secret::Secret;
use spaceport_store::StoreError;
use spaceport_wire::application::{EsApp, UpdateApplication};

use crate::api::application_attached::{change_picture, require_keystore};
use crate::api::application_create::create;
use crate::api::application_list::list;
use crate::api::application_out::{ExtensionFields, out, out_with};
use crate::api::application_secret::choose_client_secret;
use crate::api::application_state::loaded;
use crate::api::change;
use crate::events::application::{NewSecrets, updated};
use crate::http::access::{
    Access, Cx, Demand as _, EditApplications, OnApplication, ViewApplications, named_application, require_caller,
};
use crate::http::error::ApiError;
use crate::http::fields::NamedFields;
use crate::http::input::Body;
use crate::http::reply::Json;
use crate::http::request::Request;
use crate::http::routes::Routes;

/// Characters of a generated client secret, signing key or verification token: 380 bits.
pub const SECRET_LENGTH: usize = 64;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const APPLICATION: &str = "/api/http/applications/{application}";
    routes
        .post("/api/http/applications", "api.application.create", "Create application", create)
        .get("/api/http/applications/paged", "api.application.list", "Get all applications", list)
        .get(APPLICATION, "api.application.get", "Get application", get)
        .patch(APPLICATION, "api.application.update", "Update application", update)
}

/// The application in the path as it is shown, for callers who may view it. Applications ask this about themselves all the
/// time, so it is found, judged and read in one transaction.
pub struct ShownApplication {
    shown: EsApp,
}

impl Access for ShownApplication {
    fn rule() -> String {
        OnApplication::<ViewApplications>::rule()
    }

    fn rights() -> Vec<&'static str> {
        OnApplication::<ViewApplications>::rights()
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let named = request.variable("application")?;
        let identifier = ApplicationIdentifier::parse(named).map_err(|fault| fault.within("application"))?;
        require_caller(&request.caller)?;
        let (asked, caller) = (named_application(&request.caller, &identifier)?, Arc::clone(&request.caller));
        let fields = ExtensionFields::needed(&NamedFields::of(&request.query));
        let found = request.services.store.read(move |tx| {
            let Some(application) = asked.find(tx)? else { return Ok(None) };
            let target = Target::Application { id: &application.id, owner: &application.owner };
            match decide(&caller, &ViewApplications::RIGHT, target) {
                Decision::Allowed => out_with::<StoreError>(tx, &caller, &application, fields).map(Some),
                Decision::Denied | Decision::Unauthenticated => Ok(None),
            }
        });
        // Whoever may not see an application learns nothing about whether it exists.
        let hidden = || ApiError::not_found(format!("Application {identifier} not found"));
        let shown = found.await.map_err(|error: StoreError| ApiError::from(error))?.ok_or_else(hidden)?;
        Ok(Self { shown })
    }
}

/// The application.
///
/// # Errors
/// Those of access.
pub async fn get(cx: Cx<ShownApplication>) -> Result<Json<EsApp>, ApiError> {
    Ok(Json(cx.access.shown))
}

/// Changes settings: absent keeps, null clears.
///
/// # Errors
/// `validation-error` naming the argument.
pub async fn update(
    cx: Cx<OnApplication<EditApplications>>,
    Body(mut body): Body<UpdateApplication>,
) -> Result<Json<EsApp>, ApiError> {
    lifecycle::require_active(&cx.access.application)?;
    change::Change::complete(&cx, &cx.access.application, &mut body).await?;
    let (now, trail, news, guard) = (cx.now(), cx.trail(), cx.news(), cx.services.guard.clone());
    let change = change::Change::read(body)?;
    let overlap = cx.services.settings.overlap.client_secret;
    let id = cx.access.application.id.clone();
    let verification_token = Secret::new(random_text(SECRET_LENGTH, cx.services.random.as_ref()));
    let answered = cx
        .write(move |tx| {
            // Read again inside the transaction: two changes at once must not lose one of them.
            let before = loaded(tx, &id)?;
            lifecycle::require_active(&before)?;
            let mut application = before.clone();
            change.apply(&mut application)?;
            application.updated_at = now;
            check(&application)?;
            change::check_address(&guard, "endpointUri", application.endpoint.as_ref())?;
            match &application.ssl_keystore {
                Some(name) if application.ssl_keystore != before.ssl_keystore => {
                    require_keystore(tx, "sslKeystoreAuth", name)?
                }
                _ => {}
            }
            change_picture(tx, before.picture.as_ref(), application.picture.as_ref(), now)?;
            let mut recorded = changes(Some(&before), &application);
            if let Some(secret) = &change.client_secret {
                recorded.extend(choose_client_secret(tx, &before, &mut application, secret, overlap, now)?);
            }
            if let Some((kind, secret)) = change.authentication.as_ref().and_then(|chosen| chosen.secret()) {
                tx.set_secret(id.as_str(), kind, secret)?;
                recorded.push(AuditChange::secret(if kind == SecretKind::BearerToken {
                    "bearerAuthToken"
                } else {
                    "basicAuthPassword"
                }));
            }
            if application.verification_token == VerificationToken::Sent
                && before.verification_token == VerificationToken::Unused
            {
                tx.set_secret(id.as_str(), SecretKind::VerificationToken, &verification_token)?;
                recorded.push(AuditChange::secret("verificationToken"));
            }
            tx.update_application(&application)?;
            if before.endpoint != application.endpoint {
                tx.begin_patience(&id, None, now)?;
            }
            if !recorded.is_empty() {
                let has = |field: &str| recorded.iter().any(|change| change.field == field);
                let secrets = NewSecrets {
                    client_secret: has("clientSecret"),
                    verification_token: has("verificationToken"),
                    signing_key: false,
                };
                trail.record(tx, AuditTarget::application(&id), recorded)?;
                updated(&news, tx, &before, &application, secrets)?;
            }
            out::<ApiError>(tx, &news.caller, &application)
        })
        .await?;
    cx.services.callers.forget();
    Ok(Json(answered))
}
