//! Identifiers of the product's own things in payloads: taken in both forms, sent as objects (wire-protocol 0.2 rule 7, 3).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// An identifier in its object form, the only one that every client reads (wire-protocol 2.13).
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IdentifierObject {
    /// Its class, such as `ChannelIdentifier.Id`.
    #[serde(rename = "className")]
    pub class_name: String,
    /// What the class holds.
    #[serde(flatten)]
    pub values: BTreeMap<String, Value>,
}

/// A class of identifiers: its name, and for each compact form (`prefix:value`, or a word alone) what it stands for and where the
/// value goes.
struct Class {
    name: &'static str,
    forms: &'static [(&'static str, &'static str, Option<&'static str>)],
}

const PROJECT: Class =
    Class { name: "ProjectIdentifier", forms: &[("id", "Id", Some("id")), ("key", "Key", Some("key"))] };
const CHANNEL: Class = Class {
    name: "ChannelIdentifier",
    forms: &[
        ("id", "Id", Some("id")),
        ("article", "Article", Some("article")),
        ("message", "Thread", Some("message")),
        ("contactKey", "ContactKey", Some("contactKey")),
    ],
};
const MESSAGE: Class = Class {
    name: "ChatMessageIdentifier",
    forms: &[("id", "InternalId", Some("id")), ("externalId", "ExternalId", Some("externalId"))],
};
const ISSUE: Class = Class { name: "IssueIdentifier", forms: &[("id", "Id", Some("id")), ("key", "Key", Some("key"))] };
const REVIEW: Class = Class {
    name: "ReviewIdentifier",
    forms: &[("id", "Id", Some("id")), ("key", "Key", Some("key")), ("number", "Number", Some("number"))],
};
const FOLDER: Class = Class {
    name: "FolderIdentifier",
    forms: &[("id", "Id", Some("id")), ("root", "Root", None), ("sharedWithMe", "SharedWithMe", None)],
};

impl Class {
    fn read(&self, value: Value) -> Result<IdentifierObject, String> {
        let mut read = match value {
            Value::String(text) => self.compact(&text)?,
            value @ Value::Object(_) => IdentifierObject::deserialize(value).map_err(|fault| fault.to_string())?,
            _ => return Err(self.expected()),
        };
        let own = read.class_name.strip_prefix(self.name).is_some_and(|rest| rest.starts_with('.'));
        if !own {
            return Err(self.expected());
        }
        // The only value that is no text; clients read it as a whole number.
        if let Some(number) = read.values.get_mut("number")
            && read.class_name == "ReviewIdentifier.Number"
        {
            let whole = number.as_i64().or_else(|| number.as_str()?.parse().ok());
            *number = whole.ok_or("number must be a whole number")?.into();
        }
        Ok(read)
    }

    fn compact(&self, text: &str) -> Result<IdentifierObject, String> {
        let (prefix, value) = text.split_once(':').map_or((text, None), |(prefix, value)| (prefix, Some(value)));
        let form = self.forms.iter().find(|(known, _, member)| *known == prefix && member.is_some() == value.is_some());
        let (_, variant, member) = form.ok_or_else(|| self.expected())?;
        let values = member.zip(value).map(|(member, value)| (member.to_owned(), value.into()));
        Ok(IdentifierObject { class_name: format!("{}.{variant}", self.name), values: values.into_iter().collect() })
    }

    fn expected(&self) -> String {
        let forms = self.forms.iter().map(|(prefix, _, member)| match member {
            Some(_) => format!("`{prefix}:…`"),
            None => format!("`{prefix}`"),
        });
        format!("{} must be an object with className or one of {}", self.name, forms.collect::<Vec<_>>().join(", "))
    }
}

fn read<'de, D: Deserializer<'de>>(class: &Class, deserializer: D) -> Result<IdentifierObject, D::Error> {
    class.read(Value::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Reads a `ProjectIdentifier`.
pub(super) fn project<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdentifierObject, D::Error> {
    read(&PROJECT, deserializer)
}

/// Reads a `ProjectIdentifier` that may be null.
pub(super) fn project_or_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<IdentifierObject>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        value => PROJECT.read(value).map(Some).map_err(D::Error::custom),
    }
}

/// Reads a `ChannelIdentifier`.
pub(super) fn channel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdentifierObject, D::Error> {
    read(&CHANNEL, deserializer)
}

/// Reads a `ChatMessageIdentifier`.
pub(super) fn message<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdentifierObject, D::Error> {
    read(&MESSAGE, deserializer)
}

/// Reads an `IssueIdentifier`.
pub(super) fn issue<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdentifierObject, D::Error> {
    read(&ISSUE, deserializer)
}

/// Reads a `ReviewIdentifier`.
pub(super) fn review<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdentifierObject, D::Error> {
    read(&REVIEW, deserializer)
}

/// Reads a `FolderIdentifier`.
pub(super) fn folder<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdentifierObject, D::Error> {
    read(&FOLDER, deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(class: &Class, value: Value) -> Value {
        serde_json::to_value(class.read(value).unwrap_or_else(|fault| panic!("{fault}"))).unwrap()
    }

    #[test]
    fn both_forms_are_taken_and_objects_are_sent() {
        let number = json!({ "className": "ReviewIdentifier.Number", "number": 5 });
        for given in
            [json!("number:5"), number.clone(), json!({ "className": "ReviewIdentifier.Number", "number": "5" })]
        {
            assert_eq!(sent(&REVIEW, given), number);
        }
        assert_eq!(sent(&PROJECT, json!("key:DEMO")), json!({ "className": "ProjectIdentifier.Key", "key": "DEMO" }));
        assert_eq!(sent(&FOLDER, json!("root")), json!({ "className": "FolderIdentifier.Root" }));
        let message = json!({ "className": "ChatMessageIdentifier.InternalId", "id": "m:1" });
        assert_eq!(sent(&MESSAGE, json!("id:m:1")), message);
        let nested = json!({ "className": "ChannelIdentifier.Profile",
            "member": { "className": "ProfileIdentifier.Id", "id": "u" } });
        assert_eq!(sent(&CHANNEL, nested.clone()), nested);
    }

    #[test]
    fn everything_else_is_refused_with_what_is_known() {
        for wrong in [json!(5), json!("5"), json!("other:5"), json!("id"), json!(null), json!({ "id": "x" })] {
            assert!(REVIEW.read(wrong).is_err());
        }
        assert!(REVIEW.read(json!("number:five")).is_err());
        let other = json!({ "className": "IssueIdentifier.Id", "id": "x" });
        let expected = "ReviewIdentifier must be an object with className or one of `id:…`, `key:…`, `number:…`";
        assert_eq!(REVIEW.read(other).err().unwrap(), expected);
        assert!(FOLDER.read(json!("root:x")).is_err());
    }
}
