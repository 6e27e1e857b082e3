//! Loops: `foreach`, `while`, `repeat`. Only running rounds are in the state.

use serde_json::Value;
use skep_model::Map;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::{Event, Then};
use skep_model::ids::StepPath;
use skep_model::plan::{Kind, StepIndex};

use crate::advance::FrameResult;
use crate::codes;
use crate::decide::Deciding;
use crate::program::KindProgram;
use crate::rejection::Rejection;
use crate::state::{FrameId, InstanceId, Looping, Phase};

/// What comes after the rounds so far.
enum Next {
    Round,
    End,
    Fail(Failure),
}

pub(crate) fn begin(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
) -> Result<(), Rejection> {
    match &turn.program.step_program(step).kind {
        KindProgram::Foreach { items } => {
            let items = turn.value(frame, items, &format_args!("`foreach` of step `{path}`"))?;
            begin_foreach(turn, step, path, items)
        }
        KindProgram::While { .. } => begin_while(turn, frame, step, path),
        KindProgram::Repeat { times, .. } => {
            let times = times.as_ref().map(|times| turn.value(frame, times, &format_args!("`times` of step `{path}`")));
            begin_repeat(turn, step, path, times.transpose()?)
        }
        KindProgram::Run { .. }
        | KindProgram::Uses { .. }
        | KindProgram::Approval(_)
        | KindProgram::Input { .. }
        | KindProgram::Wait(_)
        | KindProgram::Switch { .. }
        | KindProgram::WaitCondition(_)
        | KindProgram::Workflow { .. }
        | KindProgram::Plain => Err(Rejection::Broken(format!("`{path}` is no loop"))),
    }
}

fn begin_foreach(
    turn: &mut Deciding<'_>,
    step: StepIndex,
    path: &StepPath,
    items: Result<Value, Failure>,
) -> Result<(), Rejection> {
    let count = match items.as_ref().map(Value::as_array) {
        Ok(Some(list)) => list.len(),
        Ok(None) => return turn.fail(path, not_a_list(path), Map::new()),
        Err(failure) => return turn.fail(path, failure.clone(), Map::new()),
    };
    let limit = max_rounds(turn, step);
    if count > limit as usize {
        let failure = too_many(path, limit, &format!("its list has {count} items"));
        return turn.fail(path, failure, Map::new());
    }
    let items = items.ok().map(|items| turn.store(items));
    let count = u32::try_from(count).ok();
    turn.emit(Event::LoopBegan { path: path.clone(), items, count })?;
    go_on(turn, path, Next::Round)
}

fn begin_while(turn: &mut Deciding<'_>, frame: FrameId, step: StepIndex, path: &StepPath) -> Result<(), Rejection> {
    turn.emit(Event::LoopBegan { path: path.clone(), items: None, count: None })?;
    let next = ask(turn, frame, step, path, 0)?;
    go_on(turn, path, next)
}

fn begin_repeat(
    turn: &mut Deciding<'_>,
    step: StepIndex,
    path: &StepPath,
    times: Option<Result<Value, Failure>>,
) -> Result<(), Rejection> {
    let limit = max_rounds(turn, step);
    let count = match times {
        None => None,
        Some(Err(failure)) => return turn.fail(path, failure, Map::new()),
        Some(Ok(value)) => match value.as_u64() {
            Some(count) if count <= u64::from(limit) => Some(count as u32),
            Some(count) => return turn.fail(path, too_many(path, limit, &format!("`times` is {count}")), Map::new()),
            None => return turn.fail(path, not_a_count(path, &value), Map::new()),
        },
    };
    turn.emit(Event::LoopBegan { path: path.clone(), items: None, count })?;
    go_on(turn, path, if count == Some(0) { Next::End } else { Next::Round })
}

/// A round has ended: collect it, then begin more, stop the others, or end the loop.
pub(crate) fn round_done(
    turn: &mut Deciding<'_>,
    owner: InstanceId,
    frame: FrameId,
    index: u32,
) -> Result<(), Rejection> {
    let result = turn.frame_result(frame);
    let instance = turn.state.instance(owner);
    let (path, step, stopped) = (instance.path.clone(), instance.step, instance.stop.is_some());
    // Asked while the round's steps can still be seen.
    let next = match &result {
        FrameResult::Completed if !stopped => ask(turn, frame, step, &path, index + 1)?,
        FrameResult::Completed | FrameResult::Failed(_) | FrameResult::Cancelled => Next::End,
    };
    turn.emit(Event::IterationEnded { path: path.clone(), index, status: result.status() })?;
    let looping = looping(turn, owner)?;
    let running = looping.running.len();
    let failure = looping.failure.clone();
    if stopped {
        return if running == 0 { turn.settle(owner, FrameResult::Cancelled) } else { Ok(()) };
    }
    match failure {
        Some(failure) if fails_fast(turn, step) && running > 0 => turn.stop(owner, Then::Failed(failure)),
        Some(failure) if fails_fast(turn, step) => turn.fail(&path, failure, Map::new()),
        Some(_) | None => go_on(turn, &path, next),
    }
}

/// Begins rounds up to the bound, or ends the loop when there are no more and none runs.
fn go_on(turn: &mut Deciding<'_>, path: &StepPath, next: Next) -> Result<(), Rejection> {
    let id = turn.state.find(path).ok_or_else(|| Rejection::Broken(format!("`{path}` did not begin")))?;
    if let Next::Fail(failure) = next {
        return turn.fail(path, failure, Map::new());
    }
    let step = turn.state.instance(id).step;
    let parallel = parallel(turn, step);
    loop {
        let looping = looping(turn, id)?;
        let more = match (looping.count, &next) {
            (Some(count), _) => looping.begun < count,
            (None, Next::Round) => looping.running.is_empty(),
            (None, Next::End | Next::Fail(_)) => false,
        };
        if more && looping.running.len() < parallel {
            let index = looping.begun;
            turn.emit(Event::IterationBegan { path: path.clone(), index })?;
            continue;
        }
        if more || !looping.running.is_empty() {
            return Ok(());
        }
        let result = looping.failure.clone().map_or(FrameResult::Completed, FrameResult::Failed);
        return turn.settle(id, result);
    }
}

/// Whether a loop that asks a condition makes another round after `rounds` rounds.
fn ask(turn: &Deciding<'_>, frame: FrameId, step: StepIndex, path: &StepPath, rounds: u32) -> Result<Next, Rejection> {
    let (condition, word, wanted) = match &turn.program.step_program(step).kind {
        KindProgram::While { condition } => (condition, "while", true),
        KindProgram::Repeat { until: Some(until), .. } => (until, "until", false),
        KindProgram::Repeat { until: None, .. } | KindProgram::Foreach { .. } => return Ok(Next::Round),
        KindProgram::Run { .. }
        | KindProgram::Uses { .. }
        | KindProgram::Approval(_)
        | KindProgram::Input { .. }
        | KindProgram::Wait(_)
        | KindProgram::Switch { .. }
        | KindProgram::WaitCondition(_)
        | KindProgram::Workflow { .. }
        | KindProgram::Plain => return Err(Rejection::Broken(format!("`{path}` is no loop"))),
    };
    let limit = max_rounds(turn, step);
    // `while` asks about the round to come, `until` about the one that has just ended.
    let index = if wanted { rounds } else { rounds.saturating_sub(1) };
    match turn.value_in_round(frame, index, condition, &format_args!("`{word}` of step `{path}`"))? {
        Err(failure) => Ok(Next::Fail(failure)),
        Ok(value) if (value == Value::Bool(true)) != wanted => Ok(Next::End),
        Ok(_) if rounds >= limit => Ok(Next::Fail(too_many(path, limit, "its condition still asks for more"))),
        Ok(_) => Ok(Next::Round),
    }
}

fn looping<'t>(turn: &'t Deciding<'_>, id: InstanceId) -> Result<&'t Looping, Rejection> {
    match &turn.state.instance(id).phase {
        Phase::Looping(looping) => Ok(looping),
        _ => Err(Rejection::Broken("a round of a step that does not loop".to_owned())),
    }
}

fn max_rounds(turn: &Deciding<'_>, step: StepIndex) -> u32 {
    match &turn.program.step(step).kind {
        Kind::Foreach { max_iterations, .. }
        | Kind::While { max_iterations, .. }
        | Kind::Repeat { max_iterations, .. } => *max_iterations,
        _ => 0,
    }
}

fn parallel(turn: &Deciding<'_>, step: StepIndex) -> usize {
    match &turn.program.step(step).kind {
        Kind::Foreach { max_parallel, .. } => {
            (*max_parallel).max(1) as usize + usize::from(skep_model::mutant!("one-round-more"))
        }
        _ => 1,
    }
}

fn fails_fast(turn: &Deciding<'_>, step: StepIndex) -> bool {
    !matches!(&turn.program.step(step).kind, Kind::Foreach { fail_fast: false, .. })
}

fn not_a_list(path: &StepPath) -> Failure {
    let message = format!("`foreach` of step `{path}` did not give a list");
    Failure::new(FailureKind::Invalid, codes::NOT_A_LIST.id, message)
        .with_hint("text that holds JSON becomes a list with `steps.X.outputs.json`")
}

fn not_a_count(path: &StepPath, value: &Value) -> Failure {
    let message = format!("`times` of step `{path}` is {value}, not a count");
    Failure::new(FailureKind::Invalid, codes::NOT_A_LIST.id, message)
}

fn too_many(path: &StepPath, limit: u32, why: &str) -> Failure {
    let message = format!("loop `{path}` may make {limit} rounds, but {why}");
    Failure::new(FailureKind::ResourceLimit, codes::TOO_MANY_ROUNDS.id, message)
        .with_hint("raise `max_iterations` of the step, up to 100000")
}
