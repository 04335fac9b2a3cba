//! Compound shapes: pages, pairs, changes of a value (wire-protocol 2.5).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A page of a list. `next` is the `$skip` of the page behind it, also on the last one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Batch_{T}", extend("x-kind" = "BATCH"))]
pub struct Batch<T> {
    /// `$skip` of the next page.
    pub next: String,
    /// How many entries there are in all.
    #[serde(rename = "totalCount")]
    pub total_count: Option<i64>,
    /// The entries of this page.
    pub data: Vec<T>,
}

/// Two values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Pair_{A}_{B}", extend("x-kind" = "PAIR"))]
pub struct Pair<A, B> {
    /// The first.
    pub first: A,
    /// The second.
    pub second: B,
}

/// A value before and after a change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Modification_{T}", extend("x-kind" = "MOD"))]
pub struct Modification<T> {
    /// Before.
    pub old: Option<T>,
    /// After.
    pub new: Option<T>,
}
