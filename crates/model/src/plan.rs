//! A workflow, checked and resolved: what the engine executes. Pure data; expressions stay text.
//!
//! `definition` makes plans, `engine`, `views` and `learn` read them, the store keeps them as opaque bytes
//! under the hash of [`Plan::to_bytes`]. An execution is pinned to that hash. A **template** is a JSON value
//! whose strings may hold `${{ }}`: typed where one expression is the whole string, text otherwise.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Map;
use crate::error::{Class, Kind as FailureKind};
use crate::ids::Hash;

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

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A script.
    Run {
        /// Interpreter.
        shell: String,
        /// Text with variables in the place of values.
        script: String,
        /// Variable name to text template.
        values: Map<String>,
    },
    /// A named action.
    Uses {
        /// Its name.
        action: String,
        /// Template of its arguments.
        with: Value,
    },
    /// A person decides.
    Approval(Approval),
    /// A person fills in a form.
    Input(Form),
    /// Time, a moment, a signal.
    Wait(Wait),
    /// The first case that holds.
    Switch {
        /// Tried in order.
        cases: Vec<Case>,
        /// If none holds.
        default: Option<BlockIndex>,
    },
    /// Branches side by side.
    Parallel {
        /// In the order of the text.
        branches: Vec<Branch>,
        /// When it is done.
        join: Join,
        /// A failing branch stops the others as soon as the join can no longer be reached.
        fail_fast: bool,
    },
    /// The steps once per item.
    Foreach {
        /// Template that gives a list.
        items: Value,
        /// Iterations at a time; 1 = one after another. Default 1.
        max_parallel: u32,
        /// A failing iteration stops the others.
        fail_fast: bool,
        /// Bound of the number of items.
        max_iterations: u32,
        /// The body.
        block: BlockIndex,
    },
    /// The steps as long as the condition holds, asked before each round.
    While {
        /// Template that gives a boolean.
        condition: String,
        /// More rounds than this is a failure.
        max_iterations: u32,
        /// The body.
        block: BlockIndex,
    },
    /// The steps a number of times, or until a condition holds, asked after each round.
    Repeat {
        /// Template that gives an integer, if `times`.
        times: Option<Value>,
        /// Template that gives a boolean, if `until`.
        until: Option<String>,
        /// More rounds than this is a failure.
        max_iterations: u32,
        /// The body.
        block: BlockIndex,
    },
    /// Work for a remote agent (the definition as written).
    Agent {
        /// As written.
        config: Value,
    },
    /// A model turn (the definition as written).
    Ai {
        /// As written.
        config: Value,
    },
    /// A child execution of a workflow of the library.
    Workflow {
        /// Its path, or the end of one.
        name: String,
        /// The version that its definition declares, or its number in the library; the newest if `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// Template of its inputs (an object).
        inputs: Value,
    },
}

/// A case of a `switch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Template that gives a boolean.
    pub when: String,
    /// Its steps.
    pub block: BlockIndex,
}

/// A branch of a `parallel`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// Its steps.
    pub block: BlockIndex,
}

/// When a `parallel` is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// All branches succeeded.
    All,
    /// One branch succeeded; the others are cancelled.
    Any,
    /// So many branches succeeded; the others are cancelled.
    Count(u32),
}

/// A decision that is asked of a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// Text template.
    pub message: String,
    /// Text template: who should decide; empty: anybody who may.
    pub assignee: String,
    /// Whole wait in milliseconds; `None` = for ever.
    pub timeout_ms: Option<u64>,
    /// Others who are told later, in order of `after_ms`.
    pub escalate: Vec<Escalation>,
    /// What the end of the wait means.
    pub on_timeout: OnTimeout,
    /// What a no means.
    pub on_reject: OnReject,
}

/// Who is told when nobody decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Escalation {
    /// Milliseconds from the start of the wait.
    pub after_ms: u64,
    /// Text template.
    pub to: String,
}

/// What the end of an approval's wait means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// As if a person had said no.
    #[default]
    Reject,
    /// As if a person had said yes.
    Approve,
    /// The step fails with kind timeout.
    Fail,
}

/// What a no means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnReject {
    /// The step is skipped and the execution fails.
    #[default]
    Fail,
    /// The step completes with `approved: false`.
    Continue,
}

/// `approve:` on a step that does something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Ask before it acts, or show its result and ask then.
    pub when: GateWhen,
    /// What is asked.
    pub approval: Approval,
}

/// When a gate asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateWhen {
    /// The person decides, then it acts.
    Before,
    /// It proposes, the person decides.
    After,
}

/// A form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// Fields in the order of the text.
    pub fields: Map<Input>,
    /// Text template shown above; empty if none.
    pub message: String,
    /// Text template.
    pub assignee: String,
    /// Whole wait; after it the step fails with kind timeout.
    pub timeout_ms: Option<u64>,
}

/// What a `wait` waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Wait {
    /// A length of time: a text template (`10m`).
    Duration {
        /// The template.
        duration: String,
    },
    /// A moment: a text template (RFC 3339).
    Moment {
        /// The template.
        until: String,
    },
    /// A signal.
    Signal {
        /// Text template of its name.
        name: String,
        /// After this the step fails with kind timeout.
        timeout_ms: Option<u64>,
    },
    /// A condition, asked again and again.
    Condition {
        /// Template that gives a boolean.
        condition: String,
        /// Pause between two askings.
        every_ms: u64,
        /// After this the step fails with kind timeout.
        timeout_ms: Option<u64>,
    },
}

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
    Escalate {
        /// Text template: who; empty: anybody who may.
        to: String,
    },
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

impl Kind {
    /// Iterates its body.
    pub fn is_loop(&self) -> bool {
        matches!(self, Self::Foreach { .. } | Self::While { .. } | Self::Repeat { .. })
    }

    /// Done by a runner.
    pub fn is_work(&self) -> bool {
        matches!(self, Self::Run { .. } | Self::Uses { .. } | Self::Agent { .. } | Self::Ai { .. })
    }

    /// The lists of steps inside it.
    pub fn blocks(&self) -> Vec<BlockIndex> {
        match self {
            Self::Switch { cases, default } => cases.iter().map(|case| case.block).chain(*default).collect(),
            Self::Parallel { branches, .. } => branches.iter().map(|branch| branch.block).collect(),
            Self::Foreach { block, .. } | Self::While { block, .. } | Self::Repeat { block, .. } => vec![*block],
            Self::Run { .. }
            | Self::Uses { .. }
            | Self::Approval(_)
            | Self::Input(_)
            | Self::Wait(_)
            | Self::Agent { .. }
            | Self::Ai { .. }
            | Self::Workflow { .. } => Vec::new(),
        }
    }

    /// The word for people: the key that a definition uses.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Run { .. } => "run",
            Self::Uses { .. } => "uses",
            Self::Approval(_) => "approval",
            Self::Input(_) => "input",
            Self::Wait(_) => "wait",
            Self::Switch { .. } => "switch",
            Self::Parallel { .. } => "parallel",
            Self::Foreach { .. } => "foreach",
            Self::While { .. } => "while",
            Self::Repeat { .. } => "repeat",
            Self::Agent { .. } => "agent",
            Self::Ai { .. } => "ai",
            Self::Workflow { .. } => "workflow",
        }
    }
}
