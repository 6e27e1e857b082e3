//! What surrounds the work of a step: retries, failures, compensations, limits that executions share.

use serde::{Deserialize, Serialize};

use super::{Escalation, Kind, StepIndex};
use crate::Map;
use crate::error::{Class, Kind as FailureKind};
use crate::rollback::Strategy;

/// How often and when a failed attempt is repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// All attempts, the first included; at least 1.
    pub max_attempts: u32,
    /// Before the second attempt.
    pub delay_ms: u64,
    /// Bound of the growing pause.
    pub max_delay_ms: u64,
    /// How the pause grows.
    pub backoff: Backoff,
    /// The pause is drawn between half and the whole of the computed one.
    pub jitter: bool,
    /// What is repeated; empty: all but permanent and business failures, system ones at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<RetryOn>,
}

/// How the pause between attempts grows: d, d, d / d, 2d, 3d / d, 2d, 4d.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// Not at all.
    Fixed,
    /// By `delay` each time.
    Linear,
    /// Twice as long each time.
    #[default]
    Exponential,
}

/// What `retry.on` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryOn {
    /// A class of failures.
    Class(Class),
    /// A kind of failure.
    Kind(FailureKind),
    /// An exit code (0 to 255).
    ExitCode(i32),
    /// An HTTP status (100 to 599).
    HttpStatus(u16),
}

/// A piece of work beside a step: how it is undone, how it is told whether it was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// [`Kind::Run`] or [`Kind::Uses`], nothing else.
    pub kind: Kind,
    /// Text templates.
    #[serde(default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
    pub env: Map<String>,
    /// Text template; relative to the execution's base directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Bound of one attempt in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How failed attempts are repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}

/// `rollback` of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compensation {
    /// Undoes the step. Its templates see what the step's own `outputs` see, and `steps.ID` of itself.
    pub work: Side,
    /// Tells whether it worked; a failure of it is a failure of the compensation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Side>,
}

/// What is done with a step of which nobody knows whether its work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// It is performed again, under the same idempotency key.
    Retry,
    /// `verify` tells.
    Verify,
    /// A person tells.
    Ask,
}

/// `rollback` of a workflow of which something can be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// How a failure is undone, and an execution that somebody wants undone without saying how.
    pub strategy: Strategy,
    /// A rollback point after so many completed pieces of work; at least 1.
    pub checkpoint_interval: u32,
    /// Who is told that a step could not be undone; empty: anybody who may.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub escalation_target: String,
}

/// `concurrency` of a workflow or a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concurrency {
    /// Text template: who shares the limit. On a workflow over `inputs`.
    pub group: String,
    /// How many at a time; at least 1.
    pub limit: u32,
    /// What becomes of the next one.
    pub when_full: WhenFull,
}

/// What becomes of one who comes when a group is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// It waits: by priority, then in the order of arrival.
    #[default]
    Queue,
    /// It does not run: a step is skipped, an execution ends cancelled.
    Skip,
    /// The oldest is cancelled and this one takes its place. Workflows only.
    CancelOld,
    /// It fails.
    Fail,
}

/// `circuit_breaker` of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breaker {
    /// Text template: who shares it.
    pub name: String,
    /// So many failures open it: in a row, or within `window_ms` if that is given.
    pub failures: u32,
    /// Share of failures (0 to 1) among at least `failures` outcomes within `window_ms` that opens it; then `failures`
    /// alone does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Over how long outcomes are counted, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<u64>,
    /// How long it stays open before one probe is let through, in milliseconds.
    pub reset_ms: u64,
}

/// Higher is served first. Words: critical 100, high 75, medium 50, low 25.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Priority(pub i32);

impl Default for Priority {
    fn default() -> Self {
        Self(50)
    }
}

/// What a failure for good means for the flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The list that the step stands in fails.
    #[default]
    Fail,
    /// The step ends skipped (reason `on_error`, error kept) and the flow goes on.
    Skip,
    /// The execution stops and is undone: first the named step runs, then the compensations of what was done.
    Compensate {
        /// A step with [`Step::compensation_only`].
        step: Option<StepIndex>,
    },
    /// The execution is held and a person is asked.
    Escalate(Asking),
    /// Nothing is said: [`Plan::autonomy`](super::Plan::autonomy) does.
    Open,
}

/// Who is asked about a failure, and what if nobody answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// Text template: who; empty: anybody who may.
    pub to: String,
    /// Others who are told later, in order of `after_ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate: Vec<Escalation>,
    /// Whole wait in milliseconds; `None` = for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// What the end of the wait means.
    #[serde(default)]
    pub on_timeout: OnSilence,
}

/// What it means that nobody answered in time whether a failed step is tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSilence {
    /// It has failed.
    #[default]
    Fail,
    /// It is tried again, or what was suggested is done.
    Retry,
}

/// What a cancel does after the running work has stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCancel {
    /// Run `finally`.
    #[default]
    Finally,
    /// Nothing.
    Abandon,
    /// Undo what was done, then run `finally`.
    Rollback,
}
