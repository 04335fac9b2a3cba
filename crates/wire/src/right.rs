//! Rights as the API shows them: named by an object with `className`, described for people; and the bodies that ask for
//! rights of applications and change them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::application::RightStatus;
use crate::identifier::PermissionContextIdentifier;
use crate::preset;
use crate::principal::{CPrincipal, PrincipalIn};
use crate::scalar::{DateTime, List};

/// Names a right by its code: out as `{"className":"PermissionIdentifier.ViewIssues"}`, in as that or as the code
/// (semantics 8.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PermissionIdentifier(pub String);

const KIND: &str = "PermissionIdentifier.";

impl PermissionIdentifier {
    /// The dotted name of a right with this code. Rights that the client libraries do not know get one made of their
    /// code; the libraries pass over it.
    fn option(&self) -> Cow<'static, str> {
        match preset::right_options().iter().find(|option| option.code == self.0) {
            Some(option) => Cow::Borrowed(option.name.as_str()),
            None => Cow::Owned(format!("{KIND}{}", self.0.replace('.', ""))),
        }
    }

    fn from_option(name: &str) -> Option<Self> {
        let options = preset::right_options();
        // Two rights were renamed after the real server's last export (semantics 8.1).
        let name = match name {
            "PermissionIdentifier.UseProjectSecrets" => "PermissionIdentifier.ObsoleteUseProjectSecrets",
            "PermissionIdentifier.JoinUnattendedDevEnvironments" => {
                "PermissionIdentifier.JoinDevEnvironmentsFromStandbyPool"
            }
            name => name,
        };
        let known = options.iter().find(|option| option.name == name);
        let made_up = || options.iter().find(|option| name.strip_prefix(KIND) == Some(&option.code.replace('.', "")));
        known.or_else(made_up).map(|option| Self(option.code.clone()))
    }
}

impl Serialize for PermissionIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({ "className": self.option() }).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PermissionIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("must be the code of a right, or an object with its className");
        match Value::deserialize(deserializer)? {
            Value::String(code) => Ok(Self(code)),
            Value::Object(object) => {
                object.get("className").and_then(Value::as_str).and_then(Self::from_option).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }
}

impl JsonSchema for PermissionIdentifier {
    fn schema_name() -> Cow<'static, str> {
        "PermissionIdentifier".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-url-param": "PermissionIdentifier", "type": ["string", "object"] })
    }
}

/// A right, described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RightDescriptorDTO")]
pub struct RightDescriptor {
    /// The right.
    pub right_code: PermissionIdentifier,
    /// What people read.
    pub name: String,
    /// Heading it stands under.
    pub group: String,
    /// One sentence.
    pub description: String,
    /// What it applies to, such as `Project`.
    pub target_name: String,
    /// Codes of the rights it needs beside it.
    pub dependencies: Vec<String>,
}

/// A right of an application in a context.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RightDTO")]
pub struct RightOfApplication {
    /// Which right.
    pub right_code: PermissionIdentifier,
    /// What people read.
    pub name: String,
    /// Heading that it is shown under.
    pub group: String,
    /// One sentence.
    pub description: String,
    /// What it applies to, such as `Project`.
    pub target_name: String,
    /// Whether the caller may grant it here.
    pub editable: bool,
    /// How far it has come.
    pub status: RightStatus,
    /// Who brought it there.
    pub modification_author: Option<CPrincipal>,
    /// When.
    pub modification_timestamp: Option<DateTime>,
    /// Codes of the rights it is of no use without.
    pub dependencies: Vec<String>,
    /// Feature that the right belongs to; always null here.
    pub optional_feature: Option<String>,
}

/// A right and what its status shall become.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RightUpdateDTO")]
pub struct RightUpdate {
    /// Which right.
    pub right_code: PermissionIdentifier,
    /// The status it shall have.
    pub status: RightStatus,
}

/// Body of the operation that changes rights in a context.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateAuthorizedRights {
    /// Where.
    pub context_identifier: PermissionContextIdentifier,
    /// What.
    pub updates: List<RightUpdate>,
    /// On whose behalf, for the audit trail.
    #[serde(default)]
    pub actor: Option<PrincipalIn>,
    /// Why, for the audit trail.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Body of the operation that asks for rights in a context.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestRights {
    /// Where.
    pub context_identifier: PermissionContextIdentifier,
    /// Which rights.
    pub right_codes: List<PermissionIdentifier>,
    /// On whose behalf, for the audit trail.
    #[serde(default)]
    pub actor: Option<PrincipalIn>,
    /// Why, for the audit trail.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Body of the operation that says which rights an application needs wherever it is authorized.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateRequiredRights {
    /// Rights it needs from now on.
    pub right_codes_to_add: List<PermissionIdentifier>,
    /// Rights it no longer needs.
    pub right_codes_to_remove: List<PermissionIdentifier>,
    /// Whether to ask for the added ones wherever the application is authorized.
    pub request_rights_in_authorized_contexts: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        serde_json::from_str::<PermissionIdentifier>(text).ok().map(|right| right.0)
    }

    #[test]
    fn rights_go_out_as_objects_and_come_in_as_either() {
        let out = serde_json::to_string(&PermissionIdentifier("Project.Issues.View".to_owned())).unwrap();
        assert_eq!(out, r#"{"className":"PermissionIdentifier.ViewIssues"}"#);
        assert_eq!(read(&out).as_deref(), Some("Project.Issues.View"));
        assert_eq!(read(r#""Project.Issues.View""#).as_deref(), Some("Project.Issues.View"));
        let renamed = read(r#"{"className":"PermissionIdentifier.UseProjectSecrets"}"#);
        assert_eq!(renamed.as_deref(), Some("Project.Secrets.Use"));
    }

    #[test]
    fn every_right_survives_a_round_trip() {
        for option in preset::right_options() {
            let right = PermissionIdentifier(option.code.clone());
            let out = serde_json::to_string(&right).unwrap();
            assert_eq!(serde_json::from_str::<PermissionIdentifier>(&out).unwrap(), right, "{out}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["7", "{}", r#"{"className":"PermissionIdentifier.Fly"}"#, r#"{"className":"ViewIssues"}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
