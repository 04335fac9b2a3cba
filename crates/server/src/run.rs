//! A running server: opened, listening, stoppable. A test or the demo runs one like the executable.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle as ListenHandle;
use spaceport_delivery::engine::{Engine, Settings as EngineSettings};
use spaceport_delivery::guard::Guard;
use spaceport_delivery::http::{HttpSender, HttpSettings};
use spaceport_delivery::policy::Schedule;
use spaceport_delivery::resolve::name_server::NameServers;
use spaceport_delivery::resolve::{Resolve, SystemResolver};
use spaceport_delivery::sign::generate_rsa_2048;
use spaceport_platform::random::Random;
use spaceport_platform::time::{Clock, SystemClock};
use spaceport_store::{Store, StoreError};
use tokio::task::JoinHandle;

use crate::accesses::{self, Accesses};
use crate::catalogues::Catalogues;
use crate::config::Settings;
use crate::dispatch::{Dispatches, server_url};
use crate::http::caller::Callers;
use crate::http::listen::{TimeLimits, listen};
use crate::http::router::router;
use crate::keys::KeyReading;
use crate::metrics::Metrics;
use crate::oauth::refresh_grant::Bursts;
use crate::oauth::ring::AccessTokens;
use crate::oauth::rotation;
use crate::oauth::settings::OAuth;
use crate::oauth::throttle::FailedSignIns;
use crate::operations;
use crate::outbox::StoreOutbox;
use crate::people::password::Passwords;
use crate::people::provider::Provider;
use crate::random::SecureRandom;
use crate::rate_limit::RateLimit;
use crate::ring::RingFile;
use crate::services::{KeySource, Parts, Services};
use crate::start::{self, FirstStart};
use crate::subscriptions::Subscriptions;
use crate::tasks::{PERIODIC, Tasks};

/// How long a stop waits for requests and deliveries under way.
const DRAIN: Duration = Duration::from_secs(10);

/// Time, randomness, keys and time limits, which a test replaces.
pub struct Surroundings {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and secrets.
    pub random: Arc<dyn Random>,
    /// Makes RSA keys.
    pub keys: KeySource,
    /// How long clients may take.
    pub time_limits: TimeLimits,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SecureRandom::default()),
            keys: Arc::new(|| generate_rsa_2048().map(|key| key.to_vec()).map_err(|error| error.to_string())),
            time_limits: TimeLimits::default(),
        }
    }
}

/// A server that listens.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// URL others use.
    pub public_url: String,
    /// What the first start made, if this was one.
    pub first: Option<FirstStart>,
    services: Services,
    tasks: Tasks,
    listener: ListenHandle<SocketAddr>,
    served: JoinHandle<std::io::Result<()>>,
}

/// Opens the database and starts listening and sending.
///
/// # Errors
/// A sentence that says what to do.
pub async fn run(settings: &Settings, surroundings: Surroundings) -> Result<Running, String> {
    let Surroundings { clock, random, keys, time_limits } = surroundings;
    let taken = |error: std::io::Error| {
        format!("Cannot listen on {}: {error}. Choose another address with --listen.", settings.listen)
    };
    // Bound before the database is touched: a second server must not get halfway.
    let listener = TcpListener::bind(settings.listen).map_err(taken)?;
    listener.set_nonblocking(true).map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    let public_url = settings.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let (store, first) = start::open(settings, clock.as_ref(), random.as_ref(), &keys).await?;
    let services =
        services(settings, store, Surroundings { clock, random, keys, time_limits }, public_url.clone()).await?;
    let handle = ListenHandle::new();
    let serving = listen(listener, router(operations::routes(), &services), handle.clone(), time_limits);
    #[expect(clippy::disallowed_methods, reason = "this is the listener's own task; `Running` watches and stops it")]
    let served = tokio::spawn(serving);
    Dispatches::start(&services);
    server_url::tell_all(&services).await?;
    let tasks = Tasks::start(&services, PERIODIC);
    Ok(Running { address, public_url, first, services, tasks, listener: handle, served })
}

async fn services(
    settings: &Settings,
    store: Store,
    surroundings: Surroundings,
    public_url: String,
) -> Result<Services, String> {
    let Surroundings { clock, random, keys, time_limits } = surroundings;
    let stored = store.read(|tx| tx.server_keys()).await.map_err(|error: StoreError| error.to_string())?;
    let tokens = Arc::new(AccessTokens::new(public_url.clone(), &stored, settings.access_token_seconds)?);
    let key_policy =
        rotation::policy(settings.access_token_algorithm, settings.signing_key_days, settings.access_token_seconds);
    if settings.is_sqlite() {
        // Nobody else uses this database, so whatever is leased was leased by a process that died.
        let now = clock.now();
        let reset = store.write(move |tx| {
            tx.reset_leases(now)?;
            tx.reset_dispatch_leases(now)
        });
        reset.await.map_err(|error: StoreError| error.to_string())?;
    }
    let guard = Guard::new(settings.allow_network.clone());
    let resolver = resolver(&settings.name_server)?;
    let sender =
        HttpSender::new(&HttpSettings::default(), guard.clone(), resolver).map_err(|error| error.to_string())?;
    // Before anything is sent: it says what of an event an application may not see.
    let catalogue = Arc::new(Catalogues::new(spaceport_wire::preset::shared()));
    catalogue.notice(&store).await.map_err(|error| error.to_string())?;
    let outbox = Arc::new(StoreOutbox::new(store.clone(), Arc::clone(&clock), Arc::clone(&catalogue)));
    let schedule = settings.retry_schedule.clone().map_or_else(Schedule::default, Schedule::from_delays);
    let engine_settings = EngineSettings { schedule, ..EngineSettings::default() };
    let sender = Arc::new(sender);
    let engine =
        Engine::start(outbox, Arc::clone(&sender) as _, Arc::clone(&clock), Arc::clone(&random), engine_settings);
    Ok(Services::new(Parts {
        store,
        clock,
        random,
        keys,
        key_reading: KeyReading::default(),
        catalogue,
        subscriptions: Subscriptions::default(),
        guard,
        engine,
        dispatches: Dispatches::new(Arc::clone(&sender)),
        provider: settings.provider.clone().map(|settings| Provider::new(settings, sender)),
        callers: Callers::new(Arc::clone(&tokens)),
        tokens,
        failed_sign_ins: FailedSignIns::default(),
        sign_ins: Accesses::default(),
        key_policy,
        token_uses: Accesses::default(),
        oauth: OAuth {
            password_grant: settings.password_grant,
            implicit_flow: settings.implicit_flow,
            plain_pkce: settings.plain_pkce,
            refresh_idle: Duration::from_secs(u64::from(settings.refresh_token_days) * 24 * 3600),
            bursts: Bursts::default(),
        },
        passwords: Passwords::default(),
        rate_limit: settings.application_requests_per_minute.map(|most| RateLimit::new(most.get())),
        metrics: Metrics::default(),
        ring: RingFile::of(&settings.data),
        settings: settings.clone(),
        time_limits,
        public_url,
    }))
}

/// Who turns the names of endpoints into addresses.
fn resolver(servers: &[SocketAddr]) -> Result<Arc<dyn Resolve>, String> {
    if servers.is_empty() {
        return Ok(Arc::new(SystemResolver::default()));
    }
    let servers = NameServers::new(servers).map_err(|error| format!("name_server cannot be used: {error}"))?;
    Ok(Arc::new(servers))
}

impl Running {
    /// The one-time administrator link, on the first start.
    pub fn administrator_link(&self) -> Option<String> {
        self.first.as_ref().map(|first| administrator_link(&self.public_url, first))
    }

    /// The database, for the program that runs this server. It bypasses access rules and audit trail.
    pub fn store(&self) -> &Store {
        &self.services.store
    }

    /// What it runs on, for whoever embeds it.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Waits until the listener ends by itself, which it does only when it fails.
    ///
    /// # Errors
    /// Why it failed.
    pub async fn failed(&mut self) -> String {
        match (&mut self.served).await {
            Ok(Ok(())) => "the listener ended".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Runs the periodic task called `name` once, now, as if its time had come.
    ///
    /// # Errors
    /// What the task refused with, or that there is none of this name.
    pub async fn run_task(&self, name: &str) -> Result<(), String> {
        let task = PERIODIC.iter().find(|task| task.name == name);
        (task.ok_or_else(|| format!("there is no task {name}"))?.run)(self.services.clone()).await
    }

    /// Stops: no new requests, those under way and the attempts in flight get time to end, leases
    /// are given back, the database is closed.
    pub async fn stop(self) {
        self.listener.graceful_shutdown(Some(DRAIN));
        // At the same time, so that all of it keeps within what process managers allow. A request that
        // publishes meanwhile leaves its deliveries to the next start or to another node.
        let services = &self.services;
        let _ = tokio::join!(
            self.served,
            self.tasks.stop(DRAIN),
            services.engine.stop(DRAIN),
            services.dispatches.stop(DRAIN)
        );
        if let Err(fault) = accesses::store_token_uses(self.services.clone()).await {
            tracing::warn!(%fault, "the last uses of tokens could not be stored");
        }
        if let Err(fault) = accesses::store_sign_ins(self.services.clone()).await {
            tracing::warn!(%fault, "the last sign-ins of applications could not be stored");
        }
        self.services.store.close().await;
    }

    /// Stops like a killed process: nothing is drained, recorded or given back.
    pub fn abandon(self) {
        self.listener.shutdown();
        self.served.abort();
        self.tasks.abandon();
    }
}

/// The one-time administrator link of a first start.
pub fn administrator_link(public_url: &str, first: &FirstStart) -> String {
    format!("{public_url}/administrator?code={}", first.link_code)
}
