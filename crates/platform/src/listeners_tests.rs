//! Who hears of what: filters alone and together, and the index against trying everything.

use proptest::prelude::*;

use super::*;
use crate::filter::{FilterClass, FilterField, Form};
use crate::id::SubscriptionId;

fn field(name: &str, kind: Comparison, at: &[&str]) -> FilterField {
    let at = at.iter().map(|text| Location::from_text(text).unwrap()).collect();
    FilterField { name: name.to_owned(), shown: name.to_owned(), form: Form::Many, kind, reference: None, at }
}

fn catalogue() -> Catalogue {
    let class = FilterClass {
        code: "FIn".to_owned(),
        shown: "F".to_owned(),
        fields: vec![
            field("project", Comparison::Id, &["context.project", "payload.project"]),
            field("repository", Comparison::Name, &["payload.repository"]),
            field("branchSpec", Comparison::Branches, &["payload.branch"]),
            field("pathSpec", Comparison::Paths, &["payload.paths"]),
            field("titleRegex", Comparison::Expression, &["payload.review.title"]),
        ],
    };
    Catalogue::new(vec![], vec![]).with_filters([class])
}

fn filter(fields: &[(&str, &[&str])]) -> Filter {
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let fields = fields.iter().map(|(name, all)| ((*name).to_owned(), values(all))).collect();
    Filter { class: "FIn".to_owned(), fields }
}

fn listening(webhook: &str, filters: Vec<Filter>) -> Listening {
    Listening {
        listener: Listener { webhook: WebhookId::new(webhook), application: ApplicationId::new("a"), rights: None },
        subscription: Subscription {
            id: SubscriptionId::new(format!("s-{webhook}")),
            webhook: WebhookId::new(webhook),
            name: "n".to_owned(),
            enabled: true,
            subject: "S".to_owned(),
            event_types: vec!["S.A".to_owned()],
            filters,
        },
    }
}

/// An event as a list of values under payload keys with dots.
type Values<'a> = &'a [(&'a str, &'a str)];

fn look(paths: &Paths, values: Values<'_>, slots: usize) -> Facts {
    let mut facts = vec![Vec::new(); slots];
    for (keys, value) in values {
        let node = keys.split('.').try_fold(paths, |node, key| node.below.get(key));
        for slot in node.into_iter().flat_map(|node| &node.slots) {
            facts[*slot].push((*value).to_owned());
        }
    }
    facts
}

fn heard(index: &Listeners, project: &str, values: Values<'_>) -> Vec<String> {
    let place = Place::from(Context::Project(project.to_owned()));
    let found = index.hear("S", "S.A", &place, |payload, _, slots| look(payload, values, slots));
    let mut names: Vec<_> = found.iter().map(|listener| listener.webhook.to_string()).collect();
    names.sort_unstable();
    names
}

#[test]
fn filters_are_alternatives_and_their_fields_conditions() {
    let index = Listeners::new(
        &[
            listening("any", vec![]),
            listening("empty", vec![filter(&[])]),
            listening("p1", vec![filter(&[("project", &["p1"])])]),
            listening("p1-or-p2", vec![filter(&[("project", &["p1"])]), filter(&[("project", &["p2"])])]),
            listening("p1-and-repo", vec![filter(&[("project", &["p1"]), ("repository", &["Repo"])])]),
            listening("unknown-class", vec![Filter { class: "Gone".to_owned(), ..Filter::default() }]),
        ],
        &catalogue(),
    );
    assert_eq!(heard(&index, "p1", &[]), ["any", "empty", "p1", "p1-or-p2"]);
    assert_eq!(heard(&index, "p1", &[("repository", "REPO")]), ["any", "empty", "p1", "p1-and-repo", "p1-or-p2"]);
    assert_eq!(heard(&index, "p2", &[("repository", "repo")]), ["any", "empty", "p1-or-p2"]);
    assert_eq!(heard(&index, "p3", &[("project.id", "p1")]), ["any", "empty", "p1", "p1-or-p2"], "of an object its id");
    assert!(index.hear("S", "S.B", &Place::GLOBAL, |_, _, _| panic!("no filter looks")).is_empty());
}

#[test]
fn branches_paths_and_titles_are_compared_as_they_are_written() {
    let one = |name: &str, values: &[&str]| vec![filter(&[(name, values)])];
    let index = Listeners::new(
        &[
            listening("release", one("branchSpec", &["+refs/heads/release/*", "-release/old*"])),
            listening("not-main", one("branchSpec", &["-:main"])),
            listening("docs", one("pathSpec", &["docs/*", "-*.png"])),
            listening("not-wip", one("titleRegex", &["(?!WIP).+"])),
        ],
        &catalogue(),
    );
    let branch = |name: &str| heard(&index, "p", &[("branch", name)]);
    assert_eq!(branch("refs/heads/release/2"), ["not-main", "release"]);
    assert_eq!(branch("release/old-1"), ["not-main"]);
    assert_eq!(branch("main"), Vec::<String>::new());
    assert_eq!(heard(&index, "p", &[("paths", "/docs/a.md"), ("paths", "x.png")]), ["docs"]);
    assert_eq!(heard(&index, "p", &[("paths", "docs/a.png")]), Vec::<String>::new());
    assert_eq!(heard(&index, "p", &[("review.title", "Fix")]), ["not-wip"]);
    assert_eq!(heard(&index, "p", &[("review.title", "WIP: fix")]), Vec::<String>::new());
    assert_eq!(heard(&index, "p", &[]), Vec::<String>::new(), "an event without the value does not pass");
}

#[test]
fn without_filters_nobody_looks_into_the_event() {
    let index = Listeners::new(&[listening("w1", vec![]), listening("w1", vec![])], &catalogue());
    assert_eq!(index.wanted("S", "S.A"), None);
    let found = index.hear("S", "S.A", &Place::GLOBAL, |_, _, _| panic!("no filter looks"));
    assert_eq!(found.len(), 1, "each webhook once");
}

proptest! {
    /// The index finds what trying every filter finds.
    #[test]
    fn the_index_agrees_with_trying_everything(
        filters in prop::collection::vec((prop::option::of("p[12]"), prop::option::of("r[12]"), prop::option::of("[ab*]{1,2}")), 1..12),
        project in "p[123]", repository in "r[123]", branch in "[ab]{1,2}",
    ) {
        let catalogue = catalogue();
        let mut all = Vec::new();
        let mut expected = Vec::new();
        for (number, (p, r, b)) in filters.iter().enumerate() {
            let webhook = format!("w{number:02}");
            let mut fields: Vec<(&str, Vec<&str>)> = Vec::new();
            fields.extend(p.as_deref().map(|p| ("project", vec![p])));
            fields.extend(r.as_deref().map(|r| ("repository", vec![r])));
            fields.extend(b.as_deref().map(|b| ("branchSpec", vec![b])));
            let fields: Vec<(&str, &[&str])> = fields.iter().map(|(name, values)| (*name, values.as_slice())).collect();
            all.push(listening(&webhook, vec![filter(&fields)]));
            let fits = p.as_ref().is_none_or(|p| *p == project)
                && r.as_ref().is_none_or(|r| *r == repository)
                && b.as_ref().is_none_or(|b| crate::pattern::Wildcard::new(b).unwrap().matches(&branch));
            if fits {
                expected.push(webhook);
            }
        }
        let index = Listeners::new(&all, &catalogue);
        prop_assert_eq!(heard(&index, &project, &[("repository", &repository), ("branch", &branch)]), expected);
    }
}

#[test]
fn a_filter_that_looks_at_a_field_demands_its_right_and_one_that_does_not_comes_first() {
    let field = |path: &str, right: &str| FieldRight { path: path.to_owned(), right: Right::from_code(right) };
    let mut field_rights = crate::field_right::FieldRights::default();
    field_rights
        .put("S.A".to_owned(), vec![field("review", "R.View"), field("paths", "P.View"), field("other", "O.View")]);
    let title: &[(&str, &[&str])] = &[("titleRegex", &["Fix"])];
    let listening = [
        listening("title", vec![filter(title), filter(title)]),
        listening("either", vec![filter(title), filter(&[("pathSpec", &["a/*"])])]),
        listening("both", vec![filter(&[("titleRegex", &["Fix"]), ("pathSpec", &["a/*"])])]),
        listening("open", vec![filter(title), filter(&[("project", &["p"])])]),
        listening("unfiltered", vec![]),
    ];
    let guarded = Listeners::new(&listening, &catalogue().with_field_rights(field_rights));
    let values = [("review.title", "Fix"), ("paths", "a/b")];
    let hear = |index: &Listeners| {
        let place = Place::from(Context::Project("p".to_owned()));
        let found = index.hear("S", "S.A", &place, |payload, _, slots| look(payload, &values, slots));
        let rights = |listener: &Listener| {
            listener.rights.iter().flat_map(|rights| rights.iter()).map(Right::to_string).collect::<Vec<_>>().join(" ")
        };
        let mut found: Vec<_> = found.iter().map(|listener| (listener.webhook.to_string(), rights(listener))).collect();
        found.sort();
        found
    };
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(webhook, rights)| ((*webhook).to_owned(), (*rights).to_owned())).collect::<Vec<_>>()
    };
    let expected = [
        ("both", "P.View R.View"),
        ("either", "P.View"),
        ("either", "R.View"),
        ("open", ""),
        ("title", "R.View"),
        ("unfiltered", ""),
    ];
    assert_eq!(hear(&guarded), pairs(&expected));
    let free = Listeners::new(&listening, &catalogue());
    assert_eq!(hear(&free), pairs(&[("both", ""), ("either", ""), ("open", ""), ("title", ""), ("unfiltered", "")]));
}
