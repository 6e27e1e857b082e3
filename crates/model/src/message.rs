//! What the engine is told.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Map;
use crate::actor::Actor;
use crate::error::Failure;
use crate::ids::{ExecutionId, Hash, StepPath, Token};
use crate::outcome::Outcome;
use crate::permit::{Answer, Resource};
use crate::rollback::Strategy;
use crate::status::Execution as Status;

/// A message to one execution. Every message in every state has a row in the engine's transition table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Begin.
    Start(Box<Start>),
    /// An effect ended.
    Outcome(Box<Outcome>),
    /// An effect is alive.
    Progress(Progress),
    /// Look at the timers; those that are due at `now` fire.
    TimerFired,
    /// An event from outside.
    Signal {
        /// Name that a `wait: {signal: NAME}` waits for.
        name: String,
        /// Any JSON.
        payload: Value,
        /// Who sent it.
        actor: Actor,
    },
    /// As `Signal`, but nothing follows from it before the execution goes on: it is only kept.
    KeepSignal {
        /// Name that a `wait: {signal: NAME}` waits for.
        name: String,
        /// Any JSON.
        payload: Value,
        /// Who sent it.
        actor: Actor,
    },
    /// A person says yes.
    Approve(Decision),
    /// A person says no.
    Reject(Decision),
    /// A person fills in a form.
    Input {
        /// The step; `None` if only one waits for a form.
        path: Option<StepPath>,
        /// Field name to answer.
        values: Map<Value>,
        /// Who.
        actor: Actor,
    },
    /// Stop.
    Cancel {
        /// Who.
        actor: Actor,
        /// Why, for people.
        reason: Option<String>,
    },
    /// Start no new step.
    Pause {
        /// Who.
        actor: Actor,
    },
    /// Let whatever stopped go on.
    Resume {
        /// Who.
        actor: Actor,
    },
    /// A new owner has taken over and stopped what still ran; outstanding work is to be delivered anew.
    Recovered,
    /// Undo what an execution has done. One that is not over is stopped first.
    Rollback {
        /// Who.
        actor: Actor,
        /// Why, for people.
        reason: Option<String>,
        /// How; `None`: as its workflow says.
        strategy: Option<Strategy>,
        /// Number of the rollback point to go back to; only with [`Strategy::Checkpoint`]. `None`: the latest one that
        /// something came after.
        to: Option<u32>,
    },
    /// Make a rollback point now.
    Checkpoint {
        /// Who.
        actor: Actor,
        /// What for, for people.
        note: Option<String>,
    },
    /// A person has undone what a manual rollback has next.
    Undone {
        /// Who.
        actor: Actor,
        /// The step; must be the one that is next. `None`: that one.
        path: Option<StepPath>,
        /// What they say about it.
        comment: Option<String>,
    },
    /// Run a terminal execution again.
    Rerun {
        /// Who.
        actor: Actor,
        /// The step of the main list from which it runs; what does not come after it keeps its result. `None`: all.
        from: Option<StepPath>,
        /// Inputs that get other values, checked by the caller against their declarations.
        inputs: Option<Map<Value>>,
    },
    /// A child execution is terminal.
    ChildEnded(Box<ChildEnded>),
    /// The node's answer to [`crate::effect::Effect::AskPermit`].
    Permit {
        /// The step; `None`: the execution.
        path: Option<StepPath>,
        /// What was asked for.
        resource: Resource,
        /// The answer.
        answer: Answer,
    },
}

/// The end of a child execution, for the step that asked for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildEnded {
    /// The step.
    pub path: StepPath,
    /// The child; any other than the one asked for is stale.
    pub child: ExecutionId,
    /// How it ended; failed also if it could not be started.
    pub status: Status,
    /// Its outputs.
    pub outputs: Map<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Something that it did can be undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub can_be_undone: bool,
}

/// The first message of an execution: everything that must not change later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Public id.
    pub execution: ExecutionId,
    /// The plan that it is pinned to.
    pub plan_hash: Hash,
    /// The source text that the plan was made from.
    pub definition_hash: Hash,
    /// Inputs, checked and with defaults filled in.
    pub inputs: Map<Value>,
    /// Where relative paths of steps begin: an absolute path.
    pub base_dir: Arc<str>,
    /// The environment that steps get (PATH, HOME, USER, LANG, LC_*, TZ, and what `--pass-env` named).
    pub environment: Map<String>,
    /// Who started it.
    pub actor: Actor,
    /// What a trigger delivered; `null` for a start by hand.
    pub event: Value,
    /// Feeds the jitter of retries; drawn by the node.
    pub seed: u64,
    /// The step that asked for it, if it is a child execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// What whoever started it chose over its definition.
    #[serde(default, skip_serializing_if = "Choices::is_empty")]
    pub choices: Choices,
}

/// What can be chosen at a start over what the definition says. Children have none of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// How a failure is undone, and a rollback that somebody asks for without saying how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// Who says yes to every approval of it, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<Actor>,
}

impl Choices {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The step that a child execution belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its execution.
    pub execution: ExecutionId,
    /// The step.
    pub path: StepPath,
    /// Executions above the child, from 1; at most [`crate::limits::CHILD_DEPTH_MAX`].
    pub depth: u32,
}

/// A yes or a no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The step; `None` if only one waits for a decision.
    pub path: Option<StepPath>,
    /// Who.
    pub actor: Actor,
    /// What they said.
    pub comment: Option<String>,
}

/// A sign of life of an effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The step.
    pub path: StepPath,
    /// The delivery.
    pub token: Token,
    /// For people.
    pub note: String,
    /// 0 to 100, if known.
    pub percent: Option<u8>,
}
