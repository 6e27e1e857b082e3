//! Keeping the data directory within its bounds.

use serde::{Deserialize, Serialize};

use super::{Call, Needs};

/// Archives and removes what is old, as the configuration says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prune {
    /// Only count.
    #[serde(default)]
    pub dry_run: bool,
}

/// What left, or would leave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pruned {
    /// Executions moved into the archive.
    pub archived: u64,
    /// Archive files removed.
    pub deleted: u64,
    /// Values removed.
    pub blobs: u64,
    /// Bytes of these values.
    pub blob_bytes: u64,
    /// Executions that could not be archived, with the reason.
    pub failed: Vec<String>,
    /// True if nothing was done because somebody copies or checks the data directory now.
    pub busy: bool,
}

impl Call for Prune {
    const NAME: &'static str = "prune";
    const NEEDS: Needs = Needs::Owner;
    type Answer = Pruned;
}
