//! What an event holds where filters look: one pass over its JSON, in which everything else is skipped.

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use spaceport_platform::listeners::{Facts, Paths};

/// Most values of one slot; further ones are not looked at.
const MAX_VALUES: usize = 1_000;

/// The values that `payload` and `attributes` hold under the paths. What is no JSON holds none.
pub fn facts(payload: (&str, &Paths), attributes: (Option<&str>, &Paths), slots: usize) -> Facts {
    let mut facts: Facts = vec![Vec::new(); slots];
    for (text, paths) in [(Some(payload.0), payload.1), attributes] {
        if let Some(text) = text.filter(|_| !paths.is_empty()) {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            // What was found before a fault counts.
            let _ = Node { paths, facts: &mut facts }.deserialize(&mut deserializer);
        }
    }
    facts
}

struct Node<'a> {
    paths: &'a Paths,
    facts: &'a mut Facts,
}

impl Node<'_> {
    fn found(&mut self, value: &str) {
        for slot in &self.paths.slots {
            if let Some(values) = self.facts.get_mut(*slot).filter(|values| values.len() < MAX_VALUES) {
                values.push(value.to_owned());
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.found(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> Result<(), E> {
        self.found(&value.to_string());
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<(), E> {
        self.found(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> Result<(), E> {
        self.found(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(Node { paths: self.paths, facts: self.facts })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.paths.below.get(key.as_ref()) {
                Some(paths) => entries.next_value_seed(Node { paths, facts: self.facts })?,
                None => entries.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(slot: usize) -> Paths {
        Paths { slots: vec![slot], below: [("id".to_owned(), Paths { slots: vec![slot], ..Paths::default() })].into() }
    }

    fn below(key: &str, paths: Paths) -> Paths {
        Paths { slots: vec![], below: [(key.to_owned(), paths)].into() }
    }

    #[test]
    fn values_are_found_in_objects_and_lists() {
        let mut payload = below("review", below("authors", leaf(0)));
        payload.below.insert("n".to_owned(), leaf(1));
        let text = r#"{"x":[{"review":1}],"review":{"title":"t","authors":["u1",{"id":"u2","name":"u3"},null,[{"id":"u4"}]]},"n":7}"#;
        let found = facts((text, &payload), (Some(r#"{"a":{"id":"p"},"b":"q"}"#), &below("a", leaf(2))), 3);
        assert_eq!(
            found,
            [vec!["u1".to_owned(), "u2".to_owned(), "u4".to_owned()], vec!["7".to_owned()], vec!["p".to_owned()]]
        );
    }

    #[test]
    fn what_is_not_there_is_no_value() {
        assert_eq!(facts(("{", &leaf(0)), (None, &leaf(0)), 1), [Vec::<String>::new()]);
        let many = format!("[{}1]", "1,".repeat(2_000));
        assert_eq!(facts((&many, &leaf(0)), (None, &Paths::default()), 1)[0].len(), MAX_VALUES);
    }
}
