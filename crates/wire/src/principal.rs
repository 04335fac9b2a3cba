//! Who did something: principals as the API shows them, and how callers name them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use spaceport_platform::identifier as platform;
use spaceport_platform::invalid::Invalid;

use crate::application::{AppReference, EsApp};
use crate::identifier::{ApplicationIdentifier, ProfileIdentifier};
use crate::profile::MemberProfile;

/// Somebody who did something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CPrincipal {
    /// Name to show: the username of a person, the name of an application.
    pub name: String,
    /// Who exactly.
    pub details: Option<CPrincipalDetails>,
}

/// Who exactly did something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
pub enum CPrincipalDetails {
    /// An application on its own behalf.
    CApplicationPrincipalDetails {
        /// The application.
        #[serde(rename = "app")]
        #[schemars(with = "EsApp")]
        application: AppReference,
    },
    /// A person.
    CUserPrincipalDetails {
        /// The person.
        user: Box<MemberProfile>,
    },
    /// The server itself.
    CBuiltInServicePrincipalDetails {
        /// Its name.
        name: String,
    },
}

/// Names a principal: `profile:<profile>`, `application:<application>` or `builtIn:X`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrincipalIn {
    /// A person.
    Profile(platform::ProfileIdentifier),
    /// An application.
    Application(platform::ApplicationIdentifier),
    /// A part of the server.
    BuiltIn(String),
}

impl PrincipalIn {
    /// Reads the compact form.
    ///
    /// # Errors
    /// Says which forms exist.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("", format!("must be `profile:…`, `application:…` or `builtIn:…`, not `{text}`"));
        match text.split_once(':') {
            Some(("profile", rest)) => platform::ProfileIdentifier::parse(rest).map(Self::Profile),
            Some(("application", rest)) => platform::ApplicationIdentifier::parse(rest).map(Self::Application),
            Some(("builtIn", rest)) if !rest.is_empty() => Ok(Self::BuiltIn(rest.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl std::fmt::Display for PrincipalIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Profile(profile) => write!(f, "profile:{profile}"),
            Self::Application(application) => write!(f, "application:{application}"),
            Self::BuiltIn(name) => write!(f, "builtIn:{name}"),
        }
    }
}

impl Serialize for PrincipalIn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Profile(profile) => {
                let profile = ProfileIdentifier(profile.clone());
                json!({ "className": "PrincipalIn.Profile", "profile": profile }).serialize(serializer)
            }
            Self::Application(application) => {
                let application = ApplicationIdentifier(application.clone());
                json!({ "className": "PrincipalIn.Application", "application": application }).serialize(serializer)
            }
            Self::BuiltIn(name) => json!({ "className": "PrincipalIn.BuiltIn", "builtIn": name }).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PrincipalIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn part<T: serde::de::DeserializeOwned, E: serde::de::Error>(value: &Value, key: &str) -> Result<T, E> {
            let part = value.get(key).ok_or_else(|| E::custom(format!("must have {key}")))?;
            T::deserialize(part).map_err(E::custom)
        }
        let value = Value::deserialize(deserializer)?;
        if let Value::String(text) = &value {
            return Self::parse(text).map_err(|fault| D::Error::custom(fault.to_string()));
        }
        match value.get("className").and_then(Value::as_str) {
            Some("PrincipalIn.Profile") => Ok(Self::Profile(part::<ProfileIdentifier, D::Error>(&value, "profile")?.0)),
            Some("PrincipalIn.Application") => {
                Ok(Self::Application(part::<ApplicationIdentifier, D::Error>(&value, "application")?.0))
            }
            Some("PrincipalIn.BuiltIn") => Ok(Self::BuiltIn(part(&value, "builtIn")?)),
            _ => Err(D::Error::custom(
                "must be `profile:…`, `application:…` or `builtIn:…`, or an object with className",
            )),
        }
    }
}

impl JsonSchema for PrincipalIn {
    fn schema_name() -> Cow<'static, str> {
        "PrincipalIn".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-url-param": "PrincipalIn", "type": ["string", "object"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_objects_name_the_same_principals() {
        for text in ["profile:id:u1", "profile:me", "application:clientId:c", "builtIn:Space"] {
            let named: PrincipalIn = serde_json::from_value(json!(text)).unwrap();
            assert_eq!(named.to_string(), text);
            let object = serde_json::to_value(&named).unwrap();
            assert!(object["className"].as_str().unwrap().starts_with("PrincipalIn."));
            assert_eq!(serde_json::from_value::<PrincipalIn>(object).unwrap(), named);
        }
        for wrong in [json!("me"), json!("team:x"), json!(7), json!({ "className": "PrincipalIn.Planet" })] {
            assert!(serde_json::from_value::<PrincipalIn>(wrong).is_err());
        }
    }
}
