//! Who is told apart without asking the database, and when that ends.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use spaceport_platform::access::{Caller, Decision, Grant as Granted, Principal, Target, decide};
use spaceport_platform::context::{Context, Place};
use spaceport_platform::delegation::{ClientKind, Delegation};
use spaceport_platform::directory::project::{Openness, Project};
use spaceport_platform::id::DelegationId;
use spaceport_platform::identifier::PermissionContextIdentifier;
use spaceport_platform::right::Right;
use spaceport_platform::scope::Scope;
use spaceport_platform::time::Clock as _;
use spaceport_server::asked::{Question, answers};
use spaceport_server::http::caller::Callers;
use spaceport_server::oauth::jwt::Grant;
use spaceport_server::oauth::ring::AccessTokens;
use spaceport_server::start;
use spaceport_store::{Store, StoreError};
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::postgres::database;
use tempfile::TempDir;

use crate::harness::{BOTH, Engine, settings, surroundings};

/// What tells callers apart, without a server that asks the database in the background.
struct Bench {
    store: Store,
    callers: Callers,
    tokens: Arc<AccessTokens>,
    clock: Arc<FrozenClock>,
    token: String,
    principal: Principal,
    host_client_id: String,
}

impl Bench {
    async fn decide(&self, right: &Right, place: &Place) -> Decision {
        let header = format!("Bearer {}", self.token);
        let caller = self.callers.resolve(Some(header.as_bytes()), &self.store, self.clock.as_ref()).await.unwrap();
        assert_eq!(caller.principal, self.principal);
        decide(&caller, right, Target::Place(place))
    }

    async fn resolve(&self, token: &str) -> Arc<Caller> {
        let header = format!("Bearer {token}");
        self.callers.resolve(Some(header.as_bytes()), &self.store, self.clock.as_ref()).await.unwrap()
    }

    /// An access token of the host's application: its own, and one by which it acts for the administrator.
    async fn access_tokens(&self) -> [String; 2] {
        let (client_id, now) = (self.host_client_id.clone(), self.clock.now());
        let Principal::User(administrator) = self.principal.clone() else { panic!("a person administers") };
        let stored = self.store.write(move |tx| {
            let application = tx.application_by_client_id(&client_id)?.unwrap();
            let delegation = Delegation {
                id: DelegationId::new("d"),
                application: application.id.clone(),
                profile: administrator.clone(),
                scope: Scope::Everything,
                client: ClientKind::Confidential,
                created_at: now,
                expires_at: now.plus(Duration::from_secs(3600)),
                revoked_at: None,
            };
            tx.insert_delegation(&delegation)?;
            Ok::<_, StoreError>((application, delegation))
        });
        let (application, delegation) = stored.await.unwrap();
        let issue = async |subject: &str, delegation: Option<DelegationId>| {
            let grant = Grant {
                client_id: self.host_client_id.clone(),
                subject: subject.to_owned(),
                scope: "**".to_owned(),
                stamp: application.tokens_not_before,
                delegation,
            };
            self.tokens.issue(grant, format!("of {subject}"), now).await.unwrap()
        };
        let own = issue(&self.host_client_id, None).await;
        [own, issue(delegation.profile.as_str(), Some(delegation.id)).await]
    }

    async fn ask(&self, who: &str, right: &str, context: &str) -> bool {
        let principal = serde_json::from_value(json!(who)).unwrap();
        let context = PermissionContextIdentifier::parse(context).unwrap();
        let question = Question::read(&principal, Right::from_code(right), context, &Caller::nobody()).unwrap();
        answers(&self.callers, &self.store, self.clock.as_ref(), vec![question]).await.unwrap()[0]
    }

    async fn grant(&self, right: Right, contexts: Vec<Context>) {
        let (principal, now) = (self.principal.clone(), self.clock.now());
        let granted = self.store.write(move |tx| {
            contexts.iter().try_for_each(|context| {
                tx.grant(&principal, &Granted { right: right.clone(), context: context.clone() }, now)
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
    let tokens = Arc::new(AccessTokens::new("http://here".to_owned(), &keys, 600).unwrap());
    let administrator = store.read(|tx| tx.profile_by_username("admin")).await.unwrap().unwrap();
    keep.push(Box::new((folder, database)));
    let first = first.unwrap();
    Bench {
        store,
        callers: Callers::new(Arc::clone(&tokens)),
        tokens,
        clock,
        token: first.admin_token,
        host_client_id: first.host_client_id,
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
async fn access_tokens_that_were_seen_are_told_apart_without_sql() {
    for engine in BOTH {
        let mut keep = Vec::new();
        let bench = bench(engine, &mut keep).await;
        let tokens = bench.access_tokens().await;
        let mut callers = Vec::new();
        for token in &tokens {
            callers.push(bench.resolve(token).await);
        }
        assert!(callers[0].application().is_some() && callers[0].through.is_none());
        assert!(callers[1].user().is_some() && callers[1].through.is_some());
        let begun = bench.store.transactions();
        for (token, caller) in tokens.iter().zip(&callers) {
            for _ in 0..100 {
                assert_eq!(bench.resolve(token).await, *caller);
            }
        }
        assert_eq!(bench.store.transactions(), begun);
        bench.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_were_asked_before_run_no_sql_until_something_changed() {
    for engine in BOTH {
        let mut keep = Vec::new();
        let bench = bench(engine, &mut keep).await;
        let project = Project {
            id: "p".to_owned(),
            key: "KEY".to_owned(),
            name: "P".to_owned(),
            description: None,
            icon: None,
            openness: Openness::Private,
            created_at: bench.clock.now(),
            archived_at: None,
        };
        let renamed = Project { key: "OTHER".to_owned(), ..project.clone() };
        bench.store.write(move |tx| tx.save_projects(std::slice::from_ref(&project))).await.unwrap();
        let host = format!("application:clientId:{}", bench.host_client_id);
        let questions = [
            ("profile:username:admin", "Project.View", "project:key:KEY", true),
            ("profile:username:admin", "Project.View", "project:id:p", true),
            (host.as_str(), "Host.PublishEvents", "global", true),
            (host.as_str(), "Project.View", "project:key:KEY", false),
        ];
        // Somebody asks, so that this node has looked what the present revision is.
        bench.resolve(&bench.token).await;
        for (who, right, context, expected) in questions {
            assert_eq!(bench.ask(who, right, context).await, expected, "{who} {right} {context}");
        }
        let begun = bench.store.transactions();
        for (who, right, context, expected) in questions {
            assert_eq!(bench.ask(who, right, context).await, expected, "{who} {right} {context}");
        }
        assert_eq!(bench.store.transactions(), begun);
        // Another node gives the project another key; what holds follows the project, not the key.
        bench.store.write(move |tx| tx.save_projects(std::slice::from_ref(&renamed))).await.unwrap();
        bench.clock.advance(Duration::from_secs(1));
        assert!(!bench.ask("profile:username:admin", "Project.View", "project:key:KEY").await);
        assert!(bench.ask("profile:username:admin", "Project.View", "project:key:OTHER").await);
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
        bench.clock.advance(Duration::from_secs(1));
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
