//! The OpenAPI 3.1 document.

use serde_json::{Map, Value, json};

use super::{Method, Operation, Parameter, Surface};

/// Describes `operations` in OpenAPI 3.1, served at `server_url`.
pub fn openapi(operations: &[Operation], server_url: &str, version: &str) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    schemas.insert("Error".to_owned(), error());
    for operation in operations {
        for described in [&operation.body, &operation.result].into_iter().flatten() {
            for (name, schema) in described.definitions() {
                schemas.entry(name.clone()).or_insert_with(|| schema.clone());
            }
        }
        if let Value::Object(methods) = paths.entry(operation.path).or_insert_with(|| json!({})) {
            methods.insert(verb(operation.method).to_owned(), describe(operation));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Spaceport", "version": version},
        "servers": [{"url": server_url}],
        "tags": [
            {"name": tag(Surface::Space), "description": "Operations that applications of Space know."},
            {"name": tag(Surface::Host), "description": "Operations for the product that embeds the platform."},
            {"name": tag(Surface::OAuth), "description": "OAuth 2.0."},
            {"name": tag(Surface::Page), "description": "Pages for people."},
            {"name": tag(Surface::Other), "description": "Health and documents."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let mut parameters: Vec<Value> =
        operation.path_variables().iter().map(|parameter| described(parameter, "path", true)).collect();
    parameters.extend(operation.query_parameters.iter().map(|it| described(it, "query", it.required)));
    if operation.result.as_ref().is_some_and(super::TypeDescription::has_fields) {
        parameters.push(json!({
            "name": "$fields", "in": "query", "required": false, "schema": {"type": "string"},
            "description": "Fields to send, such as `id,name,owner(username)`; `*` stands for all that are sent without it.",
        }));
    }
    let mut success = json!({"description": "Done."});
    if let (Some(result), Value::Object(success)) = (&operation.result, &mut success) {
        success.insert("content".to_owned(), content(result.schema()));
    }
    let mut out = json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [tag(operation.surface)],
        "security": security(operation.surface),
        "parameters": parameters,
        "responses": {
            "200": success,
            "default": {"description": "Refused.", "content": content(&json!({"$ref": "#/components/schemas/Error"}))},
        },
        "x-access": operation.access,
        "x-rights": operation.rights,
    });
    if let (Some(body), Value::Object(out)) = (&operation.body, &mut out) {
        let schema = super::schema::resolve(body.schema(), body.definitions());
        let required = !super::schema::required(schema).is_empty();
        out.insert("requestBody".to_owned(), json!({"required": required, "content": content(body.schema())}));
    }
    out
}

fn described(parameter: &Parameter, place: &str, required: bool) -> Value {
    json!({
        "name": parameter.name, "in": place, "required": required,
        "description": parameter.description, "schema": parameter.schema,
    })
}

fn content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn security(surface: Surface) -> Value {
    match surface {
        Surface::Space | Surface::Host => json!([{"bearer": []}]),
        Surface::OAuth | Surface::Page | Surface::Other => json!([]),
    }
}

/// What every refusal looks like (RFC 6749 section 5.2 names the keys).
fn error() -> Value {
    json!({
        "type": "object",
        "properties": {
            "error": {"type": "string", "description": "Code of the kind of error."},
            "error_description": {"type": "string", "description": "What the caller can do."},
        },
        "required": ["error", "error_description"],
    })
}

fn verb(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Patch => "patch",
        Method::Put => "put",
        Method::Delete => "delete",
    }
}

fn tag(surface: Surface) -> &'static str {
    match surface {
        Surface::Space => "Space",
        Surface::Host => "Host",
        Surface::OAuth => "OAuth",
        Surface::Page => "Page",
        Surface::Other => "Other",
    }
}
