//! `payloadFields`: the parts of a webhook request that an application wants, and the parts it may not have.
//!
//! The request is copied in one pass, text by text, so that what stays is byte for byte what it was.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::ops::Range;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::canonical::{number, string};
use crate::fields::{At, Selection};

/// Fields of a document that its reader may not see, by path.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Withheld {
    below: BTreeMap<String, Withheld>,
    here: bool,
}

impl Withheld {
    /// Withholds the field under these keys; in lists, of each element.
    pub fn add<'a>(&mut self, path: impl IntoIterator<Item = &'a str>) {
        let mut node = self;
        for key in path {
            node = node.below.entry(key.to_owned()).or_default();
        }
        node.here = true;
    }

    /// Withholds the fields at these paths: keys with dots between.
    pub fn of_paths<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        paths.into_iter().for_each(|path| all.add(path.split('.')));
        all
    }

    /// The same in a document that holds this one under a key.
    #[must_use]
    pub fn below(&self, key: &str) -> Self {
        match self.is_empty() {
            true => Self::default(),
            false => Self { below: BTreeMap::from([(key.to_owned(), self.clone())]), here: false },
        }
    }

    /// Whether nothing is withheld.
    pub fn is_empty(&self) -> bool {
        !self.here && self.below.is_empty()
    }
}

/// A canonical JSON document with what `selection` wants of it, without what is withheld. `className` stays wherever
/// it is; names that are not there are nothing. An object that lacks a withheld field says so in `$errors`.
///
/// `None` when the document is no JSON.
pub fn project(document: &str, selection: Option<&Selection>, withheld: &Withheld) -> Option<String> {
    let wanted = selection.map_or(Wanted::All, |selection| Wanted::These(vec![selection.root()]));
    let mut out = String::with_capacity(document.len());
    let mut deserializer = serde_json::Deserializer::from_str(document);
    let copy = Copy { wanted, withheld: Some(withheld), out: &mut out };
    copy.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(out)
}

/// What is wanted of a value.
#[derive(Clone)]
enum Wanted<'a> {
    All,
    /// Of its fields, what these levels say.
    These(Vec<At<'a>>),
}

impl<'a> Wanted<'a> {
    /// What is wanted of a field; `None` when it is not.
    fn of(&self, field: &str) -> Option<Self> {
        let levels = match self {
            Self::All => return Some(Self::All),
            // Unions are told apart by it.
            Self::These(_) if field == "className" => return Some(Self::All),
            Self::These(levels) => levels,
        };
        let mut below: Vec<At<'a>> = Vec::new();
        for level in levels {
            if level.wants_defaults() {
                return Some(Self::All);
            }
            let Some(wanted) = level.wants(field) else { continue };
            if wanted.plain {
                return Some(Self::All);
            }
            for level in wanted.below {
                if !below.contains(&level) {
                    below.push(level);
                }
            }
        }
        (!below.is_empty()).then_some(Self::These(below))
    }
}

/// Copies one value.
struct Copy<'a, 'b> {
    wanted: Wanted<'a>,
    withheld: Option<&'b Withheld>,
    out: &'b mut String,
}

impl<'de> DeserializeSeed<'de> for Copy<'_, '_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Copy<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.push_str("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        number(value, self.out);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        string(value, self.out);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self { wanted, withheld, out } = self;
        out.push('[');
        let mut first = true;
        loop {
            let before = out.len();
            if !first {
                out.push(',');
            }
            first = false;
            if elements.next_element_seed(Copy { wanted: wanted.clone(), withheld, out: &mut *out })?.is_none() {
                out.truncate(before);
                out.push(']');
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { wanted, withheld, out } = self;
        out.push('{');
        let mut first = true;
        let mut left_out: Vec<String> = Vec::new();
        let mut reported: Option<Range<usize>> = None;
        while let Some(key) = entries.next_key::<String>()? {
            let Some(wanted) = wanted.of(&key) else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            let withheld = withheld.and_then(|withheld| withheld.below.get(&key));
            if withheld.is_some_and(|withheld| withheld.here) {
                entries.next_value::<IgnoredAny>()?;
                left_out.push(key);
                continue;
            }
            if !first {
                out.push(',');
            }
            first = false;
            string(&key, out);
            out.push(':');
            let begin = out.len();
            entries.next_value_seed(Copy { wanted, withheld, out: &mut *out })?;
            if key == ERRORS {
                reported = Some(begin..out.len());
            }
        }
        match (left_out.is_empty(), reported) {
            (true, _) => {}
            // Keys stay unique: what the document reports itself stands in the same list.
            (false, Some(range)) => {
                let known = out.get(range.clone()).and_then(|list| list.strip_prefix('[')?.strip_suffix(']'));
                let known = known.filter(|known| !known.is_empty()).map(|known| format!("{known},"));
                out.replace_range(range, &format!("[{}{}]", known.unwrap_or_default(), inaccessible(&left_out)));
            }
            (false, None) => {
                if !first {
                    out.push(',');
                }
                let _ = write!(out, "\"{ERRORS}\":[{}]", inaccessible(&left_out));
            }
        }
        out.push('}');
        Ok(())
    }
}

/// Where an object reports what it lacks.
const ERRORS: &str = "$errors";

/// The inline error of wire-protocol 2.3.
fn inaccessible(fields: &[String]) -> String {
    let mut out = r#"{"className":"HA_InlineError.InaccessibleFields","fields":["#.to_owned();
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        string(field, &mut out);
    }
    out.push_str(r#"],"message":"#);
    let quoted: Vec<String> = fields.iter().map(|field| format!("'{field}'")).collect();
    string(&format!("Could not access following fields: {}.", quoted.join(", ")), &mut out);
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::canonical::canonical;

    fn cut(document: &str, fields: &str) -> String {
        project(document, Some(&Selection::parse(fields).unwrap()), &Withheld::default()).unwrap()
    }

    const DOCUMENT: &str = r#"{"className":"P","clientId":"c","payload":{"className":"E","issue":{"id":"i","n":1.5,"tags":[{"id":"t","name":"x"},null]},"meta":{"method":"Created"}},"webhookId":"w"}"#;

    #[test]
    fn what_is_named_stays_and_class_names_always_do() {
        for (fields, expected) in [
            ("clientId", r#"{"className":"P","clientId":"c"}"#),
            (
                "payload(issue(id,nothing),other(x))",
                r#"{"className":"P","payload":{"className":"E","issue":{"id":"i"}}}"#,
            ),
            (
                "payload(issue(tags(name)))",
                r#"{"className":"P","payload":{"className":"E","issue":{"tags":[{"name":"x"},null]}}}"#,
            ),
            (
                "payload(meta),webhookId",
                r#"{"className":"P","payload":{"className":"E","meta":{"method":"Created"}},"webhookId":"w"}"#,
            ),
            ("payload(issue(n(x)))", r#"{"className":"P","payload":{"className":"E","issue":{"n":1.5}}}"#),
            (
                "payload(issue(id)),payload(issue(n))",
                r#"{"className":"P","payload":{"className":"E","issue":{"id":"i","n":1.5}}}"#,
            ),
            ("*", DOCUMENT),
            ("clientId,*", DOCUMENT),
            ("nothing", r#"{"className":"P"}"#),
        ] {
            assert_eq!(cut(DOCUMENT, fields), expected, "{fields}");
        }
        let nested = r#"{"id":"1","child":{"id":"2","x":1,"child":{"id":"3","x":2}}}"#;
        assert_eq!(cut(nested, "id,child!"), r#"{"id":"1","child":{"id":"2","child":{"id":"3"}}}"#);
    }

    #[test]
    fn withheld_fields_are_left_out_and_reported_where_they_were_wanted() {
        let mut withheld = Withheld::default();
        withheld.add(["payload", "issue", "tags", "name"]);
        withheld.add(["payload", "meta"]);
        let all = project(DOCUMENT, None, &withheld).unwrap();
        let error = |field: &str| {
            format!(
                r#""$errors":[{{"className":"HA_InlineError.InaccessibleFields","fields":["{field}"],"message":"Could not access following fields: '{field}'."}}]"#
            )
        };
        let expected = format!(
            r#"{{"className":"P","clientId":"c","payload":{{"className":"E","issue":{{"id":"i","n":1.5,"tags":[{{"id":"t",{}}},null]}},{}}},"webhookId":"w"}}"#,
            error("name"),
            error("meta")
        );
        assert_eq!(all, expected);
        assert_eq!(canonical(&all).unwrap(), all);
        let selection = Selection::parse("payload(issue(id))").unwrap();
        let some = project(DOCUMENT, Some(&selection), &withheld).unwrap();
        assert!(!some.contains("$errors"), "nobody asked for it: {some}");
        assert!(!all.contains("Created") && !all.contains("\"x\""));
    }

    #[test]
    fn what_a_document_reports_itself_stays_in_the_same_list() {
        let withheld = Withheld::of_paths(["a.secret", "b.secret", "c.secret"]);
        let document = r#"{"a":{"$errors":[{"message":"m"}],"secret":1,"z":2},"b":{"$errors":[],"secret":1},"c":{"$errors":7,"secret":1}}"#;
        let error = r#"{"className":"HA_InlineError.InaccessibleFields","fields":["secret"],"message":"Could not access following fields: 'secret'."}"#;
        let expected = format!(
            r#"{{"a":{{"$errors":[{{"message":"m"}},{error}],"z":2}},"b":{{"$errors":[{error}]}},"c":{{"$errors":[{error}]}}}}"#
        );
        assert_eq!(project(document, None, &withheld).unwrap(), expected);
    }

    /// The same on a tree of values, as simply as can be.
    fn naive(value: &Value, levels: Option<&[At<'_>]>) -> Value {
        match (value, levels) {
            (Value::Array(list), _) => list.iter().map(|value| naive(value, levels)).collect(),
            (Value::Object(map), Some(levels)) => {
                let mut kept = serde_json::Map::new();
                for (key, value) in map {
                    let wants: Vec<_> = levels.iter().filter_map(|level| level.wants(key)).collect();
                    let whole = key == "className"
                        || levels.iter().any(At::wants_defaults)
                        || wants.iter().any(|wanted| wanted.plain);
                    if whole {
                        kept.insert(key.clone(), value.clone());
                    } else if !wants.is_empty() {
                        let below: Vec<_> = wants.into_iter().flat_map(|wanted| wanted.below).collect();
                        kept.insert(key.clone(), naive(value, Some(&below)));
                    }
                }
                Value::Object(kept)
            }
            (other, _) => other.clone(),
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-1_000_000_i64..1_000_000).prop_map(Value::from),
            (-1.0e9..1.0e9).prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[abc]|className", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_naive_selection(document in documents(), fields in "[abc](\\([abc],[abc](\\([abc*]\\)|!)?\\))?(,[abc*])?") {
            prop_assume!(Selection::parse(&fields).is_ok());
            let text = canonical(&document.to_string()).unwrap();
            let selection = Selection::parse(&fields).unwrap();
            let found: Value = serde_json::from_str(&project(&text, Some(&selection), &Withheld::default()).unwrap()).unwrap();
            let expected = naive(&serde_json::from_str(&text).unwrap(), Some(&[selection.root()]));
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn without_a_selection_nothing_changes(document in documents()) {
            let text = canonical(&document.to_string()).unwrap();
            prop_assert_eq!(project(&text, None, &Withheld::default()).unwrap(), text);
        }
    }
}
