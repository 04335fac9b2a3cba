//! Filters of subscriptions as applications send them and are shown them: objects with a `className`, whose fields the
//! catalogue describes.

use serde_json::{Map, Value};
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::filter::{Comparison, Filter, FilterClass, FilterField, Form, MAX_FILTERS, check};
use spaceport_platform::invalid::Invalid;

/// Reads the filters of a subscription to `subject`.
///
/// Null, an empty text and an empty list in a field mean that it asks for nothing. A text where a list belongs is a
/// list of one. Fields that a class does not have are refused when they ask for something.
///
/// # Errors
/// Names the filter and field, and what was expected.
pub fn filters_in(given: &[Map<String, Value>], subject: &str, catalogue: &Catalogue) -> Result<Vec<Filter>, Invalid> {
    if given.len() > MAX_FILTERS {
        return Err(Invalid::new("filters", format!("must hold at most {MAX_FILTERS} filters, holds {}", given.len())));
    }
    let read = |(index, filter): (usize, &Map<String, Value>)| {
        filter_in(filter, subject, catalogue).map_err(|fault| fault.within(&format!("filters[{index}]")))
    };
    given.iter().enumerate().map(read).collect()
}

fn filter_in(given: &Map<String, Value>, subject: &str, catalogue: &Catalogue) -> Result<Filter, Invalid> {
    let known = catalogue.subject(subject)?;
    let named = given.get("className").and_then(Value::as_str).unwrap_or_default();
    // Applications send back what they were shown.
    let code = if known.filters.iter().any(|code| code == named) { named.to_owned() } else { format!("{named}In") };
    let class = known.filters.iter().find(|known| **known == code).and_then(|code| catalogue.filter_class(code));
    let class = class.ok_or_else(|| {
        let expected = match known.filters.as_slice() {
            [] => format!("{subject} has no filters"),
            codes => format!("{subject} has {}", codes.join(", ")),
        };
        let named: String = named.chars().take(100).collect();
        Invalid::new("className", format!("must be a filter of the subject: {expected}; not `{named}`"))
    })?;
    let mut filter = Filter { class: class.code.clone(), ..Filter::default() };
    for field in &class.fields {
        let value = find(given, field)?.map_or(Ok(Vec::new()), |value| values(field, value))?;
        if !value.is_empty() {
            filter.fields.insert(field.name.clone(), value);
        }
    }
    refuse_unknown(given, "", class)?;
    check(&filter, class)?;
    Ok(filter)
}

/// The value of a field, in the object it lies in, if it lies in one.
fn find<'a>(given: &'a Map<String, Value>, field: &FilterField) -> Result<Option<&'a Value>, Invalid> {
    let get = |map: &'a Map<String, Value>, name: &str, shown: &str| map.get(name).or_else(|| map.get(shown));
    match (field.name.split_once('.'), field.shown.split_once('.')) {
        (Some((object, name)), Some((_, shown))) => match given.get(object) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(inner)) => Ok(get(inner, name, shown)),
            Some(_) => Err(Invalid::new(object, "must be an object")),
        },
        _ => Ok(get(given, &field.name, &field.shown)),
    }
}

fn values(field: &FilterField, whole: &Value) -> Result<Vec<String>, Invalid> {
    let wrong = || {
        let expected = if field.form == Form::Many { "a list of texts" } else { "a text" };
        Invalid::new(&field.name, format!("must be {expected}"))
    };
    let list = match whole {
        Value::Array(list) if field.form == Form::Many => list.as_slice(),
        Value::Array(_) => return Err(wrong()),
        other => std::slice::from_ref(other),
    };
    let mut texts = Vec::with_capacity(list.len());
    for value in list {
        let text = match value {
            Value::String(text) => text.trim(),
            // Null is any, but an element that names nothing is a mistake, and would let everything pass.
            Value::Null if whole.is_array() => return Err(wrong()),
            Value::Null => "",
            // What is shown as an object is taken as one, by its id.
            Value::Object(object) => object.get("id").and_then(Value::as_str).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        // Identifiers in the compact form of the API.
        let text = if field.kind == Comparison::Id { text.strip_prefix("id:").unwrap_or(text) } else { text };
        if !text.is_empty() && !texts.iter().any(|known| known == text) {
            texts.push(text.to_owned());
        }
    }
    Ok(texts)
}

fn refuse_unknown(given: &Map<String, Value>, within: &str, class: &FilterClass) -> Result<(), Invalid> {
    for (name, value) in given {
        let path = format!("{within}{name}");
        let is = |field: &FilterField| field.name == path || field.shown == path;
        let holds = |field: &FilterField| field.name.starts_with(&format!("{path}."));
        if path == "className" || path == "$errors" || class.fields.iter().any(is) || asks_nothing(value) {
            continue;
        }
        match value {
            Value::Object(inner) if class.fields.iter().any(holds) => {
                refuse_unknown(inner, &format!("{path}."), class)?;
            }
            _ => {
                let known: Vec<&str> = class.fields.iter().map(|field| field.name.as_str()).collect();
                let path: String = path.chars().take(100).collect();
                return Err(Invalid::new(
                    path,
                    format!("is no field of {}, which has {}", class.code, known.join(", ")),
                ));
            }
        }
    }
    Ok(())
}

fn asks_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// A filter as it is shown. `object` makes what an id stands for; fields that are no reference show their text.
pub fn filter_out(
    filter: &Filter,
    catalogue: &Catalogue,
    mut object: impl FnMut(&FilterField, &str) -> Value,
) -> Map<String, Value> {
    let mut shown = Map::new();
    let Some(class) = catalogue.filter_class(&filter.class) else {
        shown.insert("className".to_owned(), filter.class.clone().into());
        return shown;
    };
    shown.insert("className".to_owned(), class.shown.clone().into());
    for field in &class.fields {
        let given = filter.fields.get(&field.name).map(Vec::as_slice).unwrap_or_default();
        let mut values = given.iter().map(|value| match field.reference {
            Some(_) => object(field, value),
            None => Value::from(value.as_str()),
        });
        let value = match field.form {
            Form::Many => Value::Array(values.collect()),
            Form::One => values.next().unwrap_or(Value::Null),
            Form::Text => values.next().unwrap_or_else(|| Value::from("")),
        };
        match field.shown.split_once('.') {
            Some((within, name)) => {
                let inner = shown.entry(within).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(inner) = inner {
                    inner.insert(name.to_owned(), value);
                }
            }
            None => {
                shown.insert(field.shown.clone(), value);
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::preset::shared;

    fn read(subject: &str, filter: Value) -> Result<Filter, String> {
        let Value::Object(filter) = filter else { panic!("an object") };
        filters_in(&[filter], subject, &shared()).map(|mut read| read.remove(0)).map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_published_applications_send_is_read() {
        let any = json!({ "className": "CodeReviewSubscriptionFilterIn", "project": "p1", "repository": "r", "authors": [],
            "participants": [], "branchSpec": ["+main", "-wip/*"], "pathSpec": [], "titleRegex": "" });
        let filter = read("CodeReview", any).unwrap();
        assert_eq!(filter.fields.keys().collect::<Vec<_>>(), ["branchSpec", "project", "repository"]);
        let nested = json!({ "className": "RepoCommitsSubscriptionFilterIn", "project": null, "repository": "r",
            "spec": { "authors": ["ann"], "committers": [], "branchSpec": [], "pathSpec": "", "messageRegex": "Fix.*" } });
        let filter = read("Repository.Commits", nested).unwrap();
        assert_eq!(filter.fields.keys().collect::<Vec<_>>(), ["repository", "spec.authors", "spec.messageRegex"]);
        let compact =
            read("Issue", json!({ "className": "ProjectCommonSubscriptionFilterIn", "project": "id:p1" })).unwrap();
        assert_eq!(compact.fields["project"], ["p1"]);
    }

    #[test]
    fn what_was_shown_can_be_sent_back() {
        let filter =
            read("Issue", json!({ "className": "ProjectCommonSubscriptionFilterIn", "project": "p1" })).unwrap();
        let shown = filter_out(&filter, &shared(), |_, id| json!({ "id": id, "name": "n" }));
        assert_eq!(
            Value::Object(shown.clone()),
            json!({ "className": "ProjectCommonSubscriptionFilter", "project": { "id": "p1", "name": "n" } })
        );
        assert_eq!(read("Issue", Value::Object(shown)).unwrap(), filter);
    }

    #[test]
    fn empty_fields_are_shown_as_their_type_demands() {
        let filter = read("CodeReview", json!({ "className": "CodeReviewSubscriptionFilterIn" })).unwrap();
        let shown = filter_out(&filter, &shared(), |_, _| Value::Null);
        let expected = json!({ "className": "CodeReviewSubscriptionFilter", "project": null, "repository": null, "authors": [],
            "participants": [], "branchSpec": [], "pathSpec": [], "titleRegex": "" });
        assert_eq!(Value::Object(shown), expected);
    }

    #[test]
    fn faults_name_filter_field_and_reason() {
        let class = "CodeReviewSubscriptionFilterIn";
        for (filter, expected) in [
            (
                json!({ "className": "X" }),
                "filters[0].className must be a filter of the subject: CodeReview has CodeReviewSubscriptionFilterIn",
            ),
            (json!({}), "filters[0].className"),
            (json!({ "className": class, "authors": 7 }), "filters[0].authors must be a list of texts"),
            (json!({ "className": class, "authors": [null] }), "filters[0].authors must be a list of texts"),
            (json!({ "className": class, "project": ["p"] }), "filters[0].project must be a text"),
            (json!({ "className": class, "titleRegex": "a(" }), "filters[0].titleRegex must be a regular expression"),
            (json!({ "className": class, "autors": ["u"] }), "filters[0].autors is no field of"),
        ] {
            let refusal = read("CodeReview", filter.clone()).unwrap_err();
            assert!(refusal.contains(expected), "{filter}: {refusal}");
        }
        assert!(read("CodeReview", json!({ "className": class, "newer": null, "newest": [] })).is_ok());
        let wrong =
            json!({ "className": "RepoCommitsSubscriptionFilterIn", "repository": "r", "spec": { "autor": "x" } });
        assert!(read("Repository.Commits", wrong).unwrap_err().contains("spec.autor is no field"));
    }

    #[test]
    fn every_class_of_the_preset_is_described_and_used() {
        let catalogue = shared();
        let mut used: Vec<&String> = catalogue.subjects().iter().flat_map(|subject| &subject.filters).collect();
        used.sort_unstable();
        used.dedup();
        for code in &used {
            assert!(catalogue.filter_class(code).is_some(), "{code} is not described");
        }
        assert_eq!(catalogue.filter_classes().count(), 18);
        for class in catalogue.filter_classes() {
            assert_eq!(spaceport_platform::filter::check_class(class), Ok(()), "{}", class.code);
            assert!(used.contains(&&class.code), "no subject has {}", class.code);
        }
    }
}
