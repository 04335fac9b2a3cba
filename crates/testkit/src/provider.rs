//! A small OpenID Connect provider on 127.0.0.1, written out so that it shares nothing with the product. It signs in whom a
//! test names, checks what it is asked, and says the wrong thing when it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::{HeaderMap, Request, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use p256::ecdsa::signature::Signer as _;
use rsa::sha2::{Digest as _, Sha256};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::background::Background;

/// The name under which the provider knows the server, with characters that need escaping.
pub const CLIENT_ID: &str = "space:port+1";
/// The secret that goes with it.
pub const CLIENT_SECRET: &str = "s3cr+t%2B:&=é";

/// The running provider. It stops when dropped.
#[derive(Debug)]
pub struct Provider {
    state: Arc<State>,
    background: Background,
}

/// Somebody who has an account at the provider.
#[derive(Clone, Debug)]
pub struct Account {
    /// Claims besides those that every token has: `sub`, `email`, `email_verified`.
    pub claims: Value,
}

/// How the next ID token is made.
#[derive(Clone, Debug, Default)]
pub enum Issue {
    /// Right, signed with RS256.
    #[default]
    Rs256,
    /// Right, signed with ES256.
    Es256,
    /// Signed with RS256 by the provider's key, with some claims replaced; `null` takes one away.
    Claims(Value),
    /// Signed with RS256 by the provider's key, with members of the header replaced.
    Header(Value),
    /// Signed with RS256 by somebody else under the provider's key id.
    Stranger,
    /// Not signed at all.
    Unsigned,
    /// With an HMAC under the client secret.
    Hmac,
    /// With the address left to the userinfo endpoint, which tells of this subject.
    UserInfo(String),
    /// Signed with a key that the provider makes now.
    NewKey,
}

/// What the serving thread and the test share.
#[derive(Debug)]
struct State {
    rsa: RsaPrivateKey,
    stranger: RsaPrivateKey,
    p256: p256::ecdsa::SigningKey,
    live: Mutex<Live>,
}

#[derive(Debug, Default)]
struct Live {
    issuer: String,
    codes: HashMap<String, Pending>,
    userinfo: HashMap<String, Value>,
    issue: Issue,
    with_new_key: bool,
    changes: Value,
    requests: Vec<String>,
}

/// Somebody who agreed and has not come back yet.
#[derive(Clone, Debug)]
struct Pending {
    request: HashMap<String, String>,
    account: Account,
}

impl Account {
    /// With these claims.
    pub fn new(claims: Value) -> Self {
        Self { claims }
    }
}

impl Provider {
    /// Starts on a free port.
    ///
    /// # Panics
    /// When keys cannot be made.
    pub fn start() -> Self {
        let mut random = rsa::rand_core::OsRng;
        let key = |random: &mut rsa::rand_core::OsRng| RsaPrivateKey::new(random, 2048).expect("a key can be made");
        let state = Arc::new(State {
            rsa: key(&mut random),
            stranger: key(&mut random),
            p256: p256::ecdsa::SigningKey::random(&mut random),
            live: Mutex::new(Live { changes: json!({}), ..Live::default() }),
        });
        let served = Arc::clone(&state);
        let background = Background::start(|listener| accept(listener, served));
        state.live().issuer = format!("http://{}", background.address);
        Self { state, background }
    }

    /// Its issuer.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.background.address)
    }

    /// From now on the configuration has these members instead.
    pub fn configure(&self, changes: Value) {
        self.state.live().changes = changes;
    }

    /// How ID tokens are made from now on.
    pub fn issue(&self, issue: Issue) {
        let mut live = self.state.live();
        live.with_new_key |= matches!(issue, Issue::NewKey);
        live.issue = issue;
    }

    /// What somebody's browser comes back to after he signed in at the authorization URL.
    ///
    /// # Panics
    /// When the URL is not one that a careful client makes.
    pub fn agree(&self, url: &str, account: &Account) -> String {
        let (place, query) = url.split_once('?').expect("there are parameters");
        assert_eq!(place, format!("{}/authorize", self.issuer()));
        let request: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!((request["response_type"].as_str(), request["client_id"].as_str()), ("code", CLIENT_ID));
        assert!(request["scope"].split(' ').any(|scope| scope == "openid"));
        assert_eq!(request["code_challenge_method"], "S256");
        assert!(request["state"].len() >= 43 && request["nonce"].len() >= 43, "both are hard to guess");
        let mut live = self.state.live();
        let code = format!("code-{}", live.codes.len());
        let back = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &request["state"])
            .finish();
        let url = format!("{}?{back}", request["redirect_uri"]);
        live.codes.insert(code, Pending { request, account: account.clone() });
        url
    }

    /// Method and path of every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.state.live().requests.clone()
    }
}

impl State {
    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let rsa = |key: &RsaPrivateKey, id: &str| {
            let (n, e) = (encode(&key.n().to_bytes_be()), encode(&key.e().to_bytes_be()));
            json!({ "kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": n, "e": e })
        };
        let point = self.p256.verifying_key().to_encoded_point(false);
        let (x, y) = (encode(point.x().expect("a point")), encode(point.y().expect("a point")));
        let mut keys = vec![
            json!({ "kty": "oct", "kid": "other", "k": "AAAA" }),
            rsa(&self.rsa, "one"),
            json!({ "kty": "EC", "crv": "P-256", "kid": "two", "use": "sig", "x": x, "y": y }),
        ];
        if self.live().with_new_key {
            keys.push(rsa(&self.stranger, "three"));
        }
        json!({ "keys": keys })
    }

    /// Turns a code into an ID token, once, if everything is as it was promised.
    fn token(&self, headers: &HeaderMap, form: &HashMap<String, String>) -> Result<Value, &'static str> {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = STANDARD.encode(format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET)));
        let header = headers.get("authorization").map(|value| value.as_bytes().to_vec());
        let in_header = header.as_deref() == Some(format!("Basic {basic}").as_bytes());
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let in_body = field("client_id") == CLIENT_ID && field("client_secret") == CLIENT_SECRET;
        if in_header == in_body {
            return Err("invalid_client");
        }
        let mut live = self.live();
        let Pending { request, account } = live.codes.remove(field("code")).ok_or("invalid_grant")?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").as_bytes()));
        let kept = field("grant_type") == "authorization_code"
            && request["redirect_uri"] == field("redirect_uri")
            && request["code_challenge"] == challenge;
        if !kept {
            return Err("invalid_grant");
        }
        let mut claims = json!({
            "iss": live.issuer, "aud": CLIENT_ID, "nonce": request["nonce"], "exp": 4_000_000_000_i64, "iat": 1_500_000_000,
        });
        merge(&mut claims, &account.claims);
        let issue = live.issue.clone();
        if let Issue::UserInfo(subject) = &issue {
            let told = json!({ "email": claims["email"], "email_verified": claims["email_verified"], "sub": subject });
            live.userinfo.insert("Bearer access".to_owned(), told);
            merge(&mut claims, &json!({ "email": null, "email_verified": null }));
        }
        drop(live);
        Ok(json!({ "access_token": "access", "token_type": "Bearer", "id_token": self.signed(claims, &issue) }))
    }

    fn signed(&self, mut claims: Value, issue: &Issue) -> String {
        let mut header = json!({ "alg": "RS256", "kid": "one", "typ": "JWT" });
        match issue {
            Issue::Claims(changes) => merge(&mut claims, changes),
            Issue::Header(changes) => merge(&mut header, changes),
            Issue::Es256 => merge(&mut header, &json!({ "alg": "ES256", "kid": "two" })),
            Issue::Unsigned => merge(&mut header, &json!({ "alg": "none" })),
            Issue::Hmac => merge(&mut header, &json!({ "alg": "HS256" })),
            Issue::NewKey => merge(&mut header, &json!({ "kid": "three" })),
            Issue::Rs256 | Issue::Stranger | Issue::UserInfo(_) => {}
        }
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&header), encode(&claims));
        let rsa = |key: &RsaPrivateKey| {
            key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&text)).expect("a key can sign")
        };
        let signature = match issue {
            Issue::Es256 => {
                let signature: p256::ecdsa::Signature = self.p256.sign(text.as_bytes());
                signature.to_bytes().to_vec()
            }
            Issue::Unsigned => Vec::new(),
            Issue::Hmac => crate::verify::hmac_sha256(CLIENT_SECRET.as_bytes(), text.as_bytes()).to_vec(),
            Issue::Stranger | Issue::NewKey => rsa(&self.stranger),
            _ => rsa(&self.rsa),
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Replaces members; `null` takes one away.
fn merge(base: &mut Value, changes: &Value) {
    let members = base.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error concerns the one connection that did not come about.
                let Ok((stream, _)) = accepted else { continue };
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&state)));
                    let serving = hyper::server::conn::http1::Builder::new();
                    // Clients that went away are what some tests are about.
                    let _ = serving.serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = parts.uri.path().to_owned();
    let issuer = {
        let mut live = state.live();
        live.requests.push(format!("{} {path}", parts.method));
        live.issuer.clone()
    };
    let (status, told) = match (parts.method.as_str(), path.as_str()) {
        ("GET", "/.well-known/openid-configuration") => {
            let mut told = json!({
                "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
                "userinfo_endpoint": format!("{issuer}/userinfo"), "response_types_supported": ["code"],
            });
            merge(&mut told, &state.live().changes);
            (StatusCode::OK, told)
        }
        ("GET", "/keys") => (StatusCode::OK, state.keys()),
        ("POST", "/token") => {
            let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
            match state.token(&parts.headers, &form) {
                Ok(tokens) => (StatusCode::OK, tokens),
                Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
            }
        }
        ("GET", "/userinfo") => {
            let token = parts.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
            match state.live().userinfo.get(token) {
                Some(told) => (StatusCode::OK, told.clone()),
                None => (StatusCode::UNAUTHORIZED, json!({ "error": "invalid_token" })),
            }
        }
        _ => (StatusCode::NOT_FOUND, json!({ "error": "not found" })),
    };
    let mut response = Response::new(Full::new(Bytes::from(told.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", ::http::HeaderValue::from_static("application/json"));
    Ok(response)
}
