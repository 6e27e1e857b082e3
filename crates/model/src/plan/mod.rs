//! A workflow, checked and resolved: what the engine executes. Pure data; expressions stay text.
//!
//! `definition` makes plans, `engine`, `views` and `learn` read them, the store keeps them as opaque bytes
//! under the hash of [`Plan::to_bytes`]. An execution is pinned to that hash. A **template** is a JSON value
//! whose strings may hold `${{ }}`: typed where one expression is the whole string, text otherwise.

mod effects;
mod kind;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Map;
use crate::decision::{Autonomy, Rules};
use crate::ids::Hash;

pub use effects::{
    Asking, Backoff, Breaker, Compensation, Concurrency, OnCancel, OnError, OnSilence, OnUnknown, Priority, Retry,
    RetryOn, Rollback, Side, WhenFull,
};
pub use kind::{Approval, Branch, Case, Escalation, Form, Gate, GateWhen, Join, Kind, OnReject, OnTimeout, Wait};

/// Number of this serialized form. A change that old readers would misread increments it.
pub const PLAN_FORMAT: u32 = 1;
/// Number of the engine's behaviour on a plan. The binary keeps every released one.
pub const ENGINE_SEMANTICS: u32 = 1;

/// Index of a step in [`Plan::steps`].
pub type StepIndex = u32;
/// Index of a block in [`Plan::blocks`].
pub type BlockIndex = u32;

/// A workflow, ready to execute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// See [`PLAN_FORMAT`].
    pub plan_format: u32,
    /// See [`ENGINE_SEMANTICS`].
    pub engine_semantics: u32,
    /// Name and description.
    pub workflow: Head,
    /// Declared inputs.
    pub inputs: Map<Input>,
    /// `vars`: templates, evaluated where used; may name `inputs` and `execution`.
    pub vars: Map<Value>,
    /// `env` of every script: text templates.
    pub env: Map<String>,
    /// `outputs` of the execution: templates, evaluated when it completes.
    pub outputs: Map<Value>,
    /// Bound of the whole execution in milliseconds.
    pub timeout_ms: Option<u64>,
    /// What a cancel does after the running work has stopped.
    pub on_cancel: OnCancel,
    /// Steps of the execution that do work at a time; `None`: as many as the node has slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
    /// How many executions of a group run at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// Text template over `inputs`: two starts of the workflow with the same key are one execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// A failure is not undone by itself, although steps say how (`rollback: {auto: false}` or `{enabled: false}`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub keeps_effects: bool,
    /// How it is undone, if something of it can be. `None`: all at once, and there are no rollback points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// Who decides about failures for which a step says nothing; `None`: the list that it stands in fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autonomy: Option<Autonomy>,
    /// By what is decided, and what failures look like, if not by the built-in table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Box<Rules>>,
    /// The list of steps that runs first.
    pub root: BlockIndex,
    /// The list that runs at the end, however it ended.
    pub finally: Option<BlockIndex>,
    /// Every list of steps: the root, `finally`, branches, cases, loop bodies.
    pub blocks: Vec<Block>,
    /// Every step, in the order of the text (`finally` last).
    pub steps: Vec<Step>,
}

/// Name and description of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Slug.
    pub id: String,
    /// As written.
    pub name: String,
    /// For people.
    pub description: String,
    /// As written; `1.0.0` if not given.
    pub version: String,
    /// Empty if not given.
    pub category: String,
    /// For search.
    pub tags: Vec<String>,
}

/// A declared input of a workflow, or a field of a form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// `string number integer boolean array object`, or a form's type:
    /// `text choice date secret email url hostname`. Empty: any.
    #[serde(rename = "type")]
    pub kind: String,
    /// Must be given (and there is no default).
    pub required: bool,
    /// Used when not given.
    pub default: Option<Value>,
    /// For people.
    pub description: String,
    /// Label of a form field.
    pub label: String,
    /// The JSON Schema of one value, built from all keywords of the entry (`type`, `enum`, `pattern`,
    /// `items`, `minimum` ..); form types are mapped to string schemas with a format or pattern.
    pub schema: Value,
}

/// A list of steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// One after another, or by `depends_on`.
    pub order: Order,
    /// Its steps in the order of the text.
    pub steps: Vec<StepIndex>,
    /// The step that this list belongs to; `None` for the root and `finally`.
    pub owner: Option<StepIndex>,
}

/// How the steps of a list follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// One after another.
    #[default]
    Sequence,
    /// Each as soon as its dependencies have ended.
    Graph,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Unique in the plan.
    pub id: String,
    /// For people; empty if not given.
    pub name: String,
    /// The list that it stands in.
    pub block: BlockIndex,
    /// What it does.
    pub kind: Kind,
    /// In a graph: the steps of the same list that must end first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<StepIndex>,
    /// `if`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// Bound of one attempt (scripts, actions), of the wait (approval, input, wait), or of everything
    /// inside (parallel, loops, switch), in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Bound of all attempts and the pauses between them, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_timeout_ms: Option<u64>,
    /// Scripts and actions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// What a failure for good means for the flow.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_error: OnError,
    /// `approve: before|after` on a script or an action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<Gate>,
    /// Named outputs: templates over `stdout, stderr, exit_code, json` (and the action's own output names)
    /// and everything else. `None`: the kind's own outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Map<Value>>,
    /// Text templates.
    #[serde(default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
    pub env: Map<String>,
    /// Text template; relative to the execution's base directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Changes nothing outside.
    #[serde(default, skip_serializing_if = "is_default")]
    pub read_only: bool,
    /// How its effect is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation: Option<Box<Compensation>>,
    /// It runs only as a compensation that another step's `on_error` names; the flow passes it by.
    #[serde(default, skip_serializing_if = "is_default")]
    pub compensation_only: bool,
    /// Its effect cannot be undone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub irreversible: bool,
    /// A rollback point follows it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub checkpoint: bool,
    /// A failure of it for good stops everything at once, where it is undone by itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub critical: bool,
    /// What is done if it cannot be told whether its work was done; the default follows from the step, see
    /// [`Step::on_unknown`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnUnknown>,
    /// Tells whether its work was done: success means yes, a clean failure no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Box<Side>>,
    /// Templates that give booleans, over the names of `outputs` and everything else: all must hold, or the attempt
    /// failed with kind `criterion`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_criteria: Vec<String>,
    /// JSON Schema (2020-12) of its outputs as an object; a mismatch is a failure of kind `output_schema`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// How many steps of a group run at a time, over all executions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// Stops calling what keeps failing, over all executions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<Breaker>,
    /// Who is served first when slots are scarce: higher first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: Priority,
    /// The names of its outputs, null when it is skipped. Empty with `outputs: None`: not known before it
    /// runs (`set`), any name is null.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_names: Vec<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// `if` of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// A template that gives a boolean; one without `${{ }}` was wrapped in it.
    pub expression: String,
    /// It calls `success()`, `failure()`, `always()` or `cancelled()`: then it alone decides; otherwise
    /// it holds only if nothing before has failed.
    pub status_aware: bool,
}

impl Step {
    /// A step that only does its work: no condition, no bound, no compensation.
    pub fn new(id: impl Into<String>, block: BlockIndex, kind: Kind) -> Self {
        Self {
            id: id.into(),
            name: String::new(),
            block,
            kind,
            depends_on: Vec::new(),
            condition: None,
            timeout_ms: None,
            total_timeout_ms: None,
            retry: None,
            on_error: OnError::Fail,
            approve: None,
            outputs: None,
            env: Map::new(),
            working_dir: None,
            read_only: false,
            compensation: None,
            compensation_only: false,
            irreversible: false,
            checkpoint: false,
            critical: false,
            on_unknown: None,
            verify: None,
            success_criteria: Vec::new(),
            output_schema: None,
            concurrency: None,
            circuit_breaker: None,
            priority: Priority::default(),
            output_names: Vec::new(),
        }
    }

    /// What is done if it cannot be told whether its work was done.
    pub fn on_unknown(&self) -> OnUnknown {
        match self.on_unknown {
            Some(chosen) => chosen,
            None if self.read_only => OnUnknown::Retry,
            None if self.verify.is_some() => OnUnknown::Verify,
            None if self.irreversible => OnUnknown::Ask,
            None => OnUnknown::Retry,
        }
    }
}

impl Plan {
    /// The bytes that are stored and hashed: compact JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a plan is plain data and always serializes")
    }

    /// The hash that executions pin.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.to_bytes())
    }

    /// The step with this id.
    pub fn step_by_id(&self, id: &str) -> Option<StepIndex> {
        self.steps.iter().position(|step| step.id == id).map(|index| index as StepIndex)
    }

    /// The loops around a step, outermost first.
    pub fn loops_around(&self, step: StepIndex) -> Vec<StepIndex> {
        let mut loops = Vec::new();
        let mut owner = self.blocks[self.steps[step as usize].block as usize].owner;
        while let Some(index) = owner {
            let step = &self.steps[index as usize];
            if step.kind.is_loop() {
                loops.push(index);
            }
            owner = self.blocks[step.block as usize].owner;
        }
        loops.reverse();
        loops
    }
}
