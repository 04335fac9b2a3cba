//! The catalogue: subjects and event types that exist, and rights that can be granted.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::field_right::FieldRights;
use crate::filter::{FilterClass, MAX_FIELDS};
use crate::invalid::{Invalid, text_length};
use crate::right::Right;

/// What events are about, such as issues, and the event types of each.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    subjects: Vec<Subject>,
    rights: BTreeMap<String, RightEntry>,
    filters: BTreeMap<String, FilterClass>,
    field_rights: Arc<FieldRights>,
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
    /// Classes of filters that its subscriptions may have.
    pub filters: Vec<String>,
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
    /// One sentence.
    pub description: String,
    /// What the right applies to, such as `Global` or `Project`.
    pub target: String,
    /// Heading that it is shown under.
    pub group: String,
    /// Codes of the rights it is of no use without. They are shown, not granted along with it.
    pub dependencies: Vec<String>,
}

/// Checks a right that a host adds to the catalogue.
///
/// # Errors
/// Names the field that breaks a rule; the code must not be one of `built_in`, dependencies must be in `known`.
pub fn check_own_right(entry: &RightEntry, built_in: &Catalogue, known: &Catalogue) -> Result<(), Invalid> {
    let words: Vec<&str> = entry.code.split('.').collect();
    let word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    if entry.code.len() > MAX_CODE || words.len() < 2 || !words.iter().all(word) {
        let rule = format!(
            "must be words of letters and digits with dots between, such as `Shop.Orders.View`, at most {MAX_CODE} characters"
        );
        return Err(Invalid::new("code", rule));
    }
    if built_in.right(&entry.code).is_some() || Right::from_code(&entry.code).is_of_host() {
        return Err(Invalid::new("code", format!("must not be {}, which is built in", entry.code)));
    }
    text_length("title", &entry.title, 1, 200)?;
    text_length("description", &entry.description, 0, 1_000)?;
    text_length("target", &entry.target, 1, 50)?;
    text_length("group", &entry.group, 1, 100)?;
    match entry.dependencies.iter().find(|code| **code == entry.code || known.right(code).is_none()) {
        Some(code) => Err(Invalid::new("dependencies", format!("must hold codes of other rights, not `{code}`"))),
        None => Ok(()),
    }
}

/// Checks a class of filters that a host adds to the catalogue for subscriptions to `subjects`.
///
/// # Errors
/// Names the field that breaks a rule; the class must not be one of `built_in`, subjects must be in `known`.
pub fn check_own_filter(
    class: &FilterClass,
    subjects: &[String],
    built_in: &Catalogue,
    known: &Catalogue,
) -> Result<(), Invalid> {
    let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if class.code.len() > MAX_CODE || !class.code.ends_with("In") || !is_word(&class.code) {
        let rule = format!(
            "must be letters and digits that end with `In`, such as `OrdersSubscriptionFilterIn`, at most {MAX_CODE}"
        );
        return Err(Invalid::new("className", rule));
    }
    if built_in.filter_class(&class.code).is_some() {
        return Err(Invalid::new("className", format!("must not be {}, which is built in", class.code)));
    }
    if subjects.is_empty() {
        return Err(Invalid::new("subjects", "must name at least one subject"));
    }
    for (index, subject) in subjects.iter().enumerate() {
        known.subject(subject).map_err(|fault| fault.within(&format!("subjects[{index}]")))?;
    }
    if class.fields.is_empty() || class.fields.len() > MAX_FIELDS {
        return Err(Invalid::new("fields", format!("must hold 1 to {MAX_FIELDS} fields")));
    }
    for (index, field) in class.fields.iter().enumerate() {
        let wrong = |name: &str, rule: &str| Err(Invalid::new(format!("fields[{index}].{name}"), rule));
        let names = [("name", &field.name), ("shownAs", &field.shown)];
        for (which, name) in names {
            if name.len() > MAX_CODE || name.split('.').count() > 2 || !name.split('.').all(is_word) {
                return wrong(which, "must be a word of letters and digits, or two with a dot between");
            }
            if name == "className" {
                return wrong(which, "must not be className, which says what class a filter is of");
            }
        }
        if class.fields.iter().take(index).any(|earlier| earlier.name == field.name || earlier.shown == field.shown) {
            return wrong("name", "must not be given twice");
        }
    }
    Ok(())
}

/// Longest code of a right, in characters.
const MAX_CODE: usize = 100;

impl Catalogue {
    /// Puts a catalogue together.
    pub fn new(subjects: Vec<Subject>, rights: Vec<RightEntry>) -> Self {
        let rights = rights.into_iter().map(|right| (right.code.clone(), right)).collect();
        Self { subjects, rights, filters: BTreeMap::new(), field_rights: Arc::default() }
    }

    /// The same, with further classes of filters.
    #[must_use]
    pub fn with_filters(&self, classes: impl IntoIterator<Item = FilterClass>) -> Self {
        let mut all = self.clone();
        all.filters.extend(classes.into_iter().map(|class| (class.code.clone(), class)));
        all
    }

    /// All classes of filters, by code.
    pub fn filter_classes(&self) -> impl Iterator<Item = &FilterClass> {
        self.filters.values()
    }

    /// The class of filters with this code, if it exists.
    pub fn filter_class(&self, code: &str) -> Option<&FilterClass> {
        self.filters.get(code)
    }

    /// The same, with further rights.
    #[must_use]
    pub fn with_rights(&self, rights: impl IntoIterator<Item = RightEntry>) -> Self {
        let mut all = self.clone();
        all.rights.extend(rights.into_iter().map(|right| (right.code.clone(), right)));
        all
    }

    /// The same, with a further class of filters for subscriptions to these subjects.
    #[must_use]
    pub fn with_own_filter(&self, class: FilterClass, subjects: &[String]) -> Self {
        let code = class.code.clone();
        let mut all = self.with_filters([class]);
        for subject in all.subjects.iter_mut().filter(|subject| subjects.contains(&subject.code)) {
            if !subject.filters.contains(&code) {
                subject.filters.push(code.clone());
            }
        }
        all
    }

    /// The same, with these rights on fields of payloads.
    #[must_use]
    pub fn with_field_rights(&self, field_rights: FieldRights) -> Self {
        Self { field_rights: Arc::new(field_rights), ..self.clone() }
    }

    /// Rights on fields of payloads.
    pub fn field_rights(&self) -> &Arc<FieldRights> {
        &self.field_rights
    }

    /// All rights, by code.
    pub fn rights(&self) -> impl Iterator<Item = &RightEntry> {
        self.rights.values()
    }

    /// The right that a caller named by its code.
    ///
    /// # Errors
    /// Names the nearest known code.
    pub fn named_right(&self, code: &str) -> Result<Right, Invalid> {
        match self.rights.contains_key(code) {
            true => Ok(Right::from_code(code)),
            false => Err(unknown("right", code, self.rights.keys().map(String::as_str))),
        }
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

    /// The event type with this code, of whatever subject.
    ///
    /// # Errors
    /// Names the nearest known code.
    pub fn named_event_type(&self, code: &str) -> Result<&EventType, Invalid> {
        let all = || self.subjects.iter().flat_map(|subject| subject.events.iter());
        all()
            .find(|event| event.code == code)
            .ok_or_else(|| unknown("event type", code, all().map(|event| event.code.as_str())))
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
            filters: vec![],
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
    fn a_hosts_right_has_a_code_of_its_own_and_known_dependencies() {
        let entry = |code: &str| RightEntry {
            code: code.to_owned(),
            title: "View orders".to_owned(),
            description: String::new(),
            target: "Project".to_owned(),
            group: "Shop".to_owned(),
            dependencies: vec![],
        };
        let built_in = Catalogue::new(vec![], vec![entry("Profile.View")]);
        let known = built_in.with_rights([entry("Shop.View")]);
        let check = |entry: &RightEntry| check_own_right(entry, &built_in, &known);
        assert_eq!(check(&entry("Shop.Orders.View")), Ok(()));
        for code in ["Profile.View", "Host.Everything", "Shop", "Shop..View", "Shop.a b", "", "Shop.View:x"] {
            assert!(check(&entry(code)).unwrap_err().to_string().starts_with("code"), "{code}");
        }
        let needs = |code: &str| RightEntry { dependencies: vec![code.to_owned()], ..entry("Shop.Orders.View") };
        assert_eq!(check(&needs("Shop.View")), Ok(()));
        assert!(check(&needs("Shop.Orders.View")).is_err());
        assert!(check(&needs("Nothing.View")).is_err());
        assert_eq!(known.named_right("Shop.View"), Ok(Right::from_code("Shop.View")));
        assert!(known.named_right("Shop.Vie").unwrap_err().to_string().contains("`Shop.View`"));
    }

    #[test]
    fn distance_counts_single_changes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
