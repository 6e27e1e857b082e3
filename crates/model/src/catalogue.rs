//! What a node can do, as data: the definition's checks take it as an argument.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decision::Rules;

/// What this node can execute. `node` builds it from the runner and the engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Actions by the name that `uses` takes.
    pub actions: BTreeMap<String, Action>,
    /// Language features that are built; what a workflow uses beyond these is refused before the start.
    pub features: BTreeSet<Feature>,
    /// How this node decides about failures, if not by the built-in table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Box<Rules>>,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// One line for people.
    pub summary: String,
    /// JSON Schema (draft 2020-12) of `with`. Values that are expressions are not checked against it
    /// before they are evaluated.
    pub schema: Value,
    /// Names of its outputs.
    pub outputs: Vec<String>,
    /// True if doing it changes nothing outside.
    pub read_only: bool,
}

/// A part of the definition language whose execution is not a matter of course. All of them parse, print
/// and draw; a node executes those that its catalogue lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Step kind `agent`.
    Agent,
    /// Step kind `ai`.
    Ai,
    /// Step kind `workflow`.
    ChildWorkflow,
    /// `wait: {condition: ..}`.
    WaitCondition,
    /// `rollback:` with a compensation, on a step.
    Rollback,
    /// `on_error: {strategy: compensate}`.
    Compensate,
    /// `on_error: {strategy: escalate}`.
    Escalate,
    /// `on_cancel: rollback`.
    CancelRollback,
    /// `concurrency:`.
    Concurrency,
    /// `max_parallel:` of a workflow.
    MaxParallel,
    /// `priority:`.
    Priority,
    /// `circuit_breaker:`.
    CircuitBreaker,
    /// `output_schema:`.
    OutputSchema,
    /// `success_criteria:`.
    SuccessCriteria,
    /// `validation_checks:`.
    ValidationChecks,
    /// `required_capabilities:`.
    Capabilities,
    /// `on_unknown:`, `verify:`.
    Unknown,
    /// `irreversible: true`.
    Irreversible,
    /// `checkpoint: true`.
    Checkpoint,
    /// `policy:` other than `none`.
    Policy,
    /// `network:`.
    Network,
    /// `image:`.
    Image,
    /// `artifacts:`.
    Artifacts,
    /// `secrets.X`, inputs and form fields of type secret.
    Secrets,
    /// `idempotency:` on a workflow.
    Idempotency,
    /// `schedule` on a step (seed 002).
    StepSchedule,
    /// `ai_assisted: true` with a model configured.
    AiAssisted,
    /// `error_handling.fallback_actions` (seed 003).
    FallbackActions,
    /// `approval` with escalation to other people: recorded and shown.
    Escalation,
    /// `rollback: {strategy: ..}` of a workflow other than `graceful`, and `checkpoint_interval`.
    RollbackStrategy,
    /// `idempotency:` on a step.
    StepIdempotency,
}
