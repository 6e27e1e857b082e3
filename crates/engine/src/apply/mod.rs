//! `apply`: the only thing that changes state. Costs what the event changes, not what the state holds.
//!
//! Total: an event that does not fit the state (a journal written by another version, a bug) changes
//! nothing and is reported by the caller through [`Misfit`].

mod frames;
mod people;
mod permits;
mod points;
mod rerun;
mod rollback;
mod structure;
mod work;

use rollback::Asked;
pub(crate) use rollback::is_beside;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use skep_model::Map;
use skep_model::error::Failure;
use skep_model::event::{Event, Then, Turn};
use skep_model::ids::StepPath;
use skep_model::limits;
use skep_model::message::Start;
use skep_model::payload::Payload;
use skep_model::plan::{BlockIndex, Kind, Order, Plan, StepIndex};
use skep_model::status::{Execution as Status, SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use crate::program::Program;
use crate::results::Results;
use crate::rollback::{AskedBy, Kept, Stage};
use crate::state::{
    Ending, Entry, Frame, FrameId, Instance, InstanceId, KeptSignal, KnownToken, Looping, Phase, Role, RoundResult,
    State, Timer,
};

/// How many failures `errors` keeps.
const ERRORS_KEPT_MAX: usize = 100;

/// An event that does not fit the state or the plan.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the event does not fit: {0}")]
pub struct Misfit(pub String);

/// Folds one turn into the state.
///
/// # Errors
/// [`Misfit`] if the turn is out of order or names what the plan does not have; the state is then not to be used.
pub fn apply_turn(state: &mut State, program: &Program, turn: &Turn) -> Result<(), Misfit> {
    if turn.seq != state.seq + 1 {
        return Err(Misfit(format!("turn {} follows turn {}", turn.seq, state.seq)));
    }
    for event in &turn.events {
        apply(state, program, event, turn.at)?;
    }
    state.seq = turn.seq;
    state.at = turn.at;
    Ok(())
}

/// Folds one event into the state.
///
/// # Errors
/// See [`apply_turn`].
pub(crate) fn apply(state: &mut State, program: &Program, event: &Event, at: Timestamp) -> Result<(), Misfit> {
    if state.start.is_none() && !matches!(event, Event::Started(_)) {
        return Err(Misfit("the execution has not started".to_owned()));
    }
    let mut fold = Fold { state, program, at };
    match event {
        Event::Started(start) => fold.started(start),
        Event::Scheduled { path, attempt, delivery, arguments } => {
            fold.scheduled(path, *attempt, *delivery, arguments.as_ref())
        }
        Event::Redelivered { path, delivery } => fold.redelivered(path, *delivery),
        Event::AttemptFailed { path, failure, retry_at } => fold.attempt_failed(path, failure, *retry_at),
        Event::Proposed { path, outputs } => fold.proposed(path, outputs),
        Event::Completed { path, outputs } => fold.completed(path, outputs),
        Event::Failed { path, failure, outputs, handled } => fold.failed(path, failure, outputs, *handled),
        // What follows from it stands in events of its own.
        Event::Judged(_) => Ok(()),
        Event::Skipped { path, reason, failure } => fold.skipped(path, *reason, failure.as_ref()),
        Event::StopAsked { path, then } => fold.stop_asked(path, then),
        Event::Cancelled { path } => fold.end(path, StepStatus::Cancelled).map(drop),
        Event::CaseTaken { path, case } => fold.case_taken(path, *case),
        Event::Forked { path } => fold.forked(path),
        Event::BranchEnded { path, branch, status } => fold.branch_ended(path, *branch, *status),
        Event::LoopBegan { path, items, count } => fold.loop_began(path, items.as_ref(), *count),
        Event::IterationBegan { path, index } => fold.iteration_began(path, *index),
        Event::IterationEnded { path, index, status } => fold.iteration_ended(path, *index, *status),
        Event::ApprovalAsked { path, until, escalations, .. } => fold.approval_asked(path, *until, escalations),
        Event::Escalated { path, .. } => fold.escalated(path),
        Event::Decided { path, approved, actor, comment } => fold.decided(path, *approved, actor, comment.as_deref()),
        Event::FormAsked { path, until, .. } => fold.wait(path, Phase::Filling { until: *until }),
        Event::FormFilled { .. } => Ok(()),
        Event::WaitBegan { path, until, signal, every_ms } => {
            fold.wait_began(path, *until, signal.as_deref(), *every_ms)
        }
        Event::SignalKept { name, payload, actor } => fold.signal_kept(name, payload, actor.label()),
        Event::SignalTaken { name, kept, .. } => fold.signal_taken(name, *kept),
        Event::Paused { .. } => fold.become_(Status::Paused),
        Event::Resumed { .. } => fold.resumed(),
        Event::CancelAsked { .. } => fold.cancel_asked(),
        Event::ForceAsked { at, .. } => fold.force_asked(*at),
        Event::TimedOut => fold.timed_out(),
        Event::Held { reason } => fold.held(reason),
        Event::FinallyBegan { status } => fold.finally_began(*status),
        Event::Ended { status, failure, .. } => fold.ended(*status, failure.as_ref()),
        Event::UndoKept { path, .. } => fold.undo_kept(path, Kept::of(event)),
        Event::CompensationAsked { path, .. } => fold.compensation_asked(path, Kept::of(event)),
        Event::RollbackBegan { cause, failure, strategy, to, .. } => {
            fold.rollback_began(*cause, failure.as_ref(), (*strategy, *to))
        }
        Event::RollbackAsked { actor, reason, strategy, to, until } => {
            let by = AskedBy { actor: actor.clone(), reason: reason.clone() };
            fold.rollback_asked(by, (*strategy, *to), *until)
        }
        Event::GraceOver => fold.grace_over(),
        Event::PointMade { number, .. } => fold.point_made(*number),
        Event::Returned { number, generation, .. } => fold.returned(*number, *generation),
        Event::UndoFailed { path, failure } => fold.undo_failed(path, failure),
        Event::RolledBack { path, .. } => fold.rolled_back(path),
        Event::UndoConfirmed { path } => fold.undo_confirmed(path),
        Event::UndoDropped { path } => fold.undo_dropped(path),
        Event::RollbackStopAsked { actor, .. } => fold.rollback_stop_asked(actor.label()),
        Event::RollbackEnded { status, failure } => fold.rollback_ended(*status, failure.as_ref()),
        Event::Doubted { path, failure } => fold.doubted(path, failure.as_ref()),
        Event::QuestionAsked { path, about, to, failure, suggestion, until, escalations } => {
            let asked = Asked { to, suggestion: *suggestion, until: *until, escalations };
            fold.question_asked(path, *about, failure.as_ref(), asked)
        }
        Event::Answered { path, approved, .. } => fold.question_answered(path, *approved),
        Event::Queued { path } => fold.queued(path),
        Event::ChildAsked { path, attempt, child, inputs } => fold.child_asked(path, *attempt, child, inputs.as_ref()),
        Event::Rerun { generation, inputs, kept, .. } => fold.rerun(*generation, inputs, kept),
        Event::PermitAsked { path, resource } => fold.permit_asked(path.as_ref(), resource),
        Event::PermitGranted { path, .. } => fold.permit_granted(path.as_ref()),
    }
}

struct Fold<'a> {
    state: &'a mut State,
    program: &'a Program,
    at: Timestamp,
}

impl Fold<'_> {
    fn started(&mut self, start: &Start) -> Result<(), Misfit> {
        if self.state.start.is_some() {
            return Err(Misfit("the execution has started already".to_owned()));
        }
        self.state.start = Some(Arc::new(start.clone()));
        self.state.started_at = self.at;
        self.state.status = Status::Running;
        let plan = self.program.plan();
        if let Some(timeout_ms) = plan.timeout_ms {
            self.state.timers.insert((self.at.plus_ms(timeout_ms), Timer::Execution));
        }
        self.state.root = Some(self.open_frame(plan.root, Role::Root, None, None));
        self.point_at_start();
        Ok(())
    }

    fn become_(&mut self, status: Status) -> Result<(), Misfit> {
        self.state.status = status;
        Ok(())
    }

    fn resumed(&mut self) -> Result<(), Misfit> {
        self.state.held = None;
        self.state.undelivered = false;
        self.state.undo.stopped = None;
        self.state.lost_deliveries = 0;
        if self.state.undo.stage != Stage::Idle {
            return self.become_(Status::RollingBack);
        }
        self.become_(if matches!(self.state.ending, Some(Ending::Cancelled(_))) {
            Status::Cancelling
        } else {
            Status::Running
        })
    }

    fn cancel_asked(&mut self) -> Result<(), Misfit> {
        self.state.ending = Some(Ending::Cancelled(self.at));
        self.state.held = None;
        self.state.undelivered = false;
        self.stop_root();
        self.become_(Status::Cancelling)
    }

    fn force_asked(&mut self, at: Timestamp) -> Result<(), Misfit> {
        self.state.timers.insert((at, Timer::Force));
        Ok(())
    }

    fn timed_out(&mut self) -> Result<(), Misfit> {
        self.state.ending.get_or_insert(Ending::TimedOut);
        self.state.timers.retain(|(_, timer)| *timer != Timer::Execution);
        self.stop_root();
        Ok(())
    }

    fn stop_root(&mut self) {
        if let Some(root) = self.state.root {
            self.state.frames.get_mut(root).stopping = true;
        }
    }

    fn held(&mut self, reason: &Failure) -> Result<(), Misfit> {
        self.state.undelivered |= reason.code == crate::codes::LOST_DELIVERIES.id;
        if reason.code == crate::codes::AT_POINT.id {
            self.state.undo.stage = Stage::AtPoint;
        }
        self.state.held = Some(reason.clone());
        self.become_(Status::Held)
    }

    fn finally_began(&mut self, status: Status) -> Result<(), Misfit> {
        let block = self.program.plan().finally.ok_or_else(|| Misfit("the plan has no `finally`".to_owned()))?;
        self.state.tentative = Some(status);
        self.state.timers.retain(|(_, timer)| *timer != Timer::Execution);
        if let Some(root) = self.state.root {
            self.state.frames.get_mut(root).ended = Some(StepStatus::Completed);
        }
        self.state.finally = Some(self.open_frame(block, Role::Finally, None, None));
        Ok(())
    }

    fn ended(&mut self, status: Status, failure: Option<&Failure>) -> Result<(), Misfit> {
        self.state.timers.clear();
        self.state.question_timers.clear();
        self.state.performing.clear();
        self.state.asking.clear();
        self.state.working.clear();
        self.state.children.clear();
        self.state.queued.clear();
        self.state.entry = Entry::Open;
        self.state.failure = failure.cloned();
        self.become_(status)
    }

    fn signal_kept(&mut self, name: &str, payload: &Payload, by: String) -> Result<(), Misfit> {
        self.note_payload(payload);
        if skep_model::mutant!("signal-forgotten") {
            return Ok(());
        }
        Arc::make_mut(&mut self.state.signals).push_back(KeptSignal {
            name: name.to_owned(),
            payload: payload.clone(),
            by,
        });
        Ok(())
    }

    fn signal_taken(&mut self, name: &str, kept: bool) -> Result<(), Misfit> {
        if kept && let Some(at) = self.state.signals.iter().position(|signal| signal.name == name) {
            Arc::make_mut(&mut self.state.signals).remove(at);
        }
        Ok(())
    }
}

/// The frames that a phase keeps.
pub(crate) fn child_frames(phase: &Phase) -> Vec<FrameId> {
    match phase {
        Phase::Choosing { frame } => frame.iter().copied().collect(),
        Phase::Forking { frames, .. } => frames.clone(),
        Phase::Looping(looping) => looping.running.values().copied().collect(),
        Phase::Questioned(question) => child_frames(&question.inside),
        Phase::Doubtful { .. }
        | Phase::Over
        | Phase::Ready
        | Phase::Performing
        | Phase::Retrying { .. }
        | Phase::Deciding { .. }
        | Phase::Filling { .. }
        | Phase::Sleeping { .. }
        | Phase::Listening { .. }
        | Phase::Asking { .. }
        | Phase::Queued { .. }
        | Phase::Child { .. }
        | Phase::AwaitingPermit { .. } => Vec::new(),
    }
}

fn phase_timer(phase: &Phase) -> Option<Timestamp> {
    match phase {
        Phase::Retrying { at } | Phase::Sleeping { until: at } => Some(*at),
        Phase::Deciding { until, escalations, .. } => {
            let next = escalations.front().map(|(at, _)| *at);
            [*until, next].into_iter().flatten().min()
        }
        Phase::Filling { until } | Phase::Listening { until, .. } => *until,
        Phase::Asking { until, .. } | Phase::Child { until, .. } => *until,
        Phase::Questioned(question) => {
            let next = question.escalations.front().map(|(at, _)| *at);
            [question.until, next].into_iter().flatten().min()
        }
        Phase::Doubtful { .. }
        | Phase::Over
        | Phase::Queued { .. }
        | Phase::Ready
        | Phase::Performing
        | Phase::AwaitingPermit { .. }
        | Phase::Choosing { .. }
        | Phase::Forking { .. }
        | Phase::Looping(_) => None,
    }
}

fn missing_dependencies(plan: &Plan, block: BlockIndex) -> Vec<u32> {
    let block = &plan.blocks[block as usize];
    match block.order {
        Order::Sequence => Vec::new(),
        Order::Graph => {
            // What runs only as a compensation is passed by, so nothing waits for it.
            let awaited = |step: &&StepIndex| !plan.steps[**step as usize].compensation_only;
            let count = |step: &StepIndex| plan.steps[*step as usize].depends_on.iter().filter(awaited).count() as u32;
            block.steps.iter().map(count).collect()
        }
    }
}

const _: () = assert!(limits::ITERATIONS_MAX < u32::MAX, "iteration indices are counted in 32 bits");
