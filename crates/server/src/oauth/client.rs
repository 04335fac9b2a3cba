//! Client authentication at the token endpoint, in all the spellings real clients use
//! (wire-protocol 1.3, client-demands 7, security T4 and T5).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use spaceport_platform::application::Application;
use spaceport_platform::invalid::storable;
use spaceport_platform::time::Timestamp;
use spaceport_store::{SecretMatch, StoreError};

use crate::http::error::ApiError;
use crate::http::request::single_authorization;
use crate::oauth::form::Form;
use crate::services::Services;

/// Readings of the id and secret that a request may mean; the first that is right counts.
struct Candidates(Vec<(String, String)>);

/// An application that has proved who it is.
pub struct SignedIn {
    /// The application.
    pub application: Application,
    /// The stamp its tokens carry. Those of the secret before the present one carry the stamp before, and end
    /// with that secret.
    pub stamp: Timestamp,
}

/// Finds the application that signs in and checks its secret. The answer to a failure waits when there were many
/// of this client or from this address.
///
/// # Errors
/// `invalid_client`, with the same text for unknown clients and wrong secrets; `invalid_request` when
/// header and body disagree; `rate-limited` when the application made too many requests.
pub async fn authenticate(
    headers: &HeaderMap,
    form: &Form,
    peer: Option<IpAddr>,
    services: &Services,
) -> Result<SignedIn, ApiError> {
    let candidates = candidates(headers, form)?;
    let client_id = candidates.0.first().map(|(id, _)| id.clone()).unwrap_or_default();
    let now = services.clock.now();
    let found = services
        .store
        .read(move |tx| {
            let mut found = None;
            // Every reading is checked, whatever came of the ones before, so that time tells nothing.
            for (client_id, secret) in &candidates.0 {
                let application = tx.application_by_client_id(client_id)?;
                let matched = tx.match_client_secret(application.as_ref(), secret, now)?;
                if let (None, Some(application)) = (&found, application) {
                    found = match matched {
                        SecretMatch::None => None,
                        SecretMatch::Present => Some(SignedIn { stamp: application.tokens_not_before, application }),
                        SecretMatch::Previous(stamp) => Some(SignedIn { application, stamp }),
                    };
                }
            }
            Ok::<_, StoreError>(found)
        })
        .await?;
    match found.filter(|found| found.application.archived_at.is_none()) {
        Some(found) => {
            // Only now: nobody uses up what others may do by naming them.
            if let Some(limit) = &services.rate_limit {
                limit.count(&found.application.id, now)?;
            }
            Ok(found)
        }
        None => {
            tokio::time::sleep(services.failed_sign_ins.failed(&client_id, peer, now)).await;
            Err(ApiError::invalid_client())
        }
    }
}

/// What the `Authorization` header may mean; nothing when there is none.
///
/// # Errors
/// `invalid_client` when it cannot be read; `invalid_request` when there are several (security T4).
pub fn credentials(headers: &HeaderMap) -> Result<Vec<(String, String)>, ApiError> {
    let found = single_authorization(headers).map_err(|repeated| ApiError::oauth("invalid_request", repeated))?;
    found.map_or_else(|| Ok(Vec::new()), |header| basic(header).ok_or_else(ApiError::invalid_client))
}

fn candidates(headers: &HeaderMap, form: &Form) -> Result<Candidates, ApiError> {
    let mut readings = credentials(headers)?;
    let (id, secret) = (form.get("client_id"), form.get("client_secret"));
    let disagree =
        || ApiError::oauth("invalid_request", "The Authorization header and the body name different credentials");
    if readings.is_empty() {
        let (Some(id), Some(secret)) = (id, secret) else { return Err(ApiError::invalid_client()) };
        return Ok(Candidates(vec![(id.to_owned(), secret.to_owned())]));
    }
    // The .NET web sign-in sends both; that is fine as long as they say the same (security T4).
    readings.retain(|(known_id, known_secret)| {
        id.is_none_or(|id| id == known_id) && secret.is_none_or(|secret| secret == known_secret)
    });
    if readings.is_empty() { Err(disagree()) } else { Ok(Candidates(readings)) }
}

/// Both readings of a Basic header: raw, as the SDKs send it, and form-decoded, as RFC 6749 2.3.1
/// has it.
fn basic(header: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, credentials) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    storable("", &decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let raw = (id.to_owned(), secret.to_owned());
    let form_decoded = (form_decode(id)?, form_decode(secret)?);
    let second = raw != form_decoded && storable("", &form_decoded.0).is_ok();
    Some(if second { vec![raw, form_decoded] } else { vec![raw] })
}

fn form_decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    // Text that is no UTF-8 once decoded was not form-encoded; the raw reading stands alone.
    Some(percent_decode_str(&text).decode_utf8().map_or_else(|_| text.clone(), std::borrow::Cow::into_owned))
}
