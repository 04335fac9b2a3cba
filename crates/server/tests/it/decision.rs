//! Who is told apart without asking the database, and when that ends.

use std::sync::Arc;

use spaceport_platform::access::{Decision, Grant, Principal, Target, decide};
use spaceport_platform::context::{Context, Place};
use spaceport_platform::right::Right;
use spaceport_platform::time::Clock as _;
use spaceport_server::http::caller::Callers;
use spaceport_server::oauth::ring::AccessTokens;
use spaceport_server::start;
use spaceport_store::Store;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::postgres::database;
use tempfile::TempDir;

use crate::harness::{BOTH, Engine, settings, surroundings};

/// What tells callers apart, without a server that asks the database in the background.
struct Bench {
    store: Store,
    callers: Callers,
    clock: Arc<FrozenClock>,
    token: String,
    principal: Principal,
}

impl Bench {
    async fn decide(&self, right: &Right, place: &Place) -> Decision {
        let header = format!("Bearer {}", self.token);
        let caller = self.callers.resolve(Some(header.as_bytes()), &self.store, self.clock.as_ref()).await.unwrap();
        assert_eq!(caller.principal, self.principal);
        decide(&caller, right, Target::Place(place))
    }

    async fn grant(&self, right: Right, contexts: Vec<Context>) {
        let (principal, now) = (self.principal.clone(), self.clock.now());
        let granted = self.store.write(move |tx| {
            contexts.iter().try_for_each(|context| {
                tx.grant(&principal, &Grant { right: right.clone(), context: context.clone() }, now)
            })
        });
        granted.await.unwrap();
    }
}

/// The administrator of a fresh database, with an application's worth of nothing granted.
async fn bench(engine: Engine, keep: &mut Vec<Box<dyn std::any::Any>>) -> Bench {
    let database = matches!(engine, Engine::Postgres).then(database);
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder, database.as_ref());
    let (clock, around) = (Arc::new(FrozenClock::default()), surroundings());
    let (store, first) = start::open(&settings, clock.as_ref(), around.random.as_ref(), &around.keys).await.unwrap();
    let keys = store.read(|tx| tx.server_keys()).await.unwrap();
    let tokens = AccessTokens::new("http://here".to_owned(), &keys, 600).unwrap();
    let administrator = store.read(|tx| tx.profile_by_username("admin")).await.unwrap().unwrap();
    keep.push(Box::new((folder, database)));
    Bench {
        store,
        callers: Callers::new(Arc::new(tokens)),
        clock,
        token: first.unwrap().admin_token,
        principal: Principal::User(administrator.id),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_about_somebody_known_runs_no_sql() {
    for engine in BOTH {
        let mut keep = Vec::new();
        let bench = bench(engine, &mut keep).await;
        let projects = (0..1_000).map(|index| Context::Project(format!("p{index}"))).collect();
        bench.grant(Right::from_code("Project.View"), projects).await;
        let place = Place::from(Context::Project("p7".to_owned()));
        assert_eq!(bench.decide(&Right::from_code("Project.View"), &place).await, Decision::Allowed);
        let begun = bench.store.transactions();
        for _ in 0..100 {
            assert_eq!(bench.decide(&Right::from_code("Project.View"), &place).await, Decision::Allowed);
        }
        assert_eq!(bench.store.transactions(), begun);
        bench.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_on_another_node_counts_within_a_second_and_one_on_this_node_at_once() {
    for engine in BOTH {
        let mut keep = Vec::new();
        let bench = bench(engine, &mut keep).await;
        let revoke = |at| {
            let principal = bench.principal.clone();
            bench.store.write(move |tx| tx.revoke_tokens_of(&principal, at))
        };
        let header = format!("Bearer {}", bench.token);
        let resolve = || bench.callers.resolve(Some(header.as_bytes()), &bench.store, bench.clock.as_ref());
        resolve().await.unwrap();
        // Changed behind this node's back, as another node does it.
        revoke(bench.clock.now()).await.unwrap();
        resolve().await.expect("nothing has told this node yet");
        bench.clock.advance(std::time::Duration::from_secs(1));
        assert_eq!(resolve().await.unwrap_err().status, 401, "a second later it looks for itself");
        bench.store.close().await;
    }
    let mut keep = Vec::new();
    let bench = bench(Engine::Sqlite, &mut keep).await;
    let header = format!("Bearer {}", bench.token);
    let resolve = || bench.callers.resolve(Some(header.as_bytes()), &bench.store, bench.clock.as_ref());
    resolve().await.unwrap();
    let (principal, now) = (bench.principal.clone(), bench.clock.now());
    bench.store.write(move |tx| tx.revoke_tokens_of(&principal, now)).await.unwrap();
    bench.callers.notice(&bench.store, bench.clock.as_ref()).await.unwrap();
    assert_eq!(resolve().await.unwrap_err().status, 401, "the periodic look has told it");
}
