//! What became of an effect.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Map;
use crate::error::Failure;
use crate::ids::{StepPath, Token};
use crate::time::Timestamp;

/// The result of one delivery of one attempt, as the runner reports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The step.
    pub path: StepPath,
    /// The delivery that it answers; any other than the one outstanding is stale.
    pub token: Token,
    /// When the work began and ended, by the wall clock of the node that did it.
    pub began_at: Timestamp,
    /// See `began_at`.
    pub ended_at: Timestamp,
    /// What it gave.
    pub result: Ended,
}

/// How the work ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It succeeded, with its raw outputs: for scripts `stdout, stderr, exit_code, json`.
    Succeeded(Map<Value>),
    /// It failed; `outputs` is what there is all the same (a script's streams and exit code).
    Failed {
        /// Why.
        failure: Failure,
        /// Raw outputs, possibly empty.
        outputs: Map<Value>,
    },
    /// It was stopped because the engine asked for it.
    Aborted,
}
