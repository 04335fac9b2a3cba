//! What changed about a webhook or a subscription, for the audit trail. Secrets are stored elsewhere and never come here.

use std::time::Duration;

use crate::application::AuthenticationMethod;
use crate::audit::AuditChange;
use crate::filter::Filter;
use crate::subscription::Subscription;
use crate::webhook::Webhook;

type Values = Vec<(&'static str, Option<String>)>;

/// Fields of a webhook that differ, under the names of the API; against nothing, every field that has a value.
pub fn changes(old: Option<&Webhook>, new: &Webhook) -> Vec<AuditChange> {
    between(old.map(webhook_values), webhook_values(new))
}

/// The same of a subscription.
pub fn subscription_changes(old: Option<&Subscription>, new: &Subscription) -> Vec<AuditChange> {
    between(old.map(subscription_values), subscription_values(new))
}

fn between(before: Option<Values>, after: Values) -> Vec<AuditChange> {
    let mut found = Vec::new();
    for (index, (field, value)) in after.iter().enumerate() {
        let earlier = before.as_ref().and_then(|before| before.get(index)).and_then(|(_, value)| value.as_deref());
        found.extend(AuditChange::between(field, earlier, value.as_deref()));
    }
    found
}

fn webhook_values(webhook: &Webhook) -> Values {
    let endpoint = webhook.endpoint.as_ref();
    let method = webhook.authentication.as_ref();
    let codes: Vec<String> = webhook.accepted_codes.iter().map(u16::to_string).collect();
    vec![
        ("name", Some(webhook.name.clone())),
        ("description", webhook.description.clone()),
        ("enabled", Some(webhook.enabled.to_string())),
        ("archived", Some(webhook.archived_at.is_some().to_string())),
        ("endpoint.url", endpoint.map(|endpoint| endpoint.url.clone())),
        ("endpoint.sslVerification", endpoint.map(|endpoint| endpoint.ssl_verification.to_string())),
        ("endpointAuth", method.map(|method| method.name().to_owned())),
        ("endpointAuth.basicAuthUsername", method.and_then(AuthenticationMethod::username).map(str::to_owned)),
        ("endpointAuth.sslKeystore", webhook.ssl_keystore.clone()),
        ("acceptedHttpResponseCodes", (!codes.is_empty()).then(|| codes.join(", "))),
        ("doRetries", Some(webhook.retries.to_string())),
        ("retryDelaysMillis", webhook.sending.retry_delays.as_deref().map(in_millis)),
        ("ordered", webhook.sending.ordered.then(|| true.to_string())),
        ("mostInFlight", webhook.sending.most_in_flight.map(|most| most.to_string())),
        ("mostPerMinute", webhook.sending.most_per_minute.map(|most| most.to_string())),
        ("payloadFields", webhook.payload.fields().map(str::to_owned)),
        ("payloadTemplate", webhook.payload.template().map(str::to_owned)),
    ]
}

fn in_millis(delays: &[Duration]) -> String {
    delays.iter().map(|delay| delay.as_millis().to_string()).collect::<Vec<_>>().join(", ")
}

fn subscription_values(subscription: &Subscription) -> Values {
    vec![
        ("name", Some(subscription.name.clone())),
        ("enabled", Some(subscription.enabled.to_string())),
        ("subjectCode", Some(subscription.subject.clone())),
        ("eventTypeCodes", Some(subscription.event_types.join(", "))),
        ("filters", filters_in_words(&subscription.filters)),
    ]
}

/// Such as `ProjectCommonSubscriptionFilterIn: project = p1`.
fn filters_in_words(filters: &[Filter]) -> Option<String> {
    let one = |filter: &Filter| {
        let field = |(name, values): (&String, &Vec<String>)| format!("{name} = {}", values.join(", "));
        let fields: Vec<String> = filter.fields.iter().map(field).collect();
        if fields.is_empty() { filter.class.clone() } else { format!("{}: {}", filter.class, fields.join("; ")) }
    };
    (!filters.is_empty()).then(|| filters.iter().map(one).collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::Endpoint;
    use crate::id::{ApplicationId, SubscriptionId, WebhookId};
    use crate::time::Timestamp;
    use crate::webhook::PayloadForm;

    fn webhook() -> Webhook {
        Webhook {
            id: WebhookId::new("w"),
            application: ApplicationId::new("a"),
            name: "n".to_owned(),
            description: None,
            endpoint: None,
            authentication: None,
            ssl_keystore: None,
            payload: PayloadForm::Whole,
            enabled: true,
            accepted_codes: vec![],
            retries: true,
            sending: Default::default(),
            created_at: Timestamp::from_millis(1),
            archived_at: None,
            revision: 1,
        }
    }

    fn names(changes: &[AuditChange]) -> Vec<&str> {
        changes.iter().map(|change| change.field.as_ref()).collect()
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let old = webhook();
        assert_eq!(changes(Some(&old), &old), []);
        assert_eq!(names(&changes(None, &old)), ["name", "enabled", "archived", "doRetries"]);
        let new = Webhook {
            endpoint: Some(Endpoint { url: "https://a.example".to_owned(), ssl_verification: true }),
            authentication: Some(AuthenticationMethod::Basic { username: "u".to_owned() }),
            accepted_codes: vec![404],
            ..old.clone()
        };
        let expected = [
            "endpoint.url",
            "endpoint.sslVerification",
            "endpointAuth",
            "endpointAuth.basicAuthUsername",
            "acceptedHttpResponseCodes",
        ];
        assert_eq!(names(&changes(Some(&old), &new)), expected);
    }

    #[test]
    fn subscriptions_tell_what_they_listen_to() {
        let old = Subscription {
            id: SubscriptionId::new("s"),
            webhook: WebhookId::new("w"),
            name: "n".to_owned(),
            enabled: true,
            subject: "Issue".to_owned(),
            event_types: vec!["Issue.Created".to_owned()],
            filters: vec![],
        };
        let new =
            Subscription { event_types: vec!["Issue.Created".to_owned(), "Issue.Moved".to_owned()], ..old.clone() };
        let changes = subscription_changes(Some(&old), &new);
        assert_eq!(names(&changes), ["eventTypeCodes"]);
        let fields = [("project".to_owned(), vec!["p1".to_owned(), "p2".to_owned()])].into();
        let filtered = Subscription { filters: vec![Filter { class: "FIn".to_owned(), fields }], ..old.clone() };
        let filters = subscription_changes(Some(&old), &filtered);
        assert_eq!((names(&filters), filters[0].new.as_deref()), (vec!["filters"], Some("FIn: project = p1, p2")));
        assert_eq!(changes[0].new.as_deref(), Some("Issue.Created, Issue.Moved"));
    }
}
