//! `payloadTemplate`: a free text in which `{{a.b.c}}` stands for a value of the event.
//!
//! `{{a.b}}` gives texts as they are, objects and lists as compact JSON, and nothing for null and for what is not there.
//! `{{json a.b}}` gives the value as JSON, `{{escape a.b}}` gives a text fit for the inside of a JSON string. Numbers in
//! a path count the elements of a list. `\{` stands for `{` and `\\` for `\`. Values are never read as templates.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;
use spaceport_platform::invalid::Invalid;

/// Longest template, in bytes.
pub const MAX_LENGTH: usize = 32 * 1024;
/// Most variables of a template.
pub const MAX_VARIABLES: usize = 500;
/// Most names in a path.
const MAX_DEPTH: usize = 32;
/// Largest text that a template makes, in bytes. A value that would not fit any more is left out.
pub const MAX_OUTPUT: usize = 1024 * 1024;

/// A template, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Variable { path: Vec<String>, form: Form },
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Plain,
    Json,
    Escaped,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Says what is wrong and at which character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAX_LENGTH {
            return Err(Invalid::new("", format!("must have at most {MAX_LENGTH} bytes, has {}", text.len())));
        }
        let letters: Vec<char> = text.chars().collect();
        let (mut parts, mut plain, mut at, mut variables) = (Vec::new(), String::new(), 0, 0);
        while let Some(letter) = letters.get(at) {
            match (letter, letters.get(at + 1)) {
                ('\\', Some(next @ ('{' | '\\'))) => {
                    plain.push(*next);
                    at += 2;
                }
                ('{', Some('{')) => {
                    variables += 1;
                    if variables > MAX_VARIABLES {
                        return Err(wrong(at, &format!("more than {MAX_VARIABLES} variables")));
                    }
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    let (variable, next) = variable(&letters, at)?;
                    parts.push(variable);
                    at = next;
                }
                (letter, _) => {
                    plain.push(*letter);
                    at += 1;
                }
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// The text for an event, from the canonical JSON of its payload.
    pub fn render(&self, payload: &str) -> String {
        let fields: HashMap<String, &RawValue> = object(payload).unwrap_or_default();
        let mut out = String::new();
        for part in &self.parts {
            let piece = match part {
                Part::Text(text) => Cow::Borrowed(text.as_str()),
                Part::Variable { path, form } => match value(&fields, path) {
                    Some(value) => written(value.get(), *form),
                    None => Cow::Borrowed(if *form == Form::Json { "null" } else { "" }),
                },
            };
            if out.len() + piece.len() <= MAX_OUTPUT {
                out.push_str(&piece);
            }
        }
        out
    }
}

fn wrong(at: usize, what: &str) -> Invalid {
    Invalid::new("", format!("has {what} at character {}", at + 1))
}

/// The variable whose `{{` stands at `begin`, and the place behind its `}}`.
fn variable(letters: &[char], begin: usize) -> Result<(Part, usize), Invalid> {
    let inside = letters.get(begin + 2..).unwrap_or_default();
    let length = inside.windows(2).position(|two| two == ['}', '}']);
    let length = length.ok_or_else(|| wrong(begin, "`{{` without `}}`"))?;
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (offset, letter) in inside.iter().take(length).enumerate() {
        let at = begin + 2 + offset;
        if letter.is_whitespace() {
            open = false;
            continue;
        }
        if !(letter.is_alphanumeric() || "_$-.".contains(*letter)) {
            return Err(wrong(at, &format!("`{letter}` in the name of a variable")));
        }
        match words.last_mut() {
            Some((_, word)) if open => word.push(*letter),
            _ => words.push((at, letter.to_string())),
        }
        open = true;
    }
    let (form, (at, path)) = match words.as_slice() {
        [] => return Err(wrong(begin, "no name of a variable")),
        [path] => (Form::Plain, path),
        [(_, word), path] if word == "json" => (Form::Json, path),
        [(_, word), path] if word == "escape" => (Form::Escaped, path),
        [(at, word), _] => return Err(wrong(*at, &format!("`{word}`, which is neither `json` nor `escape`,"))),
        [_, _, (at, _), ..] => return Err(wrong(*at, "more than one variable between two braces")),
    };
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return Err(wrong(*at, "an empty name in a path"));
    }
    if path.len() > MAX_DEPTH {
        return Err(wrong(*at, &format!("more than {MAX_DEPTH} names in a path")));
    }
    Ok((Part::Variable { path, form }, begin + 2 + length + 2))
}

fn object(text: &str) -> Option<HashMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

fn value<'a>(fields: &HashMap<String, &'a RawValue>, path: &[String]) -> Option<&'a RawValue> {
    let (first, rest) = path.split_first()?;
    let mut found: &'a RawValue = fields.get(first.as_str())?;
    for name in rest {
        found = match found.get().as_bytes().first()? {
            b'{' => *object(found.get())?.get(name.as_str())?,
            b'[' => {
                let list: Vec<&'a RawValue> = serde_json::from_str(found.get()).ok()?;
                *list.get(name.parse::<usize>().ok()?)?
            }
            _ => return None,
        };
    }
    Some(found)
}

fn written(json: &str, form: Form) -> Cow<'_, str> {
    let inner = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match (form, inner) {
        (Form::Json, _) => Cow::Borrowed(json),
        (Form::Plain | Form::Escaped, _) if json == "null" => Cow::Borrowed(""),
        (Form::Plain, Some(_)) => Cow::Owned(serde_json::from_str::<String>(json).unwrap_or_default()),
        (Form::Plain, None) => Cow::Borrowed(json),
        (Form::Escaped, Some(inner)) => Cow::Borrowed(inner),
        // What was no text becomes one.
        (Form::Escaped, None) => {
            let mut quoted = String::new();
            crate::canonical::string(json, &mut quoted);
            let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            Cow::Owned(inner.unwrap_or_default().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::canonical::canonical;

    const PAYLOAD: &str = r#"{"className":"E","message":{"text":"say \"hi\" {{message.id}} \\{","id":"m1","n":1.5,"on":true,"none":null},"tags":[{"name":"a"},"b"],"key.with":1}"#;

    fn rendered(template: &str) -> String {
        Template::parse(template).unwrap().render(PAYLOAD)
    }

    #[test]
    fn variables_are_replaced() {
        for (template, expected) in [
            ("", ""),
            ("New: {{message.id}}!", "New: m1!"),
            ("{{ message.n }}/{{message.on}}/{{tags.0.name}}{{tags.1}}", "1.5/true/ab"),
            ("{{message.none}}{{message.missing}}{{message.id.x}}{{tags.7}}{{tags.x}}", ""),
            ("{{tags}}", r#"[{"name":"a"},"b"]"#),
            ("{{tags.0}}", r#"{"name":"a"}"#),
            (
                r#"{"id":{{json message.id}},"none":{{json message.none}},"missing":{{json nothing}}}"#,
                r#"{"id":"m1","none":null,"missing":null}"#,
            ),
            (
                r#"{"text":"Text: {{escape message.text}}","tags":"{{escape tags.0}}"}"#,
                r#"{"text":"Text: say \"hi\" {{message.id}} \\{","tags":"{\"name\":\"a\"}"}"#,
            ),
            ("{ {a} }}", "{ {a} }}"),
            (r"\{{message.id}} \\{{message.id}} \n \", r"{{message.id}} \m1 \n \"),
            ("{{json}}{{escape}}", ""),
        ] {
            assert_eq!(rendered(template), expected, "{template}");
        }
    }

    #[test]
    fn values_are_not_read_as_templates() {
        assert_eq!(rendered("{{message.text}}"), r#"say "hi" {{message.id}} \{"#);
    }

    #[test]
    fn what_is_no_template_is_refused_with_the_place() {
        for (template, place) in [
            ("ä{{a", "character 2"),
            ("{{}}", "character 1"),
            ("x{{ }}", "character 2"),
            ("{{a..b}}", "character 3"),
            ("{{a b}}", "`a`, which is neither"),
            ("{{json a b}}", "character 10"),
            ("{{a(b)}}", "character 4"),
            ("{{{a}}}", "character 3"),
        ] {
            let refusal = Template::parse(template).unwrap_err().to_string();
            assert!(refusal.contains(place), "{template}: {refusal}");
        }
        assert!(Template::parse(&"x".repeat(MAX_LENGTH + 1)).is_err());
        assert!(Template::parse(&"{{a}}".repeat(MAX_VARIABLES + 1)).is_err());
        assert!(Template::parse(&format!("{{{{{}}}}}", ["a"; MAX_DEPTH + 1].join("."))).is_err());
    }

    #[test]
    fn what_a_template_makes_is_bounded() {
        let payload = json!({ "big": "x".repeat(200_000) }).to_string();
        let made = Template::parse(&"{{big}}".repeat(500)).unwrap().render(&payload);
        assert!(made.len() <= MAX_OUTPUT && made.len() > MAX_OUTPUT - 200_000);
    }

    /// The same with replacing in a tree of values, as simply as can be. Escapes are left to the tests above.
    fn naive(template: &str, payload: &Value) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) = after.split_once("}}").unwrap();
            let (json, path) = inside.strip_prefix("json ").map_or((false, inside), |path| (true, path));
            let step = |value: &Value, name: &str| match value {
                Value::Array(list) => name.parse::<usize>().ok().and_then(|index| list.get(index).cloned()),
                other => other.get(name).cloned(),
            };
            let found =
                path.split('.').try_fold(payload.clone(), |value, name| step(&value, name)).unwrap_or(Value::Null);
            out.push_str(before);
            out.push_str(&match (json, found) {
                (false, Value::Null) => String::new(),
                (false, Value::String(text)) => text,
                (_, other) => other.to_string(),
            });
            rest = after;
        }
        out + rest
    }

    proptest! {
        #[test]
        fn it_agrees_with_naive_replacement(
            pieces in prop::collection::vec(("[^{}\\\\]{0,4}", "(json )?[ab01](\\.[ab01]){0,2}"), 0..6),
            a in "\\PC{0,8}", b in -1000_i64..1000, list in prop::collection::vec("[a-z\"\\\\]{0,3}", 0..3),
        ) {
            let payload = json!({ "a": { "a": a, "b": list, "0": null }, "b": [b, { "a": true, "b": a }] });
            let template: String = pieces.iter().map(|(text, path)| format!("{text}{{{{{path}}}}}")).collect();
            // The order of keys is that of the text.
            let text = canonical(&payload.to_string()).unwrap();
            let payload: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Template::parse(&template).unwrap().render(&text), naive(&template, &payload));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a-z{}\\\\. ä]{0,40}") {
            if let Ok(template) = Template::parse(&text) {
                template.render(PAYLOAD);
            }
        }
    }
}
