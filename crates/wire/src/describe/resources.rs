//! The tree of resources in the http-api-model, built from paths.
//!
//! A constant segment in the plural is a resource; what follows the last one belongs to the path of the endpoint.

use serde_json::{Map, Value, json};

use super::api_model::Model;
use super::schema::{resolve, text};
use super::{Method, Operation, Parameter};
use crate::preset;

const PREFIX: &str = "/api/http/";

/// A resource under construction.
struct Node {
    /// Path from the root, which is also the id.
    id: String,
    /// Path from the parent.
    segments: Vec<String>,
    parent: Option<String>,
    endpoints: Vec<Value>,
}

/// The nested resources, and the same as a flat list.
pub(super) fn tree(operations: &[&Operation], model: &mut Model) -> (Vec<Value>, Vec<Value>) {
    let mut nodes: Vec<Node> = Vec::new();
    for operation in operations {
        let Some(path) = operation.path.strip_prefix(PREFIX) else { continue };
        let mut parent = None;
        let (mut from_root, mut open) = (Vec::new(), Vec::new());
        for segment in path.split('/') {
            from_root.push(segment);
            open.push(segment.to_owned());
            if is_resource(segment) || parent.is_none() {
                let id = from_root.join("/");
                if !nodes.iter().any(|node| node.id == id) {
                    nodes.push(Node { id: id.clone(), segments: open.clone(), parent, endpoints: Vec::new() });
                }
                open.clear();
                parent = Some(id);
            }
        }
        let Some(id) = parent else { continue };
        let endpoint = endpoint(operation, &id, &open, model);
        if let Some(node) = nodes.iter_mut().find(|node| node.id == id) {
            node.endpoints.push(endpoint);
        }
    }
    let all = nodes.iter().map(|node| resource(node, Vec::new())).collect();
    (nested(&nodes, None), all)
}

fn is_resource(segment: &str) -> bool {
    !segment.starts_with('{') && segment.ends_with('s') && !segment.ends_with("ss")
}

fn nested(nodes: &[Node], parent: Option<&str>) -> Vec<Value> {
    nodes
        .iter()
        .filter(|node| node.parent.as_deref() == parent)
        .map(|node| resource(node, nested(nodes, Some(&node.id))))
        .collect()
}

fn resource(node: &Node, nested: Vec<Value>) -> Value {
    let plural = words(node.segments.last().map_or("", String::as_str));
    json!({
        "id": node.id, "path": path(&node.segments), "displaySingular": singular(&plural), "displayPlural": plural,
        "parentResource": node.parent.as_ref().map(|id| json!({"id": id})),
        "nestedResources": nested, "endpoints": node.endpoints,
    })
}

/// `ssh-keys` becomes `Ssh Keys`.
fn words(segment: &str) -> String {
    let words: Vec<String> = segment.split('-').map(capital).collect();
    words.join(" ")
}

fn singular(plural: &str) -> String {
    match (plural.strip_suffix("ies"), plural.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) => stem.to_owned(),
        (None, None) => plural.to_owned(),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn path(segments: &[String]) -> Value {
    let segments: Vec<Value> = segments.iter().map(|segment| segment_of(segment)).collect();
    json!({"segments": segments})
}

fn segment_of(segment: &str) -> Value {
    match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => json!({"className": "HA_PathSegment.Var", "name": name}),
        None => json!({"className": "HA_PathSegment.Const", "value": segment}),
    }
}

fn endpoint(operation: &Operation, resource: &str, rest: &[String], model: &mut Model) -> Value {
    let mut parameters: Vec<Value> =
        operation.path_variables().iter().map(|it| json!({"field": argument(it, model), "path": true})).collect();
    for parameter in operation.query_parameters.iter().filter(|it| it.name != "$fields") {
        parameters.push(json!({"field": argument(parameter, model), "path": false}));
    }
    let body = operation.body.as_ref().map(|body| model.body(body));
    let result = operation.result.as_ref().map(|result| model.type_of(result.schema()));
    let catalogue = preset::shared();
    let rights: Vec<Value> = operation
        .rights
        .iter()
        .map(|code| {
            let title = catalogue.right(code).map_or(*code, |right| &right.title);
            json!({"rightUniqueCode": code, "title": title, "description": null})
        })
        .collect();
    json!({
        "resource": {"id": resource}, "method": method(operation), "parameters": parameters,
        "requestBody": body, "responseBody": result, "path": path(rest),
        "displayName": operation.summary.trim_end_matches('.'), "functionName": function_name(operation.name),
        "description": {"text": operation.summary, "helpTopic": null}, "doc": operation.summary,
        "deprecation": null, "experimental": null, "featureFlag": null, "optionalFeature": null, "rights": rights,
    })
}

fn argument(parameter: &Parameter, model: &mut Model) -> Value {
    let mut schema = parameter.schema.clone();
    if let Value::Object(schema) = &mut schema
        && !parameter.description.is_empty()
    {
        schema.insert("description".to_owned(), parameter.description.as_str().into());
    }
    model.field_of(&parameter.name, &schema, !parameter.required)
}

/// `api.application.get` becomes `getApplication`.
fn function_name(name: &str) -> String {
    let parts: Vec<&str> = name.split(['.', '-', '_']).collect();
    let own = match parts.as_slice() {
        ["api", own @ ..] if !own.is_empty() => own,
        own => own,
    };
    let Some((verb, things)) = own.split_last() else { return String::new() };
    let things: String = things.iter().map(|thing| capital(thing)).collect();
    format!("{verb}{things}")
}

fn method(operation: &Operation) -> &'static str {
    match operation.method {
        Method::Get if is_list(operation) => "REST_QUERY",
        Method::Get => "REST_GET",
        Method::Post => "REST_CREATE",
        Method::Patch => "REST_UPDATE",
        Method::Put => "HTTP_PUT",
        Method::Delete => "REST_DELETE",
    }
}

fn is_list(operation: &Operation) -> bool {
    let empty = Map::new();
    let (schema, definitions) =
        operation.result.as_ref().map_or((&Value::Null, &empty), |it| (it.schema(), it.definitions()));
    let schema = resolve(schema, definitions);
    schema.get("items").is_some() || text(schema, "x-kind").is_some_and(|kind| kind.eq_ignore_ascii_case("batch"))
}
