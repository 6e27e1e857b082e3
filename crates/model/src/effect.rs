//! Work that the engine asks for. Effects follow from events; after a crash the same ones follow from the fold.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Map;
use crate::ids::{ExecutionId, StepPath, Token, idempotency_key};
use crate::permit::{Resource, Verdict};
use crate::plan::Priority;
use crate::time::Timestamp;

/// What the node does once the turn's events are durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Do the work of a step; its outcome is a message.
    Perform(Box<Task>),
    /// Stop the work of a delivery; its outcome (`Aborted`, or what it was faster with) is still a message.
    Abort {
        /// The step.
        path: StepPath,
        /// The delivery.
        token: Token,
    },
    /// Start a child execution, unless it is there already; its end is a message.
    StartChild(Box<Child>),
    /// Cancel a child execution; its end is still a message.
    CancelChild {
        /// The step that waits for it.
        path: StepPath,
        /// The child.
        child: ExecutionId,
    },
    /// Ask for something that executions share; the answer is a message. Asking again changes nothing.
    AskPermit {
        /// The step; `None`: the execution.
        path: Option<StepPath>,
        /// What.
        resource: Resource,
        /// Higher is served first.
        priority: Priority,
        /// Since when it is asked for: among equals the older one is served first.
        since: Timestamp,
    },
    /// Give back what was granted, or stop waiting for it.
    ReleasePermit {
        /// The step; `None`: the execution.
        path: Option<StepPath>,
        /// What.
        resource: Resource,
        /// For a breaker: what the attempt showed.
        verdict: Verdict,
    },
}

/// A child execution that a step asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// The id that it gets.
    pub id: ExecutionId,
    /// The execution that asks.
    pub execution: ExecutionId,
    /// The step that asks.
    pub path: StepPath,
    /// The workflow's path in the library, or the end of one.
    pub workflow: String,
    /// The version that its definition declares, or its number in the library; the newest if `None`.
    pub version: Option<String>,
    /// Its inputs, evaluated: an object.
    pub inputs: Value,
    /// Executions above it: 1 for a child of an execution that nobody's step started.
    pub depth: u32,
    /// Where relative paths of its steps begin: its parent's.
    pub base_dir: Arc<str>,
    /// The environment that its steps get: its parent's.
    pub environment: Map<String>,
}

/// One delivery of one attempt of a step: all that a runner, here or far away, needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The execution.
    pub execution: ExecutionId,
    /// The step.
    pub path: StepPath,
    /// Changes only by an explicit rerun.
    pub generation: u32,
    /// From 1.
    pub attempt: u32,
    /// From 1, counted over all attempts of the step.
    pub delivery: u32,
    /// Names this delivery.
    pub token: Token,
    /// The attempt is stopped after this many milliseconds of monotonic time; `None` = no limit.
    pub timeout_ms: Option<u64>,
    /// The sandbox policy; `none` until there is a sandbox.
    pub policy: Cow<'static, str>,
    /// What to do.
    pub work: Work,
    /// Who is served first when slots are scarce.
    #[serde(default)]
    pub priority: Priority,
}

impl Task {
    /// The same for all attempts: `EXECUTION/PATH/gGENERATION`.
    pub fn idempotency_key(&self) -> String {
        let changes = if crate::mutant!("key-of-attempt") { self.attempt } else { self.generation };
        idempotency_key(&self.execution, &self.path, changes)
    }
}

/// What a task does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Run a script in an interpreter.
    Script(Script),
    /// Perform a named action.
    Action {
        /// Name, as in the catalogue.
        name: Arc<str>,
        /// Its arguments, evaluated.
        with: Value,
        /// Where relative paths begin: absolute.
        base_dir: Arc<str>,
    },
    /// Undo a child execution that is over; done by the node, which has both executions.
    UndoChild {
        /// The child.
        child: ExecutionId,
    },
}

/// A script, ready to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Interpreter: `bash`, `sh`, `python`, `node`, or the name or path of a program that takes a file.
    pub shell: String,
    /// The text; values stand in it as `${SKEP_V1}`, never as themselves.
    pub text: String,
    /// Those values, by variable name, as bytes that reach the script unchanged.
    pub values: Map<String>,
    /// The rest of its environment: the execution's, the workflow's, the step's.
    pub env: Map<String>,
    /// Absolute.
    pub working_dir: String,
    /// What `$SKEP_INPUTS` holds: the execution's inputs, as a JSON object.
    pub inputs: Value,
}
