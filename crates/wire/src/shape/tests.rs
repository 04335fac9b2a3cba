//! Facts about shapes, selection and expansion.

use std::collections::BTreeSet;

use super::*;
use crate::batch::{Modification, Pair};
use crate::fields::Selection;
use crate::scalar::DateTime;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

#[derive(Serialize, JsonSchema)]
#[schemars(extend("x-record" = true))]
struct Person {
    id: String,
    name: Name,
    boss: Option<Box<Person>>,
    #[schemars(extend("x-extension" = true))]
    teams: Vec<Name>,
}

#[derive(Serialize, JsonSchema)]
struct Name {
    first: String,
    last: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "className")]
enum Pet {
    #[serde(rename = "Pet.Cat")]
    Cat { owner: Person, lives: u8 },
}

fn name() -> Name {
    Name { first: "Ann".to_owned(), last: None }
}

fn person(boss: Option<Person>) -> Person {
    Person { id: "p1".to_owned(), name: name(), boss: boss.map(Box::new), teams: vec![name()] }
}

fn select<T: Serialize + JsonSchema + 'static>(value: &T, fields: Option<&str>) -> Value {
    let selection = fields.map(|fields| Selection::parse(fields).unwrap());
    Shape::of::<T>().project(serde_json::to_value(value).unwrap(), selection.as_ref())
}

#[test]
fn defaults_expand_values_collapse_records_and_leave_extensions_out() {
    let boss = person(None);
    let expected = json!({ "id": "p1", "name": { "first": "Ann", "last": null }, "boss": { "id": "p1" } });
    assert_eq!(select(&person(Some(boss)), None), expected);
    assert_eq!(select(&person(Some(person(None))), Some("*")), expected);
}

#[test]
fn a_named_record_is_a_reference_and_an_opened_one_is_expanded_one_level() {
    let three = person(Some(person(Some(person(None)))));
    assert_eq!(select(&three, Some("boss")), json!({ "boss": { "id": "p1" } }));
    let opened = select(&three, Some("boss(*)"));
    assert_eq!(opened["boss"]["boss"], json!({ "id": "p1" }));
    assert_eq!(opened["boss"]["name"]["first"], "Ann");
}

#[test]
fn recursion_follows_the_data() {
    let three = person(Some(person(Some(person(None)))));
    let nested = select(&three, Some("id,boss!"));
    assert_eq!(nested, json!({ "id": "p1", "boss": { "id": "p1", "boss": { "id": "p1", "boss": null } } }));
}

#[test]
fn repeated_recursion_costs_no_more_than_one() {
    let mut tower = person(None);
    for _ in 0..25 {
        tower = person(Some(tower));
    }
    let nested = select(&tower, Some(&vec!["id,boss!"; 20].join(",")));
    assert_eq!(nested, select(&tower, Some("id,boss!")));
}

#[test]
fn extensions_come_when_named_and_unknown_names_are_ignored() {
    assert_eq!(select(&person(None), Some("teams(first),planet")), json!({ "teams": [{ "first": "Ann" }] }));
}

#[test]
fn selections_of_one_field_add_up() {
    let value = select(&person(None), Some("name(first),name(last)"));
    assert_eq!(value, json!({ "name": { "first": "Ann", "last": null } }));
}

#[test]
fn the_class_name_stays_on_unions() {
    let cat = Pet::Cat { owner: person(None), lives: 9 };
    assert_eq!(select(&cat, Some("lives")), json!({ "className": "Pet.Cat", "lives": 9 }));
    assert_eq!(select(&cat, None), json!({ "className": "Pet.Cat", "owner": { "id": "p1" }, "lives": 9 }));
}

#[test]
fn pages_are_selected_through_data() {
    let page = crate::batch::Batch { next: "1".to_owned(), total_count: None, data: vec![person(None)] };
    assert_eq!(select(&page, Some("*,data(id)")), json!({ "next": "1", "totalCount": null, "data": [{ "id": "p1" }] }));
    assert_eq!(select(&vec![person(None)], Some("id")), json!([{ "id": "p1" }]));
    assert_eq!(select(&page, None)["data"][0]["name"]["first"], "Ann", "entries of a page do not collapse");
}

#[test]
fn a_named_field_and_one_with_parentheses_add_up() {
    let two = person(Some(person(None)));
    assert_eq!(select(&two, Some("boss,boss(name(first))"))["boss"], json!({ "id": "p1", "name": { "first": "Ann" } }));
    assert_eq!(select(&two, Some("*,name(first)"))["name"], json!({ "first": "Ann" }), "`*` opens what is not named");
}

#[test]
fn pairs_are_as_much_asked_for_as_pages_and_nested_changes_are_not() {
    #[derive(Serialize, JsonSchema)]
    struct Event {
        chief: Modification<Person>,
    }
    let pair = Pair { first: person(None), second: "token".to_owned() };
    assert_eq!(select(&pair, None)["first"]["name"]["first"], "Ann");
    assert_eq!(select(&pair, Some("first(id),second")), json!({ "first": { "id": "p1" }, "second": "token" }));
    let event = Event { chief: Modification { old: None, new: Some(person(None)) } };
    assert_eq!(select(&event, None), json!({ "chief": { "old": null, "new": { "id": "p1" } } }));
    assert_eq!(
        select(&event, Some("chief(new(name(last)))")),
        json!({ "chief": { "new": { "name": { "last": null } } } })
    );
}

#[test]
fn maps_are_selected_from_through_their_values() {
    let map = std::collections::BTreeMap::from([("a", person(Some(person(None))))]);
    assert_eq!(select(&map, Some("boss")), json!({ "a": { "boss": { "id": "p1" } } }));
}

#[test]
fn variants_with_fields_of_one_name_keep_their_own_types() {
    #[derive(Serialize, JsonSchema)]
    #[serde(tag = "className")]
    enum Filter {
        ByText { owner: String },
        ByRecord { owner: Person },
    }
    let filters = vec![Filter::ByText { owner: "o1".to_owned() }, Filter::ByRecord { owner: person(None) }];
    let expected =
        json!([{ "className": "ByText", "owner": "o1" }, { "className": "ByRecord", "owner": { "id": "p1" } }]);
    assert_eq!(select(&filters, None), expected);
}

#[test]
fn a_class_nobody_knows_goes_out_as_it_is() {
    let unknown = json!({ "className": "Pet.Dragon", "heads": 7 });
    assert_eq!(Shape::of::<Pet>().project(unknown.clone(), None), unknown);
}

#[test]
fn a_date_time_goes_out_whole() {
    #[derive(Serialize, JsonSchema)]
    struct Entry {
        at: DateTime,
        note: Option<DateTime>,
    }
    let at = DateTime(spaceport_platform::time::Timestamp::from_millis(0));
    let value = select(&Entry { at, note: None }, Some("at(iso),note"));
    assert_eq!(value, json!({ "at": { "iso": "1970-01-01T00:00:00.000Z", "timestamp": 0 }, "note": null }));
}

#[test]
fn of_untyped_values_named_fields_and_class_names_stay() {
    let payload = json!({ "className": "IssueWebhookEvent", "issue": { "id": "i1", "title": "t", "tags": [{ "a": 1, "b": 2 }] }, "meta": 1 });
    let selected = |fields| Shape::untyped().project(payload.clone(), Some(&Selection::parse(fields).unwrap()));
    assert_eq!(selected("*"), payload);
    assert_eq!(selected("issue(id)"), json!({ "className": "IssueWebhookEvent", "issue": { "id": "i1" } }));
    assert_eq!(selected("issue(tags(b),title)")["issue"], json!({ "title": "t", "tags": [{ "b": 2 }] }));
}

/// The people a loader finds.
fn loaded(references: &References) -> Vec<(String, Value)> {
    let all = [
        json!({ "id": "p1", "name": { "first": "Ann", "last": null }, "boss": { "id": "p2" }, "teams": [] }),
        json!({ "id": "p2", "name": { "first": "Bob", "last": null }, "boss": { "id": "p1" }, "teams": [] }),
    ];
    let id = |person: &Value| person["id"].as_str().unwrap().to_owned();
    all.into_iter().map(|person| (id(&person), person)).filter(|(id, _)| references.ids.contains(id)).collect()
}

fn expanded(value: Value, fields: &str) -> (Value, Vec<References>) {
    let (shape, selection) = (Shape::of::<Vec<Person>>(), Selection::parse(fields).unwrap());
    let mut expansion = shape.expand(value, Some(&selection));
    let mut asked = Vec::new();
    loop {
        let wanted = expansion.wanted();
        if wanted.is_empty() {
            return (expansion.finish(), asked);
        }
        for references in wanted {
            expansion.supply(&references.type_name, loaded(&references));
            asked.push(references);
        }
    }
}

fn references(ids: &[&str], fields: &[&str]) -> References {
    let set = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    References { type_name: "Person".to_owned(), ids: set(ids), fields: set(fields) }
}

#[test]
fn named_references_are_loaded_once_for_each_level() {
    let staff = json!([
        { "id": "p7", "name": { "first": "Cid", "last": null }, "boss": { "id": "p1" } },
        { "id": "p8", "name": { "first": "Dan", "last": null }, "boss": { "id": "p1" } },
        { "id": "p9", "name": { "first": "Eve", "last": null }, "boss": { "id": "p2" } },
    ]);
    let (answer, asked) = expanded(staff.clone(), "id,boss(name(first),boss(name(first)))");
    assert_eq!(asked, [references(&["p1", "p2"], &["boss", "name"])]);
    assert_eq!(answer[1]["boss"], json!({ "name": { "first": "Ann" }, "boss": { "name": { "first": "Bob" } } }));
    let (answer, asked) = expanded(staff, "id,boss");
    assert!(asked.is_empty(), "a reference needs nothing");
    assert_eq!(answer[2], json!({ "id": "p9", "boss": { "id": "p2" } }));
}

#[test]
fn an_extension_that_was_not_loaded_is_asked_for_when_named() {
    let one = json!([{ "id": "p1", "name": { "first": "Ann", "last": null }, "boss": null }]);
    let (answer, asked) = expanded(one.clone(), "id,teams");
    assert_eq!(asked, [references(&["p1"], &["teams"])]);
    assert_eq!(answer, json!([{ "id": "p1", "teams": [] }]));
    assert!(expanded(one, "*").1.is_empty());
}

#[test]
fn what_cannot_be_loaded_is_named_in_an_inline_error() {
    let one = json!([{ "id": "p3", "boss": { "id": "p4" } }]);
    let (answer, _) = expanded(one, "boss(id,name)");
    let error = json!([{
        "className": "HA_InlineError.InaccessibleFields", "fields": ["name"],
        "message": "Could not access following fields: 'name'."
    }]);
    assert_eq!(answer[0]["boss"], json!({ "id": "p4", "$errors": error }));
}

#[test]
fn recursion_over_a_circle_ends() {
    let (answer, asked) = expanded(json!([{ "id": "p1" }]), "id,boss!");
    assert_eq!(asked.len(), 2);
    assert_eq!(answer[0]["boss"]["boss"]["id"], "p1");
    let text = answer.to_string();
    assert!((5..10).contains(&text.matches("boss").count()), "{text}");
}
