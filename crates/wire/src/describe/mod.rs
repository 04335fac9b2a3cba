//! What we tell about ourselves: operations and their types, as OpenAPI and as the http-api-model client generators read.

mod api_model;
mod identifiers;
mod openapi;
mod resources;
mod schema;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::api_model::api_model;
pub use self::openapi::openapi;
pub use self::schema::{TypeDescription, parameters_of};

/// HTTP method of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

/// Which of our surfaces an operation belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surface {
    /// The API that applications of Space know.
    Space,
    /// The API of the product that embeds us.
    Host,
    /// OAuth 2.0.
    OAuth,
    /// Pages for people.
    Page,
    /// Health and documents.
    Other,
}

/// One operation: a method on a path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Unique name, such as `api.application.get`.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// Path with variables in braces, such as `/api/http/applications/{application}`.
    pub path: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Who may call it, in words.
    pub access: String,
    /// Codes of the rights that admit a caller.
    pub rights: Vec<&'static str>,
    /// Variables of the path; one that is missing here is described as text.
    pub path_parameters: Vec<Parameter>,
    /// Parameters of the query, `$fields` excepted.
    pub query_parameters: Vec<Parameter>,
    /// Type of the request body.
    pub body: Option<TypeDescription>,
    /// Type of the answer; nothing is sent when absent.
    pub result: Option<TypeDescription>,
    /// The surface.
    pub surface: Surface,
}

/// One parameter of a path or query.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    /// Name on the wire.
    pub name: String,
    /// JSON schema without references.
    pub schema: Value,
    /// Whether the parameter must be sent.
    pub required: bool,
    /// One sentence; may be empty.
    pub description: String,
}

impl Operation {
    /// All variables of the path, in order.
    fn path_variables(&self) -> Vec<Parameter> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| {
                self.path_parameters.iter().find(|parameter| parameter.name == name).cloned().unwrap_or_else(|| {
                    Parameter {
                        name: name.to_owned(),
                        schema: serde_json::json!({"type": "string"}),
                        required: true,
                        description: String::new(),
                    }
                })
            })
            .collect()
    }
}
