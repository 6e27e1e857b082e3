//! Effects against the journal: what is performed was durably asked for, once, under one key, and never beside itself.

use std::collections::{HashMap, HashSet};

use skep_model::effect::{Task, Work};
use skep_model::event::Event;
use skep_model::ids::{ExecutionId, StepPath, Token, idempotency_key};
use skep_model::rollback::Part;

use super::{Invariant, Violation};
use crate::world::Outside;

/// A delivery: whose, of which task path, and which one.
type Key = (ExecutionId, StepPath, u32);

/// Of the deliveries on record.
#[derive(Default)]
pub struct Deliveries {
    on_record: HashMap<Key, Recorded>,
    newest: HashMap<(ExecutionId, StepPath), u32>,
    performed: HashMap<Token, Key>,
    work: HashMap<String, Work>,
    /// Steps that are undone, as the journal says.
    undone: HashSet<(ExecutionId, StepPath)>,
    /// What was seen to be wrong.
    pub violations: Vec<Violation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recorded {
    Asked,
    StopAsked,
    Answered,
}

impl Deliveries {
    /// Notes what a committed event says of deliveries.
    pub fn note(&mut self, execution: &ExecutionId, event: &Event) {
        match event {
            Event::RolledBack { path, .. } => drop(self.undone.insert((execution.clone(), path.clone()))),
            Event::UndoKept { path, .. } => drop(self.undone.remove(&(execution.clone(), path.clone()))),
            Event::Scheduled { path, delivery, .. } | Event::Redelivered { path, delivery } => {
                self.newest.insert((execution.clone(), path.clone()), *delivery);
                self.on_record.insert((execution.clone(), path.clone(), *delivery), Recorded::Asked);
            }
            // A delivery that is stopped before its owner heard that it may begin does begin, and is stopped at once.
            Event::StopAsked { path, .. } | Event::Cancelled { path } => self.set(execution, path, Recorded::StopAsked),
            Event::Completed { path, .. }
            | Event::Failed { path, .. }
            | Event::AttemptFailed { path, .. }
            | Event::Proposed { path, .. }
            | Event::Skipped { path, .. }
            | Event::Doubted { path, .. }
            | Event::QuestionAsked { path, .. } => self.set(execution, path, Recorded::Answered),
            // A new run counts its deliveries anew; nothing of the old one runs.
            Event::Rerun { .. } => {
                self.on_record.retain(|(whose, ..), _| whose != execution);
                self.newest.retain(|(whose, _), _| whose != execution);
                self.undone.retain(|(whose, _)| whose != execution);
            }
            _ => {}
        }
    }

    fn set(&mut self, execution: &ExecutionId, path: &StepPath, to: Recorded) {
        let Some(delivery) = self.newest.get(&(execution.clone(), path.clone())) else { return };
        if let Some(recorded) = self.on_record.get_mut(&(execution.clone(), path.clone(), *delivery))
            && *recorded != Recorded::Answered
        {
            *recorded = to;
        }
    }

    fn violated(&mut self, invariant: Invariant, what: String) {
        self.violations.push(Violation::new(invariant, what));
    }

    /// The driver has something performed.
    pub fn performed(&mut self, task: &Task, outside: &Outside) {
        let what = format!("{} delivery {} of attempt {}", task.idempotency_key(), task.delivery, task.attempt);
        let record = (task.execution.clone(), task.path.clone(), task.delivery);
        match self.on_record.get(&record) {
            None => self.violated(Invariant::DurableBeforeActedUpon, format!("{what} is not in the journal")),
            Some(Recorded::Answered) => {
                self.violated(Invariant::NoRecordedStepRunsAgain, format!("{what} has its result on record"));
            }
            Some(Recorded::Asked | Recorded::StopAsked) => {}
        }
        let (step, part) = Part::split(&task.path);
        if part == Part::Rollback && self.undone.contains(&(task.execution.clone(), step.into())) {
            self.violated(Invariant::NoRecordedStepRunsAgain, format!("{what} is undone, which is on record"));
        }
        if self.performed.insert(task.token.clone(), record).is_some() {
            self.violated(Invariant::DeliveredOnce, format!("{what} was performed before"));
        }
        let key = idempotency_key(&task.execution, &task.path, task.generation);
        let token = Token::derive(&task.execution, &task.path, task.generation, task.delivery);
        if task.idempotency_key() != key || task.token != token {
            self.violated(Invariant::OneKey, format!("{what}: its key should be {key}, its token {token}"));
        }
        let first = self.work.entry(key.clone()).or_insert_with(|| task.work.clone());
        // What is beside a step may be asked for several times, each time with what is known then.
        if *first != task.work && Part::split(&task.path).1 == Part::Step {
            let first = format!("{first:?}");
            self.violated(
                Invariant::OneKey,
                format!("{what} has other arguments than before: {:?}, {first}", task.work),
            );
        }
        if outside
            .running
            .values()
            .any(|other| (&other.task.execution, &other.task.path) == (&task.execution, &task.path))
        {
            self.violated(Invariant::NeverSideBySide, format!("{what} begins while another delivery of it runs"));
        }
        if matches!(task.work, Work::Script(_)) && !outside.is_parked(&task.token) {
            self.violated(Invariant::ChildrenOnRecord, format!("{what} has no child that waits for it"));
        }
    }

    /// The driver has something stopped.
    pub fn aborted(&mut self, token: &Token) {
        let asked = self.performed.get(token).and_then(|record| self.on_record.get(record)).copied();
        if asked == Some(Recorded::Asked) {
            self.violated(
                Invariant::DurableBeforeActedUpon,
                format!("{token} is stopped, which is not in the journal"),
            );
        }
    }
}
