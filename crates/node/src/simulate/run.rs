//! What came of a simulated execution.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use skep_engine::{Program, Rejection, State, Undoable};
use skep_model::Map;
use skep_model::error::Failure;
use skep_model::event::Turn;
use skep_model::ids::{Hash, StepPath};
use skep_model::payload::{Payload, Target};
use skep_model::plan::Plan;
use skep_model::status::Execution as Status;
use skep_views::execution::Execution;

use super::outside::ChildGave;

/// A simulated execution, from its start to where nothing moved it any more.
#[derive(Clone, Debug)]
pub struct Run {
    /// Why it moves no further.
    pub end: End,
    /// Its last status.
    pub status: Status,
    /// Its outputs; empty unless it completed.
    pub outputs: Map<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// All turns.
    pub turns: Vec<Turn>,
    /// What the turns made.
    pub state: State,
    /// Steps in the order in which they began; one in a loop with its round. Those that were skipped did not begin.
    pub path: Vec<StepPath>,
    /// Steps whose compensations began, and steps that ran as compensations of others, in that order.
    pub rollback: Vec<StepPath>,
    /// Virtual time from the start to the last thing that happened.
    pub took: Duration,
    /// What somebody said and the execution could not take.
    pub refused: Vec<Refused>,
    pub(super) values: HashMap<Hash, Arc<Value>>,
}

/// Why a simulated execution moves no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is over.
    Over,
    /// It stands still for ever; what it waits for, as in `skep list`: `signal paid: wait_for_money`.
    DeadEnd(String),
    /// A bound was reached before its end.
    Unfinished(Bound),
    /// The engine met what cannot be: a bug.
    Broken(String),
}

/// Which bound was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The number of messages.
    Messages,
    /// Virtual time.
    Time,
    /// Real time.
    Patience,
}

impl Bound {
    /// The bound in a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "after so many messages that it will probably never end",
            Self::Time => "in ten years",
            Self::Patience => "within the time that the simulation has",
        }
    }
}

/// What the execution could not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The step, or the signal.
    pub what: String,
    /// When, counted from the start.
    pub after: Duration,
    /// Why.
    pub why: Rejection,
}

impl Run {
    /// What people see of it.
    pub fn view(&self, plan: &Plan) -> Execution {
        let mut view = Execution::with_all_iterations(plan);
        self.turns.iter().for_each(|turn| view.apply(turn));
        view
    }

    /// What the step that started it as a child execution is told. An execution that is not over counts as cancelled.
    pub fn as_child(&self) -> ChildGave {
        let status = if self.end == End::Over { self.status } else { Status::Cancelled };
        let (outputs, failure) = (self.outputs.clone(), self.failure.clone());
        ChildGave { status, outputs, failure, can_be_undone: self.state.can_be_undone(), takes: self.took }
    }

    /// What somebody could undo of it now, in that order.
    pub fn undoable(&self, program: &Program) -> Vec<Undoable> {
        self.state.undoable(program, None, &self.values).ok().flatten().unwrap_or_default()
    }

    /// A value as it was recorded, whole.
    pub fn value(&self, payload: &Payload) -> Value {
        whole(payload, &self.values)
    }
}

/// The value with everything in it that lies elsewhere; null where nobody has it.
pub(super) fn whole(payload: &Payload, values: &HashMap<Hash, Arc<Value>>) -> Value {
    let mut value = payload.value.clone();
    for hole in &payload.references {
        if let Target::Blob(reference) = &hole.target
            && let Some(found) = values.get(&reference.blob)
            && let Some(place) = value.pointer_mut(&hole.at)
        {
            *place = (**found).clone();
        }
    }
    value
}
