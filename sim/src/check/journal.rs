//! The rules of the journal, over the events of one execution: a naive model of what each event may follow.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use skep_engine::Program;
use skep_model::event::{Event, Turn};
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::plan::{Plan, Step, StepIndex};
use skep_model::rollback::{Part, Strategy};
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_model::time::Timestamp;

use super::{Invariant, Verdict, Violation, demand, limits, order, steps, stops, undo, waits};
use crate::world::Outside;

/// What the journal said of one execution so far.
#[derive(Clone)]
pub struct Journal {
    /// Whose.
    pub execution: ExecutionId,
    /// Its plan.
    pub program: Arc<Program>,
    by_id: HashMap<String, StepIndex>,
    /// Steps that were reached.
    pub paths: BTreeMap<StepPath, Path>,
    /// Rounds of loops that run: path and index.
    pub rounds: BTreeMap<StepPath, Vec<u32>>,
    /// Its state, as its events say.
    pub status: Status,
    /// A cancel was accepted.
    pub cancelled: bool,
    /// A second one was.
    pub forced: bool,
    /// Its time is over.
    pub timed_out: bool,
    /// `finally` has begun.
    pub finally: bool,
    /// Which run of the execution it is.
    pub generation: u32,
    /// Steps that can be undone, the last one first.
    pub stack: Vec<StepPath>,
    /// The step that runs before the stack is undone.
    pub first: Option<StepPath>,
    /// Somebody wants it undone, and what runs is being stopped for that.
    pub asked: bool,
    /// How it is undone.
    pub strategy: Strategy,
    /// How much of the stack a rollback leaves.
    pub floor: usize,
    /// What could not be undone in this rollback.
    pub failed: Vec<StepPath>,
    /// It was ended where a rollback stood still.
    pub given_up: bool,
    /// What the journal had said when a rollback point was made.
    pub points: BTreeMap<u32, Box<Journal>>,
    /// Signals that came before their wait.
    pub signals: Vec<String>,
    /// A wait that began although its signal was there: it takes it at once.
    pub takes: Option<StepPath>,
    /// Number and time of the last turn.
    pub last: (u64, Timestamp),
}

/// What the journal said of one step.
#[derive(Clone, Debug)]
pub struct Path {
    /// In the plan.
    pub step: StepIndex,
    /// What it does.
    pub doing: Doing,
    /// Attempts begun.
    pub attempt: u32,
    /// Deliveries begun.
    pub delivery: u32,
    /// It was asked to stop.
    pub stopping: bool,
    /// It failed, and it was decided to go on without it.
    pub handled: bool,
    /// The step itself, or work beside it.
    pub part: Part,
    /// The run in which it was reached.
    pub generation: u32,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Doing {
    /// A runner works on it.
    Work,
    /// The next attempt begins then.
    Retry(Timestamp),
    /// It asked for something that executions share, or has got it and has not begun.
    Permit,
    /// It waits: until then, and whether that end is the point of it.
    Wait {
        /// The end of the wait.
        until: Option<Timestamp>,
        /// It ends only then (a duration, a moment).
        sleeps: bool,
    },
    /// It holds others, or it is its turn to begin later.
    Hold,
    /// Nobody knows whether its work was done, or what is to become of it.
    Doubt,
    /// It is over.
    Done(StepStatus),
}

impl Journal {
    /// Of an execution that has not begun.
    pub fn new(execution: ExecutionId, program: Arc<Program>) -> Self {
        let steps = program.plan().steps.iter().enumerate();
        let by_id = steps.map(|(at, step)| (step.id.clone(), at as StepIndex)).collect();
        Self {
            execution,
            program,
            by_id,
            paths: BTreeMap::new(),
            rounds: BTreeMap::new(),
            status: Status::Pending,
            cancelled: false,
            forced: false,
            timed_out: false,
            finally: false,
            generation: 1,
            stack: Vec::new(),
            first: None,
            asked: false,
            strategy: Strategy::Graceful,
            floor: 0,
            failed: Vec::new(),
            given_up: false,
            points: BTreeMap::new(),
            signals: Vec::new(),
            takes: None,
            last: (0, Timestamp(0)),
        }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        self.program.plan()
    }

    /// The step of a path.
    pub fn step_of(&self, path: &str) -> Option<(StepIndex, &Step)> {
        let (path, _) = Part::split(path);
        let id = path.rfind("].").map_or(path, |at| &path[at + 2..]);
        let index = *self.by_id.get(id)?;
        Some((index, &self.plan().steps[index as usize]))
    }

    /// The path of another step of the same round.
    pub fn beside(&self, path: &str, other: StepIndex) -> String {
        let prefix = path.rfind("].").map_or("", |at| &path[..at + 2]);
        format!("{prefix}{}", self.plan().steps[other as usize].id)
    }

    /// Steps that a runner works on.
    pub fn working(&self) -> usize {
        self.paths.values().filter(|path| path.doing == Doing::Work && path.part == Part::Step).count()
    }

    /// Takes a committed turn.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn commit(&mut self, turn: &Turn, outside: &Outside) -> Verdict {
        let (seq, at) = self.last;
        demand(turn.seq == seq + 1 && turn.at >= at, Invariant::TurnsFollow, || {
            format!("{}: turn {} at {:?} follows turn {seq} at {at:?}", self.execution, turn.seq, turn.at)
        })?;
        for event in &turn.events {
            self.event(turn.at, event, outside).map_err(|violation| Violation {
                what: format!("{} turn {}: {} in {event:?}", self.execution, turn.seq, violation.what),
                ..violation
            })?;
        }
        self.last = (turn.seq, turn.at);
        Ok(())
    }

    fn event(&mut self, at: Timestamp, event: &Event, outside: &Outside) -> Verdict {
        let again = matches!(event, Event::Rerun { .. } | Event::RollbackBegan { .. });
        if let Event::Returned { number, generation, .. } = event {
            return self.returned(*number, *generation);
        }
        let over = self.status.is_terminal() && !again;
        demand(!over, Invariant::TerminalMeansTerminal, || "it has ended before".to_owned())?;
        undo::before(self, event)?;
        stops::before(self, event)?;
        steps::before(self, at, event, outside)?;
        waits::before(self, at, event)?;
        waits::signals(self, event)?;
        order::before(self, event)?;
        self.apply(event);
        limits::after(self, event)?;
        stops::after(self, event)
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Started(_) => {
                self.status = Status::Running;
                self.point(0);
            }
            Event::Paused { .. } => self.status = Status::Paused,
            Event::Held { .. } => self.status = Status::Held,
            Event::RollbackAsked { .. } => (self.asked, self.status) = (true, Status::Running),
            Event::RollbackBegan { strategy, to, .. } => {
                self.status = Status::RollingBack;
                self.strategy = *strategy;
                self.floor = to.and_then(|to| self.points.get(&to)).map_or(0, |past| past.stack.len());
                self.failed.clear();
            }
            Event::RollbackEnded { status, .. } => {
                self.status = Status::RollingBack;
                self.given_up = *status == Status::Cancelled;
            }
            Event::UndoFailed { path, .. } => self.failed.push(path.clone()),
            Event::PointMade { number, .. } => self.point(*number),
            Event::Rerun { generation, kept, .. } => {
                self.rerun(*generation, kept);
                self.points.clear();
                self.point(0);
            }
            Event::Resumed { .. } => {
                self.status = if self.cancelled { Status::Cancelling } else { Status::Running };
            }
            Event::CancelAsked { .. } => (self.cancelled, self.status) = (true, Status::Cancelling),
            Event::ForceAsked { .. } => self.forced = true,
            Event::TimedOut => self.timed_out = true,
            Event::FinallyBegan { .. } => self.finally = true,
            Event::Ended { status, .. } => self.status = *status,
            Event::IterationBegan { path, index } => self.rounds.entry(path.clone()).or_default().push(*index),
            Event::IterationEnded { path, index, .. } => {
                self.rounds.entry(path.clone()).or_default().retain(|running| running != index);
            }
            _ => {}
        }
        let Some(path) = event.path() else { return };
        let Some((step, _)) = self.step_of(path) else { return };
        let (generation, part) = (self.generation, Part::split(path).1);
        let entry = self.paths.entry(path.clone()).or_insert(Path {
            step,
            doing: Doing::Hold,
            attempt: 0,
            delivery: 0,
            stopping: false,
            handled: false,
            part,
            generation,
        });
        steps::apply(entry, event);
    }

    fn point(&mut self, number: u32) {
        if self.plan().rollback.is_some() {
            let past = Self { points: BTreeMap::new(), ..self.clone() };
            self.points.insert(number, Box::new(past));
        }
    }

    /// It is as it was at the point, and what had not ended there has not begun.
    fn returned(&mut self, number: u32, generation: u32) -> Verdict {
        let rule = Invariant::CompensationOrder;
        let Some(past) = self.points.get(&number).cloned() else {
            return demand(false, rule, || "there is no such point".to_owned());
        };
        demand(self.stack == past.stack, rule, || format!("{:?} is not what was there then", self.stack))?;
        demand(self.status == Status::Held, rule, || "it does not stand still".to_owned())?;
        let (mut points, signals, last) =
            (std::mem::take(&mut self.points), std::mem::take(&mut self.signals), self.last);
        points.retain(|made, _| *made <= number);
        *self = Self { points, signals, last, generation, status: Status::Running, ..*past };
        let plan = Arc::clone(&self.program);
        self.paths.retain(|_, path| {
            let holds = !plan.plan().steps[path.step as usize].kind.blocks().is_empty();
            matches!(path.doing, Doing::Done(_)) || (holds && path.doing == Doing::Hold)
        });
        Ok(())
    }

    /// Everything but what is kept is as if it had never been.
    fn rerun(&mut self, generation: u32, kept: &[StepPath]) {
        let is_kept = |path: &StepPath| {
            kept.iter().any(|kept| path == kept || path.strip_prefix(&**kept).is_some_and(|rest| rest.starts_with('[')))
        };
        let inside = self.inside(kept);
        // What was beside a step is not kept with it.
        self.paths.retain(|path, known| known.part == Part::Step && (is_kept(path) || inside.contains(path)));
        self.stack.retain(|path| is_kept(path) || inside.contains(path));
        self.rounds.clear();
        self.first = None;
        self.signals.clear();
        self.generation = generation;
        self.status = Status::Running;
        (self.cancelled, self.forced, self.timed_out, self.finally) = (false, false, false, false);
        (self.asked, self.given_up, self.floor) = (false, false, 0);
        self.failed.clear();
    }

    /// Steps inside switches and branches that are kept.
    fn inside(&self, kept: &[StepPath]) -> Vec<StepPath> {
        let top = |path: &StepPath| {
            let mut index = self.step_of(path.split('[').next().unwrap_or(path)).map(|(index, _)| index)?;
            while let Some(owner) = self.plan().blocks[self.plan().steps[index as usize].block as usize].owner {
                index = owner;
            }
            Some(self.plan().steps[index as usize].id.clone())
        };
        let is_inside = |path: &&StepPath| top(path).is_some_and(|top| kept.iter().any(|kept| **kept == *top));
        self.paths.keys().filter(is_inside).cloned().collect()
    }
}
