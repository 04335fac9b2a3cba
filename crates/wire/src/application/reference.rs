//! Applications inside of other answers, as far as the caller may view them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::EsApp;

/// An application inside of another answer. What is asked for and not there is named in an inline error (wire-protocol 2.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AppReference {
    /// All of it.
    Whole(Box<EsApp>),
    /// Some of its fields.
    Part(Map<String, Value>),
}

impl AppReference {
    /// Its id alone, for callers who may not view it.
    pub fn hidden(id: &str) -> Self {
        Self::Part([("id".to_owned(), Value::from(id))].into_iter().collect())
    }

    /// All but some fields, which have not been looked up.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which is a fault of ours.
    pub fn without(application: &EsApp, fields: &[&str]) -> Result<Self, serde_json::Error> {
        let mut part = match serde_json::to_value(application)? {
            Value::Object(object) => object,
            _ => Map::new(),
        };
        part.retain(|name, _| !fields.contains(&name.as_str()));
        Ok(Self::Part(part))
    }
}
