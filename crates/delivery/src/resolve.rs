//! From names to addresses. A parameter of the sender, so that tests can give any answer.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::Semaphore;

pub mod name_server;

/// Turns names into addresses. Called once for each new connection.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `host`, each with `port`, the preferred first.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The machine's resolver blocks a thread for each look-up; name servers that hang must not take all of them.
const LOOK_UPS_AT_ONCE: usize = 128;

/// Addresses, or an error in a form that many can share.
type Found = Result<Vec<SocketAddr>, (io::ErrorKind, String)>;
type LookUp = Shared<BoxFuture<'static, Found>>;

/// The machine's own resolver.
///
/// Look-ups of the same name at the same time are one, so an application whose name server never
/// answers occupies one thread, whatever the number of its deliveries.
pub struct SystemResolver {
    at_once: Arc<Semaphore>,
    under_way: Arc<Mutex<HashMap<String, LookUp>>>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { at_once: Arc::new(Semaphore::new(LOOK_UPS_AT_ONCE)), under_way: Arc::default() }
    }
}

impl SystemResolver {
    /// The look-up of `host` that is under way, or a new one.
    fn join(&self, host: &str) -> LookUp {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(look_up) = under_way.get(host) {
            return look_up.clone();
        }
        let (at_once, table, name) = (Arc::clone(&self.at_once), Arc::clone(&self.under_way), host.to_owned());
        let task = async move {
            let permit = at_once.acquire_owned().await;
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            drop(permit);
            table.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            found.map(Iterator::collect).map_err(|error| (error.kind(), error.to_string()))
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the look-up must come to its end, and give back its permit, even when all who wait have given up"
        )]
        let task = tokio::spawn(task);
        let ended = |joined: Result<Found, _>| joined.unwrap_or_else(|_| Err((io::ErrorKind::Other, "aborted".into())));
        let look_up = task.map(ended).boxed().shared();
        under_way.insert(host.to_owned(), look_up.clone());
        look_up
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let look_up = self.join(host);
        let mut addresses = look_up.await.map_err(|(kind, text)| io::Error::new(kind, text))?;
        addresses.iter_mut().for_each(|address| address.set_port(port));
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn look_ups_of_one_name_at_one_time_are_one() {
        let resolver = SystemResolver::default();
        let (first, second) = (resolver.join("localhost"), resolver.join("localhost"));
        assert!(first.ptr_eq(&second));
        first.await.unwrap();
        assert!(resolver.under_way.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_look_up_carries_the_asked_port() {
        let found = SystemResolver::default().resolve("localhost", 8080).await.unwrap();
        assert!(!found.is_empty());
        assert!(found.iter().all(|address| address.port() == 8080 && address.ip().is_loopback()));
    }
}
