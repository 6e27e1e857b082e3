//! What a step does, kind by kind.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BlockIndex, Input};
use crate::Map;

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
        action: Arc<str>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
