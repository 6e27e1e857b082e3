//! Use cases of undoing.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skep_model::rollback::Strategy;

use super::call::{Call, Needs};
use super::writes::Done;

/// Undoes an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rollback {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// How; `None`: as its workflow says.
    #[serde(default)]
    pub strategy: Option<Strategy>,
    /// Number of the rollback point to go back to.
    #[serde(default)]
    pub to: Option<u32>,
    /// Why, for people.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Makes a rollback point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// What for, for people.
    #[serde(default)]
    pub note: Option<String>,
}

/// Says that a person has undone what a manual rollback has next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Undone {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// The step, which must be the next one; `None`: that one.
    #[serde(default)]
    pub step: Option<String>,
    /// For the record.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Lists the rollback points of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollbackPoints {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
}

/// Says what a rollback would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollbackPlan {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// How; `None`: as the one that is under way, else as its workflow says.
    #[serde(default)]
    pub strategy: Option<Strategy>,
    /// Number of the rollback point to go back to.
    #[serde(default)]
    pub to: Option<u32>,
}

/// Says how undoing an execution stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollbackStatus {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
}

super::writes::calls! {
    Rollback "rollback" Owner -> Done;
    Checkpoint "checkpoint" Owner -> Done;
    Undone "undone" Owner -> Done;
    RollbackPoints "rollback-points" Reading -> Value;
    RollbackPlan "rollback-plan" Reading -> Value;
    RollbackStatus "rollback-status" Reading -> Value;
}
