//! `POST /api/host/v1/sessions`: the host hands a signed-in user over to our pages.

use std::time::Duration;

use spaceport_platform::access::Principal;
use spaceport_platform::audit::AuditTarget;
use spaceport_platform::context::Context;
use spaceport_platform::id::random_text;
use spaceport_platform::right::Right;
use spaceport_store::Tx;
use spaceport_wire::host::{NewSession, SessionLink};

use crate::http::access::{CreateSessions, Cx, Holding};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Json;
use crate::http::routes::Routes;
use crate::oauth::delegated::SECRET_TEXT;
use crate::pages::hand_over::PURPOSE;
use crate::pages::visitor::local_path;

/// How long a link works.
const LIFETIME: Duration = Duration::from_secs(60);

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.post("/api/host/v1/sessions", "host.session.create", "Hand a user over to the pages", create)
}

/// Makes a link that signs the user in, once, within a minute. Not for administrators: the host would have all their rights.
///
/// # Errors
/// `validation-error` for unknown people and paths elsewhere; `permission-denied` for administrators.
pub async fn create(
    cx: Cx<Holding<CreateSessions>>,
    Body(body): Body<NewSession>,
) -> Result<Json<SessionLink>, ApiError> {
    let path = body.path.unwrap_or_else(|| "/account".to_owned());
    if local_path(&path) != path {
        return Err(ApiError::validation("path must be a path of this server that begins with one `/`"));
    }
    let (now, trail) = (cx.now(), cx.trail());
    let code = random_text(SECRET_TEXT, cx.services.random.as_ref());
    let (hash, expires_at, named) = (token_hash(&code), now.plus(LIFETIME), body.profile.0);
    let work = move |tx: &mut Tx<'_>| {
        let found =
            tx.find_profile(&named, &Principal::Nobody)?.filter(spaceport_platform::profile::Profile::is_active);
        let unknown = || ApiError::validation(format!("profile must name somebody who is here, not `{named}`"));
        let profile = found.ok_or_else(unknown)?;
        let grants = tx.rights_of_person(&profile.id)?;
        if grants.iter().any(|grant| grant.right == Right::SUPERADMIN && grant.context == Context::Global) {
            return Err(ApiError::denied("Administrators sign in by themselves, with a password or a one-time link"));
        }
        tx.insert_link(&hash, PURPOSE, &profile.id, now, expires_at)?;
        trail.record(tx, AuditTarget::other("profile", profile.id.as_str()), None)?;
        Ok(())
    };
    cx.write(work).await?;
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("code", &code).append_pair("to", &path).finish();
    let url = format!("{}/session?{query}", cx.services.public_url);
    Ok(Json(SessionLink { url, expires_at: spaceport_wire::scalar::DateTime(expires_at) }))
}
