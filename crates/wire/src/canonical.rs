//! Canonical JSON: text that JavaScript's `JSON.stringify(JSON.parse(text))` leaves as it is, byte for
//! byte, because published applications verify signatures over the re-serialised body
//! (wire-protocol 4.1).

use std::collections::HashSet;
use std::fmt::{self, Write as _};

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use spaceport_platform::invalid::Invalid;

/// Deepest nesting; with the envelope around it receivers read up to 32 levels.
const MAX_DEPTH: usize = 28;
/// Integers beyond this lose digits in JavaScript.
const MAX_INTEGER: u64 = 1 << 53;

/// The canonical form of a JSON text.
///
/// # Errors
/// Names the place of what JavaScript would change beyond repair: duplicate keys, integers beyond 2^53,
/// nesting that receivers cannot read; and of syntax errors.
pub fn canonical(text: &str) -> Result<String, Invalid> {
    let mut out = String::with_capacity(text.len());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut path = Vec::new();
    Writer { out: &mut out, path: &mut path, depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|fault| wrong(&path, &fault.to_string()))?;
    Ok(out)
}

/// The same, for texts that must be an object.
///
/// # Errors
/// Those of [`canonical`], and texts that are no object.
pub fn canonical_object(text: &str) -> Result<String, Invalid> {
    let out = canonical(text)?;
    if out.starts_with('{') { Ok(out) } else { Err(Invalid::new("", "must be an object")) }
}

fn wrong(path: &[String], fault: &str) -> Invalid {
    // serde_json adds a place to what the visitor said; the path tells more.
    let fault = fault.split(" at line ").next().unwrap_or(fault);
    let field = path.join(".").replace(".[", "[");
    let expected = if fault.starts_with("holds") || fault.starts_with("is ") {
        fault.to_owned()
    } else {
        format!("is no JSON: {fault}")
    };
    Invalid::new(field, expected)
}

struct Writer<'a> {
    out: &'a mut String,
    /// Where the writer is; left as it is when something is wrong there.
    path: &'a mut Vec<String>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.out.push_str("null");
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        if value > MAX_INTEGER {
            return Err(E::custom(too_large(&value)));
        }
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        if value.unsigned_abs() > MAX_INTEGER {
            return Err(E::custom(too_large(&value)));
        }
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        if !value.is_finite() {
            return Err(E::custom("holds a number that is out of range"));
        }
        // Whole numbers too long for 64 bits arrive here, rounded: that they were is no secret to keep.
        if value.fract() == 0.0 && value.abs() > 9_007_199_254_740_992.0 && value.abs() < 1e21 {
            return Err(E::custom(too_large(&value)));
        }
        number(value, self.out);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        string(value, self.out);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let depth = deeper(self.depth)?;
        self.out.push('[');
        let mut index = 0_usize;
        loop {
            let before = self.out.len();
            if index > 0 {
                self.out.push(',');
            }
            self.path.push(format!("[{index}]"));
            let element = elements.next_element_seed(Writer { out: self.out, path: self.path, depth })?;
            self.path.pop();
            if element.is_none() {
                self.out.truncate(before);
                self.out.push(']');
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let depth = deeper(self.depth)?;
        let mut seen: HashSet<String> = HashSet::new();
        // JavaScript moves keys that look like array indices to the front, in order of their number.
        let mut indices: Vec<(u32, String)> = Vec::new();
        let mut others = String::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.path.push(key.clone());
            if seen.contains(&key) {
                return Err(de::Error::custom("holds the same key twice"));
            }
            let mut entry = String::new();
            let target = match array_index(&key) {
                Some(_) => &mut entry,
                None => &mut others,
            };
            if !target.is_empty() {
                target.push(',');
            }
            string(&key, target);
            target.push(':');
            entries.next_value_seed(Writer { out: target, path: self.path, depth })?;
            if let Some(index) = array_index(&key) {
                indices.push((index, entry));
            }
            self.path.pop();
            seen.insert(key);
        }
        indices.sort_by_key(|(index, _)| *index);
        self.out.push('{');
        for (position, (_, entry)) in indices.iter().enumerate() {
            if position > 0 {
                self.out.push(',');
            }
            self.out.push_str(entry);
        }
        if !indices.is_empty() && !others.is_empty() {
            self.out.push(',');
        }
        self.out.push_str(&others);
        self.out.push('}');
        Ok(())
    }
}

fn too_large(value: &dyn fmt::Display) -> String {
    format!("holds the integer {value}, which JavaScript receivers cannot keep; send it as a string")
}

fn deeper<E: de::Error>(depth: usize) -> Result<usize, E> {
    if depth >= MAX_DEPTH { Err(E::custom(format!("is nested deeper than {MAX_DEPTH} levels"))) } else { Ok(depth + 1) }
}

/// Keys that ECMAScript calls array indices: canonical decimal numbers below 2^32 - 1.
fn array_index(key: &str) -> Option<u32> {
    let canonical = key == "0"
        || (key.starts_with(|c: char| ('1'..='9').contains(&c)) && key.bytes().all(|byte| byte.is_ascii_digit()));
    key.parse().ok().filter(|index| canonical && *index < u32::MAX)
}

/// Writes a string as `JSON.stringify` does.
fn string(text: &str, out: &mut String) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            0x09 => "\\t",
            0x0a => "\\n",
            0x0c => "\\f",
            0x0d => "\\r",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(text.get(clean..at).unwrap_or_default());
        clean = at + 1;
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(text.get(clean..).unwrap_or_default());
    out.push('"');
}

/// Writes a number as JavaScript prints it (ECMAScript `Number::toString`): the shortest digits that
/// read back the same, with an exponent from 1e21 on and below 1e-6.
fn number(value: f64, out: &mut String) {
    if value == 0.0 {
        // Minus zero too.
        out.push('0');
        return;
    }
    if value < 0.0 {
        out.push('-');
    }
    // Rust's `{:e}` has the shortest digits: d.ddde±x.
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if (1..=21).contains(&point) {
        if count <= point {
            out.push_str(&digits);
            out.push_str(&zeros(point - count));
        } else {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
            let _ = write!(out, "{whole}.{fraction}");
        }
    } else if (-5..=0).contains(&point) {
        let _ = write!(out, "0.{}{digits}", zeros(-point));
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let _ = write!(out, "{first}{dot}{rest}e{}{}", if point > 0 { '+' } else { '-' }, (point - 1).abs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_come_out_as_javascript_prints_them() {
        // Each right side is what JSON.stringify(JSON.parse(left)) gives.
        for (text, expected) in [
            (r#" { "b" : 1 , "a" : [ true , null ] } "#, r#"{"b":1,"a":[true,null]}"#),
            (r#""\/ \u00e9 \ud83c\udf89 \u2028""#, "\"/ é 🎉 \u{2028}\""),
            (r#""\u0001\u001f\b\f\n\r\t\"\\""#, r#""\u0001\u001f\b\f\n\r\t\"\\""#),
            ("\"\u{7f}\"", "\"\u{7f}\""),
            ("1.0", "1"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("1e3", "1000"),
            ("1E400000000000", ""),
            ("1e21", "1e+21"),
            ("123456789012345680000", ""),
            ("1.5e300", "1.5e+300"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("1.25e-9", "1.25e-9"),
            ("0.1", "0.1"),
            ("123.456", "123.456"),
            ("9007199254740992", "9007199254740992"),
            ("9007199254740993", ""),
            ("-9007199254740993", ""),
            (r#"{"10":1,"b":2,"2":3,"01":4}"#, r#"{"2":3,"10":1,"b":2,"01":4}"#),
            (r#"{"a":1,"a":2}"#, ""),
            ("[]", "[]"),
            ("{}", "{}"),
            ("[1,]", ""),
            ("", ""),
        ] {
            match canonical(text) {
                Ok(out) => assert_eq!(out, expected, "{text}"),
                Err(fault) => assert!(expected.is_empty(), "{text}: {fault}"),
            }
        }
    }

    #[test]
    fn faults_name_their_place() {
        let message = canonical(r#"{"issue":{"tags":[{"n":1},{"n":9007199254740993}]}}"#).unwrap_err().to_string();
        assert!(message.starts_with("issue.tags[1].n holds the integer 9007199254740993"), "{message}");
        let message = canonical(r#"{"a":{"b":1,"b":2}}"#).unwrap_err().to_string();
        assert_eq!(message, "a.b holds the same key twice");
    }

    #[test]
    fn depth_is_bounded() {
        assert!(canonical(&format!("{}{}", "[".repeat(28), "]".repeat(28))).is_ok());
        assert!(canonical(&format!("{}{}", "[".repeat(29), "]".repeat(29))).is_err());
        assert!(canonical(&"[".repeat(100_000)).is_err());
        assert!(canonical(&"{\"a\":".repeat(100_000)).is_err());
    }

    #[test]
    fn only_objects_pass_as_objects() {
        assert!(canonical_object("[]").is_err());
        assert_eq!(canonical_object(" {} ").unwrap(), "{}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = canonical(&text);
        }

        #[test]
        fn what_is_canonical_stays(number in any::<f64>(), text in "\\PC{0,40}", whole in -9_007_199_254_740_992_i64..9_007_199_254_740_992) {
            prop_assume!(number.is_finite());
            let value = serde_json::json!({ "n": number, "t": text, "i": whole, "3": [text] });
            let once = canonical(&value.to_string());
            if let Ok(once) = once {
                prop_assert_eq!(canonical(&once).unwrap(), once);
            }
        }

        #[test]
        fn numbers_keep_their_value(number in any::<f64>()) {
            prop_assume!(number.is_finite());
            let mut out = String::new();
            super::number(number, &mut out);
            prop_assert_eq!(out.parse::<f64>().unwrap(), if number == 0.0 { 0.0 } else { number });
        }
    }
}
