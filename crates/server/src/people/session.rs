//! Sessions of browsers: a random cookie, of which the database knows only the hash.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, header};
use spaceport_platform::access::{Caller, Credential, Principal};
use spaceport_platform::grants::Limit;
use spaceport_platform::id::{Id, ProfileId, random_text};
use spaceport_platform::profile::Profile;
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use spaceport_store::{Remembered, StoreError, Tx};

use crate::http::access::Cx;
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::services::Services;

/// A session that is not used for this long ends.
pub const IDLE: Duration = Duration::from_secs(12 * 3600);
/// A session ends after this long, however much it is used.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// Use is noted in the database at most this often.
const NOTED: Duration = Duration::from_secs(60);
/// Characters of a cookie: 285 bits.
const COOKIE: usize = 48;

/// Somebody who is signed in.
pub struct Session {
    /// Who.
    pub profile: Profile,
    /// Since when.
    pub began_at: Timestamp,
    /// How.
    pub via: Via,
    cookie: Secret,
}

/// How a session began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Via {
    /// By a password.
    Password,
    /// By a link that works once.
    Link,
    /// At an identity provider.
    Provider,
}

impl Via {
    fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
            Self::Provider => "provider",
        }
    }

    fn from_name(name: &str) -> Self {
        match name {
            "password" => Self::Password,
            "provider" => Self::Provider,
            _ => Self::Link,
        }
    }
}

impl Session {
    /// The cookie's text, which only this browser knows: the key that its forms are signed with.
    pub fn key(&self) -> &Secret {
        &self.cookie
    }

    /// Hash the session is stored under.
    pub fn hash(&self) -> String {
        token_hash(self.cookie.reveal())
    }

    /// The person with everything that was granted to him, for pages on which he decides something.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acting<A>(&self, cx: &Cx<A>) -> Result<Caller, ApiError> {
        let (callers, principal) = (cx.services.callers.clone(), Principal::User(self.profile.id.clone()));
        let grants = cx.read(move |tx| {
            let revision = tx.revision(Remembered::Rights)?;
            Ok::<_, StoreError>((callers.grants_of(tx, &principal, revision)?, principal.clone()))
        });
        let (grants, principal) = grants.await.map_err(ApiError::from)?;
        Ok(Caller::new(principal, grants, Limit::Everything, Credential::Session))
    }

    /// The person as a caller, for access rules and the audit trail.
    pub fn caller(&self) -> Caller {
        let principal = Principal::User(self.profile.id.clone());
        Caller { principal, credential: Credential::Session, ..Caller::nobody() }
    }
}

/// The session that a request's cookie belongs to, if it still stands.
///
/// # Errors
/// When the database fails.
pub async fn resolve(headers: &HeaderMap, services: &Services) -> Result<Option<Arc<Session>>, StoreError> {
    let Some(cookie) = cookie(headers, services.cookies().session) else { return Ok(None) };
    let (now, hash) = (services.clock.now(), token_hash(cookie.reveal()));
    let wanted = hash.clone();
    let found = services.store.read(move |tx| {
        let Some(session) = tx.session(&wanted)? else { return Ok(None) };
        let profile = tx.profile(&session.profile)?;
        Ok::<_, StoreError>(profile.map(|profile| (session, profile)))
    });
    let Some((stored, profile)) = found.await? else { return Ok(None) };
    let over = now >= stored.last_seen_at.plus(IDLE)
        || now >= stored.created_at.plus(LONGEST)
        || !profile.is_active()
        || stored.created_at < profile.tokens_not_before;
    if over {
        return Ok(None);
    }
    if now >= stored.last_seen_at.plus(NOTED) {
        services.store.write(move |tx| tx.touch_session(&hash, now)).await?;
    }
    let via = Via::from_name(&stored.via);
    Ok(Some(Arc::new(Session { profile, began_at: stored.created_at, via, cookie })))
}

/// A session that waits to be stored.
pub struct NewSession {
    cookie: Secret,
    hash: String,
    id: spaceport_platform::id::SessionId,
    via: Via,
}

impl NewSession {
    /// With fresh randomness: a session of before is never continued (fixation).
    pub fn generate(services: &Services, via: Via, now: Timestamp) -> Self {
        let cookie = random_text(COOKIE, services.random.as_ref());
        let hash = token_hash(&cookie);
        Self { hash, cookie: Secret::new(cookie), id: Id::generate(now, services.random.as_ref()), via }
    }

    /// Stores it, in place of the one before.
    ///
    /// # Errors
    /// When the database fails.
    pub fn insert(
        &self,
        tx: &mut Tx<'_>,
        profile: &ProfileId,
        before: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(before) = before {
            tx.end_session(before)?;
        }
        tx.insert_session(&self.hash, &self.id, profile, self.via.name(), now)
    }

    /// The `Set-Cookie` value that gives it to the browser.
    pub fn set_cookie(&self, services: &Services) -> String {
        set_cookie(services.cookies().session, self.cookie.reveal(), services)
    }
}

/// Names of our cookies.
pub struct CookieNames {
    /// Of sessions.
    pub session: &'static str,
    /// Of visitors who have not signed in, for the sign-in form.
    pub visit: &'static str,
    /// Of those who are away at the identity provider.
    pub provider: &'static str,
}

/// Behind https both are bound to exactly this host. Without TLS, as on the developer's own machine, browsers take no
/// `__Host-` cookies.
pub const SECURE: CookieNames = CookieNames {
    session: "__Host-spaceport-session",
    visit: "__Host-spaceport-visit",
    provider: "__Host-spaceport-provider",
};
/// Names without TLS.
pub const PLAIN: CookieNames =
    CookieNames { session: "spaceport-session", visit: "spaceport-visit", provider: "spaceport-provider" };

/// A `Set-Cookie` value for as long as the browser runs.
pub fn set_cookie(name: &str, value: &str, services: &Services) -> String {
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{}", secure(services))
}

/// A `Set-Cookie` value for a short while.
pub fn passing_cookie(name: &str, value: &str, lifetime: Duration, services: &Services) -> String {
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}", lifetime.as_secs(), secure(services))
}

/// A `Set-Cookie` value that removes a cookie.
pub fn remove_cookie(name: &str, services: &Services) -> String {
    format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{}", secure(services))
}

fn secure(services: &Services) -> &'static str {
    if services.is_https() { "; Secure" } else { "" }
}

/// A cookie that occurs once; two of one name are a trick of somebody on a neighbouring host.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = pairs
        .flat_map(|pairs| pairs.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, value)| *known == name && !value.is_empty())
        .map(|(_, value)| Secret::new(value));
    let first = values.next();
    if values.next().is_some() { None } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cookies: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookies.parse().unwrap());
        cookie(&headers, "s").map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn a_cookie_counts_when_it_occurs_once() {
        assert_eq!(found("a=1; s=x; b=2").as_deref(), Some("x"));
        assert_eq!(found("s=x; s=y"), None);
        assert_eq!(found("s="), None);
        assert_eq!(found("ss=x; S=y"), None);
    }
}
