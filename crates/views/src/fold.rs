//! What each event does to the view. Total: an event that does not fit is counted and changes nothing else.
//!
//! Every change of a step goes through [`Execution::change`], which keeps the counts and the list of active
//! steps right.

use std::sync::Arc;

use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::error::Failure;
use skep_model::event::Event;
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::message::Start;
use skep_model::payload::Payload;
use skep_model::permit::Resource;
use skep_model::plan::{BlockIndex, StepIndex};
use skep_model::status::{Execution as Status, SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use crate::execution::{Cancel, Execution};
use crate::progress::Share;
use crate::shape::Shape;
use crate::step::{Inside, Round, RoundSteps, Rounds, Step, Waiting};

impl Execution {
    /// Folds one event of a turn that was decided at `at`; [`Execution::apply`] does it for a whole turn.
    pub fn apply_event(&mut self, at: Timestamp, event: &Event) {
        self.events += 1;
        self.updated_at = Some(at);
        if self.is_beside_the_flow(event) {
            return self.apply_beside(event);
        }
        match event {
            Event::Started(start) => self.started(at, start),
            Event::Scheduled { path, attempt, delivery, .. } => self.scheduled(at, path, *attempt, *delivery),
            Event::Redelivered { path, delivery } => self.change(path, |step| step.deliveries = *delivery),
            Event::AttemptFailed { path, failure, retry_at } => self.attempt_failed(path, failure, *retry_at),
            Event::Proposed { path, outputs } => self.proposed(path, outputs),
            Event::Completed { path, outputs } => self.completed(at, path, outputs),
            Event::Failed { path, failure, outputs, .. } => self.failed(at, path, failure, outputs),
            Event::Skipped { path, reason, failure } => self.skipped(at, path, *reason, failure.as_ref()),
            Event::StopAsked { path, .. } => self.change(path, |step| step.stopping = true),
            Event::Cancelled { path } => self.end(at, path, StepStatus::Cancelled, |_| {}),
            Event::CaseTaken { path, case } => self.case_taken(at, path, *case),
            Event::Forked { path } => self.forked(at, path),
            Event::BranchEnded { path, branch, status } => self.branch_ended(path, *branch, *status),
            Event::LoopBegan { path, count, .. } => self.loop_began(at, path, *count),
            Event::IterationBegan { path, index } => self.iteration_began(at, path, *index),
            Event::IterationEnded { path, index, status } => self.iteration_ended(at, path, *index, *status),
            Event::ApprovalAsked { path, message, assignee, until, .. } => {
                self.approval_asked(at, path, message, assignee, *until);
            }
            Event::Escalated { path, to } => self.escalated(path, to),
            Event::Decided { path, .. } => self.change(path, |step| step.waiting = None),
            Event::FormAsked { path, message, assignee, until } => self.form_asked(at, path, message, assignee, *until),
            Event::WaitBegan { path, until, signal, every_ms } => {
                self.wait_began(at, path, *until, signal.as_deref(), *every_ms);
            }
            // What follows from these stands in the same turn, or concerns no reader.
            Event::Judged(_) => {}
            Event::FormFilled { .. } | Event::SignalTaken { .. } | Event::SignalKept { .. } | Event::TimedOut => {}
            Event::Paused { .. } => self.status = Status::Paused,
            Event::Resumed { .. } => self.resumed(),
            Event::CancelAsked { actor, reason } => self.cancel_asked(actor, reason.as_deref()),
            Event::ForceAsked { at, .. } => self.force_asked(*at),
            Event::Held { reason } => self.is_held(at, reason),
            Event::FinallyBegan { .. } => self.leave_block("", self.shape.root),
            Event::Ended { status, outputs, failure } => self.ended(at, *status, outputs, failure.as_ref()),
            Event::UndoKept { path, .. } => self.kept.push(path.clone()),
            Event::CompensationAsked { .. } => {}
            Event::RollbackAsked { .. } => self.rollback_asked(),
            Event::GraceOver => {}
            Event::PointMade { .. } => self.point_made(at, event),
            Event::Returned { number, generation, .. } => self.returned(*number, *generation),
            Event::RollbackBegan { cause, strategy, to, .. } => self.rollback_began(at, *cause, (*strategy, *to)),
            Event::RolledBack { path, .. } => self.rolled_back(path),
            Event::UndoFailed { path, failure } => self.undo_failed(path, failure),
            Event::UndoConfirmed { .. } => self.take_question_back(),
            Event::UndoDropped { path } => self.undo_dropped(path),
            Event::RollbackStopAsked { .. } => self.take_question_back(),
            Event::RollbackEnded { status, .. } => self.rollback_ended(at, *status),
            Event::Doubted { path, failure } => self.doubted(path, failure.as_ref()),
            Event::QuestionAsked { path, .. } => self.question_asked(at, path, event),
            Event::Answered { path, .. } => self.question_answered(path),
            Event::Queued { path } => self.queued(path),
            Event::ChildAsked { path, attempt, child, .. } => self.child_asked(at, path, *attempt, child),
            Event::Rerun { .. } => self.rerun(at, event),
            Event::PermitAsked { path, resource } => self.permit_asked(at, path.as_ref(), resource),
            Event::PermitGranted { path: Some(path), .. } => self.change(path, |step| step.waiting = None),
            Event::PermitGranted { path: None, .. } => self.entry = None,
        }
    }

    fn started(&mut self, at: Timestamp, start: &Start) {
        self.id = Some(start.execution.clone());
        self.inputs = start.inputs.clone();
        self.actor = Some(start.actor.clone());
        self.started_at = Some(at);
        self.parent.clone_from(&start.parent);
        self.status = Status::Running;
        self.point_at_start(at);
    }

    fn resumed(&mut self) {
        self.held = None;
        self.status = match (&self.rollback, &self.cancel) {
            (Some(_), _) => Status::RollingBack,
            (None, Some(_)) => Status::Cancelling,
            (None, None) => Status::Running,
        };
    }

    fn cancel_asked(&mut self, actor: &Actor, reason: Option<&str>) {
        self.cancel = Some(Cancel { actor: actor.clone(), reason: reason.map(str::to_owned), forced_at: None });
        self.held = None;
        self.status = Status::Cancelling;
    }

    fn force_asked(&mut self, at: Timestamp) {
        if let Some(cancel) = &mut self.cancel {
            cancel.forced_at = Some(at);
        }
    }

    // ---- work ------------------------------------------------------------------------------------------

    fn scheduled(&mut self, at: Timestamp, path: &StepPath, attempt: u32, delivery: u32) {
        self.change(path, |step| {
            step.status = StepStatus::Running;
            step.waiting = None;
            step.attempts = attempt;
            step.deliveries = delivery;
            step.began_at.get_or_insert(at);
        });
    }

    fn queued(&mut self, path: &StepPath) {
        self.change(path, |step| {
            step.status = StepStatus::Waiting;
            step.waiting = Some(Waiting::Turn);
        });
    }

    fn child_asked(&mut self, at: Timestamp, path: &StepPath, attempt: u32, child: &ExecutionId) {
        self.change(path, |step| {
            step.status = StepStatus::Running;
            step.waiting = None;
            step.attempts = attempt;
            step.child = Some(child.clone());
            step.began_at.get_or_insert(at);
        });
    }

    fn permit_asked(&mut self, at: Timestamp, path: Option<&StepPath>, resource: &Resource) {
        let Some(path) = path else {
            self.entry = Some((resource.clone(), at));
            return;
        };
        self.change(path, |step| {
            step.status = StepStatus::Waiting;
            step.waiting = Some(Waiting::Permit(resource.clone()));
            step.began_at.get_or_insert(at);
        });
    }

    fn attempt_failed(&mut self, path: &StepPath, failure: &Failure, retry_at: Timestamp) {
        self.change(path, |step| {
            // One that was refused before it began is an attempt too.
            step.attempts += u32::from(matches!(step.waiting, Some(Waiting::Permit(_))));
            step.status = StepStatus::Waiting;
            step.stopping = false;
            step.waiting = Some(Waiting::NextAttempt { at: retry_at, failure: failure.clone() });
            step.failure = Some(failure.clone());
        });
    }

    fn proposed(&mut self, path: &StepPath, outputs: &Map<Payload>) {
        self.change(path, |step| {
            step.status = StepStatus::Waiting;
            step.outputs = outputs.clone();
            step.failure = None;
        });
    }

    fn completed(&mut self, at: Timestamp, path: &StepPath, outputs: &Map<Payload>) {
        self.end(at, path, StepStatus::Completed, |step| {
            step.failure = None;
            if !outputs.is_empty() {
                step.outputs = outputs.clone();
            }
        });
    }

    fn failed(&mut self, at: Timestamp, path: &StepPath, failure: &Failure, outputs: &Map<Payload>) {
        self.end(at, path, StepStatus::Failed, |step| {
            step.failure = Some(failure.clone());
            step.outputs = outputs.clone();
        });
    }

    fn skipped(&mut self, at: Timestamp, path: &StepPath, reason: SkipReason, failure: Option<&Failure>) {
        let shape = Arc::clone(&self.shape);
        self.end(at, path, StepStatus::Skipped, |step| {
            step.reason = Some(reason);
            step.failure = failure.cloned();
            step.outputs = shape.step(step.index).null_outputs();
        });
    }

    // ---- people and time -------------------------------------------------------------------------------

    fn approval_asked(
        &mut self,
        at: Timestamp,
        path: &StepPath,
        message: &str,
        assignee: &str,
        until: Option<Timestamp>,
    ) {
        let shape = Arc::clone(&self.shape);
        self.change(path, |step| {
            step.status = StepStatus::Waiting;
            step.began_at.get_or_insert(at);
            let proposed = step.attempts > 0;
            if shape.step(step.index).is_approval {
                step.attempts = 1;
            }
            let (message, assignee) = (message.to_owned(), assignee.to_owned());
            step.waiting = Some(Waiting::Decision { message, assignee, until, escalated_to: None, proposed });
        });
    }

    fn escalated(&mut self, path: &StepPath, to: &str) {
        self.change(path, |step| match &mut step.waiting {
            Some(Waiting::Decision { escalated_to, .. }) => *escalated_to = Some(to.to_owned()),
            Some(Waiting::Answer { to: told, .. }) => to.clone_into(told),
            _ => {}
        });
    }

    fn form_asked(&mut self, at: Timestamp, path: &StepPath, message: &str, assignee: &str, until: Option<Timestamp>) {
        let (message, assignee) = (message.to_owned(), assignee.to_owned());
        self.waits(at, path, Waiting::Form { message, assignee, until });
    }

    fn is_held(&mut self, at: Timestamp, reason: &Failure) {
        self.held = Some(reason.clone());
        self.held_since = Some(at);
        self.status = Status::Held;
        self.stand_still(at, reason);
    }

    fn wait_began(
        &mut self,
        at: Timestamp,
        path: &StepPath,
        until: Option<Timestamp>,
        signal: Option<&str>,
        every_ms: Option<u64>,
    ) {
        if let (None, Some(every_ms)) = (signal, every_ms) {
            return self.waits(at, path, Waiting::Condition { until, every_ms });
        }
        match (signal, until) {
            (Some(name), until) => self.waits(at, path, Waiting::Signal { name: name.to_owned(), until }),
            (None, Some(until)) => self.waits(at, path, Waiting::Time { until }),
            (None, None) => self.strays += 1,
        }
    }

    fn waits(&mut self, at: Timestamp, path: &StepPath, waiting: Waiting) {
        self.change(path, |step| {
            step.status = StepStatus::Waiting;
            step.attempts = 1;
            step.began_at.get_or_insert(at);
            step.waiting = Some(waiting);
        });
    }

    // ---- structure -------------------------------------------------------------------------------------

    fn holds(&mut self, at: Timestamp, path: &StepPath, inside: Inside) {
        self.change(path, |step| {
            step.status = StepStatus::Running;
            step.attempts = 1;
            step.began_at.get_or_insert(at);
            step.inside = inside;
        });
    }

    fn case_taken(&mut self, at: Timestamp, path: &StepPath, case: Option<u32>) {
        self.holds(at, path, Inside::Case(case));
        let shape = Arc::clone(&self.shape);
        let Some((prefix, index)) = shape.split(path) else { return };
        let taken = shape.step(index).case_block(case);
        for block in shape.step(index).blocks.iter().filter(|block| Some(**block) != taken) {
            self.leave_block(prefix, *block);
        }
    }

    fn forked(&mut self, at: Timestamp, path: &StepPath) {
        let branches = self.shape.split(path).map_or(0, |(_, index)| self.shape.step(index).blocks.len());
        self.holds(at, path, Inside::Branches(vec![None; branches]));
    }

    fn branch_ended(&mut self, path: &StepPath, branch: u32, status: StepStatus) {
        self.change(path, |step| {
            if let Inside::Branches(branches) = &mut step.inside
                && let Some(ended) = branches.get_mut(branch as usize)
            {
                *ended = Some(status);
            }
        });
        let shape = Arc::clone(&self.shape);
        let Some((prefix, index)) = shape.split(path) else { return };
        if let Some(block) = shape.step(index).blocks.get(branch as usize) {
            self.leave_block(prefix, *block);
        }
    }

    fn loop_began(&mut self, at: Timestamp, path: &StepPath, total: Option<u32>) {
        self.holds(at, path, Inside::Rounds(Rounds { total, ..Rounds::default() }));
        let shape = Arc::clone(&self.shape);
        self.change(path, |step| {
            step.expected = u64::from(total.unwrap_or(0)) * shape.step(step.index).round_size;
        });
    }

    fn iteration_began(&mut self, at: Timestamp, path: &StepPath, index: u32) {
        let Some(of) = self.entries.get(path).filter(|step| step.rounds().is_some()).map(|step| step.index) else {
            self.strays += 1;
            return;
        };
        let shape = Arc::clone(&self.shape);
        let body = &shape.step(of).body;
        let members = self.open_steps(body, &format!("{path}[{index}]."));
        self.change(path, |step| {
            step.expected = step.expected.saturating_sub(shape.step(of).round_size);
            let Some(rounds) = step.rounds_mut() else { return };
            rounds.begun += 1;
            let steps = RoundSteps::Listed(members);
            rounds.list.insert(index, Round { status: None, began_at: at, ended_at: None, steps });
        });
    }

    fn iteration_ended(&mut self, at: Timestamp, path: &StepPath, index: u32, status: StepStatus) {
        let rounds = self.entries.get_mut(path).and_then(Step::rounds_mut);
        let Some((rounds, round)) = rounds.and_then(|rounds| {
            let round = rounds.list.get_mut(&index).filter(|round| round.status.is_none())?;
            Some(((&mut rounds.ended, &mut rounds.failed), round))
        }) else {
            self.strays += 1;
            return;
        };
        round.status = Some(status);
        round.ended_at = Some(at);
        *rounds.0 += 1;
        *rounds.1 += u32::from(status == StepStatus::Failed);
        self.close_round(path, index);
    }

    /// What was not reached in an ended round will not be; past the bound only its outputs stay.
    fn close_round(&mut self, path: &StepPath, index: u32) {
        let round = self.entries.get(path).and_then(Step::rounds).and_then(|rounds| rounds.list.get(&index));
        let Some(Round { steps: RoundSteps::Listed(members), .. }) = round else { return };
        let members = members.clone();
        for member in &members {
            self.leave(member);
        }
        if self.lists_round(index) {
            return;
        }
        let outputs: Map<Map<Payload>> =
            self.round_outputs(&members).map(|(id, outputs)| (id.to_owned(), outputs.clone())).collect();
        self.forget(&members);
        let rounds = self.entries.get_mut(path).and_then(Step::rounds_mut);
        if let Some(round) = rounds.and_then(|rounds| rounds.list.get_mut(&index)) {
            round.steps = RoundSteps::Collected(outputs);
        }
    }

    fn forget(&mut self, members: &[StepPath]) {
        for path in members {
            // A round ends when all in it has ended; should a journal differ, the counts stay right.
            self.change(path, |step| {
                if !step.status.is_final() {
                    step.status = StepStatus::Skipped;
                }
                step.expected = 0;
            });
            let Some(step) = self.entries.remove(path) else { continue };
            let Some(rounds) = step.rounds() else { continue };
            for (_, round) in rounds.iter() {
                if let RoundSteps::Listed(members) = &round.steps {
                    self.forget(members);
                }
            }
        }
    }

    // ---- the end ---------------------------------------------------------------------------------------

    /// The step is final.
    fn end(&mut self, at: Timestamp, path: &StepPath, status: StepStatus, also: impl FnOnce(&mut Step)) {
        self.change(path, |step| {
            step.status = status;
            step.waiting = None;
            step.stopping = false;
            step.expected = 0;
            step.ended_at = Some(at);
            also(step);
        });
        let shape = Arc::clone(&self.shape);
        let Some((prefix, index)) = shape.split(path) else { return };
        if !shape.step(index).is_loop {
            for block in &shape.step(index).blocks {
                self.leave_block(prefix, *block);
            }
        }
    }

    fn ended(&mut self, at: Timestamp, status: Status, outputs: &Map<Payload>, failure: Option<&Failure>) {
        self.status = status;
        self.ended_at = Some(at);
        self.outputs = outputs.clone();
        self.failure = failure.cloned();
        self.held = None;
        self.entry = None;
        let shape = Arc::clone(&self.shape);
        let open: Vec<StepPath> =
            self.entries.values().filter(|step| !step.status.is_final()).map(|step| step.path.clone()).collect();
        for path in open {
            self.change(&path, |step| close(step, &shape, at));
        }
    }

    // ---- entries ---------------------------------------------------------------------------------------

    /// Makes the pending entries of a round, or of the execution, in plan order.
    pub(crate) fn open_steps(&mut self, members: &[StepIndex], prefix: &str) -> Vec<StepPath> {
        let shape = Arc::clone(&self.shape);
        let mut paths = Vec::with_capacity(members.len());
        for index in members {
            let planned = shape.step(*index);
            let path: StepPath = format!("{prefix}{}", planned.id).into();
            let mut step = pending(path.clone(), *index, &shape);
            step.generation = self.generation;
            self.tally.listed += u64::from(planned.is_leaf());
            self.tally.expected += step.expected;
            self.entries.insert(path.clone(), step);
            paths.push(path);
        }
        paths
    }

    /// The flow has left a list: what it did not reach there it will not reach.
    fn leave_block(&mut self, prefix: &str, block: BlockIndex) {
        let shape = Arc::clone(&self.shape);
        for index in &shape.inside[block as usize] {
            let id = &shape.step(*index).id;
            if prefix.is_empty() {
                self.leave(id);
            } else {
                self.leave(&format!("{prefix}{id}"));
            }
        }
    }

    fn leave(&mut self, path: &str) {
        #[cfg(test)]
        self.count_look();
        if self.entries.get(path).is_none_or(|step| step.status != StepStatus::Pending) {
            return;
        }
        let shape = Arc::clone(&self.shape);
        self.change(path, |step| {
            step.out_of_reach = true;
            step.expected = 0;
            step.outputs = shape.step(step.index).null_outputs();
        });
    }

    #[cfg(test)]
    fn count_look(&mut self) {
        self.looks += 1;
    }

    /// Changes one step and everything that is counted about it.
    pub(crate) fn change(&mut self, path: &str, change: impl FnOnce(&mut Step)) {
        #[cfg(test)]
        self.count_look();
        let Some(step) = self.entries.get_mut(path) else {
            self.strays += 1;
            return;
        };
        let (share, expected, waited) = (Share::of(step), step.expected, step.waiting.is_some());
        change(step);
        match (waited, step.waiting.is_some()) {
            (false, true) => step.waiting_since = self.updated_at,
            (_, false) => step.waiting_since = None,
            (true, true) => {}
        }
        self.tally.expected = self.tally.expected - expected + step.expected;
        if self.shape.step(step.index).is_leaf() {
            self.tally.moved(share, Share::of(step));
        }
        match (step.ticket, matches!(Share::of(step), Share::Running | Share::Waiting)) {
            (None, true) => {
                self.tickets += 1;
                step.ticket = Some(self.tickets);
                self.active.insert(self.tickets, step.path.clone());
            }
            (Some(ticket), false) => {
                step.ticket = None;
                self.active.remove(&ticket);
            }
            (None, false) | (Some(_), true) => {}
        }
    }
}

fn pending(path: StepPath, index: StepIndex, shape: &Shape) -> Step {
    let planned = shape.step(index);
    Step {
        path,
        index,
        kind: planned.kind,
        status: StepStatus::Pending,
        attempts: 0,
        deliveries: 0,
        outputs: Map::new(),
        failure: None,
        reason: None,
        began_at: None,
        ended_at: None,
        waiting: None,
        stopping: false,
        inside: Inside::Nothing,
        generation: 1,
        child: None,
        out_of_reach: false,
        expected: planned.round_size,
        ticket: None,
        rollback: None,
        status_before_question: None,
        waiting_since: None,
    }
}

/// The execution has ended: what was not reached is skipped, what a forced end left is cancelled.
fn close(step: &mut Step, shape: &Shape, at: Timestamp) {
    match step.status {
        StepStatus::Pending => {
            step.status = StepStatus::Skipped;
            step.reason = Some(SkipReason::NotReached);
            step.outputs = shape.step(step.index).null_outputs();
        }
        StepStatus::Running | StepStatus::Waiting => {
            step.status = StepStatus::Cancelled;
            step.ended_at = Some(at);
            step.waiting = None;
            step.stopping = false;
            if let Some(rounds) = step.rounds_mut() {
                cancel_rounds(rounds, at);
            }
        }
        StepStatus::Unknown => {}
        StepStatus::Completed
        | StepStatus::Failed
        | StepStatus::Skipped
        | StepStatus::Cancelled
        | StepStatus::RolledBack => {}
    }
    step.expected = 0;
}

fn cancel_rounds(rounds: &mut Rounds, at: Timestamp) {
    for round in rounds.list.values_mut().filter(|round| round.status.is_none()) {
        round.status = Some(StepStatus::Cancelled);
        round.ended_at = Some(at);
        rounds.ended += 1;
    }
}
