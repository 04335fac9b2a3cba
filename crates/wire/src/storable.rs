//! Finds the character that no text may hold (decision 0010) anywhere in a JSON text, and says where.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use spaceport_platform::invalid::{Invalid, storable};

/// The only way to write U+0000 in JSON: unescaped it is a syntax error.
const ESCAPED: &str = "\\u0000";

/// Refuses texts in which a string or key holds U+0000. Texts that are no JSON pass: whoever reads them
/// says what is wrong with them.
///
/// # Errors
/// Names the place, such as `events[0].payload.title`.
pub(crate) fn check(text: &str) -> Result<(), Invalid> {
    // Nearly all texts end here. What remains may still be a backslash followed by harmless letters.
    if !text.contains(ESCAPED) {
        return Ok(());
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, Clean>(&mut deserializer) {
        Err(fault) if fault.inner().is_data() => {
            let path = fault.path().to_string();
            let refused = storable(if path == "." { "" } else { &path }, "\0");
            refused.map_err(|fault| match fault.field.is_empty() {
                true => Invalid::new("", format!("The request {}", fault.expected)),
                false => fault,
            })
        }
        _ => Ok(()),
    }
}

/// Any JSON value without U+0000.
struct Clean;

impl<'de> Deserialize<'de> for Clean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Search)
    }
}

struct Search;

impl<'de> Visitor<'de> for Search {
    type Value = Clean;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Clean, E> {
        Ok(Clean)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Clean, E> {
        Ok(Clean)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Clean, E> {
        Ok(Clean)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Clean, E> {
        Ok(Clean)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Clean, E> {
        Ok(Clean)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Clean, E> {
        storable("", text).map(|()| Clean).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Clean, A::Error> {
        while elements.next_element::<Clean>()?.is_some() {}
        Ok(Clean)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Clean, A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            storable("", &key).map_err(de::Error::custom)?;
            entries.next_value::<Clean>()?;
        }
        Ok(Clean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_character_is_named() {
        for (text, place) in [
            (r#"{"name":"a\u0000"}"#, "name "),
            (r#"{"events":[{"payload":{"x":[1,"\u0000"]}}]}"#, "events[0].payload.x[1] "),
            (r#"{"a":{"k\u0000":1}}"#, "a"),
            (r#""\u0000""#, "The request "),
        ] {
            let refused = check(text).unwrap_err().to_string();
            assert!(refused.starts_with(place), "{text}: {refused}");
            assert!(refused.ends_with("must not hold the character U+0000"), "{refused}");
        }
    }

    #[test]
    fn a_backslash_before_the_letters_is_no_escape() {
        assert_eq!(check(r#"{"name":"\\u0000"}"#), Ok(()));
        assert_eq!(check(r#"{"name":"\u0001"}"#), Ok(()));
        assert!(check(r#"{"name":"\\\u0000"}"#).is_err());
    }

    #[test]
    fn broken_texts_are_left_to_their_reader() {
        assert_eq!(check(r#"{"name":"\u0000"#), Ok(()));
        assert_eq!(check(&format!("{}\"\\u0000\"", "[".repeat(10_000))), Ok(()));
    }
}
