//! Rights on fields of payloads: what an application has to hold besides the rights of the event type, or a part of the
//! payload is withheld from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::Catalogue;
use crate::invalid::Invalid;
use crate::right::Right;

/// Most fields of one event type that demand a right.
pub const MAX_FIELD_RIGHTS: usize = 100;
/// Longest path, in characters.
const MAX_PATH: usize = 200;
/// Most keys of a path.
const MAX_KEYS: usize = 20;

/// A field that only those may see who hold a right in the event's place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldRight {
    /// Keys that lead to the field from the top of the payload, with dots between. Lists are passed through: the field is
    /// withheld in each element.
    pub path: String,
    /// The right.
    pub right: Right,
}

impl FieldRight {
    /// Whether what lies under these keys of a payload is the field, a part of it, or has it as a part.
    pub fn touches(&self, keys: &[String]) -> bool {
        self.path.split('.').zip(keys).all(|(own, key)| own == key)
    }
}

/// The fields that demand a right, by event type.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FieldRights(BTreeMap<String, Vec<FieldRight>>);

impl FieldRights {
    /// Those of an event type; none for most.
    pub fn of(&self, event_type: &str) -> &[FieldRight] {
        self.0.get(event_type).map_or(&[], Vec::as_slice)
    }

    /// Puts those of an event type in place of what it had.
    pub fn put(&mut self, event_type: String, fields: Vec<FieldRight>) {
        self.0.insert(event_type, fields);
    }
}

/// Reads the rights on fields of an event type, each a path and the code of a right.
///
/// # Errors
/// Names the field that breaks a rule; event type and rights must be in `known`.
pub fn check_field_rights<'a>(
    event_type: &str,
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    known: &Catalogue,
) -> Result<Vec<FieldRight>, Invalid> {
    known.named_event_type(event_type).map_err(|fault| fault.within("eventType"))?;
    let (mut read, mut paths) = (Vec::new(), BTreeSet::new());
    for (index, (path, code)) in fields.into_iter().enumerate() {
        let at = format!("fields[{index}]");
        check_path(path).map_err(|fault| fault.within(&at))?;
        if !paths.insert(path) {
            return Err(Invalid::new("path", "must not be given twice").within(&at));
        }
        let right = known.named_right(code).map_err(|fault| fault.within("right").within(&at))?;
        read.push(FieldRight { path: path.to_owned(), right });
    }
    match read.len() {
        1..=MAX_FIELD_RIGHTS => Ok(read),
        _ => Err(Invalid::new("fields", format!("must hold 1 to {MAX_FIELD_RIGHTS} fields"))),
    }
}

fn check_path(path: &str) -> Result<(), Invalid> {
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let keys = || path.split('.');
    if path.len() > MAX_PATH || keys().count() > MAX_KEYS || !keys().all(is_key) {
        let rule = format!(
            "must be keys of letters, digits, `_` and `-` with dots between, such as `issue.description`, at most {MAX_KEYS} keys and \
             {MAX_PATH} characters"
        );
        return Err(Invalid::new("path", rule));
    }
    if keys().any(|key| key == "className") {
        return Err(Invalid::new("path", "must not hold className, which tells payloads apart"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{EventType, RightEntry, Subject};

    fn known() -> Catalogue {
        let words = String::new;
        let event = EventType {
            code: "Order.Placed".to_owned(),
            name: words(),
            description: words(),
            payload: "OrderEvent".to_owned(),
            rights: vec![],
        };
        let subject = Subject {
            code: "Order".to_owned(),
            name: words(),
            description: words(),
            parent: None,
            events: vec![event],
            filters: vec![],
        };
        let right = RightEntry {
            code: "Shop.Prices.View".to_owned(),
            title: words(),
            description: words(),
            target: "Global".to_owned(),
            group: words(),
            dependencies: vec![],
        };
        Catalogue::new(vec![subject], vec![right])
    }

    fn refusal(event_type: &str, fields: &[(&str, &str)]) -> String {
        check_field_rights(event_type, fields.iter().copied(), &known()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_read_is_found_by_event_type() {
        let fields = [("order.price", "Shop.Prices.View"), ("lines.net-price", "Shop.Prices.View")];
        let read = check_field_rights("Order.Placed", fields, &known()).unwrap();
        let mut all = FieldRights::default();
        all.put("Order.Placed".to_owned(), read.clone());
        assert_eq!(all.of("Order.Placed"), read);
        assert_eq!(all.of("Order.Paid"), []);
        assert_eq!(read[1].path, "lines.net-price");
    }

    #[test]
    fn a_field_touches_what_it_holds_and_what_holds_it() {
        let field = FieldRight { path: "order.price".to_owned(), right: Right::from_code("Shop.Prices.View") };
        for (path, touches) in [
            ("order.price", true),
            ("order", true),
            ("order.price.net", true),
            ("order.id", false),
            ("price", false),
            ("order.prices", false),
        ] {
            let keys: Vec<String> = path.split('.').map(str::to_owned).collect();
            assert_eq!(field.touches(&keys), touches, "{path}");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let right = "Shop.Prices.View";
        assert!(refusal("Order.Place", &[("a", right)]).starts_with("eventType holds no known event type"));
        assert!(refusal("Order.Placed", &[]).starts_with("fields must hold 1 to 100"));
        assert!(refusal("Order.Placed", &[("a", right), ("b", "Shop.Price.View")]).starts_with("fields[1].right"));
        assert!(refusal("Order.Placed", &[("a", right), ("a", right)]).starts_with("fields[1].path must not be given"));
        let long = "a".repeat(MAX_PATH + 1);
        let deep = ["a"; MAX_KEYS + 1].join(".");
        for path in ["", ".", "a.", ".a", "a..b", "a[0]", "ä", "$errors", "a.className", "className.a", &long, &deep] {
            assert!(refusal("Order.Placed", &[(path, right)]).starts_with("fields[0].path"), "{path}");
        }
        let many: Vec<String> = (0..=MAX_FIELD_RIGHTS).map(|number| format!("f{number}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|path| (path.as_str(), right)).collect();
        assert!(refusal("Order.Placed", &many).starts_with("fields must hold"));
    }
}
