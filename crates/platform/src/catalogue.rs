//! The catalogue: subjects and event types that exist, and rights that can be granted.

use std::collections::BTreeMap;

use crate::invalid::Invalid;
use crate::right::Right;

/// What events are about, such as issues, and the event types of each.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    subjects: Vec<Subject>,
    rights: BTreeMap<String, RightEntry>,
}

/// Something that events are about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Code, such as `Issue`.
    pub code: String,
    /// What people read.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Code of the subject this one is a part of.
    pub parent: Option<String>,
    /// Event types, in display order.
    pub events: Vec<EventType>,
}

/// Something that happens to a subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventType {
    /// Code, such as `Issue.Created`.
    pub code: String,
    /// What people read.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// `className` of the payload.
    pub payload: String,
    /// Rights an application needs in the event's context.
    pub rights: Vec<Right>,
}

/// A right as the catalogue describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RightEntry {
    /// Code, such as `Applications.View`.
    pub code: String,
    /// What people read.
    pub title: String,
    /// What the right applies to, such as `Global` or `Project`.
    pub target: String,
}

impl Catalogue {
    /// Puts a catalogue together.
    pub fn new(subjects: Vec<Subject>, rights: Vec<RightEntry>) -> Self {
        Self { subjects, rights: rights.into_iter().map(|right| (right.code.clone(), right)).collect() }
    }

    /// All subjects, in display order.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The right with this code, if it exists.
    pub fn right(&self, code: &str) -> Option<&RightEntry> {
        self.rights.get(code)
    }

    /// The subject with this code.
    ///
    /// # Errors
    /// Names the nearest known subject.
    pub fn subject(&self, code: &str) -> Result<&Subject, Invalid> {
        self.subjects
            .iter()
            .find(|subject| subject.code == code)
            .ok_or_else(|| unknown("subject", code, self.subjects.iter().map(|subject| subject.code.as_str())))
    }

    /// The event type `code` of `subject`.
    ///
    /// # Errors
    /// Names the nearest known code.
    pub fn event_type(&self, subject: &str, code: &str) -> Result<&EventType, Invalid> {
        let subject = self.subject(subject)?;
        subject.events.iter().find(|event| event.code == code).ok_or_else(|| {
            unknown(
                &format!("event type of `{}`", subject.code),
                code,
                subject.events.iter().map(|event| event.code.as_str()),
            )
        })
    }
}

fn unknown<'a>(what: &str, code: &str, known: impl Iterator<Item = &'a str>) -> Invalid {
    // A code of unbounded length must cost no unbounded comparison.
    let shown: String = code.chars().take(100).collect();
    let nearest = known.min_by_key(|candidate| distance(&shown.to_lowercase(), &candidate.to_lowercase()));
    match nearest {
        Some(nearest) => Invalid::new("", format!("holds no known {what}: `{shown}`; the nearest is `{nearest}`")),
        None => Invalid::new("", format!("holds no known {what}: `{shown}`")),
    }
}

/// Levenshtein distance: single-character changes that turn one text into the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, a) in from.chars().enumerate() {
        let mut left = index + 1;
        let mut next = vec![left];
        for (b, pair) in to.iter().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            left = (above + 1).min(left + 1).min(diagonal + usize::from(a != *b));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let event = |code: &str| EventType {
            code: code.to_owned(),
            name: code.to_owned(),
            description: String::new(),
            payload: "IssueWebhookEvent".to_owned(),
            rights: vec![],
        };
        let subject = Subject {
            code: "Issue".to_owned(),
            name: "Issues".to_owned(),
            description: String::new(),
            parent: None,
            events: vec![event("Issue.Created"), event("Issue.Deleted")],
        };
        Catalogue::new(vec![subject], vec![])
    }

    #[test]
    fn an_unknown_code_is_answered_with_the_nearest_known_one() {
        let message = catalogue().event_type("Issue", "issue.create").unwrap_err().to_string();
        assert!(message.contains("`Issue.Created`"), "{message}");
        let message = catalogue().subject("Isue").unwrap_err().to_string();
        assert!(message.contains("`Issue`"), "{message}");
    }

    #[test]
    fn distance_counts_single_changes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
