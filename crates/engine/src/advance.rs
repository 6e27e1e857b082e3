//! The flow: which step of a list is next, and what the end of a list means to what is around it.

use skep_model::Map;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::{Event, Then};
use skep_model::ids::StepPath;
use skep_model::plan::{GateWhen, OnCancel, Order, StepIndex};
use skep_model::rollback::RollbackCause;
use skep_model::status::{Execution as Status, SkipReason, Step as StepStatus};

use crate::codes;
use crate::decide::{Deciding, EVENTS_PER_TURN};
use crate::rejection::Rejection;
use crate::rollback::{self, Stage};
use crate::state::{Ending, Entry, Frame, FrameId, InstanceId, Phase, Role};
use crate::steps;

impl Deciding<'_> {
    /// Follows every consequence until nothing moves.
    pub fn run(&mut self) -> Result<(), Rejection> {
        while self.state.flows() && self.state.is_admitted() && self.events.len() < EVENTS_PER_TURN {
            self.grant_slots()?;
            let Some(frame) = self.dirty.pop_front() else {
                if self.ask_again {
                    self.ask_conditions()?;
                    continue;
                }
                // While effects are undone no list moves, and what is undone next follows from the stack.
                if rollback::run::advance(self)? { continue } else { return Ok(()) }
            };
            if self.state.frames.try_get(frame).is_some() && !self.state.undo.is_busy() {
                self.advance(frame)?;
            }
        }
        if !self.state.flows() || !self.state.is_admitted() {
            self.dirty.clear();
        }
        Ok(())
    }

    fn advance(&mut self, id: FrameId) -> Result<(), Rejection> {
        while self.state.flows() && self.events.len() < EVENTS_PER_TURN {
            let Some(frame) = self.state.frames.try_get(id) else { return Ok(()) };
            if frame.ended.is_some() || self.owner_is_over(frame) {
                return Ok(());
            }
            match self.next_position(frame) {
                Some(position) => self.consider(id, position)?,
                None if frame.active == 0 => return self.frame_done(id),
                None => return Ok(()),
            }
        }
        self.dirty.push_back(id);
        Ok(())
    }

    /// The frames of a step that ended stay readable; they do not run.
    fn owner_is_over(&self, frame: &Frame) -> bool {
        frame.owner.is_some_and(|owner| self.is_final(owner))
    }

    fn next_position(&self, frame: &Frame) -> Option<usize> {
        if frame.stopping {
            return None;
        }
        match self.program.order(frame.block) {
            Order::Graph => frame.ready.first().map(|position| *position as usize),
            Order::Sequence if frame.active > 0 && !skep_model::mutant!("sequence-in-parallel") => None,
            Order::Sequence => self.next_in_sequence(frame),
        }
    }

    fn next_in_sequence(&self, frame: &Frame) -> Option<usize> {
        let steps = self.program.block_steps(frame.block);
        // Clean-up steps do not depend on each other's success.
        let flows = |at: &usize| !self.program.step(steps[*at]).compensation_only;
        if frame.failure.is_none() || frame.role == Role::Finally {
            return (frame.position..steps.len()).find(flows);
        }
        let last = self.program.block(frame.block).last_status_aware?;
        let asks = |at: &usize| self.program.step(steps[*at]).condition.as_ref().is_some_and(|c| c.status_aware);
        (frame.position..=last.min(steps.len() - 1)).filter(flows).find(asks)
    }

    fn consider(&mut self, frame_id: FrameId, position: usize) -> Result<(), Rejection> {
        let frame = self.state.frame(frame_id);
        let index = self.program.block_steps(frame.block)[position];
        let path = self.path(frame, index);
        let step = self.program.step(index);
        let status_aware = step.condition.as_ref().is_some_and(|condition| condition.status_aware);
        if !status_aware && self.a_dependency_is_missing(frame, index) {
            return self.skip(&path, SkipReason::Dependency);
        }
        match self.condition_holds(frame_id, index, &path)? {
            Ok(true) => self.begin(frame_id, index, &path),
            Ok(false) => self.skip(&path, SkipReason::Condition),
            Err(failure) => self.fail(&path, failure, Map::new()),
        }
    }

    fn path(&self, frame: &Frame, index: StepIndex) -> StepPath {
        match frame.prefixes.last() {
            Some(prefix) if !prefix.is_empty() => format!("{prefix}{}", self.program.step(index).id).into(),
            _ => StepPath::clone(&self.program.step_program(index).path),
        }
    }

    fn skip(&mut self, path: &StepPath, reason: SkipReason) -> Result<(), Rejection> {
        self.emit(Event::Skipped { path: path.clone(), reason, failure: None })
    }

    fn a_dependency_is_missing(&self, frame: &Frame, index: StepIndex) -> bool {
        let position = &self.program.block(frame.block).position;
        let awaited = |step: &&StepIndex| !self.program.step(**step).compensation_only;
        self.program.step(index).depends_on.iter().filter(awaited).any(|dependency| {
            let Some(id) = frame.slots[position[dependency] as usize] else { return true };
            let instance = self.state.instance(id);
            match instance.status {
                StepStatus::Completed => false,
                StepStatus::Skipped => instance.reason != Some(SkipReason::OnError),
                StepStatus::Failed | StepStatus::Cancelled | StepStatus::RolledBack | StepStatus::Unknown => true,
                StepStatus::Pending | StepStatus::Running | StepStatus::Waiting => true,
            }
        })
    }

    fn condition_holds(
        &self,
        frame_id: FrameId,
        index: StepIndex,
        path: &StepPath,
    ) -> Result<Result<bool, Failure>, Rejection> {
        let Some(template) = &self.program.step_program(index).condition else { return Ok(Ok(true)) };
        let mut place = self.place(frame_id);
        if self.program.order(self.state.frame(frame_id).block) == Order::Graph {
            place.flags.failed = self.a_dependency_failed(frame_id, index);
        }
        match place.evaluate(template, &format_args!("`if` of step `{path}`")) {
            Ok(value) => Ok(Ok(value == serde_json::Value::Bool(true))),
            Err(crate::scope::Trouble::Wrong(failure)) => Ok(Err(*failure)),
            Err(crate::scope::Trouble::Needs(reference)) => Err(Rejection::NeedsBlob(reference)),
        }
    }

    fn a_dependency_failed(&self, frame_id: FrameId, index: StepIndex) -> bool {
        let frame = self.state.frame(frame_id);
        let position = &self.program.block(frame.block).position;
        let tainted = self.program.step(index).depends_on.iter().any(|dependency| {
            let slot = frame.slots[position[dependency] as usize];
            slot.is_some_and(|id| self.state.instance(id).tainted)
        });
        let around = frame.owner.map(|owner| self.state.instance(owner).frame);
        let finally = frame.role == Role::Finally && self.failed_before_finally();
        tainted || finally || around.is_some_and(|around| self.flags(around).failed)
    }

    /// Begins a step again that failed before it had anything to repeat: its condition, its question, its arguments.
    pub fn begin_anew(&mut self, id: InstanceId) -> Result<(), Rejection> {
        let instance = self.state.instance(id);
        let (frame, index, path) = (instance.frame, instance.step, instance.path.clone());
        let allowed = instance.outputs.contains_key("approved");
        match self.condition_holds(frame, index, &path)? {
            Ok(true) if allowed => steps::begin(self, frame, index, &path),
            Ok(true) => self.begin(frame, index, &path),
            Ok(false) => self.skip(&path, SkipReason::Condition),
            Err(failure) => self.fail(&path, failure, Map::new()),
        }
    }

    /// Begins a step whose condition holds.
    fn begin(&mut self, frame: FrameId, index: StepIndex, path: &StepPath) -> Result<(), Rejection> {
        match &self.program.step(index).approve {
            Some(gate) if gate.when == GateWhen::Before => steps::approval::ask_gate(self, frame, index, path),
            Some(_) | None => steps::begin(self, frame, index, path),
        }
    }

    // ---- the end of a list ---------------------------------------------------------------------------

    fn frame_done(&mut self, id: FrameId) -> Result<(), Rejection> {
        let frame = self.state.frame(id);
        match (frame.role, frame.owner) {
            (Role::Root, _) => self.main_done(),
            (Role::Finally, _) => self.end(),
            (Role::Case, Some(owner)) => self.case_done(owner, id),
            (Role::Branch(branch), Some(owner)) => steps::parallel::branch_done(self, owner, id, branch),
            (Role::Iteration(index), Some(owner)) => steps::rounds::round_done(self, owner, id, index),
            (Role::Case | Role::Branch(_) | Role::Iteration(_), None) => {
                Err(Rejection::Broken("a nested list has no owner".to_owned()))
            }
        }
    }

    /// How a list ended, now that nothing in it is active.
    pub fn frame_result(&self, id: FrameId) -> FrameResult {
        let frame = self.state.frame(id);
        if let Some(failure) = &frame.failure {
            return FrameResult::Failed(failure.clone());
        }
        let steps = self.program.block_steps(frame.block);
        let cancelled = frame.slots.iter().zip(steps).any(|(slot, step)| match slot {
            Some(id) => self.state.instance(*id).status == StepStatus::Cancelled,
            None => !self.program.step(*step).compensation_only,
        });
        if frame.stopping && cancelled { FrameResult::Cancelled } else { FrameResult::Completed }
    }

    fn case_done(&mut self, owner: InstanceId, frame: FrameId) -> Result<(), Rejection> {
        let result = self.frame_result(frame);
        self.settle(owner, result)
    }

    /// Ends a step that holds others, now that all of them have ended.
    pub fn settle(&mut self, id: InstanceId, result: FrameResult) -> Result<(), Rejection> {
        let instance = self.state.instance(id);
        let path = instance.path.clone();
        let result = match &instance.stop {
            Some(Then::Cancelled) => FrameResult::Cancelled,
            Some(Then::Completed) => FrameResult::Completed,
            Some(Then::Failed(failure)) => FrameResult::Failed(failure.clone()),
            None => result,
        };
        match result {
            FrameResult::Completed => self.complete(&path, Map::new()),
            FrameResult::Failed(failure) => self.fail(&path, failure, Map::new()),
            FrameResult::Cancelled => self.emit(Event::Cancelled { path }),
        }
    }

    fn main_done(&mut self) -> Result<(), Rejection> {
        let status = self.main_status();
        if matches!(self.state.entry, Entry::Queued { .. }) {
            // Nothing was begun, so there is nothing to clean up.
            return self.end();
        }
        if let Some(cause) = rollback::run::cause(self, status) {
            let failure = self.main_failure();
            return rollback::run::begin(self, cause, failure);
        }
        let abandoned = status == Status::Cancelled && self.program.plan().on_cancel == OnCancel::Abandon;
        if self.program.plan().finally.is_some() && !abandoned && self.state.finally.is_none() {
            return self.emit(Event::FinallyBegan { status });
        }
        if self.state.finally.is_none() { self.end() } else { Ok(()) }
    }

    fn main_status(&self) -> Status {
        let failed = self.state.root.is_some_and(|root| self.state.frame(root).failure.is_some());
        match self.state.ending {
            Some(Ending::Cancelled(_) | Ending::Asked) => Status::Cancelled,
            Some(Ending::TimedOut | Ending::Compensating) => Status::Failed,
            None if failed => Status::Failed,
            None => Status::Completed,
        }
    }

    fn frame_failure(&self, frame: Option<FrameId>) -> Option<Failure> {
        frame.and_then(|frame| self.state.frame(frame).failure.clone())
    }

    /// Why the main list failed, if it did.
    fn main_failure(&self) -> Option<Failure> {
        match self.state.ending {
            Some(Ending::TimedOut) => Some(self.timed_out()),
            Some(Ending::Cancelled(_) | Ending::Asked) => None,
            Some(Ending::Compensating) => self.state.undo.origin.clone(),
            None => self.frame_failure(self.state.root),
        }
    }

    /// The end after a rollback.
    fn end_undone(&mut self, status: Status) -> Result<(), Rejection> {
        let undo = &self.state.undo;
        let (status, failure) = match (status, undo.cause) {
            (Status::RolledBack, Some(RollbackCause::Cancel)) => (Status::Cancelled, None),
            (Status::RolledBack, _) => (Status::RolledBack, undo.origin.clone()),
            (other, _) => (other, undo.failure.clone()),
        };
        self.emit(Event::Ended { status, outputs: Map::new(), failure })
    }

    /// The execution is over.
    pub fn end(&mut self) -> Result<(), Rejection> {
        if let Stage::Over(status) = self.state.undo.stage {
            return self.end_undone(status);
        }
        let cancelled = matches!(self.state.ending, Some(Ending::Cancelled(_) | Ending::Asked));
        let finally_failure = self.frame_failure(self.state.finally).filter(|_| self.state.ending.is_none());
        let failure = self.main_failure().or(finally_failure);
        let (status, failure, outputs) = match failure {
            Some(failure) => (Status::Failed, Some(failure), Map::new()),
            None if cancelled => (Status::Cancelled, None, Map::new()),
            None => match self.execution_outputs()? {
                Ok(outputs) => (Status::Completed, None, outputs),
                Err(failure) => (Status::Failed, Some(failure), Map::new()),
            },
        };
        let outputs = self.store_map(outputs);
        self.emit(Event::Ended { status, outputs, failure })
    }

    fn timed_out(&self) -> Failure {
        let bound = skep_model::span::print_duration_ms(self.program.plan().timeout_ms.unwrap_or_default());
        Failure::new(
            FailureKind::Timeout,
            codes::EXECUTION_TIMEOUT.id,
            format!("the execution took longer than its timeout of {bound}"),
        )
        .with_hint("raise `timeout` of the workflow, or look with `skep status` for the step that took the time")
    }

    fn execution_outputs(&self) -> Result<Result<Map<serde_json::Value>, Failure>, Rejection> {
        let mut outputs = Map::new();
        let Some(root) = self.state.root else { return Ok(Ok(outputs)) };
        for (name, template) in &self.program.outputs {
            match self.value(root, template, &format_args!("the workflow's output `{name}`"))? {
                Ok(value) => outputs.insert(name.clone(), value),
                Err(failure) => return Ok(Err(failure)),
            };
        }
        Ok(Ok(outputs))
    }

    // ---- stopping --------------------------------------------------------------------------------------

    /// Asks everything active in a list to stop.
    pub fn stop_frame(&mut self, id: FrameId) -> Result<(), Rejection> {
        let active: Vec<InstanceId> = self.state.frame(id).slots.iter().flatten().copied().collect();
        for instance in active {
            if !self.is_final(instance) {
                self.stop(instance, Then::Cancelled)?;
            }
        }
        self.dirty.push_back(id);
        Ok(())
    }

    /// Asks a step to stop, and to become `then`.
    pub fn stop(&mut self, id: InstanceId, then: Then) -> Result<(), Rejection> {
        let instance = self.state.instance(id);
        let path = instance.path.clone();
        if matches!(instance.phase, Phase::Doubtful { .. } | Phase::Questioned(_)) {
            return crate::unknown::stop(self, id, then);
        }
        if instance.stop.is_some() {
            return Ok(());
        }
        match &instance.phase {
            Phase::Performing => {
                let token = self.token_of(id);
                self.emit(Event::StopAsked { path: path.clone(), then })?;
                if !self.gentle {
                    self.effects.push(skep_model::effect::Effect::Abort { path, token });
                }
                Ok(())
            }
            Phase::Choosing { .. } | Phase::Forking { .. } | Phase::Looping(_) => {
                self.emit(Event::StopAsked { path, then })?;
                self.stop_children(id)
            }
            Phase::Retrying { .. } => crate::lifecycle::outcome::end_stopped(self, id, then, false),
            Phase::Child { .. } => {
                self.emit(Event::StopAsked { path, then })?;
                if self.gentle { Ok(()) } else { self.ask_child(id) }
            }
            Phase::Over
            | Phase::Ready
            | Phase::Doubtful { .. }
            | Phase::Questioned(_)
            | Phase::Deciding { .. }
            | Phase::Filling { .. }
            | Phase::Sleeping { .. }
            | Phase::Listening { .. }
            | Phase::Asking { .. }
            | Phase::Queued { .. }
            | Phase::AwaitingPermit { .. } => match then {
                Then::Failed(failure) => self.fail(&path, failure, Map::new()),
                Then::Cancelled | Then::Completed => self.emit(Event::Cancelled { path }),
            },
        }
    }

    /// Asks everything inside a step to stop.
    pub fn stop_children(&mut self, id: InstanceId) -> Result<(), Rejection> {
        for frame in crate::apply::child_frames(&self.state.instance(id).phase) {
            if self.state.frame(frame).ended.is_none() {
                self.stop_frame(frame)?;
            }
        }
        Ok(())
    }
}

/// How a list of steps ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FrameResult {
    Completed,
    Failed(Failure),
    Cancelled,
}

impl FrameResult {
    pub fn status(&self) -> StepStatus {
        match self {
            Self::Completed => StepStatus::Completed,
            Self::Failed(_) => StepStatus::Failed,
            Self::Cancelled => StepStatus::Cancelled,
        }
    }
}
