//! `grant_type=refresh_token` (security T13 to T16).
//!
//! Confidential clients keep their token, because the Kotlin SDK sends its first one for ever, unless the application is
//! set to rotate. Tokens of public clients are always spent by use: the next one takes their place, and a spent one that
//! comes again ends the family.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use spaceport_platform::application::Application;
use spaceport_platform::audit::AuditTarget;
use spaceport_platform::consent::within;
use spaceport_platform::delegation::{ClientKind, Delegation};
use spaceport_platform::scope::Scope;
use spaceport_platform::time::Timestamp;
use spaceport_store::{StoreError, Tx};

use crate::http::access::{Anyone, Cx};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::http::reply::Document;
use crate::http::trail::Trail;
use crate::oauth::answer::{invalid_grant, known_scope, required, tokens};
use crate::oauth::delegated::{NewRefresh, issue};
use crate::oauth::form::Form;
use crate::oauth::public_client::identify;
use crate::oauth::standing::has_user;
use crate::oauth::token::TokenRequest;

const NOT_GOOD: &str = "The refresh token is unknown, expired, or was issued for something else";
/// The SDKs drop their stored token on this text (wire-protocol 2.9).
pub const REVOKED: &str = "Refresh token associated with the access token is revoked";
/// Requests that keep each other company do so for this long at most.
const BURST: Duration = Duration::from_secs(10);

/// Which refresh tokens are being used by several requests at once, and since when.
///
/// A program that starts twenty refreshes at once has not lost its token; it deserves one successor, not an end. A
/// burst begins when a second request comes with a token before the first one was answered, and takes in whoever still
/// comes within [`BURST`] of its beginning: connections of one program are not equally fast. A token that was used
/// alone has no burst, so its next use is a reuse, however soon.
#[derive(Clone, Default)]
pub struct Bursts(Arc<Mutex<HashMap<String, Burst>>>);

/// The uses of one token.
struct Burst {
    under_way: usize,
    together: bool,
    since: Timestamp,
}

/// A request's part in a burst; ends with it.
struct Member {
    bursts: Bursts,
    hash: String,
    since: Timestamp,
}

impl Bursts {
    /// How many refreshes have come and are not answered yet, of all tokens together.
    pub fn under_way(&self) -> usize {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.values().map(|burst| burst.under_way).sum()
    }

    fn join(&self, hash: &str, now: Timestamp) -> Member {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, burst| burst.under_way > 0 || now.since(burst.since) <= BURST);
        let burst = open.entry(hash.to_owned()).or_insert(Burst { under_way: 0, together: false, since: now });
        burst.together |= burst.under_way > 0;
        burst.under_way += 1;
        let since = if now.since(burst.since) > BURST { now } else { burst.since };
        Member { bursts: self.clone(), hash: hash.to_owned(), since }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut open = self.bursts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(burst) = open.get_mut(&self.hash) {
            burst.under_way -= 1;
            if burst.under_way == 0 && !burst.together {
                open.remove(&self.hash);
            }
        }
    }
}

/// What came of a use. Refusals are no errors of the transaction, because what they change must stay.
enum Used {
    Granted { delegation: Delegation, scope: Scope, refresh_token: String },
    TooWide,
    Refused(&'static str),
    Reused,
}

/// One use of a refresh token, with everything that the transaction needs.
struct Use {
    token: String,
    hash: String,
    application: Application,
    client: ClientKind,
    asked: Option<Scope>,
    successor: NewRefresh,
    burst_since: Timestamp,
    now: Timestamp,
    idle: Duration,
    from: Option<String>,
    trail: Trail,
}

/// Uses a refresh token.
///
/// # Errors
/// The codes of RFC 6749 5.2.
pub async fn refresh(cx: Cx<Anyone>, request: &TokenRequest, form: &Form) -> Result<Document, ApiError> {
    let (services, now) = (cx.services.clone(), cx.now());
    let token = required(form, "refresh_token")?.to_owned();
    let hash = token_hash(&token);
    let member = services.oauth.bursts.join(&hash, now);
    let client = identify(&request.headers, form, request.peer, &services).await?;
    // `**`, which the .NET SDK always sends, means everything that was granted.
    let asked = form.get("scope").filter(|scope| *scope != "**");
    let attempt = Use {
        token,
        hash,
        asked: asked.map(|scope| known_scope(&services, scope)).transpose()?,
        client: client.kind,
        application: client.application,
        successor: NewRefresh::generate(&services, now),
        burst_since: member.since,
        now,
        idle: services.oauth.refresh_idle,
        from: request.peer.map(|address| address.to_string()),
        trail: cx.trail(),
    };
    let client = (attempt.application.client_id.clone(), client.stamp);
    let clock = Arc::clone(&services.clock);
    let used =
        cx.write(move |tx| attempt.run(tx, clock.now())).await.map_err(|error: StoreError| ApiError::from(error))?;
    match used {
        Used::Granted { delegation, scope, refresh_token } => {
            let issued = issue(&services, (&client.0, client.1), &delegation, scope, Some(refresh_token), now).await?;
            drop(member);
            Ok(tokens(&services, issued))
        }
        Used::TooWide => Err(ApiError::oauth("invalid_scope", "The scope is wider than what was granted")),
        Used::Refused(why) => Err(invalid_grant(why)),
        Used::Reused => {
            services.callers.forget();
            Err(invalid_grant(REVOKED))
        }
    }
}

impl Use {
    fn run(&self, tx: &mut Tx<'_>, spent_at: Timestamp) -> Result<Used, StoreError> {
        let Some(token) = tx.refresh_token(&self.hash)? else { return Ok(Used::Refused(NOT_GOOD)) };
        let Some(delegation) = tx.delegation(&token.delegation)? else { return Ok(Used::Refused(NOT_GOOD)) };
        if let Some(why) = self.refusal(tx, &delegation)? {
            return Ok(Used::Refused(why));
        }
        let scope = self.asked.clone().unwrap_or_else(|| delegation.scope.clone());
        if !within(&scope, &delegation.scope) {
            return Ok(Used::TooWide);
        }
        // A token that was spent under another setting stays spent.
        let rotates = tx.refresh_rotation(&delegation.application)?.spends(delegation.client);
        let refresh_token = if rotates || token.spent_at.is_some() {
            match self.rotate(tx, &delegation, spent_at)? {
                Some(successor) => successor,
                None => return Ok(Used::Reused),
            }
        } else {
            self.token.clone()
        };
        tx.touch_refresh_token(&self.hash, self.now, self.from.as_deref())?;
        tx.extend_delegation(&delegation.id, self.now.plus(self.idle))?;
        Ok(Used::Granted { delegation, scope, refresh_token })
    }

    fn refusal(&self, tx: &mut Tx<'_>, delegation: &Delegation) -> Result<Option<&'static str>, StoreError> {
        // A token that was issued to a client with a secret is worth nothing without it.
        let without_secret = self.client == ClientKind::Public && delegation.client == ClientKind::Confidential;
        if delegation.application != self.application.id || without_secret {
            return Ok(Some(NOT_GOOD));
        }
        if delegation.revoked_at.is_some() {
            return Ok(Some(REVOKED));
        }
        let active = has_user(tx, &delegation.profile, delegation.created_at)?;
        Ok((self.now >= delegation.expires_at || !active).then_some(NOT_GOOD))
    }

    /// The token that takes this one's place; `None`, and the end of the family, when this one had been spent before.
    ///
    /// The successor is derived from the token with a key of the server, so that requests of one burst get the same.
    fn rotate(
        &self,
        tx: &mut Tx<'_>,
        delegation: &Delegation,
        spent_at: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let successor = tx.refresh_successor(&self.token)?;
        let hash = token_hash(&successor);
        if !tx.spend_refresh_token(&self.hash, spent_at)? {
            let spent_at = tx.refresh_token(&self.hash)?.and_then(|token| token.spent_at);
            let beside = spent_at.is_some_and(|at| at >= self.burst_since);
            let untouched = tx.refresh_token(&hash)?.is_some_and(|next| next.spent_at.is_none());
            if !(beside && untouched) {
                tx.revoke_delegation(&delegation.id, self.now)?;
                let target = AuditTarget::of_application(&delegation.application, "delegation", delegation.id.as_str());
                self.trail.record_with(tx, target, None, Some("a spent refresh token was used again"))?;
                return Ok(None);
            }
        }
        tx.insert_refresh_token(&hash, &self.successor.id, &delegation.id, self.now)?;
        Ok(Some(successor))
    }
}
