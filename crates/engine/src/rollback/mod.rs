//! The compensation machine: a stack of what can be undone, a part of the state, and the way through it.
//!
//! ```text
//! a step's work is done --UndoKept--> stack (arguments evaluated, so undoing evaluates nothing)
//!                                       |
//! failure, compensate, cancel, a person --RollbackBegan--> top of the stack, one at a time:
//!      unsure? PATH.verify, or a person is asked --> UndoConfirmed | UndoDropped
//!      PATH.rollback, then PATH.rollback.verify  --> RolledBack, the next one
//!      failed for good                           --> RollbackEnded(rollback_failed), the rest stays
//!      empty                                     --> RollbackEnded(rolled_back)
//! then `finally`, then the end.
//! ```
//! What is performed here are instances like any other ([`skep_model::rollback::Part`] says which part of its step one
//! is), so deliveries, retries and recovery have one code path. This module must not begin anything before all that
//! runs has ended: `main_done` calls it, or a person after the end.

pub(crate) mod keep;
pub(crate) mod run;
pub(crate) mod side;

use serde::{Deserialize, Serialize};
use skep_model::error::Failure;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::payload::Payload;
use skep_model::rollback::RollbackCause;
use skep_model::status::Execution as Status;

/// What can be undone, and how far undoing it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Undo {
    /// In order of completion; the last one is undone first.
    pub kept: Vec<Kept>,
    /// The step that runs before the stack, from the `on_error: compensate` that asked for it.
    pub first: Option<Kept>,
    /// Who or what began the rollback.
    pub cause: Option<RollbackCause>,
    /// Why the execution failed before it was undone.
    pub origin: Option<Failure>,
    pub stage: Stage,
    /// A person is asked whether the work of the entry on top was done.
    pub asked: bool,
    /// Who wants that no further compensation begins.
    pub stopped: Option<String>,
    /// Why the rollback failed.
    pub failure: Option<Failure>,
    /// It began after the end: `finally` has run, or was left out, already.
    pub again: bool,
}

/// How far a rollback is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// None began.
    #[default]
    Idle,
    /// The stack is worked through.
    Busy,
    /// It ended like this; `finally` may still run.
    Over(Status),
}

/// An entry of the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The step.
    pub path: StepPath,
    /// Of its compensation; of a step that runs first, its own.
    pub arguments: Option<Payload>,
    /// Of the compensation's verification.
    pub check: Option<Payload>,
    /// Of the step's verification, if it can be performed.
    pub verify: Option<Payload>,
    /// Why the arguments are missing.
    pub problem: Option<Failure>,
    /// Nobody knows whether the work was done.
    pub unsure: bool,
    /// Deliveries of the step's verification so far, so that no token is given twice.
    pub verify_deliveries: u32,
}

impl Kept {
    /// The entry that an event puts on the stack, or keeps to run before it.
    pub fn of(event: &Event) -> Option<Self> {
        if let Event::UndoKept { path, arguments, check, verify, problem, unsure } = event {
            let (arguments, check, verify) = (arguments.clone(), check.as_deref().cloned(), verify.as_deref().cloned());
            let (path, problem, unsure) = (path.clone(), problem.clone(), *unsure);
            return Some(Self { path, arguments, check, verify, problem, unsure, verify_deliveries: 0 });
        }
        let Event::CompensationAsked { first: Some(first), arguments, problem, .. } = event else { return None };
        let (path, arguments, problem) = (first.clone(), arguments.clone(), problem.clone());
        Some(Self { path, arguments, check: None, verify: None, problem, unsure: false, verify_deliveries: 0 })
    }
}

impl Undo {
    /// True while the stack is worked through.
    pub fn is_busy(&self) -> bool {
        self.stage == Stage::Busy
    }
}
