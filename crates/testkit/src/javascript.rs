//! What JavaScript makes of a JSON text: `JSON.stringify(JSON.parse(text))`, written out so that it shares nothing with
//! the product. Published applications verify signatures over this.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// The text after JavaScript has read and written it.
///
/// # Panics
/// When it is no JSON.
pub fn restringified(text: &str) -> String {
    let value: Parsed = serde_json::from_str(text).expect("the text is JSON");
    let mut out = String::new();
    value.write(&mut out);
    out
}

/// A value as JavaScript holds it: every number a double, keys in the order of their first coming.
enum Parsed {
    Plain(&'static str),
    Number(f64),
    Text(String),
    List(Vec<Parsed>),
    Object(Vec<(String, Parsed)>),
}

impl Parsed {
    fn write(&self, out: &mut String) {
        match self {
            Self::Plain(word) => out.push_str(word),
            // Between 1e-7 and 1e21 both languages print the shortest digits, without an exponent.
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                // Keys that look like indices of an array come first, in the order of numbers.
                let indices: BTreeMap<u32, usize> = members
                    .iter()
                    .enumerate()
                    .filter_map(|(place, (key, _))| {
                        let index: u32 = key.parse().ok()?;
                        (index.to_string() == *key).then_some((index, place))
                    })
                    .collect();
                let others = (0..members.len()).filter(|place| !indices.values().any(|index| index == place));
                out.push('{');
                for (number, place) in indices.values().copied().chain(others).enumerate() {
                    let (key, value) = &members[place];
                    out.push_str(if number > 0 { "," } else { "" });
                    out.push_str(&quoted(key));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out + "\""
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Plain("null"))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Parsed, E> {
        Ok(Parsed::Plain(if value { "true" } else { "false" }))
    }

    #[expect(clippy::cast_precision_loss, reason = "that is what JavaScript does")]
    fn visit_i64<E>(self, value: i64) -> Result<Parsed, E> {
        Ok(Parsed::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "that is what JavaScript does")]
    fn visit_u64<E>(self, value: u64) -> Result<Parsed, E> {
        Ok(Parsed::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Parsed, E> {
        Ok(Parsed::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Parsed, E> {
        Ok(Parsed::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Parsed, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Parsed::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Parsed, A::Error> {
        let mut members: Vec<(String, Parsed)> = Vec::new();
        while let Some((key, value)) = entries.next_entry::<String, Parsed>()? {
            match members.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => *known = value,
                None => members.push((key, value)),
            }
        }
        Ok(Parsed::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn javascript_changes_what_it_cannot_keep() {
        for (text, expected) in [
            (r#"{ "b": 1.0, "a": "\u00e4\/\u0001" }"#, "{\"b\":1,\"a\":\"ä/\\u0001\"}"),
            (r#"{"a":1,"2":1,"1":1,"a":2}"#, r#"{"1":1,"2":1,"a":2}"#),
            ("[9007199254740993,true,null,0.1]", "[9007199254740992,true,null,0.1]"),
        ] {
            assert_eq!(restringified(text), expected);
        }
    }
}
