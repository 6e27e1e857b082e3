//! One file per step kind: how it begins, and what the end of its parts means.

pub(crate) mod approval;
pub(crate) mod child;
pub(crate) mod form;
pub(crate) mod parallel;
pub(crate) mod results;
pub(crate) mod rounds;
pub(crate) mod switch;
pub(crate) mod wait;
pub(crate) mod work;

use skep_model::Map;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::ids::StepPath;
use skep_model::plan::{Kind, StepIndex};

use crate::codes;
use crate::decide::Deciding;
use crate::permits;
use crate::rejection::Rejection;
use crate::state::{FrameId, Phase};

/// Begins a step that may begin.
pub(crate) fn begin(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
) -> Result<(), Rejection> {
    if permits::ask(turn, frame, step, path)? {
        return Ok(());
    }
    // A pause between attempts keeps its place among the working ones.
    let known = turn.state.find(path).map(|id| turn.state.instance(id));
    let keeps_place = known.is_some_and(|known| matches!(known.phase, Phase::Retrying { .. }));
    match &turn.program.step(step).kind {
        Kind::Run { .. } | Kind::Uses { .. } => {
            if keeps_place || turn.takes_slot(path)? {
                work::begin(turn, frame, step, path)
            } else {
                Ok(())
            }
        }
        Kind::Workflow { .. } => child::begin(turn, frame, step, path),
        Kind::Approval(approval) => approval::begin(turn, frame, step, path, approval),
        Kind::Input(form) => form::begin(turn, frame, step, path, form),
        Kind::Wait(wait) => wait::begin(turn, frame, step, path, wait),
        Kind::Switch { .. } => switch::begin(turn, frame, step, path),
        Kind::Parallel { .. } => parallel::begin(turn, path),
        Kind::Foreach { .. } | Kind::While { .. } | Kind::Repeat { .. } => rounds::begin(turn, frame, step, path),
        Kind::Agent { .. } | Kind::Ai { .. } => not_built(turn, step, path),
    }
}

/// Such a plan is refused before its start; one that came here was made for another build.
fn not_built(turn: &mut Deciding<'_>, step: StepIndex, path: &StepPath) -> Result<(), Rejection> {
    let word = turn.program.step(step).kind.word();
    let message = format!("this build does not execute steps of kind `{word}`");
    turn.fail(path, Failure::new(FailureKind::Bug, codes::NOT_BUILT.id, message), Map::new())
}
