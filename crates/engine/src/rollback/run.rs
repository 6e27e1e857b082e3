//! The way through the stack: one compensation at a time, from the top.

use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::OnCancel;
use skep_model::rollback::{Part, RollbackCause, Strategy};
use skep_model::status::Execution as Status;

use crate::codes;
use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::rollback::{Kept, Stage, Target};
use crate::state::{Ending, Phase, State};
use crate::unknown;

/// Why the execution is to be undone now that its main list has ended as `status`, if it is.
pub(crate) fn cause(turn: &Deciding<'_>, status: Status) -> Option<RollbackCause> {
    let undo = &turn.state.undo;
    let plan = turn.program.plan();
    if undo.stage != Stage::Idle {
        return None;
    }
    match turn.state.ending {
        Some(Ending::Asked) => Some(RollbackCause::Asked),
        Some(_) | None if undo.kept.is_empty() && undo.first.is_none() => None,
        Some(Ending::Compensating) => Some(RollbackCause::Compensate),
        Some(Ending::Cancelled(_)) => (plan.on_cancel == OnCancel::Rollback).then_some(RollbackCause::Cancel),
        Some(Ending::TimedOut) | None => {
            (status == Status::Failed && !plan.keeps_effects).then_some(RollbackCause::Failure)
        }
    }
}

/// Begins the rollback for which everything was stopped, or that a failure or a cancel brings.
pub(crate) fn begin(turn: &mut Deciding<'_>, cause: RollbackCause, failure: Option<Failure>) -> Result<(), Rejection> {
    let (strategy, to, by) = match (cause, &turn.state.undo.asked_by) {
        (RollbackCause::Asked, by) => {
            (turn.state.undo.strategy, turn.state.undo.target.map(|target| target.point), by.clone())
        }
        (RollbackCause::Failure | RollbackCause::Compensate | RollbackCause::Cancel, _) => {
            let (strategy, to) = configured(turn, cause);
            (strategy, to, None)
        }
    };
    let (actor, reason) = by.map(|by| (Some(by.actor), by.reason)).unwrap_or_default();
    turn.emit(Event::RollbackBegan { cause, actor, reason, failure, strategy, to })
}

/// How it is undone where nobody says how: as was chosen at its start, else as its definition says.
pub(crate) fn strategy_of(turn: &Deciding<'_>) -> Strategy {
    let chosen = turn.state.start.as_ref().and_then(|start| start.choices.strategy);
    let written = || turn.program.plan().rollback.as_ref().map(|settings| settings.strategy);
    chosen.or_else(written).unwrap_or(Strategy::Graceful)
}

/// How the workflow wants a rollback that nobody asked for. A saga or a cancel undoes everything.
fn configured(turn: &Deciding<'_>, cause: RollbackCause) -> (Strategy, Option<u32>) {
    let strategy = strategy_of(turn);
    match (strategy, cause) {
        (Strategy::Checkpoint, RollbackCause::Failure) => match latest_point(turn) {
            Some(target) => (strategy, Some(target.point)),
            None => (Strategy::Graceful, None),
        },
        (Strategy::Checkpoint, _) => (Strategy::Graceful, None),
        (Strategy::Immediate | Strategy::Graceful | Strategy::Manual, _) => (strategy, None),
    }
}

/// The newest point that something came after which can be undone.
pub(crate) fn latest_point(turn: &Deciding<'_>) -> Option<Target> {
    let undo = &turn.state.undo;
    let point = undo.points.latest_below(undo.kept.len());
    point.map(|point| Target { point: point.number, depth: point.depth })
}

/// Begins what is next, if a rollback is under way and nothing of it runs. True if the flow has to be looked at.
pub(crate) fn advance(turn: &mut Deciding<'_>) -> Result<bool, Rejection> {
    let undo = &turn.state.undo;
    if turn.state.status != Status::RollingBack || !undo.is_busy() || undo.asked || runs(turn.state) {
        return Ok(false);
    }
    if undo.stopped.is_some() {
        hold_stopped(turn)?;
        return Ok(true);
    }
    match undo.next_kept().cloned() {
        None => nothing_left(turn)?,
        Some(kept) if undo.strategy == Strategy::Manual => hold_manual(turn, &kept)?,
        Some(kept) => next(turn, &kept)?,
    }
    Ok(true)
}

/// Everything that can be undone is.
pub(crate) fn nothing_left(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    let undo = &turn.state.undo;
    if let Some(failure) = undo.failed().cloned() {
        let left = undo.kept.len();
        let hint = format!(
            "{left} of its effects are left; `skep rollback status EXECUTION` shows which, and `skep rollback EXECUTION` tries them again"
        );
        return finish(turn, Status::RollbackFailed, Some(failure.with_hint(hint)));
    }
    match undo.target {
        Some(target) => hold_at_point(turn, target),
        None => finish(turn, Status::RolledBack, None),
    }
}

fn hold_at_point(turn: &mut Deciding<'_>, target: Target) -> Result<(), Rejection> {
    let message = format!("everything that came after rollback point {} is undone", target.point);
    let reason = Failure::new(FailureKind::Rejected, codes::AT_POINT.id, message).with_hint(
        "`skep resume EXECUTION` goes on from there, `skep rollback EXECUTION` undoes the rest, `skep cancel EXECUTION` ends it",
    );
    turn.emit(Event::Held { reason })
}

/// A person undoes what is next, and says so.
pub(crate) fn hold_manual(turn: &mut Deciding<'_>, kept: &Kept) -> Result<(), Rejection> {
    let undo = &turn.state.undo;
    let left = undo.kept.len() - undo.target.map_or(0, |target| target.depth);
    let message = format!("a person undoes it by hand; {left} steps are left, `{}` is next", kept.path);
    let reason = Failure::new(FailureKind::Rejected, codes::MANUAL_ROLLBACK.id, message).at_step(&kept.path).with_hint(
        "`skep rollback plan EXECUTION` shows what to do, `skep rollback done EXECUTION` says that the next step is undone",
    );
    turn.emit(Event::Held { reason })
}

/// Something of the entry on top is performed, or waits for its next attempt.
fn runs(state: &State) -> bool {
    let Some(kept) = state.undo.next_kept() else { return false };
    [Part::Step, Part::Verify, Part::Rollback, Part::RollbackVerify].into_iter().any(|part| {
        let found = state.find(&part.of(&kept.path)).map(|id| state.instance(id));
        found.is_some_and(|instance| match instance.phase {
            Phase::Performing | Phase::Retrying { .. } => true,
            Phase::Over
            | Phase::Ready
            | Phase::Deciding { .. }
            | Phase::Filling { .. }
            | Phase::Sleeping { .. }
            | Phase::Listening { .. }
            | Phase::Choosing { .. }
            | Phase::Forking { .. }
            | Phase::Looping(_)
            | Phase::Doubtful { .. }
            | Phase::Questioned(_)
            | Phase::Asking { .. }
            | Phase::Queued { .. }
            | Phase::Child { .. }
            | Phase::AwaitingPermit { .. } => false,
        })
    })
}

fn next(turn: &mut Deciding<'_>, kept: &Kept) -> Result<(), Rejection> {
    match (kept.unsure, &kept.verify, &kept.problem) {
        (true, Some(_), _) => schedule(turn, &kept.path, Part::Verify),
        (true, None, _) => unknown::ask_whether_done(turn, &kept.path, None),
        (false, _, Some(problem)) => fail(turn, &kept.path, &problem.clone()),
        (false, _, None) => {
            schedule(turn, &kept.path, if runs_first(turn, kept) { Part::Step } else { Part::Rollback })
        }
    }
}

/// The entry is no compensation but the step that `on_error: compensate` names.
fn runs_first(turn: &Deciding<'_>, kept: &Kept) -> bool {
    turn.program.split_path(&kept.path).is_some_and(|(_, step)| turn.program.step(step).compensation_only)
}

/// Performs a part of the entry on top, with the arguments that the stack has for it.
pub(crate) fn schedule(turn: &mut Deciding<'_>, step: &StepPath, part: Part) -> Result<(), Rejection> {
    let path = part.of(step);
    let before = match (turn.state.find(&path), part) {
        (Some(id), _) => turn.state.instance(id).delivery,
        (None, Part::Verify) => turn.state.undo.next_kept().map_or(0, |kept| kept.verify_deliveries),
        (None, Part::Step | Part::Rollback | Part::RollbackVerify) => 0,
    };
    turn.emit(Event::Scheduled { path: path.clone(), attempt: 1, delivery: before + 1, arguments: None })?;
    let id = turn.state.find(&path).ok_or_else(|| Rejection::Broken(format!("`{path}` was not scheduled")))?;
    turn.perform(id)
}

/// Something of the entry that is next failed for good: what it came after is not undone either.
pub(crate) fn fail(turn: &mut Deciding<'_>, step: &StepPath, failure: &Failure) -> Result<(), Rejection> {
    let before = turn.state.undo.origin.as_ref().map(|origin| format!("; undone because: {}", origin.message));
    let message = format!("undoing `{step}` failed: {}{}", failure.message, before.unwrap_or_default());
    let mut failed = Failure::new(failure.kind, codes::COMPENSATION_FAILED.id, message);
    (failed.exit_code, failed.http_status) = (failure.exit_code, failure.http_status);
    turn.emit(Event::UndoFailed { path: step.clone(), failure: failed.at_step(step) })?;
    let to = turn.program.plan().rollback.as_ref().map(|rollback| rollback.escalation_target.clone());
    turn.emit(Event::Escalated { path: step.clone(), to: to.unwrap_or_default() })
}

/// The rollback is over: `finally`, then the end.
pub(crate) fn finish(turn: &mut Deciding<'_>, status: Status, failure: Option<Failure>) -> Result<(), Rejection> {
    turn.emit(Event::RollbackEnded { status, failure })?;
    let clean_up = turn.program.plan().finally.is_some() && turn.state.finally.is_none() && !turn.state.undo.again;
    if clean_up { turn.emit(Event::FinallyBegan { status }) } else { turn.end() }
}

/// Nothing of the rollback runs any more and a person wants it to stand still.
pub(crate) fn hold_stopped(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    let (by, left) = (turn.state.undo.stopped.clone().unwrap_or_default(), turn.state.undo.kept.len());
    let message = format!("the rollback was stopped by {by}; {left} steps are not undone yet");
    let reason = Failure::new(FailureKind::Rejected, codes::ROLLBACK_STOPPED.id, message)
        .with_hint("`skep resume EXECUTION` goes on undoing, `skep cancel EXECUTION` ends it as rollback_failed");
    turn.emit(Event::Held { reason })
}

/// A person does not want the rest to be undone.
pub(crate) fn give_up(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    let performing: Vec<StepPath> =
        turn.state.performing.iter().map(|id| turn.state.instance(id).path.clone()).collect();
    for path in performing {
        turn.emit(Event::Cancelled { path })?;
    }
    let by = turn.state.undo.stopped.clone().unwrap_or_default();
    let paths: Vec<&str> = turn.state.undo.kept.iter().rev().take(3).map(|kept| &*kept.path).collect();
    let message = format!("the rollback was ended by {by} before all was undone; left: {}", paths.join(", "));
    let failure = Failure::new(FailureKind::Rejected, codes::ROLLBACK_STOPPED.id, message);
    finish(turn, Status::RollbackFailed, Some(failure))
}
