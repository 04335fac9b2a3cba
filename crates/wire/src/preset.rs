//! The catalogue that is there before a host registers its own: subjects, event types and rights, read once from `data/`.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use spaceport_platform::catalogue::{Catalogue, EventType, RightEntry, Subject};
use spaceport_platform::right::Right;

use crate::filter_class::DefineFilter;

const SUBJECTS: &str = include_str!("../data/subjects.json");
const FILTERS: &str = include_str!("../data/filters.json");
const RIGHTS: &str = include_str!("../data/rights.json");

static PRESET: LazyLock<Preset> = LazyLock::new(read);

struct Preset {
    catalogue: Arc<Catalogue>,
    subjects: Vec<SubjectRow>,
    options: Vec<RightOption>,
}

/// How the client libraries call a right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RightOption {
    /// Its code, such as `Project.Issues.View`.
    pub code: String,
    /// Its dotted name, such as `PermissionIdentifier.ViewIssues`.
    pub name: String,
}

/// A subject as the file holds it.
#[derive(Deserialize)]
struct SubjectRow {
    code: String,
    name: String,
    description: String,
    parent: Option<String>,
    filters: Vec<String>,
    events: Vec<EventRow>,
}

/// An event type as the file holds it.
#[derive(Deserialize)]
struct EventRow {
    code: String,
    name: String,
    description: String,
    payload: String,
    rights: Vec<String>,
}

/// A right as the file holds it.
#[derive(Deserialize)]
struct RightRow {
    code: String,
    title: String,
    target: String,
    group: String,
    dependencies: Vec<String>,
    #[serde(rename = "sdkName")]
    sdk_name: Option<String>,
}

/// The preset catalogue. The files are read at the first call.
pub fn catalogue() -> Catalogue {
    Catalogue::clone(&PRESET.catalogue)
}

/// The preset catalogue, without a copy.
pub fn shared() -> Arc<Catalogue> {
    Arc::clone(&PRESET.catalogue)
}

/// One sentence about a right of which only the title is known.
pub fn described(title: &str) -> String {
    let mut letters = title.chars();
    let begin: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
    format!("Lets its holder {begin}{}.", letters.as_str())
}

/// Class names of the filters a subscription to `subject` may have; empty when the subject is unknown or takes none.
pub fn filters(subject: &str) -> &'static [String] {
    PRESET.subjects.iter().find(|row| row.code == subject).map_or(&[], |row| row.filters.as_slice())
}

/// Every right that the client libraries have a name for, in the order of the file.
pub fn right_options() -> &'static [RightOption] {
    &PRESET.options
}

#[expect(clippy::expect_used, reason = "the files are compiled in, and a test reads them")]
fn read() -> Preset {
    let subjects: Vec<SubjectRow> = serde_json::from_str(SUBJECTS).expect("data/subjects.json is well formed");
    let rights: Vec<RightRow> = serde_json::from_str(RIGHTS).expect("data/rights.json is well formed");
    let options = rights.iter().map(|row| RightOption {
        code: row.code.clone(),
        name: match &row.sdk_name {
            Some(name) => format!("PermissionIdentifier.{name}"),
            None => format!("PermissionIdentifier.{}", row.code.replace('.', "")),
        },
    });
    let options = options.collect();
    let rights = rights.into_iter().map(|row| RightEntry {
        description: described(&row.title),
        code: row.code,
        title: row.title,
        target: row.target,
        group: row.group,
        dependencies: row.dependencies,
    });
    let filters: Vec<DefineFilter> = serde_json::from_str(FILTERS).expect("data/filters.json is well formed");
    let filters = filters.into_iter().map(|class| class.read().expect("data/filters.json names places"));
    let catalogue = Catalogue::new(subjects.iter().map(subject).collect(), rights.collect()).with_filters(filters);
    Preset { catalogue: Arc::new(catalogue), subjects, options }
}

fn subject(row: &SubjectRow) -> Subject {
    Subject {
        code: row.code.clone(),
        name: row.name.clone(),
        description: row.description.clone(),
        parent: row.parent.clone(),
        events: row.events.iter().map(event_type).collect(),
        filters: row.filters.clone(),
    }
}

fn event_type(row: &EventRow) -> EventType {
    EventType {
        code: row.code.clone(),
        name: row.name.clone(),
        description: row.description.clone(),
        payload: row.payload.clone(),
        rights: row.rights.iter().map(|code| Right::from_code(code)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Event classes of the public client libraries.
    const CLASSES: [&str; 50] = [
        "AbsenceApprovalWebhookEvent",
        "AbsenceWebhookEvent",
        "ApplicationAuthorizationRequestedEvent",
        "ApplicationAuthorizedWebhookEvent",
        "ApplicationSshKeyWebhookEvent",
        "ApplicationUnfurlQueueItemsCreatedEvent",
        "ApplicationUnfurlTargetWebhookEvent",
        "ApplicationWebhookEvent",
        "AutomationJobEvent",
        "BlogWebhookEvent",
        "BusinessEntityRelationEvent",
        "ChannelEvent",
        "ChatMessageCreatedEvent",
        "ChatMessageDeletedEvent",
        "ChatMessageReactionAddedEvent",
        "ChatMessageReactionRemovedEvent",
        "ChatMessageUpdatedEvent",
        "CodeReviewCommitsUpdatedWebhookEvent",
        "CodeReviewDiscussionWebhookEvent",
        "CodeReviewParticipantWebhookEvent",
        "CodeReviewUpdatedWebhookEvent",
        "CodeReviewWebhookEvent",
        "CustomEmojiAddedEvent",
        "CustomEmojiDeletedEvent",
        "CustomEmojiUpdatedEvent",
        "DeploymentWebhookEvent",
        "DocumentEditorsChangedEvent",
        "DocumentFolderMetaWebhookEvent",
        "DocumentFolderOwnAccessChangedEvent",
        "DocumentMetaWebhookEvent",
        "DocumentWebhookEvent",
        "EmailBouncedEvent",
        "FeatureFlagWebhookEvent",
        "GoogleIntegrationDisconnectedEvent",
        "IssueImportTransactionWebhookEvent",
        "IssueWebhookEvent",
        "LocationEvent",
        "MeetingModWebhookEvent",
        "PingWebhookEvent",
        "ProfileEvent",
        "ProfileOrganizationEvent",
        "ProjectEvent",
        "RdWarmupEvent",
        "SPackageRepositoryAccessWebhookEvent",
        "SPackageRepositoryWebhookEvent",
        "SRepoCommitsWebhookEvent",
        "SRepoHeadsWebhookEvent",
        "SRepoPushWebhookEvent",
        "TeamEvent",
        "TeamMembershipEvent",
    ];

    fn events() -> Vec<EventType> {
        catalogue().subjects().iter().flat_map(|subject| subject.events.clone()).collect()
    }

    #[test]
    fn every_event_code_is_unique() {
        let all = events();
        let codes: BTreeSet<_> = all.iter().map(|event| &event.code).collect();
        assert_eq!(codes.len(), all.len());
    }

    #[test]
    fn every_right_of_an_event_type_exists() {
        let catalogue = catalogue();
        for event in events() {
            assert!(!event.rights.is_empty(), "{} needs no right", event.code);
            for right in &event.rights {
                assert!(catalogue.right(right.code()).is_some(), "{right} of {}", event.code);
            }
        }
    }

    #[test]
    fn every_event_class_but_ping_has_an_event_type() {
        let mut covered: BTreeSet<String> = events().into_iter().map(|event| event.payload).collect();
        covered.insert("PingWebhookEvent".to_owned());
        assert!(covered.remove("ApplicationWebhookDisabledEvent"), "the original server switches off nothing");
        assert_eq!(covered, CLASSES.iter().map(ToString::to_string).collect());
    }

    #[test]
    fn every_right_has_a_group_and_its_dependencies_exist_and_end() {
        let catalogue = catalogue();
        for entry in catalogue.rights() {
            assert!(!entry.group.is_empty() && !entry.description.is_empty(), "{}", entry.code);
            let mut seen = BTreeSet::from([entry.code.as_str()]);
            let mut next: Vec<&str> = entry.dependencies.iter().map(String::as_str).collect();
            while let Some(code) = next.pop() {
                assert!(seen.insert(code), "{} depends on itself", entry.code);
                let needed = catalogue.right(code).unwrap_or_else(|| panic!("{code} of {}", entry.code));
                next.extend(needed.dependencies.iter().map(String::as_str));
            }
        }
        let edit = catalogue.right("Project.Issues.Edit").unwrap();
        assert_eq!(
            (edit.group.as_str(), edit.dependencies.as_slice()),
            ("Issues", &["Project.Issues.View".to_owned()][..])
        );
        assert_eq!(edit.description, "Lets its holder update issues.");
    }

    #[test]
    fn parents_are_subjects() {
        let catalogue = catalogue();
        for subject in catalogue.subjects() {
            if let Some(parent) = &subject.parent {
                assert!(catalogue.subject(parent).is_ok(), "{parent}");
            }
        }
    }

    #[test]
    fn the_right_to_publish_events_can_be_looked_up() {
        assert_eq!(shared().right("Host.PublishEvents").unwrap().target, "Global");
    }

    #[test]
    fn filters_are_known_by_subject() {
        assert_eq!(filters("Application"), ["ApplicationsSubscriptionFilterIn"]);
        assert!(filters("Nothing").is_empty());
    }
}
