//! One HTTP call: what was sent and what came of it, as the log of deliveries keeps it.

use crate::error::StoreError;
use crate::value::{Row, Value};

/// What was sent in one call, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Call {
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Where it was sent; `None` for attempts of earlier versions.
    pub url: Option<String>,
    /// Header fields that were sent, masked, as a JSON list of pairs; `None` when they are not kept any more.
    pub request_headers: Option<String>,
    /// The body that was sent, when it does not follow from an event.
    pub request_body: Option<String>,
    /// Status of the answer, if one came.
    pub status: Option<u16>,
    /// What kept the answer away, if none came.
    pub error_kind: Option<String>,
    /// The same in words.
    pub message: Option<String>,
    /// Header fields of the answer, as a JSON list of pairs.
    pub response_headers: Option<String>,
    /// The first 16 KiB of the answer.
    pub response_body: Option<String>,
    /// Whether that is all of it.
    pub complete: bool,
}

impl Call {
    /// The columns that hold it, the same in every table of attempts.
    pub(crate) const COLUMNS: &str = "duration_ms, url, request_headers, request_body, status, error_kind, message, \
         response_headers, response_body, complete";
    /// How many they are.
    pub(crate) const WIDTH: usize = 10;

    /// The values of [`Self::COLUMNS`].
    pub(crate) fn values(&self) -> [Value; Self::WIDTH] {
        [
            self.duration_ms.into(),
            self.url.as_deref().into(),
            self.request_headers.as_deref().into(),
            self.request_body.as_deref().into(),
            self.status.map(i64::from).into(),
            self.error_kind.as_deref().into(),
            self.message.as_deref().into(),
            self.response_headers.as_deref().into(),
            self.response_body.as_deref().into(),
            self.complete.into(),
        ]
    }

    /// Reads [`Self::COLUMNS`].
    pub(crate) fn read(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self {
            duration_ms: row.int()?,
            url: row.optional_text()?,
            request_headers: row.optional_text()?,
            request_body: row.optional_text()?,
            status: row.optional_int()?.and_then(|status| u16::try_from(status).ok()),
            error_kind: row.optional_text()?,
            message: row.optional_text()?,
            response_headers: row.optional_text()?,
            response_body: row.optional_text()?,
            complete: row.flag()?,
        })
    }
}
