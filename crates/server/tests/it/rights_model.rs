//! No sequence of requests, approvals, withdrawals, changes of roles and archivings lets anybody act beyond
//! what was granted: the rules, and the running server, against a reference that remembers everything and searches it.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use spaceport_platform::access::{Caller, Credential, Decision, Grant, Owner, Principal, Target, Through, decide};
use spaceport_platform::authorization::{Family, RightStatus, Wish, capacity, may_grant};
use spaceport_platform::context::{Context, Place};
use spaceport_platform::directory::project::{Openness, Project};
use spaceport_platform::event::entitled;
use spaceport_platform::grants::{Grants, Limit};
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::right::Right;
use spaceport_store::StoreError;

use crate::authorizations::directory;
use crate::harness::{BOTH, Made, Server};

const RIGHTS: [&str; 4] = ["Project.Issues.View", "Project.View", "Project.Admin", "Superadmin"];
const CONTEXTS: [&str; 4] = ["global", "project:id:open", "packageRepository:packages", "project:id:closed"];
const STATUSES: [RightStatus; 4] =
    [RightStatus::None, RightStatus::Requested, RightStatus::Granted, RightStatus::Rejected];
/// Which application made each one; the second is a child of the first.
const MAKERS: [Option<usize>; 3] = [None, Some(0), None];

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Actor {
    Administrator,
    Keeper,
    Application(usize),
}

/// One thing that somebody tries.
#[derive(Clone, Copy, Debug)]
enum Step {
    Set { by: Actor, application: usize, right: usize, context: usize, to: RightStatus },
    Keeper { right: usize, context: usize, holds: bool },
    Archive(usize),
    Restore(usize),
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let actor = prop_oneof![
        3 => Just(Actor::Administrator),
        3 => Just(Actor::Keeper),
        3 => (0..MAKERS.len()).prop_map(Actor::Application),
    ];
    let set = (actor, 0..MAKERS.len(), 0..RIGHTS.len(), 0..CONTEXTS.len(), 0..STATUSES.len()).prop_map(
        |(by, application, right, context, to)| Step::Set { by, application, right, context, to: STATUSES[to] },
    );
    let keeper = (0..RIGHTS.len(), 0..CONTEXTS.len(), any::<bool>()).prop_map(|(right, context, holds)| Step::Keeper {
        right,
        context,
        holds,
    });
    let step = prop_oneof![
        12 => set,
        4 => keeper,
        1 => (0..MAKERS.len()).prop_map(Step::Archive),
        2 => (0..MAKERS.len()).prop_map(Step::Restore),
    ];
    prop::collection::vec(step, 1..most)
}

/// What the keeper agreed to: rights in contexts.
fn agreed() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..RIGHTS.len(), 0..CONTEXTS.len()), 0..6)
}

/// Everything that was accepted, in order. Nothing is kept beside it: every question searches it.
#[derive(Default)]
struct Reference(Vec<Step>);

impl Reference {
    /// Whether what holds in one context holds in another: everything below global, the repository below the project
    /// it lies in.
    fn covers(outer: usize, inner: usize) -> bool {
        outer == inner || outer == 0 || (outer == 3 && inner == 2)
    }

    fn status(&self, of: usize, what: usize, place: usize) -> RightStatus {
        self.0
            .iter()
            .rev()
            .find_map(|step| match step {
                Step::Set { application, right, context, to, .. }
                    if (*application, *right, *context) == (of, what, place) =>
                {
                    Some(*to)
                }
                _ => None,
            })
            .unwrap_or(RightStatus::None)
    }

    fn archived(&self, which: usize) -> bool {
        self.0
            .iter()
            .rev()
            .find_map(|step| match step {
                Step::Archive(one) if *one == which => Some(true),
                Step::Restore(one) if *one == which => Some(false),
                _ => None,
            })
            .unwrap_or(false)
    }

    fn application_holds(&self, of: usize, what: usize, place: usize) -> bool {
        let granted = |context| self.status(of, what, context) == RightStatus::Granted;
        !self.archived(of) && (0..CONTEXTS.len()).any(|context| Self::covers(context, place) && granted(context))
    }

    fn keeper_has(&self, what: usize, place: usize) -> bool {
        self.0
            .iter()
            .rev()
            .find_map(|step| match step {
                Step::Keeper { right, context, holds } if (*right, *context) == (what, place) => Some(*holds),
                _ => None,
            })
            .unwrap_or(false)
    }

    fn holds(&self, who: Actor, what: usize, place: usize) -> bool {
        match who {
            Actor::Administrator => true,
            Actor::Keeper => {
                self.keeper_has(3, 0)
                    || (0..CONTEXTS.len()).any(|context| Self::covers(context, place) && self.keeper_has(what, context))
            }
            Actor::Application(one) => self.application_holds(one, what, place),
        }
    }

    fn decides(&self, who: Actor, place: usize) -> bool {
        let deciding = if place == 0 { 3 } else { 2 };
        self.holds(who, deciding, place) || self.holds(who, 3, 0)
    }

    fn kin(one: usize, other: usize) -> bool {
        one == other || MAKERS[one] == Some(other) || MAKERS[other] == Some(one)
    }

    /// Whether the step is allowed, searched for among all that happened.
    fn allows(&self, step: &Step) -> bool {
        let Step::Set { by, application, right, context, to } = *step else {
            return match *step {
                Step::Archive(one) => !self.archived(one),
                Step::Restore(one) => self.archived(one),
                _ => true,
            };
        };
        if matches!(by, Actor::Application(one) if self.archived(one)) {
            return false;
        }
        let has_asked = (0..RIGHTS.len()).any(|any| self.status(application, any, context) != RightStatus::None);
        let all = by == Actor::Administrator || (by == Actor::Keeper && self.keeper_has(3, 0));
        let manages =
            all || matches!(by, Actor::Application(one) if one == application || MAKERS[application] == Some(one));
        let in_own_cause = matches!(by, Actor::Application(one) if Self::kin(one, application));
        let decides = self.decides(by, context) && (manages || has_asked) && !in_own_cause;
        let before = self.status(application, right, context);
        match to {
            RightStatus::Requested => (decides || manages) && !self.archived(application),
            RightStatus::Granted => decides && self.holds(by, right, context) && !self.archived(application),
            RightStatus::Rejected => decides && before != RightStatus::None,
            RightStatus::None => decides || (manages && before != RightStatus::Rejected),
        }
    }

    /// Takes an accepted step in. Asking for what is granted leaves it granted.
    fn accept(&mut self, step: Step) {
        let kept = matches!(step, Step::Set { application, right, context, to: RightStatus::Requested, .. }
            if self.status(application, right, context) == RightStatus::Granted);
        if !kept {
            self.0.push(step);
        }
    }
}

/// The rules of the platform, put together as the server does it, without one.
#[derive(Default)]
struct Rules {
    rights: HashMap<(usize, usize, usize), RightStatus>,
    keeper: Vec<Grant>,
    archived: [bool; 3],
}

fn right(index: usize) -> Right {
    Right::from_code(RIGHTS[index])
}

fn place(index: usize) -> Place {
    let closed = Context::Project("closed".to_owned());
    match index {
        0 => Place::GLOBAL,
        1 => Context::Project("open".to_owned()).into(),
        2 => Place::within(Context::PackageRepository("packages".to_owned()), closed),
        _ => closed.into(),
    }
}

fn id(index: usize) -> ApplicationId {
    ApplicationId::new(format!("a{index}"))
}

fn family(index: usize) -> Family {
    Family { application: id(index), root: id(MAKERS[index].unwrap_or(index)) }
}

impl Rules {
    fn grants(&self, application: usize) -> Arc<Grants> {
        let granted =
            self.rights.iter().filter(|((one, _, _), status)| *one == application && **status == RightStatus::Granted);
        Arc::new(
            granted
                .map(|((_, what, at), _)| Grant { right: right(*what), context: place(*at).context().clone() })
                .collect(),
        )
    }

    /// The caller; none when his token is dead.
    fn caller(&self, by: Actor) -> Option<Caller> {
        let (principal, grants) = match by {
            Actor::Administrator => {
                let all = [Grant { right: Right::SUPERADMIN, context: Context::Global }].into_iter().collect();
                (Principal::User(ProfileId::new("root")), Arc::new(all))
            }
            Actor::Keeper => {
                (Principal::User(ProfileId::new("keeper")), Arc::new(self.keeper.iter().cloned().collect()))
            }
            Actor::Application(one) if self.archived[one] => return None,
            Actor::Application(one) => (Principal::Application(id(one)), self.grants(one)),
        };
        Some(Caller::new(principal, grants, Limit::Everything, Credential::AccessToken))
    }

    fn attempt(&mut self, step: &Step) -> bool {
        let Step::Set { by, application, right: what, context, to } = *step else {
            match *step {
                Step::Keeper { right: what, context, holds } => {
                    let grant = Grant { right: right(what), context: place(context).context().clone() };
                    self.keeper.retain(|known| *known != grant);
                    if holds {
                        self.keeper.push(grant);
                    }
                }
                Step::Archive(one) if !self.archived[one] => self.archived[one] = true,
                Step::Restore(one) if self.archived[one] => self.archived[one] = false,
                _ => return false,
            }
            return true;
        };
        let Some(caller) = self.caller(by) else { return false };
        let owner = match MAKERS[application] {
            Some(maker) => Owner::Application(id(maker)),
            None => Owner::User(ProfileId::new("root")),
        };
        let (target, named) = (id(application), family(application));
        let on = Target::Application { id: &target, owner: &owner };
        let may = |right: &Right| decide(&caller, right, on) == Decision::Allowed;
        let asked = self
            .rights
            .iter()
            .any(|((one, _, at), status)| (*one, *at) == (application, context) && *status != RightStatus::None);
        let acting = match by {
            Actor::Application(one) => Some(family(one)),
            _ => None,
        };
        let sees = may(&Right::VIEW_APPLICATIONS) || asked;
        let edit = decide(&caller, &Right::EDIT_APPLICATIONS, on);
        let capacity = capacity(&caller, &place(context), acting.as_ref(), &named, edit);
        let Some(capacity) = capacity.filter(|_| sees) else { return false };
        let wish = to.wish();
        let active = !matches!(wish, Wish::Request | Wish::Grant) || !self.archived[application];
        let grantable =
            wish != Wish::Grant || may_grant(&caller, &right(what), &place(context), acting.as_ref(), &named);
        let entry = self.rights.entry((application, what, context)).or_insert(RightStatus::None);
        match entry.after(wish, capacity) {
            Ok(status) if active && grantable => *entry = status,
            _ => return false,
        }
        true
    }
}

proptest! {
    #![proptest_config(Config { cases: 3_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_rules_let_nobody_act_beyond_what_was_granted(sequence in steps(40), agreed in agreed()) {
        let (mut reference, mut rules) = (Reference::default(), Rules::default());
        let grants = agreed.iter().map(|(what, at)| Grant { right: right(*what), context: place(*at).context().clone() });
        let consent = Limit::Only(grants.collect());
        let length = sequence.len();
        for (index, step) in sequence.into_iter().enumerate() {
            let allowed = reference.allows(&step);
            prop_assert_eq!(rules.attempt(&step), allowed, "{:?}", step);
            if allowed {
                reference.accept(step);
            }
            for application in 0..MAKERS.len() {
                let keeper = rules.caller(Actor::Keeper).unwrap();
                let through = |consent| Through { application: id(application), grants: rules.grants(application), consent };
                let caller = rules.caller(Actor::Application(application));
                for (what, at) in (0..RIGHTS.len()).flat_map(|what| (0..CONTEXTS.len()).map(move |at| (what, at))) {
                    let expected = reference.application_holds(application, what, at);
                    let (right, place) = (right(what), place(at));
                    let acts = caller.as_ref().is_some_and(|caller| decide(caller, &right, Target::Place(&place)) == Decision::Allowed);
                    prop_assert_eq!(acts, expected, "application {} {} {}", application, right, CONTEXTS[at]);
                    if rules.archived[application] {
                        continue;
                    }
                    let hears = entitled(&id(application), std::slice::from_ref(&right), &place, None, &rules.grants(application));
                    prop_assert_eq!(hears, expected);
                    let both = expected && reference.holds(Actor::Keeper, what, at);
                    let covered = agreed.iter().any(|(one, context)| *one == what && Reference::covers(*context, at));
                    // What was agreed to never changes, so it is enough to look in the end.
                    let limits = [(Limit::Everything, both), (consent.clone(), both && covered), (Limit::nothing(), false)];
                    let looked_at = if index + 1 == length { 3 } else { 1 };
                    for (consent, expected) in limits.into_iter().take(looked_at) {
                        let user = keeper.clone().through(through(consent));
                        let acts = decide(&user, &right, Target::Place(&place)) == Decision::Allowed;
                        prop_assert_eq!(acts, expected, "keeper through {}, {} {}", application, right, CONTEXTS[at]);
                    }
                }
            }
        }
    }
}

/// The role that gives a right in a context.
fn role(right: usize, context: usize) -> String {
    format!("role-{right}-{context}")
}

/// The same on a running server.
struct World {
    server: Server,
    applications: Vec<Made>,
    keeper: String,
}

impl World {
    async fn start(server: Server) -> Self {
        let first = server.application(json!({ "name": "first" })).await;
        server.grant(&first.id, "global", &["Applications.Create"]).await;
        let child = server.client.post("/api/http/applications").bearer(&first.token).json(&json!({ "name": "child" }));
        let child = child.send().await.expect(200).json();
        let id = child["id"].as_str().unwrap().to_owned();
        let secret = format!("/api/http/applications/id:{id}/client-secret");
        let secret = server.client.get(&secret).bearer(&server.admin).send().await.expect(200).json();
        let (client_id, secret) = (child["clientId"].as_str().unwrap().to_owned(), secret.as_str().unwrap().to_owned());
        let token = server.token(&client_id, &secret).await;
        server.set_rights(&first.id, "global", &["Applications.Create"], "NONE").await;
        let other = server.application(json!({ "name": "other" })).await;
        let keeper = server.person("keeper", &[]).await;
        directory(&server).await;
        // Who may see what is asked elsewhere.
        let all_public = server.running.store().write(|tx| {
            let closed = tx
                .projects(&["closed".to_owned()])?
                .into_iter()
                .map(|project| Project { openness: Openness::Public, ..project });
            tx.save_projects(&closed.collect::<Vec<_>>())
        });
        all_public.await.map_err(|error: StoreError| error.to_string()).unwrap();
        let host = server.host().await;
        let roles = (0..RIGHTS.len()).flat_map(|right| (0..CONTEXTS.len()).map(move |context| (right, context)));
        let roles = roles.map(|(right, context)| {
            let id = role(right, context);
            json!({ "id": id, "name": id, "context": CONTEXTS[context], "rights": [RIGHTS[right]] })
        });
        let body = json!({ "roles": roles.collect::<Vec<_>>() });
        server.client.put("/api/host/v1/directory/roles").bearer(&host).json(&body).send().await.expect(200);
        Self { server, applications: vec![first, Made { id, client_id, secret, token }, other], keeper }
    }

    /// Tries a step; answers whether it was accepted.
    async fn attempt(&mut self, step: &Step) -> bool {
        let path = |application: usize| format!("/api/http/applications/id:{}", self.applications[application].id);
        let client = &self.server.client;
        let answer = match *step {
            Step::Set { by, application, right, context, to } => {
                let token = match by {
                    Actor::Administrator => &self.server.admin,
                    Actor::Keeper => &self.keeper,
                    Actor::Application(one) => &self.applications[one].token,
                };
                let update = json!({ "rightCode": RIGHTS[right], "status": to.name() });
                let body = json!({ "contextIdentifier": CONTEXTS[context], "updates": [update] });
                let path = format!("{}/authorizations/authorized-rights", path(application));
                client.patch(&path).bearer(token).json(&body).send().await
            }
            Step::Keeper { right, context, holds } => {
                let member = format!("/api/http/permission-roles/{}/profiles/username:keeper", role(right, context));
                let call = if holds { client.post(&member) } else { client.delete(&member) };
                call.bearer(&self.server.admin).send().await
            }
            Step::Archive(one) => client.delete(&path(one)).bearer(&self.server.admin).send().await,
            Step::Restore(one) => {
                client.post(&format!("{}/restore", path(one))).bearer(&self.server.admin).send().await
            }
        };
        let accepted = answer.status.as_u16() == 200;
        if let (Step::Restore(one), true) = (step, accepted) {
            let made = &self.applications[*one];
            self.applications[*one].token = self.server.token(&made.client_id, &made.secret).await;
        }
        accepted
    }

    /// Who holds what, as the server answers the host.
    async fn holds(&self) -> Vec<bool> {
        let host = self.server.host().await;
        let mut checks = Vec::new();
        let applications = self.applications.iter().map(|application| format!("application:id:{}", application.id));
        for principal in applications.chain(["profile:username:keeper".to_owned()]) {
            for (right, context) in RIGHTS.iter().flat_map(|right| CONTEXTS.iter().map(move |context| (right, context)))
            {
                checks.push(json!({ "principal": principal, "right": right, "context": context }));
            }
        }
        let call = self.server.client.post("/api/host/v1/check").bearer(&host).json(&json!({ "checks": checks }));
        let answer: Value = call.send().await.expect(200).json();
        answer["results"].as_array().unwrap().iter().map(|result| result["allowed"].as_bool().unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_lets_nobody_act_beyond_what_was_granted() {
    for engine in BOTH {
        let mut world = World::start(Server::start(engine).await).await;
        let mut reference = Reference::default();
        // One world for all sequences: what the one before left behind is where the next one begins.
        let mut runner = TestRunner::deterministic();
        for _ in 0..6 {
            for step in steps(30).new_tree(&mut runner).unwrap().current() {
                let allowed = reference.allows(&step);
                assert_eq!(world.attempt(&step).await, allowed, "{step:?} after {:?}", reference.0);
                if allowed {
                    reference.accept(step);
                }
            }
            let who = (0..MAKERS.len()).map(Actor::Application).chain([Actor::Keeper]);
            let expected: Vec<bool> = who
                .flat_map(|who| {
                    (0..RIGHTS.len()).flat_map(move |what| (0..CONTEXTS.len()).map(move |at| (who, what, at)))
                })
                .map(|(who, what, at)| reference.holds(who, what, at))
                .collect();
            assert_eq!(world.holds().await, expected, "after {:?}", reference.0);
        }
        world.server.running.stop().await;
    }
}
