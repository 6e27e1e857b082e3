//! What becomes of a step that is stopped.

use serde::{Deserialize, Serialize};

use crate::error::Failure;

/// What a step that was asked to stop becomes once everything in it has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Its flow was cancelled.
    #[default]
    Cancelled,
    /// Its join was reached without the rest.
    Completed,
    /// Its time is over, or one of its parts failed.
    Failed(Failure),
}

impl Then {
    pub(super) fn is_cancelled(&self) -> bool {
        *self == Self::Cancelled
    }
}
