//! The audit trail: entries are added, read backwards in pages, and deleted when they are old.

use std::borrow::Cow;

use spaceport_platform::access::{Credential, Principal};
use spaceport_platform::audit::{AuditChange, AuditEntry, AuditTarget};
use spaceport_platform::id::{ApplicationId, AuditEntryId, TokenId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::grant::principal_of;
use crate::tx::profile::principal_columns;
use crate::value::{Row, Value};

const COLUMNS: &str = "id, at, actor_kind, actor_id, credential, token_id, operation, request, target_kind, target_id, application_id, comment, through_id";

/// Which entries a page of the audit trail holds.
#[derive(Clone, Default, Debug)]
pub struct AuditFilter {
    /// Those about this application and what belongs to it.
    pub application: Option<ApplicationId>,
    /// Those of this actor.
    pub actor: Option<Principal>,
    /// Those of this operation.
    pub operation: Option<String>,
    /// Those about this kind of thing.
    pub target_kind: Option<String>,
    /// Those about the thing with this id.
    pub target: Option<String>,
    /// Those at or after this moment.
    pub since: Option<Timestamp>,
    /// Those before this moment.
    pub until: Option<Timestamp>,
}

impl Tx<'_> {
    /// Adds an entry.
    pub fn insert_audit_entry(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.insert_audit_entries(std::slice::from_ref(entry))
    }

    /// Adds many entries.
    pub fn insert_audit_entries(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let rows: Vec<Vec<Value>> = entries
            .iter()
            .map(|entry| {
                let actor = principal_columns(&entry.actor);
                vec![
                    (&entry.id).into(),
                    entry.at.into(),
                    actor.map(|(kind, _)| kind).into(),
                    actor.map(|(_, id)| id).into(),
                    credential_name(entry.credential).into(),
                    entry.token.as_ref().into(),
                    entry.operation.as_ref().into(),
                    entry.request.as_str().into(),
                    entry.target.kind.as_ref().into(),
                    entry.target.id.as_str().into(),
                    entry.target.application.as_ref().into(),
                    entry.comment.as_deref().into(),
                    entry.through.as_ref().into(),
                ]
            })
            .collect();
        self.insert_all(&format!("INSERT INTO audit_entry ({COLUMNS})"), "", &rows)?;
        let into = "INSERT INTO audit_change (entry_id, position, field, old_value, new_value, secret)";
        let rows: Vec<Vec<Value>> = entries
            .iter()
            .flat_map(|entry| (0_i64..).zip(&entry.changes).map(move |(position, change)| (entry, position, change)))
            .map(|(entry, position, change)| {
                vec![
                    (&entry.id).into(),
                    position.into(),
                    change.field.as_ref().into(),
                    change.old.as_deref().into(),
                    change.new.as_deref().into(),
                    change.secret.into(),
                ]
            })
            .collect();
        self.insert_all(into, "", &rows).map(|_| ())
    }

    /// Up to `limit` entries, the newest first, beginning before the entry `before`.
    pub fn audit_entries(
        &mut self,
        filter: &AuditFilter,
        before: Option<&AuditEntryId>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let mut values: Vec<Value> = Vec::new();
        let mut conditions = vec!["1 = 1".to_owned()];
        let mut add = |condition: &str, value: Value| {
            values.push(value);
            conditions.push(condition.replace('?', &format!("${}", values.len())));
        };
        if let Some(application) = &filter.application {
            add("application_id = ?", application.into());
        }
        if let Some((kind, id)) = filter.actor.as_ref().and_then(principal_columns) {
            add("actor_kind = ?", kind.into());
            add("actor_id = ?", id.into());
        }
        if let Some(operation) = &filter.operation {
            add("operation = ?", operation.as_str().into());
        }
        if let Some(kind) = &filter.target_kind {
            add("target_kind = ?", kind.as_str().into());
        }
        if let Some(target) = &filter.target {
            add("target_id = ?", target.as_str().into());
        }
        if let Some(since) = filter.since {
            add("at >= ?", since.into());
        }
        if let Some(until) = filter.until {
            add("at < ?", until.into());
        }
        if let Some(before) = before {
            add("id < ?", before.into());
        }
        values.push(limit.into());
        let sql = format!(
            "SELECT {COLUMNS} FROM audit_entry WHERE {} ORDER BY id DESC LIMIT ${}",
            conditions.join(" AND "),
            values.len()
        );
        let mut entries =
            self.connection.query(&sql, &values)?.into_iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        for entry in &mut entries {
            let sql =
                "SELECT field, old_value, new_value, secret FROM audit_change WHERE entry_id = $1 ORDER BY position";
            for mut row in self.connection.query(sql, &[(&entry.id).into()])? {
                entry.changes.push(AuditChange {
                    field: Cow::Owned(row.text()?),
                    old: row.optional_text()?,
                    new: row.optional_text()?,
                    secret: row.flag()?,
                });
            }
        }
        Ok(entries)
    }

    /// Deletes up to `limit` entries from before `horizon`; answers how many.
    pub fn delete_audit_entries(&mut self, horizon: Timestamp, limit: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM audit_entry WHERE id IN (SELECT id FROM audit_entry WHERE at < $1 ORDER BY at LIMIT $2)";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }
}

fn credential_name(credential: Credential) -> &'static str {
    match credential {
        Credential::None => "none",
        Credential::AccessToken => "access_token",
        Credential::PermanentToken => "permanent_token",
        Credential::Session => "session",
    }
}

fn read(mut row: Row) -> Result<AuditEntry, StoreError> {
    let (id, at) = (AuditEntryId::new(row.text()?), row.time()?);
    let actor = principal_of(&mut row)?;
    let credential = match row.text()?.as_str() {
        "access_token" => Credential::AccessToken,
        "permanent_token" => Credential::PermanentToken,
        "session" => Credential::Session,
        _ => Credential::None,
    };
    Ok(AuditEntry {
        id,
        at,
        actor,
        credential,
        token: row.optional_text()?.map(TokenId::new),
        operation: Cow::Owned(row.text()?),
        request: row.text()?,
        target: AuditTarget {
            kind: Cow::Owned(row.text()?),
            id: row.text()?,
            application: row.optional_text()?.map(ApplicationId::new),
        },
        changes: Vec::new(),
        comment: row.optional_text()?,
        through: row.optional_text()?.map(ApplicationId::new),
    })
}
