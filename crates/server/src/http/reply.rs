//! Replies of operations: JSON projected by `$fields`, JSON strings, nothing.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use spaceport_wire::describe::{Operation, TypeDescription};
use spaceport_wire::fields::Selection;
use spaceport_wire::shape::Shape;

use crate::http::error::ApiError;

/// What an operation answers.
pub trait Reply: Send + 'static {
    /// Adds itself to the description of the operation.
    fn describe(operation: &mut Operation);

    /// Whether `$fields` applies.
    const HAS_FIELDS: bool;

    /// Turns into an HTTP response.
    ///
    /// # Errors
    /// Fails when the value cannot be written as JSON, which is a fault of ours.
    fn into_response(self, selection: Option<&Selection>) -> Result<Response, ApiError>;
}

/// A JSON value that `$fields` selects from.
pub struct Json<T>(pub T);

impl<T: Serialize + JsonSchema + Send + 'static> Reply for Json<T> {
    const HAS_FIELDS: bool = true;

    fn describe(operation: &mut Operation) {
        operation.result = Some(TypeDescription::of::<T>());
    }

    fn into_response(self, selection: Option<&Selection>) -> Result<Response, ApiError> {
        let value = serde_json::to_value(&self.0).map_err(ApiError::internal)?;
        let shape = Shape::of::<T>();
        // Nothing is loaded any more; what the caller may not read is named as inaccessible.
        let projected = shape.expand(value, selection).finish();
        Ok(json(projected.to_string()))
    }
}

/// A bare JSON string, also for keys and secrets (wire-protocol rule 4).
pub struct Text(pub String);

impl Reply for Text {
    const HAS_FIELDS: bool = false;

    fn describe(operation: &mut Operation) {
        operation.result = Some(TypeDescription::of::<String>());
    }

    fn into_response(self, _: Option<&Selection>) -> Result<Response, ApiError> {
        Ok(json(serde_json::Value::String(self.0).to_string()))
    }
}

/// A bare JSON string, or null where there is none.
pub struct OptionalText(pub Option<String>);

impl Reply for OptionalText {
    const HAS_FIELDS: bool = false;

    fn describe(operation: &mut Operation) {
        operation.result = Some(TypeDescription::of::<Option<String>>());
    }

    fn into_response(self, _: Option<&Selection>) -> Result<Response, ApiError> {
        Ok(json(self.0.map_or(serde_json::Value::Null, serde_json::Value::String).to_string()))
    }
}

/// `200` with an empty body (wire-protocol rule 3).
pub struct Done;

impl Reply for Done {
    const HAS_FIELDS: bool = false;

    fn describe(_: &mut Operation) {}

    fn into_response(self, _: Option<&Selection>) -> Result<Response, ApiError> {
        Ok(Response::new(Body::empty()))
    }
}

/// A JSON document as it is, with a status and headers of its own.
pub struct Document {
    /// HTTP status.
    pub status: StatusCode,
    /// Media type.
    pub content_type: &'static str,
    /// Further header fields.
    pub headers: Vec<(HeaderName, &'static str)>,
    /// The document.
    pub body: String,
}

impl Document {
    /// A JSON document with status 200.
    pub fn json(value: &serde_json::Value) -> Self {
        Self { status: StatusCode::OK, content_type: "application/json", headers: Vec::new(), body: value.to_string() }
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl Reply for Document {
    const HAS_FIELDS: bool = false;

    fn describe(operation: &mut Operation) {
        operation.result = Some(TypeDescription::of::<serde_json::Value>());
    }

    fn into_response(self, _: Option<&Selection>) -> Result<Response, ApiError> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        for (name, value) in self.headers {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    }
}

fn json(body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
