//! Requests to upload a file.

use schemars::JsonSchema;
use serde::Deserialize;

/// Body of the operation that begins an upload.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateUpload {
    /// What the file is for: `file`, `attachments`, `emoji` or `maps`. All are treated the same.
    pub storage_prefix: String,
    /// How a picture is to be resized; pictures are kept as they are.
    #[serde(default)]
    pub media_type: Option<String>,
}
