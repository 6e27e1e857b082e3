//! Rollback: somebody wants an execution undone. And what resume and cancel mean while effects are undone.

use std::collections::BTreeSet;

use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::limits;
use skep_model::rollback::{RollbackCause, Strategy};
use skep_model::status::Execution as Status;

use crate::decide::Deciding;
use crate::permits;
use crate::rejection::Rejection;
use crate::rollback::{Stage, run};
use crate::state::{InstanceId, State, Timer};
use crate::unknown;

/// Undoes what is over at once; what is not is stopped first, or may end what it does.
pub(super) fn handle(
    turn: &mut Deciding<'_>,
    actor: &Actor,
    reason: Option<&str>,
    strategy: Option<Strategy>,
    to: Option<u32>,
) -> Result<(), Rejection> {
    let status = turn.state.status;
    let undo = &turn.state.undo;
    match (status, undo.stage) {
        (Status::RolledBack, _) => return Err(Rejection::NothingToUndo(status)),
        (Status::Completed | Status::Failed | Status::Cancelled | Status::RollbackFailed, _) | (_, Stage::AtPoint) => {
            if undo.kept.is_empty() {
                return Err(Rejection::NothingToUndo(status));
            }
            let (strategy, target) = way(turn, strategy, to)?;
            return begin(turn, actor, reason, strategy, target);
        }
        (Status::Pending | Status::Running | Status::Paused | Status::Held, Stage::Idle) => {}
        (Status::Cancelling | Status::RollingBack, _) | (_, Stage::Busy | Stage::Over(_)) => {
            return Err(wrong(turn, "it is being ended or undone already"));
        }
    }
    if turn.state.ending.is_some() || turn.state.finally.is_some() {
        return Err(wrong(turn, "its end has begun; undo it when it is over"));
    }
    if turn.program.plan().rollback.is_none() && turn.state.undo.kept.is_empty() {
        return Err(Rejection::NothingToUndo(status));
    }
    let (strategy, target) = way(turn, strategy, to)?;
    stop_for(turn, actor, reason, strategy, target)
}

fn wrong(turn: &Deciding<'_>, message: &str) -> Rejection {
    Rejection::WrongState { status: turn.state.status, message: message.to_owned() }
}

/// How and how far, from what was asked and what the workflow says.
fn way(turn: &Deciding<'_>, strategy: Option<Strategy>, to: Option<u32>) -> Result<(Strategy, Option<u32>), Rejection> {
    let configured = run::strategy_of(turn);
    let strategy = strategy.unwrap_or(if to.is_some() { Strategy::Checkpoint } else { configured });
    match (strategy, to) {
        (Strategy::Checkpoint, Some(number)) if turn.state.undo.points.find(number).is_some() => {
            Ok((strategy, Some(number)))
        }
        (Strategy::Checkpoint, Some(number)) => {
            let known: Vec<u32> = turn.state.undo.points.made.iter().map(|point| point.number).collect();
            Err(Rejection::NoPoint { number: Some(number), known })
        }
        (Strategy::Checkpoint, None) => match run::latest_point(turn) {
            Some(target) => Ok((strategy, Some(target.point))),
            None => Err(Rejection::NoPoint { number: None, known: Vec::new() }),
        },
        (Strategy::Immediate | Strategy::Graceful | Strategy::Manual, None) => Ok((strategy, None)),
        (Strategy::Immediate | Strategy::Graceful | Strategy::Manual, Some(_)) => Err(wrong(
            turn,
            &format!("the strategy `{}` undoes everything; a point goes with `checkpoint`", strategy.as_str()),
        )),
    }
}

fn begin(
    turn: &mut Deciding<'_>,
    actor: &Actor,
    reason: Option<&str>,
    strategy: Strategy,
    to: Option<u32>,
) -> Result<(), Rejection> {
    let status = turn.state.status;
    // What failed was the rollback before this one, not the execution.
    let failure = turn.state.failure.clone().filter(|_| status != Status::RollbackFailed);
    let (actor, reason) = (Some(actor.clone()), reason.map(str::to_owned));
    turn.emit(Event::RollbackBegan { cause: RollbackCause::Asked, actor, reason, failure, strategy, to })
}

/// No step begins; what runs is stopped, or may end its work.
fn stop_for(
    turn: &mut Deciding<'_>,
    actor: &Actor,
    reason: Option<&str>,
    strategy: Strategy,
    to: Option<u32>,
) -> Result<(), Rejection> {
    let undelivered = turn.state.status == Status::Held && turn.state.undelivered;
    turn.gentle = strategy != Strategy::Immediate;
    let until = turn.gentle.then(|| turn.now.plus_ms(limits::ROLLBACK_GRACE_MS));
    let (actor_asked, reason) = (actor.clone(), reason.map(str::to_owned));
    turn.emit(Event::RollbackAsked { actor: actor_asked, reason, strategy, to, until })?;
    turn.mark_all();
    super::timer::stop_root(turn)?;
    if undelivered {
        super::recovered::deliver_again(turn)?;
    }
    unknown::release(turn, actor)
}

/// What ran when the rollback was asked for has had its time.
pub(super) fn grace_over(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    turn.emit(Event::GraceOver)?;
    let performing: Vec<InstanceId> = turn.state.performing.iter().collect();
    for id in performing {
        let (path, token) = (turn.state.instance(id).path.clone(), turn.token_of(id));
        turn.effects.push(skep_model::effect::Effect::Abort { path, token });
    }
    let children: Vec<InstanceId> = turn.state.children.iter().collect();
    children.into_iter().try_for_each(|id| turn.ask_child(id))
}

/// A person lets an execution go on from the point to which it was undone.
pub(super) fn go_back(turn: &mut Deciding<'_>, actor: &Actor) -> Result<(), Rejection> {
    let Some(target) = turn.state.undo.target else {
        return Err(Rejection::Broken("it stands at no point".to_owned()));
    };
    let point = turn.state.undo.points.find(target.point);
    let past = point.map(|point| std::sync::Arc::clone(&point.past));
    let past = past.ok_or_else(|| Rejection::Broken(format!("rollback point {} is gone", target.point)))?;
    let (again, after_the_end) = (begun_since(turn.state, &past), turn.state.undo.again);
    let generation = turn.state.generation() + 1;
    turn.emit(Event::Returned { actor: actor.clone(), number: target.point, generation, again })?;
    if after_the_end {
        permits::ask_entry(turn)?;
    }
    super::resume::go_on(turn)
}

/// Steps that were not over at the point, in a stable order.
fn begun_since(present: &State, past: &State) -> Vec<StepPath> {
    let over: BTreeSet<&StepPath> =
        past.instances.iter().filter(|instance| instance.status.is_final()).map(|instance| &instance.path).collect();
    let mut again: Vec<StepPath> =
        present.instances.iter().map(|instance| &instance.path).filter(|path| !over.contains(path)).cloned().collect();
    again.sort();
    again
}

/// Cancel while the stack is worked through: the compensation that runs ends, then the execution is held. A second
/// one while it is held leaves the rest as it is.
pub(super) fn stop(turn: &mut Deciding<'_>, actor: &Actor, reason: Option<&str>) -> Result<(), Rejection> {
    let (held, begun) = (turn.state.status == Status::Held, turn.state.undo.is_busy());
    if turn.state.undo.stopped.is_some() {
        return if held && begun { run::give_up(turn) } else { Ok(()) };
    }
    turn.emit(Event::RollbackStopAsked { actor: actor.clone(), reason: reason.map(str::to_owned) })?;
    match (held, begun) {
        (true, true) if !turn.state.undelivered => run::hold_stopped(turn),
        // What runs has to end before the rollback can begin, and be stopped.
        (true, false) => super::resume::handle(turn, actor),
        (true, true) | (false, _) => Ok(()),
    }
}

/// Cancel while `finally` runs after a rollback: what is left of it gets the grace period.
pub(super) fn force(turn: &mut Deciding<'_>, actor: &Actor) -> Result<(), Rejection> {
    if turn.state.timers.iter().any(|(_, timer)| *timer == Timer::Force) {
        return Ok(());
    }
    let at = turn.now.plus_ms(limits::CANCEL_GRACE_MS);
    turn.emit(Event::ForceAsked { actor: actor.clone(), at })
}
