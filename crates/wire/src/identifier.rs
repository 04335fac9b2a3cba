//! Identifiers in JSON: out as objects with `className`, in as compact text or such objects
//! (wire-protocol 2.13).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use spaceport_platform::identifier as platform;
use spaceport_platform::invalid::Invalid;

/// Names an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplicationIdentifier(pub platform::ApplicationIdentifier);

/// Names a profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProfileIdentifier(pub platform::ProfileIdentifier);

/// Names a project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProjectIdentifier(pub platform::ProjectIdentifier);

/// Names a permission context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PermissionContextIdentifier(pub platform::PermissionContextIdentifier);

impl ApplicationIdentifier {
    fn object(&self) -> Value {
        match &self.0 {
            platform::ApplicationIdentifier::Id(id) => {
                json!({ "className": "ApplicationIdentifier.Id", "id": id.as_str() })
            }
            platform::ApplicationIdentifier::ClientId(id) => {
                json!({ "className": "ApplicationIdentifier.ClientId", "clientId": id })
            }
            platform::ApplicationIdentifier::Me => json!({ "className": "ApplicationIdentifier.Me" }),
        }
    }
}

impl ProfileIdentifier {
    fn object(&self) -> Value {
        match &self.0 {
            platform::ProfileIdentifier::Id(id) => json!({ "className": "ProfileIdentifier.Id", "id": id.as_str() }),
            platform::ProfileIdentifier::Username(name) => {
                json!({ "className": "ProfileIdentifier.Username", "username": name })
            }
            platform::ProfileIdentifier::ExternalId(id) => {
                json!({ "className": "ProfileIdentifier.ExternalId", "externalId": id })
            }
            platform::ProfileIdentifier::Email(email) => {
                json!({ "className": "ProfileIdentifier.Email", "email": email })
            }
            platform::ProfileIdentifier::Me => json!({ "className": "ProfileIdentifier.Me" }),
        }
    }
}

impl ProjectIdentifier {
    fn object(&self) -> Value {
        match &self.0 {
            platform::ProjectIdentifier::Id(id) => json!({ "className": "ProjectIdentifier.Id", "id": id }),
            platform::ProjectIdentifier::Key(key) => json!({ "className": "ProjectIdentifier.Key", "key": key }),
        }
    }
}

impl PermissionContextIdentifier {
    fn object(&self) -> Value {
        match &self.0 {
            platform::PermissionContextIdentifier::Global => {
                json!({ "className": "GlobalPermissionContextIdentifier" })
            }
            platform::PermissionContextIdentifier::Project(project) => {
                let project = ProjectIdentifier(project.clone()).object();
                json!({ "className": "ProjectPermissionContextIdentifier", "project": project })
            }
            platform::PermissionContextIdentifier::Channel(id) => {
                json!({ "className": "ChannelPermissionContextIdentifier", "channel": id })
            }
            platform::PermissionContextIdentifier::PackageRepository(id) => {
                json!({ "className": "PackageRepositoryPermissionContextIdentifier", "packageRepository": id })
            }
        }
    }
}

/// The compact text of an identifier of a kind, in either form.
fn compact(kind: &str, value: &Value) -> Result<String, Invalid> {
    let wrong = || Invalid::new("", format!("must be a {kind}: text like `id:…`, or an object with className"));
    if let Value::String(text) = value {
        return Ok(text.clone());
    }
    let class = value.get("className").and_then(Value::as_str).ok_or_else(wrong)?;
    let part = |key: &str| value.get(key).and_then(Value::as_str).ok_or_else(wrong);
    // Options are `<kind>.<option>`; the classes of permission contexts have names of their own.
    let option = match class.strip_prefix(kind).and_then(|rest| rest.strip_prefix('.')) {
        Some(option) => option,
        None if kind == CONTEXT => class,
        None => return Err(wrong()),
    };
    match (kind, option) {
        ("ApplicationIdentifier" | "ProfileIdentifier", "Me") => Ok("me".to_owned()),
        ("ApplicationIdentifier" | "ProfileIdentifier" | "ProjectIdentifier", "Id") => {
            Ok(format!("id:{}", part("id")?))
        }
        ("ApplicationIdentifier", "ClientId") => Ok(format!("clientId:{}", part("clientId")?)),
        ("ProfileIdentifier", "Username") => Ok(format!("username:{}", part("username")?)),
        ("ProfileIdentifier", "ExternalId") => Ok(format!("externalId:{}", part("externalId")?)),
        ("ProfileIdentifier", "Email") => Ok(format!("email:{}", part("email")?)),
        ("ProjectIdentifier", "Key") => Ok(format!("key:{}", part("key")?)),
        (CONTEXT, "GlobalPermissionContextIdentifier") => Ok("global".to_owned()),
        (CONTEXT, "ProjectPermissionContextIdentifier") => {
            let project = value.get("project").ok_or_else(wrong)?;
            Ok(format!("project:{}", compact("ProjectIdentifier", project)?))
        }
        (CONTEXT, "ChannelPermissionContextIdentifier") => Ok(format!("channel:{}", part("channel")?)),
        (CONTEXT, "PackageRepositoryPermissionContextIdentifier") => {
            Ok(format!("packageRepository:{}", part("packageRepository")?))
        }
        _ => Err(wrong()),
    }
}

const CONTEXT: &str = "PermissionContextIdentifier";

fn read<'de, D: Deserializer<'de>, T>(
    kind: &str,
    deserializer: D,
    parse: fn(&str) -> Result<T, Invalid>,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    compact(kind, &value).and_then(|text| parse(&text)).map_err(|fault| D::Error::custom(fault.to_string()))
}

fn schema(name: &str) -> Schema {
    json_schema!({ "x-url-param": name, "type": ["string", "object"] })
}

impl Serialize for ApplicationIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.object().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ApplicationIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read("ApplicationIdentifier", deserializer, platform::ApplicationIdentifier::parse).map(Self)
    }
}

impl JsonSchema for ApplicationIdentifier {
    fn schema_name() -> Cow<'static, str> {
        "ApplicationIdentifier".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema("ApplicationIdentifier")
    }
}

impl Serialize for ProfileIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.object().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ProfileIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read("ProfileIdentifier", deserializer, platform::ProfileIdentifier::parse).map(Self)
    }
}

impl JsonSchema for ProfileIdentifier {
    fn schema_name() -> Cow<'static, str> {
        "ProfileIdentifier".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema("ProfileIdentifier")
    }
}

impl Serialize for ProjectIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.object().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ProjectIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read("ProjectIdentifier", deserializer, platform::ProjectIdentifier::parse).map(Self)
    }
}

impl JsonSchema for ProjectIdentifier {
    fn schema_name() -> Cow<'static, str> {
        "ProjectIdentifier".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema("ProjectIdentifier")
    }
}

impl Serialize for PermissionContextIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.object().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PermissionContextIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read("PermissionContextIdentifier", deserializer, platform::PermissionContextIdentifier::parse).map(Self)
    }
}

impl JsonSchema for PermissionContextIdentifier {
    fn schema_name() -> Cow<'static, str> {
        "PermissionContextIdentifier".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema("PermissionContextIdentifier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_objects_come_in_and_objects_go_out() {
        let text: PermissionContextIdentifier = serde_json::from_str(r#""project:key:DEMO""#).unwrap();
        let out = serde_json::to_string(&text).unwrap();
        assert_eq!(
            out,
            r#"{"className":"ProjectPermissionContextIdentifier","project":{"className":"ProjectIdentifier.Key","key":"DEMO"}}"#
        );
        assert_eq!(serde_json::from_str::<PermissionContextIdentifier>(&out).unwrap(), text);
        let profile: ProfileIdentifier = serde_json::from_str(r#"{"className":"ProfileIdentifier.Me"}"#).unwrap();
        assert_eq!(profile.0, platform::ProfileIdentifier::Me);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["7", "{}", r#"{"className":"Planet","id":"x"}"#, r#""planet:earth""#] {
            assert!(serde_json::from_str::<PermissionContextIdentifier>(text).is_err(), "{text}");
        }
        for text in [r#"{"className":"ProfileIdentifier.Id","id":"x"}"#, r#"{"className":"Id","id":"x"}"#] {
            assert!(serde_json::from_str::<ApplicationIdentifier>(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<ProjectIdentifier>(r#"{"className":"ProjectIdentifier.Me"}"#).is_err());
    }
}
