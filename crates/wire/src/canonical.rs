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
/// nesting that receivers cannot read; for syntax errors, the line and column.
pub fn canonical(text: &str) -> Result<String, Invalid> {
    let mut state =
        State { text, out: String::with_capacity(text.len()), place: Vec::new(), refusal: None, long_integers: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Writer { state: &mut state, depth: 0 }.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(state.out),
        Err(fault) => Err(state.explain(&fault)),
    }
}

/// The same, for texts that must be an object.
///
/// # Errors
/// Those of [`canonical`], and texts that are no object.
pub fn canonical_object(text: &str) -> Result<String, Invalid> {
    let out = canonical(text)?;
    if out.starts_with('{') { Ok(out) } else { Err(Invalid::new("", "must be an object")) }
}

/// One pass over a text.
struct State<'a> {
    text: &'a str,
    out: String,
    /// Where something was refused, innermost step first: filled on the way out, so that texts
    /// without a fault do not pay for it.
    place: Vec<Step>,
    /// Why something was refused; without it a fault is one of syntax.
    refusal: Option<String>,
    /// Integers of 22 digits and more, looked for only when a number could be one.
    long_integers: Option<HashSet<u64>>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl State<'_> {
    fn refuse<E: de::Error>(&mut self, reason: String) -> E {
        self.refusal = Some(reason);
        E::custom("refused")
    }

    fn too_large<E: de::Error>(&mut self, value: &dyn fmt::Display) -> E {
        self.refuse(format!("holds the integer {value}, which JavaScript receivers cannot keep; send it as a string"))
    }

    fn deeper<E: de::Error>(&mut self, depth: usize) -> Result<usize, E> {
        if depth >= MAX_DEPTH {
            return Err(self.refuse(format!("is nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(depth + 1)
    }

    /// Whether the text has a long integer that is read as `value`. The parser hands over `1e21` and
    /// the digits it stands for alike, but only the digits would be lost.
    fn has_long_integer(&mut self, value: f64) -> bool {
        let text = self.text;
        self.long_integers.get_or_insert_with(|| long_integers(text)).contains(&value.to_bits())
    }

    fn explain(mut self, fault: &serde_json::Error) -> Invalid {
        let Some(refusal) = self.refusal.take() else {
            return Invalid::new("", format!("is no JSON: {fault}"));
        };
        let mut field = String::new();
        for step in self.place.iter().rev() {
            let _ = match step {
                Step::Index(index) => write!(field, "[{index}]"),
                Step::Key(key) if field.is_empty() => write!(field, "{key}"),
                Step::Key(key) => write!(field, ".{key}"),
            };
        }
        Invalid::new(field, refusal)
    }
}

/// Writes one value.
struct Writer<'a, 'text> {
    state: &'a mut State<'text>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Writer<'_, '_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.state.out.push_str("null");
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.state.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        if value > MAX_INTEGER {
            return Err(self.state.too_large(&value));
        }
        let _ = write!(self.state.out, "{value}");
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        if value.unsigned_abs() > MAX_INTEGER {
            return Err(self.state.too_large(&value));
        }
        let _ = write!(self.state.out, "{value}");
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        if !value.is_finite() {
            return Err(self.state.refuse("holds a number that is out of range".to_owned()));
        }
        let magnitude = value.abs();
        // JavaScript writes whole numbers below 1e21 as digits, which would be read as an integer again.
        let digits = magnitude < 1e21 && value.fract() == 0.0;
        if (digits && magnitude > 9_007_199_254_740_992.0) || (magnitude >= 1e21 && self.state.has_long_integer(value))
        {
            return Err(self.state.too_large(&value));
        }
        number(value, &mut self.state.out);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        string(value, &mut self.state.out);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self { state, depth } = self;
        let depth = state.deeper(depth)?;
        state.out.push('[');
        let mut index = 0_usize;
        loop {
            let before = state.out.len();
            if index > 0 {
                state.out.push(',');
            }
            match elements.next_element_seed(Writer { state, depth }) {
                Ok(Some(())) => index += 1,
                Ok(None) => {
                    state.out.truncate(before);
                    state.out.push(']');
                    return Ok(());
                }
                Err(fault) => {
                    state.place.push(Step::Index(index));
                    return Err(fault);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { state, depth } = self;
        let depth = state.deeper(depth)?;
        state.out.push('{');
        let mut seen: HashSet<String> = HashSet::new();
        // Where each entry begins, and its number when the key is an array index.
        let mut begins: Vec<(Option<u32>, usize)> = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !begins.is_empty() {
                state.out.push(',');
            }
            begins.push((array_index(&key), state.out.len()));
            string(&key, &mut state.out);
            state.out.push(':');
            let written = if seen.contains(&key) {
                Err(state.refuse("holds the same key twice".to_owned()))
            } else {
                entries.next_value_seed(Writer { state, depth })
            };
            if let Err(fault) = written {
                state.place.push(Step::Key(key));
                return Err(fault);
            }
            seen.insert(key);
        }
        if begins.iter().any(|(index, _)| index.is_some()) {
            put_indices_first(&begins, &mut state.out);
        }
        state.out.push('}');
        Ok(())
    }
}

/// Orders the entries of an object as JavaScript does: array indices by number, then the others as
/// they came.
fn put_indices_first(begins: &[(Option<u32>, usize)], out: &mut String) {
    let Some((_, first)) = begins.first() else { return };
    let ends = begins.iter().skip(1).map(|(_, next)| next - 1).chain([out.len()]);
    let mut entries: Vec<(u64, &str)> = begins
        .iter()
        .zip(ends)
        .map(|((index, begin), end)| (index.map_or(u64::MAX, u64::from), out.get(*begin..end).unwrap_or_default()))
        .collect();
    // The sort is stable: what has no number keeps its order.
    entries.sort_by_key(|(index, _)| *index);
    let ordered = entries.iter().map(|(_, entry)| *entry).collect::<Vec<_>>().join(",");
    out.truncate(*first);
    out.push_str(&ordered);
}

/// The integers of 22 digits and more outside of strings, as the floating-point numbers they are read as.
fn long_integers(text: &str) -> HashSet<u64> {
    let bytes = text.as_bytes();
    let mut found = HashSet::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let begun = at;
                while bytes.get(at).is_some_and(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)) {
                    at += 1;
                }
                let token = text.get(begun..at).unwrap_or_default();
                let digits = token.strip_prefix('-').unwrap_or(token);
                if digits.len() >= 22 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    found.extend(token.parse::<f64>().ok().map(f64::to_bits));
                }
            }
            _ => at += 1,
        }
    }
    found
}

/// Keys that ECMAScript calls array indices: canonical decimal numbers below 2^32 - 1.
fn array_index(key: &str) -> Option<u32> {
    let canonical = key == "0"
        || (key.starts_with(|c: char| ('1'..='9').contains(&c)) && key.bytes().all(|byte| byte.is_ascii_digit()));
    key.parse().ok().filter(|index| canonical && *index < u32::MAX)
}

/// Writes a string as `JSON.stringify` does.
pub(crate) fn string(text: &str, out: &mut String) {
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
pub(crate) fn number(value: f64, out: &mut String) {
    if value == 0.0 {
        // Minus zero too.
        out.push('0');
        return;
    }
    if value < 0.0 {
        out.push('-');
    }
    // serde_json picks the same digits as JavaScript among the shortest that read back the same.
    let text = serde_json::Value::from(value.abs()).to_string();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    let place = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
    let point = place(whole.len()) - place(digits.len() - significant.len()) + exponent.parse::<i32>().unwrap_or(0);
    let digits = significant.trim_end_matches('0');
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if (1..=21).contains(&point) {
        if count <= point {
            out.push_str(digits);
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
            ("1000000000000000000000", ""),
            ("-1234567890123456789012345", ""),
            (r#"["1000000000000000000000",1e21]"#, r#"["1000000000000000000000",1e+21]"#),
            ("1e17", ""),
            (r#""\ud83c""#, ""),
            (r#""\udf89 alone""#, ""),
            ("1.5e300", "1.5e+300"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("1.25e-9", "1.25e-9"),
            ("0.1", "0.1"),
            ("78009128660060.12", "78009128660060.12"),
            ("100.5", "100.5"),
            ("0.00012", "0.00012"),
            ("123.456", "123.456"),
            ("9007199254740992", "9007199254740992"),
            ("9007199254740993", ""),
            ("-9007199254740993", ""),
            (r#"{"10":1,"b":2,"2":3,"01":4}"#, r#"{"2":3,"10":1,"b":2,"01":4}"#),
            (
                r#"{"b":{"1":[],"0":{}},"4294967294":2,"4294967295":3,"a":4,"0":5}"#,
                r#"{"0":5,"4294967294":2,"b":{"0":{},"1":[]},"4294967295":3,"a":4}"#,
            ),
            (r#"{"a":1,"a":2}"#, ""),
            (r#"{"a":1,"\u0061":2}"#, ""),
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
        let message = canonical(&format!("{}1{}", "{\"a\":[".repeat(15), "]}".repeat(15))).unwrap_err().to_string();
        assert_eq!(message, format!("a{} is nested deeper than 28 levels", "[0].a".repeat(13) + "[0]"));
    }

    #[test]
    fn syntax_errors_name_line_and_column() {
        let message = canonical("{\n \"a\": [1,,2]\n}").unwrap_err().to_string();
        assert!(message.starts_with("is no JSON: ") && message.contains("line 2 column 10"), "{message}");
        let message = canonical(r#"{" at line 7":1,}"#).unwrap_err().to_string();
        assert!(message.ends_with("at line 1 column 17"), "{message}");
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
