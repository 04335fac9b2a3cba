//! A field of a filter, ready to be compared with what an event holds.

use std::collections::HashSet;
use std::sync::Arc;

use crate::filter::{Comparison, Sense, spec};
use crate::listeners::Facts;
use crate::pattern::{Expression, Wildcard};

/// How git calls what branches are called without it.
const HEADS: &str = "refs/heads/";

/// The comparison of one field.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    /// Where the event's values lie.
    pub(crate) slots: Arc<[usize]>,
    /// How they are compared.
    pub(crate) kind: Comparison,
    wanted: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// One of these; in lower case where case does not matter.
    Exactly(HashSet<String>),
    /// One of the included and none of the excluded; everything is included when only exclusions are named.
    Spec { included: Vec<Wildcard>, excluded: Vec<Wildcard> },
    /// One of these.
    Patterns(Vec<Wildcard>),
    /// One of these.
    Expressions(Vec<Expression>),
}

impl Test {
    /// Compares with `values`; `None` when one of them is malformed, which checking prevents.
    pub(crate) fn new(kind: Comparison, values: &[String], slots: Vec<usize>) -> Option<Self> {
        let wildcards =
            |values: &[&str]| values.iter().map(|value| Wildcard::new(value).ok()).collect::<Option<Vec<_>>>();
        let wanted = match kind {
            Comparison::Id => Wanted::Exactly(values.iter().cloned().collect()),
            Comparison::Name => Wanted::Exactly(values.iter().map(|value| value.to_lowercase()).collect()),
            Comparison::Branches | Comparison::Paths => {
                let plain = |pattern: &'_ str| normal(kind, pattern).to_owned();
                let (mut included, mut excluded) = (Vec::new(), Vec::new());
                for (sense, pattern) in values.iter().map(|value| spec(value)) {
                    let pattern = Wildcard::new(&plain(pattern)).ok()?;
                    match sense {
                        Sense::Includes => included.push(pattern),
                        Sense::Excludes => excluded.push(pattern),
                    }
                }
                Wanted::Spec { included, excluded }
            }
            Comparison::Pattern => Wanted::Patterns(wildcards(&values.iter().map(String::as_str).collect::<Vec<_>>())?),
            Comparison::Expression => {
                Wanted::Expressions(values.iter().map(|value| Expression::new(value).ok()).collect::<Option<_>>()?)
            }
        };
        Some(Self { slots: slots.into(), kind, wanted })
    }

    /// The values of which one must be there, where comparison is exact.
    pub(crate) fn exact(&self) -> Option<&HashSet<String>> {
        match &self.wanted {
            Wanted::Exactly(values) => Some(values),
            _ => None,
        }
    }

    /// Whether one of the event's values fits.
    pub(crate) fn passes(&self, facts: &Facts) -> bool {
        self.slots.iter().filter_map(|slot| facts.get(*slot)).flatten().any(|value| self.fits(value))
    }

    fn fits(&self, value: &str) -> bool {
        match &self.wanted {
            Wanted::Exactly(values) if self.kind == Comparison::Name => values.contains(&value.to_lowercase()),
            Wanted::Exactly(values) => values.contains(value),
            Wanted::Spec { included, excluded } => {
                let value = normal(self.kind, value);
                let fits = |pattern: &Wildcard| pattern.matches(value);
                (included.is_empty() || included.iter().any(fits)) && !excluded.iter().any(fits)
            }
            Wanted::Patterns(patterns) => patterns.iter().any(|pattern| pattern.matches(value)),
            Wanted::Expressions(expressions) => expressions.iter().any(|expression| expression.matches(value)),
        }
    }
}

/// Branches without `refs/heads/`, paths without `/` before them.
pub(crate) fn normal(kind: Comparison, text: &str) -> &str {
    match kind {
        Comparison::Branches => text.strip_prefix(HEADS).unwrap_or(text),
        _ => text.strip_prefix('/').unwrap_or(text),
    }
}
