//! Domains and patterns that applications want to preview links of.

use spaceport_platform::authorization::RightStatus;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::unfurl::{TargetKind, UnfurlTarget, Wanted};

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::grant::{principal_columns, principal_of};
use crate::value::{Row, Value};

const COLUMNS: &str = "name, link, status, author_kind, author_id, modified_at";

impl Tx<'_> {
    /// Targets of one kind, in the order in which the application named them.
    pub fn unfurl_targets(
        &mut self,
        application: &ApplicationId,
        kind: TargetKind,
    ) -> Result<Vec<UnfurlTarget>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM unfurl_target WHERE application_id = $1 AND kind = $2 ORDER BY position");
        self.connection.query(&sql, &[application.into(), kind.name().into()])?.into_iter().map(read).collect()
    }

    /// Targets of several applications, each in the order in which its application named them.
    pub fn unfurl_targets_of(
        &mut self,
        applications: &[ApplicationId],
    ) -> Result<Vec<(ApplicationId, TargetKind, UnfurlTarget)>, StoreError> {
        let ids: Vec<Value> = applications.iter().map(Value::from).collect();
        let select = format!("SELECT application_id, kind, position, {COLUMNS} FROM unfurl_target");
        let mut found = Vec::new();
        for mut row in self.rows_in(&select, "application_id", &ids)? {
            let (application, kind, position) = (ApplicationId::new(row.text()?), row.text()?, row.int()?);
            let kind = TargetKind::from_name(&kind).ok_or_else(|| StoreError::corrupt(format!("the kind {kind}")))?;
            found.push((position, (application, kind, read(row)?)));
        }
        found.sort_by_key(|(position, _)| *position);
        Ok(found.into_iter().map(|(_, target)| target).collect())
    }

    /// Replaces the targets of one kind. Who read them first in the same transaction holds the application
    /// ([`Tx::application`]), so that nobody's change is lost.
    pub fn set_unfurl_targets(
        &mut self,
        application: &ApplicationId,
        kind: TargetKind,
        targets: &[UnfurlTarget],
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM unfurl_target WHERE application_id = $1 AND kind = $2";
        self.connection.execute(sql, &[application.into(), kind.name().into()])?;
        let sql = format!(
            "INSERT INTO unfurl_target (application_id, kind, position, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        );
        let sets: Vec<Vec<Value>> = targets
            .iter()
            .zip(0_i64..)
            .map(|(target, position)| {
                let author = principal_columns(&target.author);
                vec![
                    application.into(),
                    kind.name().into(),
                    position.into(),
                    target.wanted.name.as_str().into(),
                    target.wanted.link.as_deref().into(),
                    target.status.name().into(),
                    author.map(|(kind, _)| kind).into(),
                    author.map(|(_, id)| id).into(),
                    target.modified_at.into(),
                ]
            })
            .collect();
        self.connection.execute_many(&sql, &sets).map(|_| ())
    }
}

fn read(mut row: Row) -> Result<UnfurlTarget, StoreError> {
    let wanted = Wanted { name: row.text()?, link: row.optional_text()? };
    let status = row.text()?;
    let status = RightStatus::from_name(&status).ok_or_else(|| StoreError::corrupt(format!("the status {status}")))?;
    let author = principal_of(&mut row)?;
    Ok(UnfurlTarget { wanted, status, author, modified_at: row.time()? })
}
