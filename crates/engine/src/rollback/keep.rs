//! What goes onto the stack, and when: as soon as a step's work is done, or may have been.

use std::fmt::Display;

use serde_json::{Value, json};
use skep_definition::expr::Template;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::payload::Payload;
use skep_model::plan::{OnUnknown, Step, StepIndex};

use crate::codes;
use crate::decide::Deciding;
use crate::program::SideProgram;
use crate::rejection::Rejection;
use crate::rollback::Stage;
use crate::scope::{Place, Trouble};
use crate::state::FrameId;
use crate::steps::work::{Templates, arguments};
use crate::unknown;

/// Arguments as an event records them, or why there are none.
type Evaluated = Result<Option<Payload>, Failure>;

impl Deciding<'_> {
    /// The work of the step at `path` was done and gave `raw`; call it after the event that says so, since the
    /// compensation may name the step's own outputs.
    pub fn keep_done(&mut self, path: &StepPath, raw: Option<&Map<Value>>) -> Result<(), Rejection> {
        keep(self, path, raw, false)
    }

    /// The child execution of the step at `path` is over and left something that can be undone. A compensation of the
    /// step's own stands for it.
    pub fn keep_child(&mut self, path: &StepPath, child: &ExecutionId) -> Result<(), Rejection> {
        let ended = self.state.find(path).is_some_and(|id| self.is_final(id));
        let Some((_, step)) = self.program.split_path(path).filter(|_| ended) else { return Ok(()) };
        let step = self.program.step(step);
        if step.compensation.is_some() || step.compensation_only {
            return Ok(());
        }
        let arguments = Some(Payload::inline(json!({ "child": child })));
        let path = path.clone();
        self.emit(Event::UndoKept { path, arguments, check: None, verify: None, problem: None, unsure: false })
    }

    /// The step at `path` has ended and nobody knows whether its work was done. Not if it still waits for an answer, and
    /// not if its work was done and is kept already.
    pub fn keep_unsure(&mut self, path: &StepPath) -> Result<(), Rejection> {
        let unsure = self.state.find(path).is_some_and(|id| self.is_final(id) && !self.state.instance(id).proposed);
        let Some((_, step)) = self.program.split_path(path).filter(|_| unsure) else { return Ok(()) };
        let step = self.program.step(step);
        if step.read_only || !step.kind.is_work() { Ok(()) } else { keep(self, path, None, true) }
    }
}

/// True if a step that failed for good like this may have done its work: nothing looked.
pub(crate) fn is_left_unsure(step: &Step, failure: &Failure) -> bool {
    failure.kind.leaves_unknown() && is_left_unsure_by_death(step)
}

/// True if an attempt that failed like this has done its work, or may have: a result that is not what was asked for is
/// one all the same.
pub(crate) fn may_be_done(step: &Step, failure: &Failure) -> bool {
    let has_result = matches!(failure.kind, FailureKind::Criterion | FailureKind::OutputSchema);
    (has_result && !step.read_only) || is_left_unsure(step, failure)
}

/// True if a delivery of the step whose owner died may have done its work: it is delivered again, and nothing looked.
pub(crate) fn is_left_unsure_by_death(step: &Step) -> bool {
    !step.read_only && step.on_unknown() == OnUnknown::Retry
}

fn keep(turn: &mut Deciding<'_>, path: &StepPath, raw: Option<&Map<Value>>, unsure: bool) -> Result<(), Rejection> {
    let program = turn.program;
    let Some((_, index)) = program.split_path(path) else { return Ok(()) };
    let step = program.step_program(index);
    let (Some(undo), false) = (&step.rollback, program.step(index).compensation_only) else { return Ok(()) };
    let frame = turn.state.find(path).map(|id| turn.state.instance(id).frame);
    let frame = frame.ok_or_else(|| Rejection::Broken(format!("`{path}` ended without having begun")))?;
    let own = Own { frame, index, raw, unsure };
    let of = format!("the rollback of step `{path}`");
    let work = evaluate(turn, &own, Some(undo), &of)?;
    let check = evaluate(turn, &own, step.rollback_verify.as_ref(), &format_args!("`verify` of {of}"))?;
    let verify = match step.verify.as_ref().filter(|_| unsure) {
        Some(verify) => evaluate(turn, &own, Some(verify), &format_args!("`verify` of step `{path}`"))?,
        None => Ok(None),
    };
    // One that needs no arguments is told from one that cannot be performed.
    let can_verify = unsure && step.verify.is_some() && verify.is_ok();
    let verify = verify.ok().flatten().or_else(|| can_verify.then(nothing));
    let (arguments, check, problem) = match (work, check) {
        (Ok(arguments), Ok(check)) => (arguments, check, None),
        (Err(failure), _) | (_, Err(failure)) => (None, None, Some(unusable(path, &failure))),
    };
    let (check, verify) = (check.map(Box::new), verify.map(Box::new));
    turn.emit(Event::UndoKept { path: path.clone(), arguments, check, verify, problem, unsure })
}

fn nothing() -> Payload {
    Payload::inline(Value::Object(serde_json::Map::new()))
}

/// The place of the step itself.
struct Own<'r> {
    frame: FrameId,
    index: StepIndex,
    raw: Option<&'r Map<Value>>,
    unsure: bool,
}

fn evaluate(
    turn: &mut Deciding<'_>,
    own: &Own<'_>,
    side: Option<&SideProgram>,
    of: &dyn Display,
) -> Result<Evaluated, Rejection> {
    let Some(side) = side else { return Ok(Ok(None)) };
    let mut place = turn.place(own.frame);
    place.own = own.raw;
    place.without_result = own.unsure.then_some(own.index);
    let value = evaluated(&mut place, &side.templates(), of)?;
    Ok(value.map(|value| value.map(|value| turn.store(value))))
}

fn evaluated(
    place: &mut Place<'_>,
    templates: &Templates<'_>,
    of: &dyn Display,
) -> Result<Result<Option<Value>, Failure>, Rejection> {
    match arguments(place, templates, of) {
        Ok(value) => Ok(Ok(value)),
        Err(Trouble::Wrong(failure)) => Ok(Err(*failure)),
        Err(Trouble::Needs(reference)) => Err(Rejection::NeedsBlob(reference)),
    }
}

fn unusable(path: &StepPath, failure: &Failure) -> Failure {
    let message = format!("how `{path}` is undone could not be worked out: {}", failure.message);
    let problem = Failure::new(FailureKind::Invalid, codes::COMPENSATION_FAILED.id, message).at_step(path);
    match &failure.hint {
        Some(hint) => problem.with_hint(hint.clone()),
        None => problem,
    }
}

/// A step failed in a way that is critical: what runs is stopped at once, if a failure is undone by itself.
pub(crate) fn ask_critical(turn: &mut Deciding<'_>, path: &StepPath) -> Result<(), Rejection> {
    let plan = turn.program.plan();
    if plan.rollback.is_none() || plan.keeps_effects { Ok(()) } else { ask(turn, path, None) }
}

/// A step with `on_error: compensate` failed: what runs is stopped; the step that is to run first gets its
/// arguments now, in the place of the one that failed.
pub(crate) fn ask(turn: &mut Deciding<'_>, path: &StepPath, first: Option<StepIndex>) -> Result<(), Rejection> {
    let over = turn.state.finally.is_some() || turn.state.undo.stage != Stage::Idle;
    if over || turn.state.ending.is_some() {
        return Ok(());
    }
    let frame = turn.state.find(path).map(|id| turn.state.instance(id).frame);
    let frame = frame.ok_or_else(|| Rejection::Broken(format!("`{path}` failed without having begun")))?;
    let (mut first_path, mut recorded, mut problem) = (None, None, None);
    if let Some(first) = first {
        let step = turn.program.step_program(first);
        let first_at = path_near(turn, frame, first);
        let templates = Templates { kind: &step.kind, env: &step.env, working_dir: step.working_dir.as_ref() };
        match evaluated(&mut turn.place(frame), &templates, &format!("step `{first_at}`"))? {
            Ok(value) => recorded = value.map(|value| turn.store(value)),
            Err(failure) => problem = Some(unusable(&first_at, &failure)),
        }
        first_path = Some(first_at);
    }
    turn.emit(Event::CompensationAsked { path: path.clone(), first: first_path, arguments: recorded, problem })?;
    turn.mark_all();
    if let Some(root) = turn.state.root {
        turn.stop_frame(root)?;
    }
    // Questions about steps end with them, and so does the hold for their sake: undoing does not wait for a person.
    unknown::release(turn, &Actor::Engine)
}

/// Where a step stands as seen from a frame: in the same rounds of the loops that are around both.
fn path_near(turn: &Deciding<'_>, frame: FrameId, step: StepIndex) -> StepPath {
    let prefixes = &turn.state.frame(frame).prefixes;
    let depth = turn.program.step_program(step).depth.min(prefixes.len() - 1);
    format!("{}{}", prefixes[depth], turn.program.step(step).id).into()
}

impl SideProgram {
    /// What its arguments are made of.
    pub fn templates(&self) -> Templates<'_> {
        Templates { kind: &self.kind, env: &self.env, working_dir: self.working_dir.as_ref() as Option<&Template> }
    }
}
