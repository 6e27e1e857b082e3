//! The view of one execution: what the fold of its turns says about it and each of its steps.
//!
//! ```text
//! Execution
//!   top: build, rollout, clean          every planned step that no loop encloses, in plan order
//!                 |
//!                 +- round 0: rollout[0].deploy, rollout[0].check
//!                 +- round 1: rollout[1].deploy, rollout[1].check
//! ```
//! A loop's body has entries per round that began, none before. It must not decide: it believes the journal.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use skep_model::actor::Actor;
use skep_model::error::Failure;
use skep_model::event::Turn;
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::limits;
use skep_model::message::Parent;
use skep_model::payload::Payload;
use skep_model::permit::Resource;
use skep_model::plan::{Head, Plan};
use skep_model::rollback::{RollbackCause, Strategy};
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_model::time::Timestamp;
use skep_model::{Map, Value};

use crate::points::Point;
use crate::progress::Tally;
use crate::shape::Shape;
use crate::step::{RoundSteps, Rounds, Step};

/// The view of one execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Its public id; `None` before its first turn.
    pub id: Option<ExecutionId>,
    /// Name and description of its workflow.
    pub workflow: Head,
    /// Its state.
    pub status: Status,
    /// Inputs, with defaults filled in.
    pub inputs: Map<Value>,
    /// Who started it.
    pub actor: Option<Actor>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its outputs; empty before it completed.
    pub outputs: Map<Payload>,
    /// Why it failed: the first failure that nothing handled.
    pub failure: Option<Failure>,
    /// Why it is held, while it is.
    pub held: Option<Failure>,
    /// The cancel that was accepted, if one.
    pub cancel: Option<Cancel>,
    /// Number of the last whole turn.
    pub seq: u64,
    /// Events folded.
    pub events: u64,
    /// Time of the last event.
    pub updated_at: Option<Timestamp>,
    /// Events about steps that the plan does not have or that did not begin: a sign of a wrong plan.
    pub strays: u64,
    /// Which run of it this is: from 1, one more with each rerun.
    pub generation: u32,
    /// The step that asked for it, if it is a child execution.
    pub parent: Option<Parent>,
    pub(crate) all_iterations: bool,
    pub(crate) shape: Arc<Shape>,
    pub(crate) entries: HashMap<StepPath, Step>,
    pub(crate) top: Vec<StepPath>,
    /// Steps that run or wait, in the order in which they were reached.
    pub(crate) active: BTreeMap<u64, StepPath>,
    pub(crate) tickets: u64,
    pub(crate) tally: Tally,
    /// How far undoing it is, if that began.
    pub rollback: Option<Rollback>,
    /// Steps that can be undone, or that may have to be, in the order in which they were done.
    pub(crate) kept: Vec<StepPath>,
    /// To where one can go back, the oldest first.
    pub points: Vec<Point>,
    /// What it waits for before its first step, and since when.
    pub entry: Option<(Resource, Timestamp)>,
    /// Since when it is held.
    pub held_since: Option<Timestamp>,
    /// Looks at steps, so that a test can say what an event costs.
    #[cfg(test)]
    pub(crate) looks: u64,
}

/// An accepted cancel.
#[derive(Clone, Debug, PartialEq)]
pub struct Cancel {
    /// Who asked for it.
    pub actor: Actor,
    /// Why, for people.
    pub reason: Option<String>,
    /// When a second one ends the execution, whatever still runs.
    pub forced_at: Option<Timestamp>,
}

/// Undoing what an execution did.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollback {
    /// Who or what began it.
    pub cause: RollbackCause,
    /// Rolling_back, rolled_back or rollback_failed.
    pub status: Status,
    /// Steps that were undone.
    pub undone: u64,
    /// How.
    pub strategy: Strategy,
    /// The rollback point at which it stands still.
    pub to: Option<u32>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended, or stood still at its point.
    pub ended_at: Option<Timestamp>,
    /// What it undid, in that order.
    pub done: Vec<StepPath>,
    /// What it could not undo, and why.
    pub failed: Vec<(StepPath, Failure)>,
    /// The step about which a person is asked.
    pub(crate) asked: Option<StepPath>,
}

/// What one ended round of a loop gave.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundResult<'a> {
    /// Completed, failed or cancelled.
    pub status: StepStatus,
    /// Step id and outputs of every step of the round that is no loop, in plan order.
    pub outputs: Vec<(&'a str, &'a Map<Payload>)>,
}

impl Execution {
    /// The view before the first turn: every planned step pending. Of each loop the first
    /// [`limits::ITERATIONS_SHOWN_MAX`] rounds get entries that stay.
    pub fn new(plan: &Plan) -> Self {
        Self::open(plan, false)
    }

    /// The same with entries for all rounds, as many as there are.
    pub fn with_all_iterations(plan: &Plan) -> Self {
        Self::open(plan, true)
    }

    fn open(plan: &Plan, all_iterations: bool) -> Self {
        let mut execution = Self {
            id: None,
            workflow: plan.workflow.clone(),
            status: Status::Pending,
            inputs: Map::new(),
            actor: None,
            started_at: None,
            ended_at: None,
            outputs: Map::new(),
            failure: None,
            held: None,
            cancel: None,
            seq: 0,
            events: 0,
            updated_at: None,
            strays: 0,
            generation: 1,
            parent: None,
            all_iterations,
            shape: Arc::new(Shape::of(plan)),
            entries: HashMap::new(),
            top: Vec::new(),
            active: BTreeMap::new(),
            tickets: 0,
            tally: Tally::default(),
            rollback: None,
            kept: Vec::new(),
            points: Vec::new(),
            entry: None,
            held_since: None,
            #[cfg(test)]
            looks: 0,
        };
        let shape = Arc::clone(&execution.shape);
        execution.top = execution.open_steps(&shape.top, "");
        execution
    }

    /// Folds one turn. Turns come in order and without gaps; one that was folded already changes nothing.
    pub fn apply(&mut self, turn: &Turn) {
        if turn.seq <= self.seq {
            return;
        }
        for event in &turn.events {
            self.apply_event(turn.at, event);
        }
        self.seq = turn.seq;
    }

    /// Steps that are still to be undone, or could be.
    pub fn left_to_undo(&self) -> u64 {
        self.kept.len() as u64
    }

    /// They, in the order in which they were done.
    pub fn can_be_undone(&self) -> &[StepPath] {
        &self.kept
    }

    /// Every listed step: planned ones in plan order (`finally` included), after each loop those of its rounds
    /// in item order. Rounds past the bound are left out (see [`Execution::new`]). Costs what it lists.
    pub fn steps(&self) -> Vec<&Step> {
        let mut steps = Vec::new();
        self.list(&self.top, &mut steps);
        steps
    }

    fn list<'a>(&'a self, members: &'a [StepPath], into: &mut Vec<&'a Step>) {
        for step in members.iter().filter_map(|path| self.entries.get(path)) {
            into.push(step);
            let Some(rounds) = step.rounds() else { continue };
            for (_, round) in rounds.iter().take_while(|(index, _)| self.lists_round(*index)) {
                if let RoundSteps::Listed(members) = &round.steps {
                    self.list(members, into);
                }
            }
        }
    }

    pub(crate) fn lists_round(&self, index: u32) -> bool {
        self.all_iterations || index < limits::ITERATIONS_SHOWN_MAX
    }

    /// The step at `path`; also one of an unlisted round while that runs.
    pub fn step(&self, path: &str) -> Option<&Step> {
        self.entries.get(path)
    }

    /// Steps that run or wait, in the order in which they were reached, those of unlisted rounds included.
    pub fn active(&self) -> impl Iterator<Item = &Step> {
        self.active.values().filter_map(|path| self.entries.get(path))
    }

    /// Steps that wait for something, in the order in which they were reached.
    pub fn waiting(&self) -> impl Iterator<Item = &Step> {
        self.active().filter(|step| step.waiting.is_some())
    }

    /// What the rounds of the loop at `path` gave, in item order, up to the last one that ended; `None` in the
    /// list for one that still runs. `None` if it is no loop that began.
    pub fn results(&self, path: &str) -> Option<Vec<Option<RoundResult<'_>>>> {
        let rounds = self.entries.get(path)?.rounds()?;
        let last = rounds.list.iter().rev().find(|(_, round)| round.status.is_some());
        let length = last.map_or(0, |(index, _)| index + 1);
        Some((0..length).map(|index| self.result(rounds, index)).collect())
    }

    fn result<'a>(&'a self, rounds: &'a Rounds, index: u32) -> Option<RoundResult<'a>> {
        let round = rounds.list.get(&index)?;
        let status = round.status?;
        let outputs = match &round.steps {
            RoundSteps::Listed(members) => self.round_outputs(members).collect(),
            RoundSteps::Collected(outputs) => outputs.iter().map(|(id, outputs)| (id.as_str(), outputs)).collect(),
        };
        Some(RoundResult { status, outputs })
    }

    pub(crate) fn round_outputs<'a>(
        &'a self,
        members: &'a [StepPath],
    ) -> impl Iterator<Item = (&'a str, &'a Map<Payload>)> {
        let steps = members.iter().filter_map(|path| self.entries.get(path));
        let plain = steps.filter(|step| !self.shape.step(step.index).is_loop);
        plain.map(|step| (step.id(), &step.outputs))
    }
}
