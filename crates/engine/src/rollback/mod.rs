//! The compensation machine: a stack of what can be undone, a part of the state, and the way through it.
//!
//! ```text
//! a step's work is done --UndoKept--> stack (arguments evaluated, so undoing evaluates nothing)
//!                                       |
//! failure, compensate, cancel, a person --RollbackBegan--> top of the stack, one at a time:
//!      unsure? PATH.verify, or a person is asked --> UndoConfirmed | UndoDropped
//!      PATH.rollback, then PATH.rollback.verify  --> RolledBack, the next one
//!      failed for good                           --> UndoFailed; what it came after stays, too
//!      manual                                    --> Held; a person says Undone --> RolledBack, the next one
//!      nothing left, down to the target's depth  --> Held at the point; Resume --> Returned
//!      nothing left, something failed            --> RollbackEnded(rollback_failed), the rest stays
//!      nothing left                              --> RollbackEnded(rolled_back)
//! then `finally`, then the end.
//! ```
//! An execution that is not over is stopped first (`RollbackAsked`), as if a step had failed that says `compensate`.
//! What is performed here are instances like any other ([`skep_model::rollback::Part`] says which part of its step one
//! is), so deliveries, retries and recovery have one code path. This module must not begin anything before all that
//! runs has ended: `main_done` calls it, or a person after the end.

pub(crate) mod keep;
pub(crate) mod list;
mod order;
pub(crate) mod points;
pub(crate) mod run;
pub(crate) mod side;

use serde::{Deserialize, Serialize};
use skep_model::actor::Actor;
use skep_model::error::Failure;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::payload::Payload;
use skep_model::rollback::{RollbackCause, Strategy};
use skep_model::status::Execution as Status;

pub(crate) use order::comes_before;
pub(crate) use points::{Point, Points};

/// What can be undone, and how far undoing it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Undo {
    /// In order of completion; the last one is undone first.
    pub kept: Vec<Kept>,
    /// To where one can go back.
    pub points: Points,
    /// How it is undone.
    pub strategy: Strategy,
    /// The point at which undoing stands still.
    pub target: Option<Target>,
    /// Who asked, while what runs is being stopped for it.
    pub asked_by: Option<AskedBy>,
    /// What runs may end its work although it was asked to stop.
    pub gentle: bool,
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
    /// All that came after the target is undone; a person lets it go on from there, or undoes more.
    AtPoint,
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
    /// Why it stays.
    pub stays: Option<Stays>,
}

/// Why an entry of the stack is not undone in this rollback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Stays {
    /// Undoing it failed.
    Failed(Failure),
    /// Undoing something failed that came after it.
    Below,
}

/// The point at which undoing stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    /// See [`Point::number`].
    pub point: u32,
    /// Entries of the stack that are left.
    pub depth: usize,
}

/// Who wants an execution undone that is not over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AskedBy {
    pub actor: Actor,
    pub reason: Option<String>,
}

impl Kept {
    /// The entry that an event puts on the stack, or keeps to run before it.
    pub fn of(event: &Event) -> Option<Self> {
        if let Event::UndoKept { path, arguments, check, verify, problem, unsure } = event {
            let (arguments, check, verify) = (arguments.clone(), check.as_deref().cloned(), verify.as_deref().cloned());
            let (path, problem, unsure) = (path.clone(), problem.clone(), *unsure);
            return Some(Self { path, arguments, check, verify, problem, unsure, verify_deliveries: 0, stays: None });
        }
        let Event::CompensationAsked { first: Some(first), arguments, problem, .. } = event else { return None };
        let (path, arguments, problem) = (first.clone(), arguments.clone(), problem.clone());
        let (check, verify, unsure, verify_deliveries) = (None, None, false, 0);
        Some(Self { path, arguments, check, verify, problem, unsure, verify_deliveries, stays: None })
    }
}

impl Undo {
    /// True while the stack is worked through.
    pub fn is_busy(&self) -> bool {
        self.stage == Stage::Busy
    }

    /// Place on the stack of what is undone next.
    pub fn next(&self) -> Option<usize> {
        let floor = self.target.map_or(0, |target| target.depth).min(self.kept.len());
        let stays = |kept: &Kept| kept.stays.is_some();
        let at = match skep_model::mutant!("undo-oldest-first") {
            true => self.kept[floor..].iter().position(|kept| !stays(kept)),
            false => self.kept[floor..].iter().rposition(|kept| !stays(kept)),
        };
        at.map(|at| floor + at)
    }

    /// What is undone next.
    pub fn next_kept(&self) -> Option<&Kept> {
        self.next().map(|at| &self.kept[at])
    }

    /// The first failure of this rollback.
    pub fn failed(&self) -> Option<&Failure> {
        self.kept.iter().rev().find_map(|kept| match &kept.stays {
            Some(Stays::Failed(failure)) => Some(failure),
            Some(Stays::Below) | None => None,
        })
    }
}
