//! The view of one step, and of the rounds of a loop.
//!
//! Plain data with readers; only the fold of `execution` changes it.

use std::collections::BTreeMap;

use skep_model::Map;
use skep_model::decision::Action;
use skep_model::error::Failure;
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::payload::Payload;
use skep_model::permit::Resource;
use skep_model::plan::StepIndex;
use skep_model::rollback::Question;
use skep_model::status::{SkipReason, Step as Status};
use skep_model::time::Timestamp;

/// One step at one place of the execution: a planned step, or that of one round of a loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its place, for example `rollout[0].deploy`.
    pub path: StepPath,
    /// Its index in the plan.
    pub index: StepIndex,
    /// The key that a definition uses: `run`, `approval`, `foreach` ..
    pub kind: &'static str,
    /// Its state. A step that was never reached is pending, and skipped once the execution has ended.
    pub status: Status,
    /// Attempts begun; 0 if it never began. A step that does no work (a wait, a switch, a loop) has one.
    pub attempts: u32,
    /// Deliveries begun, over all attempts; 0 for a step that no runner does.
    pub deliveries: u32,
    /// Its outputs, also the proposed ones while a decision on them is awaited; null at every declared name if
    /// it was skipped. Empty for a loop that began: see [`crate::execution::Execution::results`].
    pub outputs: Map<Payload>,
    /// Why it failed, or the newest attempt of it.
    pub failure: Option<Failure>,
    /// Why it was skipped.
    pub reason: Option<SkipReason>,
    /// When it was reached: its first attempt, question or round; `None` if it was skipped at once.
    pub began_at: Option<Timestamp>,
    /// When it became final; `None` also for a step that was never reached.
    pub ended_at: Option<Timestamp>,
    /// What it waits for. `None` with status waiting: a decision let it begin, but the execution is paused.
    pub waiting: Option<Waiting>,
    /// Since when it waits for what it waits for.
    pub waiting_since: Option<Timestamp>,
    /// It was asked to stop and has not ended yet.
    pub stopping: bool,
    /// What it holds.
    pub inside: Inside,
    /// In which run of the execution it was reached, or will be; from 1.
    pub generation: u32,
    /// The newest child execution that it asked for.
    pub child: Option<ExecutionId>,
    /// The flow can no longer reach it.
    pub(crate) out_of_reach: bool,
    /// Steps that a loop is expected to have in rounds that have not begun.
    pub(crate) expected: u64,
    /// Its place in the order of what is active.
    pub(crate) ticket: Option<u64>,
    /// Its compensation, once that began.
    pub rollback: Option<Undoing>,
    /// The state that an answer about undoing it gives back.
    pub(crate) status_before_question: Option<Status>,
}

/// The compensation of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Undoing {
    /// Running, waiting (for the next attempt), completed, failed or cancelled.
    pub status: Status,
    /// Attempts begun.
    pub attempts: u32,
    /// Why it failed, or the newest attempt of it.
    pub failure: Option<Failure>,
}

/// What a step waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Waiting {
    /// A person's yes or no.
    Decision {
        /// What is asked.
        message: String,
        /// Who should decide; empty: anybody who may.
        assignee: String,
        /// End of the wait.
        until: Option<Timestamp>,
        /// Who was told last because nobody decided.
        escalated_to: Option<String>,
        /// It is about the step's outputs, which are there; else about beginning.
        proposed: bool,
    },
    /// A person's answers.
    Form {
        /// Shown above the form.
        message: String,
        /// Who should; empty: anybody who may.
        assignee: String,
        /// End of the wait.
        until: Option<Timestamp>,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
        /// When it gives up.
        until: Option<Timestamp>,
    },
    /// A moment.
    Time {
        /// Which one.
        until: Timestamp,
    },
    /// A person's word on what became of it, or is to become of it.
    Answer {
        /// What is asked.
        about: Question,
        /// Who should answer, or was told last; empty: anybody who may.
        to: String,
        /// What went wrong, as far as that is known.
        failure: Option<Failure>,
        /// What is proposed about a failure: a yes means this.
        suggestion: Option<Action>,
        /// End of the wait.
        until: Option<Timestamp>,
    },
    /// The pause between two attempts.
    NextAttempt {
        /// When the next one begins.
        at: Timestamp,
        /// Why the last one failed.
        failure: Failure,
    },
    /// A condition that is asked again and again.
    Condition {
        /// When it gives up.
        until: Option<Timestamp>,
        /// The pause between two askings in milliseconds.
        every_ms: u64,
    },
    /// Its turn: as many steps of the execution work as its `max_parallel` allows.
    Turn,
    /// A place in a group, or leave of a breaker.
    Permit(Resource),
}

/// What a step holds, as far as it has begun.
#[derive(Clone, Debug, PartialEq)]
pub enum Inside {
    /// Nothing, or it has not begun.
    Nothing,
    /// A switch took this case (from 0), or its default.
    Case(Option<u32>),
    /// A parallel: how each branch ended, `None` while it runs.
    Branches(Vec<Option<Status>>),
    /// A loop.
    Rounds(Rounds),
}

/// The rounds of a loop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rounds {
    /// Rounds begun.
    pub begun: u32,
    /// Rounds ended, however.
    pub ended: u32,
    /// Rounds that ended failed.
    pub failed: u32,
    /// Rounds to make, where it is known beforehand.
    pub total: Option<u32>,
    pub(crate) list: BTreeMap<u32, Round>,
}

/// One round of a loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Completed, failed or cancelled; `None` while it runs.
    pub status: Option<Status>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    pub(crate) steps: RoundSteps,
}

/// The steps of a round.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RoundSteps {
    /// They are entries of the view, in plan order.
    Listed(Vec<StepPath>),
    /// Past the bound of listed rounds: only the outputs of its steps are kept.
    Collected(Map<Map<Payload>>),
}

impl Step {
    /// The id in the definition: the path without its rounds.
    pub fn id(&self) -> &str {
        let at = self.path.rfind("].").map_or(0, |at| at + 2);
        &self.path[at..]
    }

    /// The rounds, if it is a loop that began.
    pub fn rounds(&self) -> Option<&Rounds> {
        match &self.inside {
            Inside::Rounds(rounds) => Some(rounds),
            Inside::Nothing | Inside::Case(_) | Inside::Branches(_) => None,
        }
    }

    pub(crate) fn rounds_mut(&mut self) -> Option<&mut Rounds> {
        match &mut self.inside {
            Inside::Rounds(rounds) => Some(rounds),
            Inside::Nothing | Inside::Case(_) | Inside::Branches(_) => None,
        }
    }
}

impl Rounds {
    /// Every round that began, by index (from 0), in item order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Round)> {
        self.list.iter().map(|(index, round)| (*index, round))
    }
}
