//! Scalars with a form of their own (wire-protocol 2.4, 2.8).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use spaceport_platform::time::Timestamp;

/// A point in time: out as `{"iso","timestamp"}`, in as ISO text or as an object with either key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DateTime(pub Timestamp);

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Out {
            iso: String,
            timestamp: i64,
        }
        Out { iso: self.0.to_iso(), timestamp: self.0.millis() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = DateTime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ISO date-time or an object with `iso` or `timestamp`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DateTime, E> {
                Timestamp::parse_iso(text)
                    .map(DateTime)
                    .ok_or_else(|| E::custom(format!("`{text}` is no ISO date-time like 2024-03-05T09:07:00.000Z")))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<DateTime, A::Error> {
                let (mut iso, mut timestamp) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "iso" => iso = map.next_value::<Option<String>>()?,
                        "timestamp" => timestamp = map.next_value::<Option<i64>>()?,
                        _ => {
                            map.next_value::<de::IgnoredAny>()?;
                        }
                    }
                }
                match (timestamp, iso) {
                    (Some(millis), _) => Ok(DateTime(Timestamp::from_millis(millis))),
                    (None, Some(iso)) => self.visit_str(&iso),
                    (None, None) => Err(de::Error::custom("a date-time object needs `iso` or `timestamp`")),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for DateTime {
    fn schema_name() -> Cow<'static, str> {
        "DateTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-type": "DateTime",
            "type": "object",
            "properties": { "iso": { "type": "string", "format": "date-time" }, "timestamp": { "type": "integer" } },
            "required": ["iso", "timestamp"],
        })
    }
}

/// A list that clients also send as its only element (wire-protocol 2.8). Null is none: where a list is replaced, it would
/// take away what was there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListReader(PhantomData))
    }
}

/// Reads from the input itself, not from a copy, so that faults keep their place.
struct ListReader<T>(PhantomData<T>);

impl<T> ListReader<T> {
    fn single<'de, E: de::Error>(value: Value) -> Result<List<T>, E>
    where
        T: Deserialize<'de>,
    {
        T::deserialize(value).map(|element| List(vec![element])).map_err(E::custom)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListReader<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or its only element")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<List<T>, E> {
        Self::single(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<List<T>, E> {
        Self::single(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<List<T>, E> {
        Self::single(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<List<T>, E> {
        Self::single(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<List<T>, E> {
        Self::single(value.into())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, elements: A) -> Result<List<T>, A::Error> {
        Vec::deserialize(de::value::SeqAccessDeserializer::new(elements)).map(List)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, entries: A) -> Result<List<T>, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(entries)).map(|element| List(vec![element]))
    }
}

impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("List_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}

/// A field of a change: left out, null, or a value. Use with `#[serde(default)]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Patch<T> {
    /// The field was left out: keep what is there.
    #[default]
    Absent,
    /// The field was null: clear it.
    Null,
    /// The new value.
    Value(T),
}

impl<T> Patch<T> {
    /// Whether the field was left out.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one; left out and null look the same.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => serializer.serialize_some(value),
            Self::Absent | Self::Null => serializer.serialize_none(),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Patch_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times_go_out_with_both_keys_and_come_in_in_every_form() {
        let time = DateTime(Timestamp::from_millis(1_709_629_620_000));
        let out = serde_json::to_string(&time).unwrap();
        assert_eq!(out, r#"{"iso":"2024-03-05T09:07:00.000Z","timestamp":1709629620000}"#);
        for text in [
            out.as_str(),
            r#""2024-03-05T09:07:00Z""#,
            r#"{"iso":"2024-03-05T09:07:00.000Z"}"#,
            r#"{"timestamp":1709629620000}"#,
        ] {
            assert_eq!(serde_json::from_str::<DateTime>(text).unwrap(), time, "{text}");
        }
        assert!(serde_json::from_str::<DateTime>("{}").is_err());
        assert!(serde_json::from_str::<DateTime>("\"soon\"").is_err());
    }

    #[test]
    fn a_single_value_is_a_list_of_one() {
        assert_eq!(serde_json::from_str::<List<String>>(r#""a""#).unwrap().0, ["a"]);
        assert_eq!(serde_json::from_str::<List<String>>(r#"["a","b"]"#).unwrap().0, ["a", "b"]);
        assert!(serde_json::from_str::<List<String>>("null").is_err());
        assert!(serde_json::from_str::<List<String>>("[1]").is_err());
        assert_eq!(serde_json::from_str::<List<u16>>("204").unwrap().0, [204]);
        assert!(serde_json::from_str::<List<u16>>("70000").is_err());

        #[derive(Deserialize, PartialEq, Debug)]
        struct Code(String);
        #[derive(Deserialize, PartialEq, Debug)]
        struct Entry {
            code: Code,
        }
        let one = List(vec![Entry { code: Code("a".to_owned()) }]);
        assert_eq!(serde_json::from_str::<List<Entry>>(r#"{"code":"a"}"#).unwrap(), one);
        assert_eq!(serde_json::from_str::<List<Entry>>(r#"[{"code":"a"}]"#).unwrap(), one);
        assert_eq!(serde_json::from_str::<List<Code>>(r#""a""#).unwrap().0, [Code("a".to_owned())]);
        assert!(serde_json::from_str::<Option<List<Code>>>("null").unwrap().is_none());
    }

    #[test]
    fn a_patch_tells_absent_from_null() {
        #[derive(Deserialize)]
        struct Change {
            #[serde(default)]
            name: Patch<String>,
        }
        let read = |text| serde_json::from_str::<Change>(text).unwrap().name;
        assert_eq!(read("{}"), Patch::Absent);
        assert_eq!(read(r#"{"name":null}"#), Patch::Null);
        assert_eq!(read(r#"{"name":"a"}"#), Patch::Value("a".to_owned()));
    }
}
