//! Typed inputs of operations: path variables, query parameters, JSON bodies.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use spaceport_wire::body::parse_body;
use spaceport_wire::describe::{Operation, Parameter, TypeDescription, parameters_of};
use spaceport_wire::query::parse_query;

use crate::http::error::ApiError;
use crate::http::request::Request;

/// Something an operation takes from the request.
pub trait Input: Sized + Send + 'static {
    /// Adds itself to the description of the operation.
    fn describe(operation: &mut Operation);

    /// Reads itself from the request.
    ///
    /// # Errors
    /// Names the field and what was expected of it.
    fn read(request: &Request) -> Result<Self, ApiError>;
}

/// Path variables other than the one the access rule takes. `T` is a struct of strings.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for Path<T> {
    fn describe(operation: &mut Operation) {
        for parameter in parameters_of::<T>() {
            match operation.path_parameters.iter_mut().find(|known| known.name == parameter.name) {
                Some(known) => *known = parameter,
                None => operation.path_parameters.push(parameter),
            }
        }
    }

    fn read(request: &Request) -> Result<Self, ApiError> {
        let variables = request.path.iter().map(|(key, value)| (key.clone(), serde_json::Value::from(value.as_str())));
        let object = serde_json::Value::Object(variables.collect());
        serde_json::from_value(object).map(Self).map_err(|fault| ApiError::validation(fault.to_string()))
    }
}

/// Query parameters.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for Query<T> {
    fn describe(operation: &mut Operation) {
        operation.query_parameters.extend(parameters_of::<T>());
    }

    fn read(request: &Request) -> Result<Self, ApiError> {
        Ok(Self(parse_query(&request.query)?))
    }
}

/// A JSON body, whatever content type the request claims (client-demands 8).
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for Body<T> {
    fn describe(operation: &mut Operation) {
        operation.body = Some(TypeDescription::of::<T>());
    }

    fn read(request: &Request) -> Result<Self, ApiError> {
        Ok(Self(parse_body(&request.body)?))
    }
}

/// The variables in a path, described as plain strings.
pub(crate) fn variables_of(path: &str) -> Vec<Parameter> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| Parameter {
            name: name.to_owned(),
            schema: serde_json::json!({ "type": "string" }),
            required: true,
            description: String::new(),
        })
        .collect()
}
