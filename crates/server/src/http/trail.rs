//! Who is about to change something: writes the entries of the audit trail for one request.

use std::borrow::Cow;
use std::sync::Arc;

use spaceport_platform::access::Caller;
use spaceport_platform::audit::{AuditChange, AuditEntry, AuditTarget};
use spaceport_platform::id::Id;
use spaceport_platform::time::Timestamp;
use spaceport_store::{StoreError, Tx};

use crate::services::Services;

/// One request as the audit trail tells of it. Cheap to clone into a transaction.
#[derive(Clone)]
pub struct Trail {
    caller: Arc<Caller>,
    operation: &'static str,
    request: Arc<str>,
    now: Timestamp,
    services: Services,
}

impl Trail {
    pub(crate) fn new(
        caller: Arc<Caller>,
        operation: &'static str,
        request: Arc<str>,
        now: Timestamp,
        services: Services,
    ) -> Self {
        Self { caller, operation, request, now, services }
    }

    /// What the server does by itself, without a request.
    pub(crate) fn of_server(operation: &'static str, now: Timestamp, services: Services) -> Self {
        Self::new(Arc::new(Caller::nobody()), operation, Arc::from(""), now, services)
    }

    /// Adds an entry in the transaction that makes the change, so that neither is without the other.
    ///
    /// # Errors
    /// When the database fails.
    pub fn record(
        &self,
        tx: &mut Tx<'_>,
        target: AuditTarget,
        changes: impl IntoIterator<Item = AuditChange>,
    ) -> Result<(), StoreError> {
        self.record_with(tx, target, changes, None)
    }

    /// Adds an entry for each target, as one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn record_all(
        &self,
        tx: &mut Tx<'_>,
        told: impl IntoIterator<Item = (AuditTarget, Vec<AuditChange>)>,
    ) -> Result<(), StoreError> {
        let entries: Vec<AuditEntry> =
            told.into_iter().map(|(target, changes)| self.entry(target, changes, None)).collect();
        tx.insert_audit_entries(&entries)
    }

    /// Adds an entry with what the actor said about it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn record_with(
        &self,
        tx: &mut Tx<'_>,
        target: AuditTarget,
        changes: impl IntoIterator<Item = AuditChange>,
        comment: Option<&str>,
    ) -> Result<(), StoreError> {
        tx.insert_audit_entry(&self.entry(target, changes.into_iter().collect(), comment))
    }

    fn entry(&self, target: AuditTarget, changes: Vec<AuditChange>, comment: Option<&str>) -> AuditEntry {
        AuditEntry {
            id: Id::generate(self.now, self.services.random.as_ref()),
            at: self.now,
            actor: self.caller.principal.clone(),
            credential: self.caller.credential,
            token: self.caller.token.clone(),
            through: self.caller.through.as_ref().map(|through| through.application.clone()),
            operation: Cow::Borrowed(self.operation),
            request: self.request.to_string(),
            target,
            changes,
            comment: comment.map(str::to_owned),
        }
    }
}
