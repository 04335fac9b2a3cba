//! From the list of operations to an axum router: request ids, logs, limits, CORS, panics.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method as HttpMethod, StatusCode, header, request::Parts};
use spaceport_platform::access::Caller;
use spaceport_platform::access_record::AccessRecord;
use spaceport_platform::id::random_text;
use spaceport_platform::invalid::storable;
use spaceport_wire::describe::{Method, Operation, Surface};
use tracing::Instrument;

use crate::http::error::ApiError;
use crate::http::peer::peer;
use crate::http::request::{Incoming, Request, single_authorization};
use crate::http::routes::{Head, Route};
use crate::http::unread::watched;
use crate::pages;
use crate::people::session::{self, Session};
use crate::services::Services;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Builds the router that serves `routes`.
pub fn router(routes: Vec<Route>, services: &Services) -> Router {
    let mut router = Router::new();
    for route in routes {
        let path = route.operation.path;
        let filter = match route.operation.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Patch => MethodFilter::PATCH,
            Method::Put => MethodFilter::PUT,
            Method::Delete => MethodFilter::DELETE,
        };
        let (route, services) = (Arc::new(route), services.clone());
        let serve = move |request: axum::extract::Request| serve(Arc::clone(&route), services.clone(), request);
        #[expect(clippy::disallowed_methods, reason = "this is where `Routes` becomes axum's router")]
        {
            router = router.route(path, on(filter, serve));
        }
    }
    let (unknown, wrong_method) = (services.clone(), services.clone());
    router
        .fallback(move |request: axum::extract::Request| {
            turn_away(unknown.clone(), request, || {
                ApiError::not_found("There is no such operation; /openapi.json lists what there is")
            })
        })
        .method_not_allowed_fallback(move |request: axum::extract::Request| {
            turn_away(wrong_method.clone(), request, ApiError::method_not_allowed)
        })
}

/// Answers what no operation is there for.
async fn turn_away(services: Services, request: axum::extract::Request, refusal: fn() -> ApiError) -> Response {
    let path = request.uri().path().to_owned();
    if *request.method() == HttpMethod::OPTIONS {
        return preflight(&path);
    }
    let id = random_text(12, services.random.as_ref());
    let (request, ending) = watched(request);
    Incoming::new(request.into_body(), 0, services.time_limits.body).discard().await;
    let mut response = finish(refusal().into_response(), &id, &path);
    ending.announce(&mut response);
    response
}

async fn serve(route: Arc<Route>, services: Services, request: axum::extract::Request) -> Response {
    let id = random_text(12, services.random.as_ref());
    let path = request.uri().path().to_owned();
    let (request, ending) = watched(request);
    let (operation, surface) = (route.operation.name, route.operation.surface);
    let span = tracing::info_span!("request", operation, id = %id);
    let (started, limits) = (services.clock.now(), services.time_limits);
    let refused = |refusal: ApiError| match surface {
        Surface::Page => pages::error::response(refusal, &id),
        _ => refusal.into_response(),
    };
    let response = async {
        let answered = answer(&route, services.clone(), Arc::from(id.as_str()), request);
        let work = std::panic::AssertUnwindSafe(answered).catch_unwind();
        let response = match tokio::time::timeout(limits.body + limits.operation, work).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(refusal))) => {
                tracing::debug!(status = refusal.status.as_u16(), code = refusal.code, "refused");
                refused(refusal)
            }
            Ok(Err(_)) => refused(ApiError::internal("a handler panicked")),
            Err(_) => refused(ApiError::unavailable("The operation took too long")),
        };
        let millis = services.clock.now().since(started).as_millis();
        tracing::debug!(status = response.status().as_u16(), millis, "answered");
        response
    }
    .instrument(span)
    .await;
    services.metrics.count_request(operation, response.status());
    let mut response = finish(response, &id, &path);
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        // Nothing but `Head::Refused` comes to this.
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    }
    ending.announce(&mut response);
    response
}

async fn answer(
    route: &Route,
    services: Services,
    id: Arc<str>,
    request: axum::extract::Request,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    if route.head == Head::Refused && parts.method == HttpMethod::HEAD {
        return Err(ApiError::method_not_allowed());
    }
    let path = path_variables(&mut parts).await?;
    let (caller, session) = caller(route, &parts, &services).await?;
    let incoming = Incoming::new(body, route.body_limit, services.time_limits.body);
    if let (Some(limit), Some(application)) = (&services.rate_limit, caller.limited())
        && let Err(refusal) = limit.count(application, services.clock.now())
    {
        incoming.discard().await;
        return Err(refusal);
    }
    let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let peer = peer(connection, &parts.headers, &services.settings.trusted_proxy);
    if let Some(token) = &caller.token {
        let user_agent = parts.headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let record = AccessRecord::new(services.clock.now(), peer_text(peer), user_agent.as_deref());
        services.token_uses.note(token, record);
    }
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let operation = route.operation.name;
    let (headers, body) = (parts.headers, Bytes::new());
    let request = Request { services, operation, id, caller, path, query, headers, body, session, peer, incoming };
    (route.run)(request).await
}

/// Pages know people by their session, OAuth by what it reads for itself, everything else by a bearer token.
async fn caller(
    route: &Route,
    parts: &Parts,
    services: &Services,
) -> Result<(Arc<Caller>, Option<Arc<Session>>), ApiError> {
    match route.operation.surface {
        Surface::OAuth => Ok((Arc::new(Caller::nobody()), None)),
        Surface::Page => {
            let session = session::resolve(&parts.headers, services).await?;
            let caller = session.as_ref().map_or_else(Caller::nobody, |session| session.caller());
            Ok((Arc::new(caller), session))
        }
        _ if !route.reads_caller => Ok((Arc::new(Caller::nobody()), None)),
        Surface::Space | Surface::Host | Surface::Other => {
            let authorization = single_authorization(&parts.headers).map_err(ApiError::request)?;
            let caller = services.callers.resolve(authorization, &services.store, services.clock.as_ref()).await?;
            Ok((caller, None))
        }
    }
}

async fn path_variables(parts: &mut Parts) -> Result<Vec<(String, String)>, ApiError> {
    let variables = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| ApiError::validation("The path must hold UTF-8 text"))?;
    variables
        .iter()
        .map(|(key, value)| storable(key, value).map(|()| (key.to_owned(), value.to_owned())))
        .collect::<Result<_, _>>()
        .map_err(ApiError::from)
}

/// Whether browsers of other origins may call `path` (wire-protocol 6.3): bearer tokens protect it,
/// cookies play no part.
fn open_to_browsers(path: &str) -> bool {
    let shared = ["/api/http/", "/uploads/", "/d/"];
    shared.iter().any(|beginning| path.starts_with(beginning)) || path == "/oauth/token"
}

fn preflight(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if open_to_browsers(path) {
        let headers = response.headers_mut();
        let mut put = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
        put(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, PUT, DELETE");
        put(header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, Accept, epoch, X-Space-Sync-Epoch");
        put(header::ACCESS_CONTROL_MAX_AGE, "600");
    }
    finish(response, "", path)
}

/// Header fields that every answer carries.
fn finish(mut response: Response, id: &str, path: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id)
        && !id.is_empty()
    {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if open_to_browsers(path) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id, retry-after"));
    }
    response
}

/// The address a request came from, for access records.
pub fn peer_text(peer: Option<IpAddr>) -> String {
    peer.map_or_else(String::new, |address| address.to_string())
}

/// All operations behind `routes`, for the self-description.
pub fn operations(routes: &[Route]) -> Vec<Operation> {
    routes.iter().map(|route| route.operation.clone()).collect()
}
