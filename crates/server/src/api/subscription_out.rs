//! Subscriptions as the API shows them, with the rights that their application lacks.

use std::collections::BTreeMap;

use spaceport_platform::access::Caller;
use spaceport_platform::application::Application;
use spaceport_platform::authorization::{AuthorizedRight, RightStatus};
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::context::{Context, Place};
use spaceport_platform::id::ApplicationId;
use spaceport_platform::right::Right;
use spaceport_platform::subscription::Subscription;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::PermissionContextApi;
use spaceport_wire::webhook::{
    GenericSubscription, RequestedAuthorizations, RightReference, Subscription as SubscriptionOut,
};

use crate::api::application_out::out;
use crate::api::context_out::context_out;
use crate::api::filter;

/// What showing subscriptions of an application depends on.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    catalogue: &'a Catalogue,
    /// Whose subscriptions.
    pub application: &'a Application,
    /// Who looks at them.
    pub caller: &'a Caller,
}

impl<'a> Shown<'a> {
    /// Subscriptions of `application`, as `caller` sees them.
    pub fn new(catalogue: &'a Catalogue, application: &'a Application, caller: &'a Caller) -> Self {
        Self { catalogue, application, caller }
    }

    /// One subscription.
    ///
    /// # Errors
    /// When the database fails.
    pub fn one(self, tx: &mut Tx<'_>, subscription: &Subscription) -> Result<SubscriptionOut, StoreError> {
        let mut shown = self.all(tx, std::slice::from_ref(subscription))?;
        shown.pop().ok_or_else(|| StoreError::corrupt("a subscription vanished"))
    }

    /// Subscriptions, in the order given.
    ///
    /// # Errors
    /// When the database fails.
    pub fn all(self, tx: &mut Tx<'_>, subscriptions: &[Subscription]) -> Result<Vec<SubscriptionOut>, StoreError> {
        if subscriptions.is_empty() {
            return Ok(Vec::new());
        }
        let application = Box::new(out::<StoreError>(tx, self.caller, self.application)?);
        let mut known = Known::new(&self.application.id);
        let mut shown = Vec::with_capacity(subscriptions.len());
        for subscription in subscriptions {
            let missing = known.missing(tx, self.catalogue, subscription)?;
            shown.push(SubscriptionOut {
                id: subscription.id.to_string(),
                name: subscription.name.clone(),
                enabled: subscription.enabled,
                subscription: GenericSubscription {
                    subject_code: subscription.subject.clone(),
                    filters: filter::shown(tx, self.caller, self.catalogue, &subscription.filters)?,
                    event_type_codes: subscription.event_types.clone(),
                },
                application: Some(application.clone()),
                requested_authentication: self.requested(tx, &missing)?,
            });
        }
        Ok(shown)
    }

    /// Null when nothing is missing.
    fn requested(
        self,
        tx: &mut Tx<'_>,
        missing: &[(Place, Vec<Right>)],
    ) -> Result<Option<RequestedAuthorizations>, StoreError> {
        let mut codes: Vec<&str> = missing.iter().flat_map(|(_, rights)| rights).map(Right::code).collect();
        codes.sort_unstable();
        codes.dedup();
        if codes.is_empty() {
            return Ok(None);
        }
        let (mut contexts, mut projects) = (Vec::new(), Vec::new());
        for (place, _) in missing {
            let context = context_out(tx, self.caller, place.context())?;
            if let PermissionContextApi::ProjectPermissionContext { project } = &context {
                projects.push(project.as_ref().clone());
            }
            contexts.push(context);
        }
        let type_code = |code: &str| self.catalogue.right(code).map(|right| right.target.clone()).unwrap_or_default();
        Ok(Some(RequestedAuthorizations {
            rights: codes
                .iter()
                .map(|code| RightReference { type_code: type_code(code), code: (*code).to_owned() })
                .collect(),
            right_codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            permission_context: if contexts.len() == 1 { contexts.pop() } else { None },
            projects,
        }))
    }
}

/// The rights that a subscription needs and its application lacks, by where it needs them.
///
/// # Errors
/// When the database fails.
pub fn missing(
    tx: &mut Tx<'_>,
    catalogue: &Catalogue,
    application: &ApplicationId,
    subscription: &Subscription,
) -> Result<Vec<(Place, Vec<Right>)>, StoreError> {
    Known::new(application).missing(tx, catalogue, subscription)
}

/// Rights of an application, read once for each context.
struct Known<'a> {
    application: &'a ApplicationId,
    rights: BTreeMap<String, Vec<AuthorizedRight>>,
}

impl<'a> Known<'a> {
    fn new(application: &'a ApplicationId) -> Self {
        Self { application, rights: BTreeMap::new() }
    }

    fn missing(
        &mut self,
        tx: &mut Tx<'_>,
        catalogue: &Catalogue,
        subscription: &Subscription,
    ) -> Result<Vec<(Place, Vec<Right>)>, StoreError> {
        let mut needed: Vec<Right> = Vec::new();
        for code in &subscription.event_types {
            let Ok(event_type) = catalogue.event_type(&subscription.subject, code) else { continue };
            needed
                .extend(event_type.rights.iter().filter(|right| !needed.contains(right)).cloned().collect::<Vec<_>>());
        }
        let mut missing = Vec::new();
        for place in filter::places(tx, catalogue, &subscription.filters)? {
            let mut lacked = Vec::new();
            for right in &needed {
                let mut held = false;
                for context in place.covering() {
                    held = held || self.holds(tx, context, right)?;
                }
                if !held {
                    lacked.push(right.clone());
                }
            }
            if !lacked.is_empty() {
                missing.push((place, lacked));
            }
        }
        Ok(missing)
    }

    fn holds(&mut self, tx: &mut Tx<'_>, context: &Context, right: &Right) -> Result<bool, StoreError> {
        let key = context.to_string();
        if !self.rights.contains_key(&key) {
            self.rights.insert(key.clone(), tx.authorized_rights(self.application, context)?);
        }
        let known = self.rights.get(&key).map(Vec::as_slice).unwrap_or_default();
        Ok(known.iter().any(|known| known.right == *right && known.status == RightStatus::Granted))
    }
}
