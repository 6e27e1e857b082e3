//! Use cases of orphans: executions that no living owner has.

use serde::{Deserialize, Serialize};
use skep_model::status::Execution as Status;

use super::call::{Call, Needs};

/// Lists the orphans and what would be done with each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Orphans {}

/// Takes on the orphans that are to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recover {}

/// An execution that no living owner has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Orphan {
    /// Its id.
    pub execution_id: String,
    /// Id of its workflow.
    pub workflow: String,
    /// Its state.
    pub status: Status,
    /// Time of its last event, RFC 3339 in UTC.
    pub updated_at: String,
    /// How far it is, from 0 to 1.
    pub progress: f64,
    /// `resume` or `leave`.
    pub decision: String,
    /// Why, for people.
    pub reason: String,
}

super::writes::calls! {
    Orphans "orphans" Reading -> Vec<Orphan>;
    Recover "recover" Owner -> Vec<Orphan>;
}
