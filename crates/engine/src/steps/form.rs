//! A person fills in a form.

use serde_json::Value;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::{Form, Kind, StepIndex};

use crate::codes;
use crate::decide::Deciding;
use crate::program::KindProgram;
use crate::rejection::Rejection;
use crate::state::{FrameId, InstanceId};

pub(crate) fn begin(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
    form: &Form,
) -> Result<(), Rejection> {
    let KindProgram::Input { message, assignee } = &turn.program.step_program(step).kind else {
        return Err(Rejection::Broken(format!("`{path}` is no form")));
    };
    let what = format!("the form of step `{path}`");
    let message = turn.text(frame, message, &what)?;
    let assignee = turn.text(frame, assignee, &what)?;
    let timeout_ms = form.timeout_ms.or(turn.program.step(step).timeout_ms);
    let until = timeout_ms.map(|timeout_ms| turn.now.plus_ms(timeout_ms));
    match (message, assignee) {
        (Ok(message), Ok(assignee)) => turn.emit(Event::FormAsked { path: path.clone(), message, assignee, until }),
        (Err(failure), _) | (_, Err(failure)) => turn.fail(path, failure, Map::new()),
    }
}

/// The answers came.
pub(crate) fn fill(
    turn: &mut Deciding<'_>,
    id: InstanceId,
    values: &Map<Value>,
    actor: &Actor,
) -> Result<(), Rejection> {
    let (step, _) = turn.step_of(id);
    let Kind::Input(form) = &step.kind else {
        return Err(Rejection::Broken(format!("step `{}` is no form", step.id)));
    };
    let answers = skep_definition::inputs::resolve(&form.fields, values)
        .map_err(|problems| Rejection::BadInput(problems.iter().map(|problem| problem.message.clone()).collect()))?;
    let path = turn.state.instance(id).path.clone();
    turn.emit(Event::FormFilled { path: path.clone(), actor: actor.clone() })?;
    turn.complete(&path, answers)
}

/// The wait is over.
pub(crate) fn time_over(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    let message = format!("nobody filled in the form of `{path}` in time");
    turn.fail(&path, Failure::new(FailureKind::Timeout, codes::WAIT_TIMEOUT.id, message), Map::new())
}
