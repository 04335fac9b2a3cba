//! Subscriptions: which events a webhook hears of.

use crate::application::MAX_NAME;
use crate::catalogue::Catalogue;
use crate::filter::Filter;
use crate::id::{SubscriptionId, WebhookId};
use crate::invalid::{Invalid, text_length};

/// A subscription of a webhook to event types of one subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// The id.
    pub id: SubscriptionId,
    /// Whose.
    pub webhook: WebhookId,
    /// What people read.
    pub name: String,
    /// Whether it counts.
    pub enabled: bool,
    /// Subject, such as `Issue`.
    pub subject: String,
    /// Event types of that subject; at least one.
    pub event_types: Vec<String>,
    /// Filters, of which one must let an event pass; every event passes when there are none.
    pub filters: Vec<Filter>,
}

/// Checks a subscription against the catalogue before it is stored.
///
/// # Errors
/// Names the field, and the nearest known code when a code is unknown.
pub fn check(subscription: &Subscription, catalogue: &Catalogue) -> Result<(), Invalid> {
    text_length("name", subscription.name.trim(), 1, MAX_NAME)?;
    catalogue.subject(&subscription.subject).map_err(|fault| fault.within("subscription.subjectCode"))?;
    if subscription.event_types.is_empty() {
        return Err(Invalid::new("subscription.eventTypeCodes", "must name at least one event type"));
    }
    for (index, code) in subscription.event_types.iter().enumerate() {
        catalogue
            .event_type(&subscription.subject, code)
            .map_err(|fault| fault.within(&format!("subscription.eventTypeCodes[{index}]")))?;
    }
    Ok(())
}
