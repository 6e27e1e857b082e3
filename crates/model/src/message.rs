//! What the engine is told.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Map;
use crate::actor::Actor;
use crate::ids::{ExecutionId, Hash, StepPath, Token};
use crate::outcome::Outcome;
use crate::permit::{Answer, Resource};

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
    pub base_dir: String,
    /// The environment that steps get (PATH, HOME, USER, LANG, LC_*, TZ, and what `--pass-env` named).
    pub environment: Map<String>,
    /// Who started it.
    pub actor: Actor,
    /// What a trigger delivered; `null` for a start by hand.
    pub event: Value,
    /// Feeds the jitter of retries; drawn by the node.
    pub seed: u64,
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
