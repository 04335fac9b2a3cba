//! The text of `$fields`: which parts of an answer the caller wants (wire-protocol 2.2).
//!
//! A selection is a graph, because `name!` points back to an enclosing level.

use std::collections::BTreeMap;

use spaceport_platform::invalid::Invalid;

/// Longest text, in bytes.
const MAX_LENGTH: usize = 32 * 1024;
/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 32;
/// Most items.
const MAX_ITEMS: usize = 2_000;

/// A parsed `$fields` text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    levels: Vec<Level>,
}

/// A level of a selection: what stands between two parentheses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At<'a> {
    selection: &'a Selection,
    level: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Level {
    defaults: bool,
    items: BTreeMap<String, Item>,
}

/// What is wanted of a named field; several mentions add up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Item {
    /// Whether the bare name stands there.
    plain: bool,
    /// Levels whose items are wanted below the field.
    below: Vec<usize>,
}

/// What is wanted of a field that is named; several mentions add up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted<'a> {
    /// Its default content.
    pub plain: bool,
    /// What these levels say.
    pub below: Vec<At<'a>>,
}

impl Selection {
    /// Reads a text. It has at least one item, and so has each pair of parentheses.
    ///
    /// # Errors
    /// Says what is wrong and at which character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAX_LENGTH {
            return Err(Invalid::new("", format!("must have at most {MAX_LENGTH} bytes")));
        }
        let mut parser = Parser { bytes: text.as_bytes(), at: 0, items: 0, levels: vec![Level::default()] };
        parser.level(&mut vec![0])?;
        if parser.at < parser.bytes.len() {
            return Err(parser.wrong("an unexpected character"));
        }
        Ok(Self { levels: parser.levels })
    }

    /// The outermost level.
    pub fn root(&self) -> At<'_> {
        At { selection: self, level: 0 }
    }
}

impl<'a> At<'a> {
    fn level(&self) -> Option<&'a Level> {
        self.selection.levels.get(self.level)
    }

    /// Whether the default fields of this level are wanted (`*`).
    pub fn wants_defaults(&self) -> bool {
        self.level().is_some_and(|level| level.defaults)
    }

    /// What is wanted of `field`; `None` when it is not named, whatever `*` says.
    pub fn wants(&self, field: &str) -> Option<Wanted<'a>> {
        let item = self.level()?.items.get(field)?;
        let at = |level: &usize| At { selection: self.selection, level: *level };
        Some(Wanted { plain: item.plain, below: item.below.iter().map(at).collect() })
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    items: usize,
    levels: Vec<Level>,
}

impl Parser<'_> {
    fn wrong(&self, what: &str) -> Invalid {
        Invalid::new("", format!("has {what} at character {}", self.at + 1))
    }

    fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at).is_some_and(|byte| *byte == b' ') {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn word(&mut self) -> &str {
        let begun = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_$-.".contains(byte)) {
            self.at += 1;
        }
        self.bytes.get(begun..self.at).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// Reads the items of the level on top of `stack`. Depth is bounded before the recursion.
    fn level(&mut self, stack: &mut Vec<usize>) -> Result<(), Invalid> {
        // The outermost level has no parentheses around it.
        if stack.len() > MAX_DEPTH + 1 {
            return Err(self.wrong(&format!("more than {MAX_DEPTH} levels of parentheses")));
        }
        loop {
            self.item(stack)?;
            if self.peek() != Some(b',') {
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn item(&mut self, stack: &mut Vec<usize>) -> Result<(), Invalid> {
        self.items += 1;
        if self.items > MAX_ITEMS {
            return Err(self.wrong(&format!("more than {MAX_ITEMS} items")));
        }
        let here = stack.last().copied().unwrap_or_default();
        if self.peek() == Some(b'*') {
            self.at += 1;
            if let Some(level) = self.levels.get_mut(here) {
                level.defaults = true;
            }
            return Ok(());
        }
        let name = self.word().to_owned();
        if name.is_empty() {
            return Err(self.wrong("no field name"));
        }
        let below = match self.peek() {
            Some(b'(') => Some(self.parenthesis(&name, stack)?),
            Some(b'!') => Some(self.recursion(stack)?),
            _ => None,
        };
        if let Some(level) = self.levels.get_mut(here) {
            let item = level.items.entry(name).or_default();
            match below {
                None => item.plain = true,
                // Naming the same level again adds nothing, and must not multiply the work.
                Some(below) if item.below.contains(&below) => {}
                Some(below) => item.below.push(below),
            }
        }
        Ok(())
    }

    fn parenthesis(&mut self, name: &str, stack: &mut Vec<usize>) -> Result<usize, Invalid> {
        self.at += 1;
        let here = stack.last().and_then(|here| self.levels.get(*here));
        let known = here.and_then(|here| here.items.get(name));
        // A second pair of parentheses adds to the first; the other levels of an item are recursions.
        let level = match known.and_then(|item| item.below.iter().find(|level| !stack.contains(level))) {
            Some(level) => *level,
            None => {
                self.levels.push(Level::default());
                self.levels.len() - 1
            }
        };
        stack.push(level);
        self.level(stack)?;
        stack.pop();
        if self.peek() != Some(b')') {
            return Err(self.wrong("no closing parenthesis"));
        }
        self.at += 1;
        Ok(level)
    }

    fn recursion(&mut self, stack: &[usize]) -> Result<usize, Invalid> {
        self.at += 1;
        let begun = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits =
            self.bytes.get(begun..self.at).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default();
        let depth: usize = if digits.is_empty() { 1 } else { digits.parse().unwrap_or(0) };
        // `!` and `!1` mean the level the name stands in.
        stack
            .len()
            .checked_sub(depth)
            .filter(|_| depth > 0)
            .and_then(|index| stack.get(index))
            .copied()
            .ok_or_else(|| self.wrong("a recursion to a level that does not exist"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn items_repeat_and_add_up() {
        let selection = Selection::parse("id, owner(id),*,owner(name(firstName)),id").unwrap();
        let root = selection.root();
        assert!(root.wants_defaults());
        assert_eq!(root.wants("id"), Some(Wanted { plain: true, below: vec![] }));
        assert_eq!(root.wants("other"), None);
        let owner = root.wants("owner").unwrap();
        assert_eq!((owner.plain, owner.below.len()), (false, 1), "two pairs of parentheses are one level");
        assert!(owner.below[0].wants("id").is_some() && owner.below[0].wants("name").is_some());
        assert!(Selection::parse("owner(id),owner").unwrap().root().wants("owner").unwrap().plain);
    }

    #[test]
    fn recursion_points_back() {
        let selection = Selection::parse("id,nested!,data(child!2)").unwrap();
        let root = selection.root();
        let to_root = Some(Wanted { plain: false, below: vec![root] });
        assert_eq!(root.wants("nested"), to_root);
        assert_eq!(root.wants("data").unwrap().below[0].wants("child"), to_root);
        let both = Selection::parse("a!,a(b!2),a(c)").unwrap();
        let levels = both.root().wants("a").unwrap().below;
        assert_eq!(levels.len(), 2);
        assert!(levels[1].wants("b").is_some() && levels[1].wants("c").is_some());
    }

    #[test]
    fn broken_texts_are_refused_with_the_place() {
        for text in [
            "", " ", "a()", "a( )", "a,", ",a", "a(,b)", "a(b,)", "a(b", "a)", "a,,b", "(a)", "a!9", "a!0", "a!2",
            "a(b!3)", "a!x", "a!(b)", "*(a)", "*!", "a(b)c", "a(b)!", "ä", "a(b))", "!", "a b", "a\tb", "a&b",
        ] {
            let message = Selection::parse(text).unwrap_err().to_string();
            assert!(message.contains("at character"), "{text}: {message}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| format!("{}a{}", "a(".repeat(levels), ")".repeat(levels));
        assert!(Selection::parse(&nested(MAX_DEPTH)).is_ok());
        assert!(Selection::parse(&nested(MAX_DEPTH + 1)).unwrap_err().to_string().contains("32 levels"));
        assert!(Selection::parse(&"a(".repeat(10_000)).is_err());
        assert!(Selection::parse(&"a,".repeat(5_000)).is_err());
    }

    #[test]
    fn every_form_the_sdks_send_is_read() {
        for text in [
            "*",
            "id",
            "*,next,totalCount,data(*)",
            "data(*),*",
            "id,name",
            "data(member(username,name))",
            "a(b(c)),*",
            "dto,enums,urlParams,resources(*,nestedResources!),menuIds",
            "*,data(id)",
            "data(children!2)",
            "name(*)",
            "$errors",
            "className,id",
            "a, b,  c(d, e)",
        ] {
            assert!(Selection::parse(text).is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-c*!(), 0-9]{0,60}") {
            let _ = Selection::parse(&text);
        }
    }
}
