//! The identifiers of the http-api-model: how a thing can be named in a path or body.

use serde_json::{Value, json};

use super::api_model::{field, primitive};
use crate::preset;

/// One way to name something.
struct Choice {
    /// Dotted class name.
    name: &'static str,
    form: Form,
}

enum Form {
    /// A word that stands for itself.
    Word(&'static str),
    /// A text after a prefix.
    Text(&'static str),
    /// Another identifier after a prefix: the prefix and its type.
    Identifier(&'static str, &'static str),
}

/// The identifier `name`, or `None` when there is no such identifier.
pub(super) fn identifier(name: &str) -> Option<Value> {
    let choices = choices(name)?;
    let options: Vec<Value> = choices.iter().map(option).collect();
    Some(json!({"id": name, "name": name, "options": options, "deprecation": null, "experimental": null}))
}

/// The identifier types there are.
const KNOWN: [&str; 6] = [
    "ApplicationIdentifier",
    "ProfileIdentifier",
    "ProjectIdentifier",
    "PermissionContextIdentifier",
    "PermissionIdentifier",
    "PrincipalIn",
];

/// The name as a constant, or `None` when there is no such identifier.
pub(super) fn known(name: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| *known == name)
}

/// Identifiers that the choices of `name` mention.
pub(super) fn mentioned(name: &str) -> Vec<&'static str> {
    let choices = choices(name).unwrap_or_default();
    choices
        .iter()
        .filter_map(|choice| match choice.form {
            Form::Identifier(_, inner) => Some(inner),
            Form::Word(_) | Form::Text(_) => None,
        })
        .collect()
}

fn choices(name: &str) -> Option<Vec<Choice>> {
    let choices: Vec<(&'static str, Form)> = match name {
        "ApplicationIdentifier" => vec![
            ("ApplicationIdentifier.Id", Form::Text("id")),
            ("ApplicationIdentifier.ClientId", Form::Text("clientId")),
            ("ApplicationIdentifier.Me", Form::Word("me")),
        ],
        "ProfileIdentifier" => vec![
            ("ProfileIdentifier.Id", Form::Text("id")),
            ("ProfileIdentifier.Username", Form::Text("username")),
            ("ProfileIdentifier.ExternalId", Form::Text("externalId")),
            ("ProfileIdentifier.Me", Form::Word("me")),
        ],
        "ProjectIdentifier" => {
            vec![("ProjectIdentifier.Id", Form::Text("id")), ("ProjectIdentifier.Key", Form::Text("key"))]
        }
        "PermissionContextIdentifier" => vec![
            ("GlobalPermissionContextIdentifier", Form::Word("global")),
            ("ProjectPermissionContextIdentifier", Form::Identifier("project", "ProjectIdentifier")),
            ("ChannelPermissionContextIdentifier", Form::Text("channel")),
            ("PackageRepositoryPermissionContextIdentifier", Form::Text("packageRepository")),
        ],
        "PermissionIdentifier" => {
            let options = preset::right_options().iter();
            options.map(|option| (option.name.as_str(), Form::Word(option.code.as_str()))).collect()
        }
        "PrincipalIn" => vec![
            ("PrincipalIn.Profile", Form::Identifier("profile", "ProfileIdentifier")),
            ("PrincipalIn.Application", Form::Identifier("application", "ApplicationIdentifier")),
            ("PrincipalIn.BuiltIn", Form::Text("builtIn")),
        ],
        _ => return None,
    };
    Some(choices.into_iter().map(|(name, form)| Choice { name, form }).collect())
}

fn option(choice: &Choice) -> Value {
    let (class, value, parameters) = match choice.form {
        Form::Word(word) => ("HA_UrlParameterOption.Const", json!(word), vec![]),
        Form::Text(name) => {
            ("HA_UrlParameterOption.Var", Value::Null, vec![field(name, &primitive("String", false), None)])
        }
        Form::Identifier(name, inner) => {
            let inner =
                json!({"className": "HA_Type.UrlParam", "urlParam": {"id": inner}, "nullable": false, "tags": []});
            ("HA_UrlParameterOption.Var", Value::Null, vec![field(name, &inner, None)])
        }
    };
    let mut out = json!({
        "className": class, "optionName": choice.name, "description": null, "deprecation": null,
        "experimental": null, "featureFlag": null, "optionalFeature": null,
    });
    if let Value::Object(out) = &mut out {
        if value.is_null() {
            out.insert("parameters".to_owned(), parameters.into());
            out.insert("prefixRequired".to_owned(), true.into());
        } else {
            out.insert("value".to_owned(), value);
        }
    }
    out
}
