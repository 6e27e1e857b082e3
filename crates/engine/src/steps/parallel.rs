//! Branches side by side, joined by all, any or a number.

use skep_model::event::{Event, Then};
use skep_model::ids::StepPath;
use skep_model::plan::{Join, Kind};
use skep_model::status::Step as StepStatus;

use crate::advance::FrameResult;
use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::{FrameId, InstanceId, Phase};

pub(crate) fn begin(turn: &mut Deciding<'_>, path: &StepPath) -> Result<(), Rejection> {
    turn.emit(Event::Forked { path: path.clone() })
}

/// How many branches ended how.
#[derive(Default)]
struct Tally {
    succeeded: usize,
    unsuccessful: usize,
    running: usize,
}

pub(crate) fn branch_done(
    turn: &mut Deciding<'_>,
    owner: InstanceId,
    frame: FrameId,
    branch: u32,
) -> Result<(), Rejection> {
    let status = turn.frame_result(frame).status();
    let path = turn.state.instance(owner).path.clone();
    turn.emit(Event::BranchEnded { path: path.clone(), branch, status })?;
    let frames = frames(turn, owner)?;
    let tally = tally(turn, &frames);
    let (needed, fail_fast) = needed(turn, owner, frames.len())?;
    let reached = tally.succeeded >= needed;
    let lost = tally.unsuccessful > frames.len() - needed;
    if tally.running == 0 {
        let result = if reached { FrameResult::Completed } else { first_failure(turn, &frames) };
        return turn.settle(owner, result);
    }
    if turn.state.instance(owner).stop.is_some() {
        return Ok(());
    }
    match first_failure(turn, &frames) {
        _ if reached => turn.stop(owner, Then::Completed),
        FrameResult::Failed(failure) if lost && fail_fast => turn.stop(owner, Then::Failed(failure)),
        FrameResult::Failed(_) | FrameResult::Completed | FrameResult::Cancelled => Ok(()),
    }
}

fn frames(turn: &Deciding<'_>, owner: InstanceId) -> Result<Vec<FrameId>, Rejection> {
    match &turn.state.instance(owner).phase {
        Phase::Forking { frames, .. } => Ok(frames.clone()),
        _ => Err(Rejection::Broken("a branch ended of a step that has none".to_owned())),
    }
}

fn tally(turn: &Deciding<'_>, frames: &[FrameId]) -> Tally {
    let mut tally = Tally::default();
    for frame in frames {
        match turn.state.frame(*frame).ended {
            Some(StepStatus::Completed) => tally.succeeded += 1,
            Some(_) => tally.unsuccessful += 1,
            None => tally.running += 1,
        }
    }
    tally
}

fn needed(turn: &Deciding<'_>, owner: InstanceId, branches: usize) -> Result<(usize, bool), Rejection> {
    let (step, _) = turn.step_of(owner);
    let Kind::Parallel { join, fail_fast, .. } = &step.kind else {
        return Err(Rejection::Broken(format!("step `{}` is no parallel", step.id)));
    };
    let needed = match join {
        Join::All => branches,
        Join::Any => 1,
        Join::Count(count) => (*count as usize).min(branches),
    };
    Ok((needed, *fail_fast))
}

fn first_failure(turn: &Deciding<'_>, frames: &[FrameId]) -> FrameResult {
    let failure = frames.iter().find_map(|frame| turn.state.frame(*frame).failure.clone());
    failure.map_or(FrameResult::Cancelled, FrameResult::Failed)
}
