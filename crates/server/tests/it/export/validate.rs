//! Answers checked against the schemas of a real server.

use serde_json::{Map, Value};

use super::shape::{not_null, resolved};
use super::{Description, EXPORT};

/// Properties that are sent only when `$fields` names them, although the export calls them required.
const ON_DEMAND: [&str; 3] = ["contexts", "domains", "patterns"];

/// Fails when the answer of an operation breaks the real server's schema for it. Operations that the export does not
/// know are not checked.
pub(crate) fn require_answer(operation: &str, answer: &Value) {
    let export: &Description = &EXPORT;
    let Some(known) = export.operations.get(operation) else { return };
    match known.get("answer") {
        Some(schema) => check(answer, schema, &export.types, "answer")
            .unwrap_or_else(|fault| panic!("{operation}: {fault}: {answer}")),
        None => assert!(answer.is_null(), "{operation} answers nothing: {answer}"),
    }
}

fn check(value: &Value, schema: &Value, types: &Map<String, Value>, place: &str) -> Result<(), String> {
    let (inner, nullable) = not_null(schema);
    if value.is_null() {
        return if nullable { Ok(()) } else { Err(format!("{place} is null")) };
    }
    let schema = resolved(inner, types);
    if let Some(classes) = schema["anyOf"].as_array() {
        let class = value["className"].as_str().ok_or_else(|| format!("{place} has no className"))?;
        let name = |part: &&Value| part["$ref"].as_str().is_some_and(|path| path.rsplit('/').next() == Some(class));
        // Classes that came later are in the list of differences.
        return classes.iter().find(name).map_or(Ok(()), |part| check(value, part, types, place));
    }
    if let Some(values) = schema["enum"].as_array() {
        return if values.contains(value) { Ok(()) } else { Err(format!("{place} is {value}")) };
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        // SDKs read this form; the export writes the one that only payloads of chats use.
        (Some("string"), Some("date-time")) => {
            let right = value["iso"].is_string() && value["timestamp"].is_i64();
            if right { Ok(()) } else { Err(format!("{place} is no date: {value}")) }
        }
        (Some("string"), _) if !value.is_string() => Err(format!("{place} is no text: {value}")),
        (Some("boolean"), _) if !value.is_boolean() => Err(format!("{place} is no boolean: {value}")),
        (Some("integer"), _) if !value.is_i64() => Err(format!("{place} is no whole number: {value}")),
        (Some("array"), _) => {
            let entries = value.as_array().ok_or_else(|| format!("{place} is no list: {value}"))?;
            let each = |(index, entry)| check(entry, &schema["items"], types, &format!("{place}[{index}]"));
            entries.iter().enumerate().try_for_each(each)
        }
        (Some("object"), _) => record(value, schema, types, place),
        _ => Ok(()),
    }
}

fn record(value: &Value, schema: &Value, types: &Map<String, Value>, place: &str) -> Result<(), String> {
    let object = value.as_object().ok_or_else(|| format!("{place} is no object: {value}"))?;
    // A record inside another is its id unless `$fields` asks for more.
    let collapsed = object.len() == 1 && object.contains_key("id");
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !collapsed && !object.contains_key(name) && !ON_DEMAND.contains(&name) {
            return Err(format!("{place} has no {name}"));
        }
    }
    let properties = schema["properties"].as_object().into_iter().flatten();
    for (name, property) in properties {
        if let Some(found) = object.get(name) {
            // Whatever is not required may be null: nothing else could be said of it.
            let required = schema["required"].as_array().is_some_and(|all| all.contains(&Value::from(name.as_str())));
            if required || !found.is_null() {
                check(found, property, types, &format!("{place}.{name}"))?;
            }
        }
    }
    Ok(())
}
