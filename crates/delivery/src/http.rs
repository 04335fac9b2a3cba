//! The sender that really calls: one request, bounded in time and size, no redirects.

mod connect;
mod failure;
mod tls;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use moka::sync::Cache;
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout_at};

use crate::guard::{Guard, UrlRefused};
use crate::identity::ClientIdentity;
pub use crate::outbox::SslVerification;
use crate::outcome::{Answer, BodyEnd, ErrorKind, Outcome};
use crate::resolve::Resolve;
use connect::{Connector, Facts};
use tls::Tls;

/// Makes one call. The engine knows nothing else of the network.
#[async_trait]
pub trait Sender: Send + Sync + 'static {
    /// Sends, and returns within [`Limits::total`] whatever the other side does.
    async fn send(&self, request: Request) -> Outcome;
}

/// One call.
#[derive(Clone, Debug)]
pub struct Request {
    /// POST for whatever is delivered; GET to read what an identity provider says about itself.
    pub method: Method,
    /// The endpoint.
    pub url: String,
    /// Whether its certificate is checked.
    pub ssl_verification: SslVerification,
    /// The certificate shown when the endpoint asks for one.
    pub identity: Option<Arc<ClientIdentity>>,
    /// All headers but `Host` and `Content-Length`.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How long and how much.
    pub limits: Limits,
}

/// How long a call may take and how much of the answer is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For everything: waiting for a connection, sending, the answer's head and its body.
    pub total: Duration,
    /// So many bytes of the answer's body are kept.
    pub body_kept: usize,
    /// So many are read, so that the connection can be used again; beyond that it is closed.
    pub body_read: usize,
}

impl Limits {
    /// The usual sizes (16 KiB kept, 64 KiB read) with this much time.
    pub const fn within(total: Duration) -> Self {
        Self { total, body_kept: 16 * 1024, body_read: 64 * 1024 }
    }
}

impl Default for Limits {
    /// 30 seconds, for whatever no user waits for (wire-protocol 5.4).
    fn default() -> Self {
        Self::within(Duration::from_secs(30))
    }
}

/// What an [`HttpSender`] is made of.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// For one new connection: look-up, TCP and TLS together. 5 s unless told otherwise.
    pub connect: Duration,
    /// How long an unused connection is kept. 30 s.
    pub idle: Duration,
    /// How many unused connections are kept for one scheme, host and port. 64.
    pub idle_per_host: usize,
    /// The largest head of an answer in bytes, at least 8 KiB. 32 KiB.
    pub head: usize,
    /// Authorities trusted beside those of the machine.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(30),
            idle_per_host: 64,
            head: 32 * 1024,
            extra_roots: Vec::new(),
        }
    }
}

/// Why a sender cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct SetupError(#[from] rustls::Error);

/// Calls endpoints over HTTP/1.1 with kept connections.
///
/// Pools know connections by scheme, host and port alone. So that nothing verified ever travels over a
/// connection that was opened without verification, or with somebody else's certificate, each way of TLS has
/// a client, and a pool, of its own.
pub struct HttpSender {
    settings: HttpSettings,
    guard: Guard,
    resolver: Arc<dyn Resolve>,
    /// Replaced as a whole when other authorities are trusted.
    pools: RwLock<Arc<Pools>>,
}

/// All pools of one set of trusted authorities.
struct Pools {
    rules: Rules,
    verifying: Pool,
    skipping: Pool,
    /// Pools of identities, as long as they are in use.
    identified: Cache<(SslVerification, String), Pool>,
}

type Pool = Client<Connector, Full<Bytes>>;

/// What all pools have in common.
struct Rules {
    settings: HttpSettings,
    guard: Guard,
    resolver: Arc<dyn Resolve>,
    tls: Tls,
}

/// A kept connection may be closed by the other side in the very moment we use it again; so many are given a try.
const STALE_CONNECTIONS: usize = 3;
/// Most identities whose connections are kept.
const IDENTITIES: u64 = 1_000;
/// How long the pool of an identity is kept unused; a replaced keystore's is never used again.
const IDENTITY_IDLE: Duration = Duration::from_secs(300);

impl Rules {
    fn pool(&self, verification: SslVerification, identity: Option<&ClientIdentity>) -> Result<Pool, rustls::Error> {
        let tls = self.tls.config(verification, identity)?;
        let settings = &self.settings;
        let connector = Connector::new(tls, self.guard.clone(), Arc::clone(&self.resolver), settings.connect);
        Ok(Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(settings.idle)
            .pool_max_idle_per_host(settings.idle_per_host)
            .http1_max_buf_size(settings.head.max(8 * 1024))
            // `X-Space-Signature`, as the original server writes it.
            .http1_title_case_headers(true)
            .build(connector))
    }
}

impl Pools {
    fn new(rules: Rules) -> Result<Self, rustls::Error> {
        let verifying = rules.pool(SslVerification::Verify, None)?;
        let skipping = rules.pool(SslVerification::Skip, None)?;
        let identified = Cache::builder().max_capacity(IDENTITIES).time_to_idle(IDENTITY_IDLE).build();
        Ok(Self { rules, verifying, skipping, identified })
    }

    fn of(&self, request: &Request) -> Result<Pool, Arc<rustls::Error>> {
        let verification = request.ssl_verification;
        match (&request.identity, verification) {
            (Some(identity), _) => {
                let key = (verification, identity.id().to_owned());
                self.identified.try_get_with(key, || self.rules.pool(verification, Some(identity)))
            }
            (None, SslVerification::Verify) => Ok(self.verifying.clone()),
            (None, SslVerification::Skip) => Ok(self.skipping.clone()),
        }
    }
}

impl HttpSender {
    /// Sets up TLS, which reads the machine's certificates from disk.
    pub fn new(settings: &HttpSettings, guard: Guard, resolver: Arc<dyn Resolve>) -> Result<Self, SetupError> {
        let pools = RwLock::new(pools(settings, &guard, &resolver, &[])?);
        Ok(Self { settings: settings.clone(), guard, resolver, pools })
    }

    /// From now on `more`, as DER, are trusted beside the machine's authorities and those of the settings, and none that earlier
    /// calls named. Connections that were opened before serve no call any more. Reads the machine's certificates from disk.
    ///
    /// # Errors
    /// When one of them is no certificate; then nothing changes.
    pub fn trust(&self, more: &[Vec<u8>]) -> Result<(), SetupError> {
        let more: Vec<_> = more.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let new = pools(&self.settings, &self.guard, &self.resolver, &more)?;
        *self.pools.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    fn pool(&self, request: &Request) -> Result<Pool, Arc<rustls::Error>> {
        let pools = Arc::clone(&self.pools.read().unwrap_or_else(PoisonError::into_inner));
        pools.of(request)
    }

    /// The answer's head, from the first connection that is not stale.
    async fn head(&self, client: &Pool, request: &Request, uri: &Uri) -> Result<Response<Incoming>, Outcome> {
        let mut tries = 1;
        loop {
            let mut call = http::Request::new(Full::new(request.body.clone()));
            *call.method_mut() = request.method.clone();
            *call.uri_mut() = uri.clone();
            *call.headers_mut() = request.headers.clone();
            let connection = capture_connection(&mut call);
            let result = client.request(call).await;
            let facts = facts(&connection);
            let used_before = facts.as_ref().is_some_and(|facts| facts.uses.fetch_add(1, Ordering::Relaxed) > 0);
            match result {
                Ok(response) => return Ok(response),
                Err(error) if used_before && tries <= STALE_CONNECTIONS && failure::is_cut_off(&error) => tries += 1,
                Err(error) => {
                    return Err(failure::outcome(&error, facts.as_ref().and_then(|facts| facts.fault()), uri));
                }
            }
        }
    }
}

fn pools(
    settings: &HttpSettings,
    guard: &Guard,
    resolver: &Arc<dyn Resolve>,
    more: &[CertificateDer<'static>],
) -> Result<Arc<Pools>, rustls::Error> {
    let roots: Vec<_> = settings.extra_roots.iter().chain(more).cloned().collect();
    let (settings, guard, resolver) = (settings.clone(), guard.clone(), Arc::clone(resolver));
    Ok(Arc::new(Pools::new(Rules { tls: Tls::new(&roots)?, settings, guard, resolver })?))
}

/// What is known of the connection of this call; `None` when there was none.
fn facts(connection: &CaptureConnection) -> Option<Arc<Facts>> {
    let mut extras = http::Extensions::new();
    connection.connection_metadata().as_ref()?.get_extras(&mut extras);
    extras.remove::<Arc<Facts>>()
}

#[async_trait]
impl Sender for HttpSender {
    async fn send(&self, request: Request) -> Outcome {
        let uri = match destination(&self.guard, &request.url) {
            Ok(uri) => uri,
            Err(UrlRefused::Address(refused)) => {
                return Outcome::failed(ErrorKind::RefusedAddress, refused.to_string());
            }
            Err(refused) => return Outcome::failed(ErrorKind::InvalidUrl, refused.to_string()),
        };
        let client = match self.pool(&request) {
            Ok(client) => client,
            Err(error) => return Outcome::failed(ErrorKind::Internal, format!("TLS cannot be set up: {error}")),
        };
        let limits = request.limits;
        let end = Instant::now() + limits.total;
        match timeout_at(end, self.head(&client, &request, &uri)).await {
            Ok(Ok(response)) => Outcome::Answered(answer(response, &limits, end).await),
            Ok(Err(outcome)) => outcome,
            Err(_) => Outcome::failed(ErrorKind::Timeout, format!("no answer within {:?}", limits.total)),
        }
    }
}

/// Reads the URL as the guard does, so that nothing is called but what was judged.
fn destination(guard: &Guard, text: &str) -> Result<Uri, UrlRefused> {
    let mut url = guard.check_url(text)?;
    url.set_fragment(None);
    url.as_str().parse().map_err(|error: http::uri::InvalidUri| UrlRefused::Invalid(error.to_string()))
}

/// Keeps the beginning of the body. Once there is a status nothing about the body can make it a failure.
async fn answer(response: Response<Incoming>, limits: &Limits, end: Instant) -> Answer {
    let (head, mut incoming) = response.into_parts();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let (body, end) = body(&mut incoming, limits, end).await;
    Answer { status: head.status.as_u16(), headers, body, end }
}

/// Dropping `incoming` before its end, which all but one way out of here do, closes the connection.
async fn body(incoming: &mut Incoming, limits: &Limits, end: Instant) -> (Bytes, BodyEnd) {
    let announced = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
    // Too long to be read to its end: then nothing is gained by reading more than is kept.
    let read_limit = if announced > limits.body_read { limits.body_kept } else { limits.body_read };
    let (mut kept, mut read) = (BytesMut::new(), 0_usize);
    let how = loop {
        let chunk = match timeout_at(end, incoming.frame()).await {
            Err(_) => break BodyEnd::CutByTime,
            Ok(Some(Err(_))) => break BodyEnd::Broken,
            Ok(None) if read > kept.len() => break BodyEnd::CutBySize,
            Ok(None) => break BodyEnd::Complete,
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        };
        read = read.saturating_add(chunk.len());
        let wanted = limits.body_kept.saturating_sub(kept.len()).min(chunk.len());
        kept.extend_from_slice(chunk.get(..wanted).unwrap_or_default());
        if read > read_limit || (read >= read_limit && announced > read) {
            break BodyEnd::CutBySize;
        }
    };
    (kept.freeze(), how)
}
