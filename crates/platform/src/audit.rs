//! The audit trail: who changed what, when, through which token, from which value to which.

use std::borrow::Cow;

use crate::access::{Credential, Principal};
use crate::id::{ApplicationId, AuditEntryId, TokenId};
use crate::time::Timestamp;

/// Longest value that an entry keeps, in characters; longer ones are cut.
pub const MAX_VALUE: usize = 1_000;

/// One change that somebody made, kept until the retention of the audit trail ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// Its id; the order of ids is the order of entries.
    pub id: AuditEntryId,
    /// When.
    pub at: Timestamp,
    /// Who; nobody when the server itself did it.
    pub actor: Principal,
    /// How the actor proved who he is.
    pub credential: Credential,
    /// Through which stored token, if through one.
    pub token: Option<TokenId>,
    /// The application that the person's token was issued to, if a person acted through one.
    pub through: Option<ApplicationId>,
    /// Which operation, such as `api.application.update`.
    pub operation: Cow<'static, str>,
    /// Id of the request, as the answer's header and the log show it; empty for what the server did itself.
    pub request: String,
    /// What was changed.
    pub target: AuditTarget,
    /// How.
    pub changes: Vec<AuditChange>,
    /// What the actor said about it.
    pub comment: Option<String>,
}

impl AuditEntry {
    /// What the server did by itself, or an operator by a command.
    pub fn of_server(
        id: AuditEntryId,
        at: Timestamp,
        operation: &'static str,
        target: AuditTarget,
        changes: impl IntoIterator<Item = AuditChange>,
    ) -> Self {
        Self {
            id,
            at,
            actor: Principal::Nobody,
            credential: Credential::None,
            token: None,
            through: None,
            operation: Cow::Borrowed(operation),
            request: String::new(),
            target,
            changes: changes.into_iter().collect(),
            comment: None,
        }
    }
}

/// What was changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditTarget {
    /// What kind of thing, such as `application`, `webhook`, `profile`.
    pub kind: Cow<'static, str>,
    /// Its id.
    pub id: String,
    /// The application it belongs to, so that one can ask what happened to an application.
    pub application: Option<ApplicationId>,
}

impl AuditTarget {
    /// An application itself.
    pub fn application(id: &ApplicationId) -> Self {
        Self { kind: Cow::Borrowed("application"), id: id.to_string(), application: Some(id.clone()) }
    }

    /// Something that belongs to an application.
    pub fn of_application(application: &ApplicationId, kind: &'static str, id: impl Into<String>) -> Self {
        Self { kind: Cow::Borrowed(kind), id: id.into(), application: Some(application.clone()) }
    }

    /// Something that belongs to no application.
    pub fn other(kind: &'static str, id: impl Into<String>) -> Self {
        Self { kind: Cow::Borrowed(kind), id: id.into(), application: None }
    }
}

/// One field's change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditChange {
    /// The field, as the API names it.
    pub field: Cow<'static, str>,
    /// Value before; `None` when there was none, or when it is secret.
    pub old: Option<String>,
    /// Value after; `None` when there is none, or when it is secret.
    pub new: Option<String>,
    /// Whether the values are secret and therefore not kept.
    pub secret: bool,
}

impl AuditChange {
    /// A field that changed; `None` when both values are the same.
    pub fn between(field: &'static str, old: Option<&str>, new: Option<&str>) -> Option<Self> {
        let kept = |value: Option<&str>| value.map(|text| text.chars().take(MAX_VALUE).collect());
        let changed = || Self { field: Cow::Borrowed(field), old: kept(old), new: kept(new), secret: false };
        (old != new).then(changed)
    }

    /// A secret that changed: only that it did is kept.
    pub fn secret(field: &'static str) -> Self {
        Self { field: Cow::Borrowed(field), old: None, new: None, secret: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_no_change_and_long_ones_are_cut() {
        assert_eq!(AuditChange::between("name", Some("a"), Some("a")), None);
        let long = "ä".repeat(MAX_VALUE + 1);
        let change = AuditChange::between("description", None, Some(&long)).unwrap();
        assert_eq!(change.old, None);
        assert_eq!(change.new.unwrap().chars().count(), MAX_VALUE);
    }
}
