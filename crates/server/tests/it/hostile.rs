//! Whatever is sent to whichever operation: the answer is never a fault of ours, and a refusal is JSON.
//!
//! Goes through the list of operations, so each new one is tried without being named here.

use std::collections::HashSet;

use serde_json::{Value, json};
use spaceport_server::operations::described;
use spaceport_testkit::http::{Call, Client};
use spaceport_wire::describe::{Method, Operation, openapi};
use tokio::task::JoinSet;

use crate::harness::{BOTH, Engine, Server};

/// Requests under way at a time.
const TOGETHER: usize = 8;

fn call(client: &Client, method: Method, path: &str) -> Call {
    match method {
        Method::Get => client.get(path),
        Method::Post => client.post(path),
        Method::Patch => client.patch(path),
        Method::Put => client.put(path),
        Method::Delete => client.delete(path),
    }
}

/// One request that must not make the server fail.
struct Attack {
    method: Method,
    path: String,
    body: Vec<u8>,
}

impl Attack {
    fn shown(&self) -> String {
        let cut = |text: &str| text.chars().take(300).collect::<String>();
        format!("{:?} {} {}", self.method, cut(&self.path), cut(&String::from_utf8_lossy(&self.body)))
    }

    async fn run(self, client: Client, token: String) -> Option<u16> {
        // What cannot be written as a request is not one.
        let sent = call(&client, self.method, &self.path).bearer(&token).raw_body(self.body.clone()).try_send().await;
        let answer = sent.ok()?;
        let status = answer.status.as_u16();
        assert!(status < 500, "{}: {status} {}", self.shown(), answer.text());
        if status >= 400 && answer.content_type() != "text/html" {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let both = body["error"].is_string() && body["error_description"].is_string();
            assert!(both, "{}: {status} {}", self.shown(), String::from_utf8_lossy(&answer.body));
        }
        Some(status)
    }
}

/// The path with the application named and `value` for every other variable.
fn filled(path: &str, application: &str, value: &str) -> String {
    let filled = path.split('/').map(|segment| match segment {
        "{application}" => application.to_owned(),
        variable if variable.starts_with('{') => value.to_owned(),
        word => word.to_owned(),
    });
    filled.collect::<Vec<_>>().join("/")
}

const VARIABLES: [&str; 18] = [
    "%00",
    "%ff",
    "%c3%28",
    "a%2Fb",
    "..",
    "%2e%2e",
    "%",
    "%zz",
    "me",
    "id:",
    ":",
    "%7B%7D",
    "%F0%9F%8E%89",
    "-1",
    "99999999999999999999",
    "'%20OR%201=1--",
    "%7Bproject:key:A,x:%7D",
    "a;b=c",
];

const QUERIES: [&str; 16] = [
    "$fields=((((",
    "$fields=*,a(b(c)),*",
    "$fields=a!9",
    "%24fields=id&$fields=id",
    "$fields=%00",
    "$skip=-1",
    "$skip=x",
    "$skip=99999999999999999999",
    "$skip=9223372036854775807&$top=9223372036854775807",
    "$top=-1",
    "$top=1e9",
    "$top=0",
    "%zz=1&a=%ff",
    "=&&&=&?&#",
    "name=%00&query=%00&owner=%00",
    "name=a&name=b&ordering=&withArchived=maybe",
];

/// Bodies that are no JSON, no object, or bottomless.
fn bodies() -> Vec<Vec<u8>> {
    let texts = [
        "",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{",
        "{}",
        "{}x",
        "{\"a\":1,}",
        "{\"name\":1e999}",
        "{\"name\":\"\\ud800\"}",
        "\u{feff}{}",
        "{\"name\":\"\\u0000\"}",
        "{\"className\":\"Nope\"}",
        "a=b&c=%zz",
        "--b\r\n\r\n",
        "{\"a\":{\"a\":{\"a\":[[[{}]]]}}}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.extend([
        vec![0xff, 0xfe],
        vec![0; 100],
        "[".repeat(50_000).into_bytes(),
        "{\"a\":".repeat(50_000).into_bytes(),
    ]);
    bodies
}

/// Values no field expects, most of them.
fn wrong_values() -> Vec<Value> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(9_007_199_254_740_993_u64),
        json!(i64::MIN),
        json!(""),
        json!("x".repeat(70_000)),
        json!("' OR 1=1 --"),
        json!("🎉\u{2028}\\\""),
        json!("a\r\nb: c"),
        json!([]),
        json!([null]),
        json!({}),
        json!({ "className": "Nope", "id": "x" }),
        json!("id:x"),
        json!("https://a.example/"),
        json!("2024-03-05"),
        deep,
    ]
}

/// A value that fits a schema, as far as that is easy to see.
fn plausible(schema: &Value, document: &Value, depth: usize) -> Value {
    if depth > 6 {
        return json!(null);
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        return document.pointer(name).map_or(Value::Null, |schema| plausible(schema, document, depth + 1));
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(first) = schema[key].as_array().and_then(|alternatives| alternatives.first()) {
            return plausible(first, document, depth + 1);
        }
    }
    if let Some(constant) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return constant.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind {
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let fields = required.iter().filter_map(Value::as_str);
            let value = |name: &str| plausible(&schema["properties"][name], document, depth + 1);
            Value::Object(fields.map(|name| (name.to_owned(), value(name))).collect())
        }
        Some("array") => json!([plausible(&schema["items"], document, depth + 1)]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(false),
        _ => json!("text"),
    }
}

/// Bodies in which one field after the other, down to the second level, holds what it should not.
fn mutations(operation: &Operation, document: &Value) -> Vec<Vec<u8>> {
    let method = format!("{:?}", operation.method).to_lowercase();
    let content = &document["paths"][operation.path][method]["requestBody"]["content"];
    let Some(body) = content.as_object().and_then(|kinds| kinds.values().next()) else { return Vec::new() };
    let mut schema = &body["schema"];
    while let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        schema = document.pointer(name).unwrap();
    }
    let whole = plausible(schema, document, 0);
    let mut places: Vec<Vec<String>> = Vec::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        places.push(vec![name.clone()]);
        if let Value::Object(inner) = plausible(property, document, 1) {
            places.extend(inner.keys().map(|key| vec![name.clone(), key.clone()]));
        }
    }
    let mut bodies = vec![whole.to_string().into_bytes()];
    for place in places {
        for wrong in wrong_values() {
            let mut body = whole.clone();
            let mut target = &mut body;
            for step in &place {
                if !target.is_object() {
                    *target = json!({});
                }
                target = &mut target[step.as_str()];
            }
            *target = wrong;
            bodies.push(body.to_string().into_bytes());
        }
    }
    bodies
}

fn attacks(operation: &Operation, document: &Value, application: &str) -> Vec<Attack> {
    let method = operation.method;
    let named = filled(operation.path, &format!("id:{application}"), "none");
    let attack = |path: String, body: Vec<u8>| Attack { method, path, body };
    let mut attacks = Vec::new();
    for variable in VARIABLES {
        attacks.push(attack(filled(operation.path, variable, "none"), b"{}".to_vec()));
        attacks.push(attack(filled(operation.path, &format!("id:{application}"), variable), b"{}".to_vec()));
    }
    attacks.push(attack(filled(operation.path, &"x".repeat(4_000), &"y".repeat(4_000)), Vec::new()));
    let many = (0..1_100).map(|number| format!("a{number}=1")).collect::<Vec<_>>().join("&");
    for query in QUERIES.into_iter().chain([many.as_str()]) {
        attacks.push(attack(format!("{named}?{query}"), b"{}".to_vec()));
    }
    for parameter in &operation.query_parameters {
        for value in ["", "%00", "-1", "true", "id:x", "%F0%9F%8E%89", "99999999999999999999"] {
            attacks.push(attack(format!("{named}?{}={value}", parameter.name), Vec::new()));
        }
    }
    // An operation without a body reads it all the same, but only as far as its size.
    let few = if operation.body.is_some() { usize::MAX } else { 3 };
    let broken = bodies().into_iter().take(few).chain(mutations(operation, document));
    attacks.extend(broken.map(|body| attack(named.clone(), body)));
    let mut known = HashSet::new();
    attacks.retain(|attack| known.insert((attack.path.clone(), attack.body.clone())));
    attacks
}

async fn nothing_makes_it_fail(engine: Engine) {
    let mut server = Server::start(engine).await;
    let (mut sent, mut refused) = (0_usize, 0_usize);
    let document = openapi(&described(), "http://a.example", "0");
    for operation in described() {
        let made = server.application(json!({ "name": "attacked" })).await;
        let mut tasks: JoinSet<Option<u16>> = JoinSet::new();
        for (index, attack) in attacks(&operation, &document, &made.id).into_iter().enumerate() {
            while tasks.len() >= TOGETHER {
                refused += usize::from(tasks.join_next().await.unwrap().unwrap().is_some_and(|status| status >= 400));
            }
            // Now with every right, now with few.
            let token = if index % 5 == 4 { made.token.clone() } else { server.admin.clone() };
            tasks.spawn(attack.run(server.client.clone(), token));
            sent += 1;
        }
        while let Some(ended) = tasks.join_next().await {
            refused += usize::from(ended.unwrap().is_some_and(|status| status >= 400));
        }
        // Some operations end the credentials they are called with; what comes next needs good ones.
        let still = server.client.get("/api/http/applications/paged").bearer(&server.admin).send().await;
        if still.status != 200 {
            server.running.stop().await;
            server = Server::start(engine).await;
        }
    }
    assert!(refused > sent / 3, "{refused} of {sent} were refused: they do not reach what they should break");
    server.client.get("/health/ready").send().await.expect(200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_input_to_any_operation_makes_the_server_fail_on_sqlite() {
    nothing_makes_it_fail(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_input_to_any_operation_makes_the_server_fail_on_postgres() {
    nothing_makes_it_fail(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_bodies_are_refused_by_every_operation() {
    let server = Server::start(BOTH[0]).await;
    let made = server.application(json!({ "name": "attacked" })).await;
    for operation in described().iter().filter(|operation| operation.body.is_some()) {
        let path = filled(operation.path, &format!("id:{}", made.id), "none");
        let call = call(&server.client, operation.method, &path).bearer(&server.admin);
        // The connection is closed while we still write, so that the answer may be lost on its way.
        if let Ok(answer) = call.raw_body(vec![b' '; 40 * 1024 * 1024]).try_send().await {
            assert!(answer.status.is_client_error(), "{}: {}", operation.name, answer.status);
        }
    }
    server.client.get("/health/ready").send().await.expect(200);
    server.running.stop().await;
}
