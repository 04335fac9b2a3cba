//! Every operation of Space and of the host, by every kind of caller and with every kind of fault: one row an operation.
//!
//! A row says what a good call looks like; the runner makes the bad ones from it. A resource has a file of rows under
//! `cases/` and a line in [`rows`]. An operation without a row fails a test.
//!
//! ```ignore
//! case("api.webhook.delete").with(|server, made| async move { vec![("webhookId", server.webhook(&made.token, json!({})).await)] })
//! case("api.webhook.create").body(json!({ "name": "hook" })).malformed(json!({ "name": 7 }), "name")
//! ```

mod applications;
mod authorizations;
mod connected;
mod consents;
mod deliveries;
mod directory;
mod host;
mod installation;
mod keys;
mod organization;
mod parameters;
mod permanent_tokens;
mod roles;
mod scene;
mod secrets;
mod ui_extensions;
pub(crate) mod unfurl_targets;
mod webhooks;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use spaceport_server::operations::described;
use spaceport_testkit::http::{Call, Response};
use spaceport_wire::describe::{Method, Operation, Surface};

use self::scene::Scene;
use crate::export::require_answer;
use crate::harness::{BOTH, Made, Server};

/// All rows, resource by resource.
fn rows() -> Vec<Case> {
    [
        applications::rows(),
        authorizations::rows(),
        consents::rows(),
        directory::rows(),
        host::rows(),
        deliveries::rows(),
        installation::rows(),
        keys::rows(),
        parameters::rows(),
        organization::rows(),
        permanent_tokens::rows(),
        roles::rows(),
        secrets::rows(),
        ui_extensions::rows(),
        unfurl_targets::rows(),
        webhooks::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

type Variables = Vec<(&'static str, String)>;
type Prepare = Arc<dyn for<'a> Fn(&'a Server, &'a Made) -> BoxFuture<'a, Variables> + Send + Sync>;

/// Who makes the good call.
#[derive(Clone, Copy, PartialEq)]
enum Entitled {
    /// The application; where rights in the whole organization are asked for, the administrator.
    Default,
    /// A person, through the application.
    Person,
    /// The administrator.
    Administrator,
}

/// What callers get to whom nothing is granted.
#[derive(Clone, Copy, PartialEq)]
enum Strangers {
    /// That they lack a right.
    Refused,
    /// That there is nothing.
    SeeNothing,
    /// Applications, that they lack a right; people, what every member of the organization gets.
    Members,
    /// What everybody gets.
    Served,
}

/// Who uses applications here; nothing is granted to him.
pub(crate) const PERSON: &str = "stranger";

/// A row: an operation and what a good call of it looks like.
pub(crate) struct Case {
    operation: &'static str,
    body: Option<Value>,
    query: String,
    malformed: Vec<(Value, &'static str)>,
    prepare: Prepare,
    anything: Vec<&'static str>,
    refused: Option<(u16, &'static str, &'static str)>,
    by: Entitled,
    strangers: Strangers,
    status: u16,
    check: fn(&Value),
}

/// A row for the operation of this name.
pub(crate) fn case(operation: &'static str) -> Case {
    Case {
        operation,
        body: None,
        query: String::new(),
        malformed: Vec::new(),
        prepare: Arc::new(|_, _| async { Vec::new() }.boxed()),
        anything: Vec::new(),
        refused: None,
        by: Entitled::Default,
        strangers: Strangers::Refused,
        status: 200,
        check: |_| {},
    }
}

impl Case {
    /// A good body.
    pub(crate) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// A good query, without `?`.
    pub(crate) fn query(self, query: impl Into<String>) -> Self {
        Self { query: query.into(), ..self }
    }

    /// A body that is refused with `validation-error`, and the field that the refusal names.
    pub(crate) fn malformed(mut self, body: Value, field: &'static str) -> Self {
        self.malformed.push((body, field));
        self
    }

    /// Makes what the call needs, as the application; answers the path variables that name it. A variable that names
    /// nothing is answered with `404`.
    pub(crate) fn with<F>(self, prepare: F) -> Self
    where
        F: for<'a> Fn(&'a Server, &'a Made) -> BoxFuture<'a, Variables> + Send + Sync + 'static,
    {
        Self { prepare: Arc::new(prepare), ..self }
    }

    /// What is made names nothing in the path.
    pub(crate) fn without_variables(self) -> Self {
        let prepare = self.prepare;
        let prepare: Prepare = Arc::new(move |server, made| prepare(server, made).map(|_| Vec::new()).boxed());
        Self { prepare, ..self }
    }

    /// A path variable that may name what does not exist yet.
    pub(crate) fn anything(mut self, variable: &'static str) -> Self {
        self.anything.push(variable);
        self
    }

    /// A good call is refused for a reason of the application's state, with `validation-error` and these words.
    pub(crate) fn refused(self, words: &'static str) -> Self {
        Self { refused: Some((400, "validation-error", words)), ..self }
    }

    /// There is never anything to be found, as these words say.
    pub(crate) fn not_found(self, words: &'static str) -> Self {
        Self { refused: Some((404, "not-found", words)), ..self }
    }

    /// The good call is made by the administrator.
    pub(crate) fn by_administrator(self) -> Self {
        Self { by: Entitled::Administrator, ..self }
    }

    /// Strangers get the answer that they would get if there was nothing.
    pub(crate) fn hidden_from_strangers(self) -> Self {
        Self { strangers: Strangers::SeeNothing, ..self }
    }

    /// Every member of the organization may call.
    pub(crate) fn for_members(self) -> Self {
        Self { strangers: Strangers::Members, ..self }
    }

    /// Everybody who signed in may call.
    pub(crate) fn for_everybody(self) -> Self {
        Self { strangers: Strangers::Served, ..self }
    }

    /// The good call is answered with `202`.
    pub(crate) fn accepted(self) -> Self {
        Self { status: 202, ..self }
    }

    /// The good call is made by [`PERSON`], through the application.
    pub(crate) fn by_person(self) -> Self {
        Self { by: Entitled::Person, ..self }
    }

    /// Looks at the answer of the good call.
    pub(crate) fn answers(self, check: fn(&Value)) -> Self {
        Self { check, ..self }
    }
}

/// Operations that are no `GET` and yet change nothing that anybody would ask the audit trail about: what applications
/// say of their own health, again and again; and what only looks.
const CHANGES_NOTHING: &[&str] = &[
    "api.application.healthy",
    // What people do with applications, which is the product's to remember.
    "host.application.payloads.send",
    // Questions, in a body because they are long.
    "api.permission.check",
    "api.role.list",
    "host.right.check",
    "host.webhook.preview",
    // The file that follows is what counts; events are a record of their own.
    "api.upload.create",
    "host.event.publish",
];

#[test]
fn every_operation_of_space_and_of_the_host_has_a_row() {
    let rows: Vec<_> = rows().iter().map(|case| case.operation).collect();
    let known: BTreeSet<_> = rows.iter().copied().collect();
    assert_eq!(rows.len(), known.len(), "an operation has two rows");
    let served = described().into_iter();
    let served = served.filter(|operation| [Surface::Space, Surface::Host].contains(&operation.surface));
    let served: BTreeSet<_> = served.map(|operation| operation.name).collect();
    let missing: Vec<_> = served.difference(&known).collect();
    assert!(missing.is_empty(), "add rows under crates/server/tests/it/cases/ for {missing:?}");
    let unknown: Vec<_> = known.difference(&served).collect();
    assert!(unknown.is_empty(), "rows for operations that are not served: {unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_admits_and_refuses_as_it_should() {
    for engine in BOTH {
        let scene = Scene::start(engine).await;
        for case in rows() {
            let operation = described().into_iter().find(|operation| operation.name == case.operation).unwrap();
            Run { scene: &scene, case: &case, operation: &operation, made: &scene.made(&case).await }.whole().await;
        }
        scene.server.running.stop().await;
    }
}

/// One row on its way through all the calls.
struct Run<'a> {
    scene: &'a Scene,
    case: &'a Case,
    operation: &'a Operation,
    made: &'a Made,
}

impl Run<'_> {
    async fn whole(&self) {
        let variables = (self.case.prepare)(&self.scene.server, self.made).await;
        let names_application = self.operation.path.contains("/v1/applications/{application}")
            || self.operation.path.contains("/http/applications/{application}");
        // The administrator holds what is asked for in the whole organization; an application holds it on itself.
        let access = &self.operation.access;
        let of_organization = access.ends_with(" globally") || access.ends_with(" in the context");
        let entitled = match self.case.by {
            Entitled::Person => self.scene.server.delegated(self.made, PERSON, "").await,
            Entitled::Administrator => self.scene.server.admin.clone(),
            Entitled::Default if of_organization => self.scene.server.admin.clone(),
            Entitled::Default => self.made.token.clone(),
        };
        let entitled = entitled.as_str();
        self.nobody_has_to_sign_in(&variables).await;
        if names_application {
            self.others_do_not_see_it(&variables).await;
            self.unknown_applications_are_not_found(&variables).await;
            self.viewers_lack_the_right(&variables).await;
        } else {
            self.strangers_are_refused(&variables).await;
        }
        self.unknown_things_are_not_found(&variables, entitled).await;
        self.malformed_bodies_name_the_field(&variables, entitled).await;
        self.a_good_call_succeeds(&variables, entitled).await;
    }

    /// The operation's own call, by this caller, with these variables.
    async fn call(
        &self,
        token: Option<&str>,
        application: &str,
        variables: &Variables,
        body: Option<&str>,
    ) -> Response {
        let mut path = self.operation.path.replace("{application}", application);
        for (name, value) in variables {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        assert!(!path.contains('{'), "{}: the row gives no value for a variable of {path}", self.case.operation);
        if !self.case.query.is_empty() {
            path = format!("{path}?{}", self.case.query);
        }
        let client = &self.scene.server.client;
        let call: Call = match self.operation.method {
            Method::Get => client.get(&path),
            Method::Post => client.post(&path),
            Method::Patch => client.patch(&path),
            Method::Put => client.put(&path),
            Method::Delete => client.delete(&path),
        };
        let call = match token {
            Some(token) => call.bearer(token),
            None => call,
        };
        let good = self.case.body.as_ref().map(Value::to_string);
        match body.map(str::to_owned).or(good) {
            Some(body) => call.raw_body(body).send().await,
            None => call.send().await,
        }
    }

    fn itself(&self) -> String {
        format!("id:{}", self.made.id)
    }

    fn expect(&self, what: &str, answer: &Response, status: u16, code: &str) {
        let text = answer.text();
        assert_eq!(answer.status.as_u16(), status, "{}, {what}: {text}", self.case.operation);
        let error = answer.json()["error"].clone();
        assert_eq!(error, code, "{}, {what}: {text}", self.case.operation);
    }

    async fn nobody_has_to_sign_in(&self, variables: &Variables) {
        let answer = self.call(None, &self.itself(), variables, None).await;
        self.expect("without a token", &answer, 401, "authentication-required");
        let wrong = self.call(Some("wrong"), &self.itself(), variables, None).await;
        self.expect("with a wrong token", &wrong, 401, "authentication-required");
    }

    /// An application that may not see another gets the answer it would get if there was none, byte for byte but for
    /// the name it used itself.
    async fn others_do_not_see_it(&self, variables: &Variables) {
        for token in [&self.scene.other.token, &self.scene.stranger] {
            let hidden = self.call(Some(token), &self.itself(), variables, None).await;
            self.expect("by a stranger", &hidden, 404, "not-found");
            let nothing = self.call(Some(token), "id:nothing", variables, None).await;
            assert_eq!(hidden.text().replace(&self.made.id, "nothing"), nothing.text(), "{}", self.case.operation);
        }
    }

    async fn unknown_applications_are_not_found(&self, variables: &Variables) {
        for unknown in ["id:nothing", "clientId:nothing", "nothing"] {
            let answer = self.call(Some(&self.scene.server.admin), unknown, variables, None).await;
            self.expect(unknown, &answer, 404, "not-found");
        }
        let answer = self.call(Some(&self.scene.server.admin), "planet:earth", variables, None).await;
        self.expect("an unknown kind of identifier", &answer, 400, "validation-error");
    }

    async fn viewers_lack_the_right(&self, variables: &Variables) {
        let right = self.operation.rights.first().copied().unwrap_or_default();
        if right == "Applications.View" {
            return;
        }
        let answer = self.call(Some(&self.scene.viewer), &self.itself(), variables, None).await;
        self.expect("by somebody who may only look", &answer, 403, "permission-denied");
        assert!(answer.text().contains(right), "{}: {}", self.case.operation, answer.text());
    }

    async fn strangers_are_refused(&self, variables: &Variables) {
        let (status, code) = match self.case.strangers {
            Strangers::Refused | Strangers::Members => (403, "permission-denied"),
            Strangers::SeeNothing => (404, "not-found"),
            Strangers::Served => return,
        };
        let mut refused = Vec::new();
        if self.case.strangers == Strangers::Members {
            refused.push(&self.scene.other.token);
        } else {
            refused.push(&self.scene.stranger);
        }
        let of_organization = self.operation.access.ends_with(" globally");
        if of_organization || self.case.strangers == Strangers::SeeNothing {
            refused.push(&self.scene.other.token);
        }
        if self.case.by == Entitled::Person {
            refused.push(&self.made.token);
        }
        for token in refused {
            let answer = self.call(Some(token), &self.itself(), variables, None).await;
            self.expect("without the right", &answer, status, code);
        }
    }

    async fn unknown_things_are_not_found(&self, variables: &Variables, entitled: &str) {
        for (index, (name, _)) in variables.iter().enumerate() {
            if self.case.anything.contains(name) {
                continue;
            }
            let mut wrong = variables.clone();
            wrong[index].1 = "nothing".to_owned();
            let answer = self.call(Some(entitled), &self.itself(), &wrong, None).await;
            self.expect(name, &answer, 404, "not-found");
        }
    }

    async fn malformed_bodies_name_the_field(&self, variables: &Variables, entitled: &str) {
        if self.operation.body.is_none() {
            assert!(self.case.malformed.is_empty(), "{} takes no body", self.case.operation);
            return;
        }
        assert!(!self.case.malformed.is_empty(), "{}: the row names no malformed body", self.case.operation);
        for broken in ["{", "[]", "7", "\"x\"", "null", "{\"a\":", "\u{0}"] {
            let answer = self.call(Some(entitled), &self.itself(), variables, Some(broken)).await;
            self.expect(broken, &answer, 400, "validation-error");
        }
        for (body, field) in &self.case.malformed {
            let text = body.to_string();
            let answer = self.call(Some(entitled), &self.itself(), variables, Some(&text)).await;
            self.expect(&text, &answer, 400, "validation-error");
            let description = answer.json()["error_description"].clone();
            let named = description.as_str().is_some_and(|description| description.contains(field));
            assert!(named, "{}, {text}: {description} does not name {field}", self.case.operation);
        }
    }

    async fn a_good_call_succeeds(&self, variables: &Variables, entitled: &str) {
        // Clients send form types and leftovers with calls that take no body; nothing comes of it.
        let junk = self.operation.body.is_none().then_some("a=b&c");
        let answer = self.call(Some(entitled), &self.itself(), variables, junk).await;
        if let Some((status, code, words)) = self.case.refused {
            self.expect("in this state", &answer, status, code);
            assert!(answer.text().contains(words), "{}: {}", self.case.operation, answer.text());
            return;
        }
        assert_eq!(answer.status.as_u16(), self.case.status, "{}: {}", self.case.operation, answer.text());
        let value = if self.operation.result.is_some() { answer.json() } else { Value::Null };
        if self.operation.result.is_none() {
            assert_eq!(answer.text(), "", "{} answers nothing", self.case.operation);
        }
        let method = format!("{:?}", self.operation.method).to_uppercase();
        require_answer(&format!("{method} {}", self.operation.path), &value);
        (self.case.check)(&value);
        self.a_change_is_recorded(&answer).await;
    }

    /// Whatever may change something has left an entry in the audit trail for this very request.
    async fn a_change_is_recorded(&self, answer: &Response) {
        let Operation { name, method, .. } = self.operation;
        if *method == Method::Get || CHANGES_NOTHING.contains(name) {
            return;
        }
        let path = format!("/api/host/v1/audit-trail?operation={name}&application=id:{}", self.made.id);
        let path = if self.operation.path.contains("{application}") {
            path
        } else {
            path.split('&').next().unwrap().to_owned()
        };
        let page = self.scene.server.client.get(&path).bearer(&self.scene.server.admin).send().await.expect(200).json();
        let request = answer.header("x-request-id");
        let entries = page["data"].as_array().unwrap();
        let found = entries.iter().find(|entry| entry["requestId"] == request);
        assert!(found.is_some(), "{name} records nothing in the audit trail: {page}");
    }
}
