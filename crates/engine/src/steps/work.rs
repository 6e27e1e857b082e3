//! Scripts and actions: resolved arguments are recorded, then a runner does the work.

use serde_json::{Value, json};
use skep_definition::expr::Template;
use skep_model::Map;
use skep_model::error::Failure;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::StepIndex;

use crate::decide::Deciding;
use crate::program::{KindProgram, StepProgram};
use crate::rejection::Rejection;
use crate::state::FrameId;

/// Begins the first attempt of a step, or the next one.
pub(crate) fn begin(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
) -> Result<(), Rejection> {
    let known = turn.state.find(path).map(|id| turn.state.instance(id));
    let (attempt, delivery) = known.map_or((1, 1), |known| (known.attempt + 1, known.delivery + 1));
    // Recorded with the first delivery, and valid for all.
    let arguments = match delivery {
        1 => arguments(turn, frame, step, path)?,
        _ => Ok(None),
    };
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(failure) => return turn.fail(path, failure, Map::new()),
    };
    let arguments = arguments.map(|arguments| turn.store(arguments));
    turn.emit(Event::Scheduled { path: path.clone(), attempt, delivery, arguments })?;
    perform(turn, path)
}

fn perform(turn: &mut Deciding<'_>, path: &StepPath) -> Result<(), Rejection> {
    let id = turn.state.find(path).ok_or_else(|| Rejection::Broken(format!("`{path}` was not scheduled")))?;
    turn.perform(id)
}

/// What the event records, so that no later delivery evaluates an expression again; `None` = nothing to record.
fn arguments(
    turn: &Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
) -> Result<Result<Option<Value>, Failure>, Rejection> {
    let program = turn.program.step_program(step);
    match &program.kind {
        KindProgram::Uses { with } => {
            let value = turn.value(frame, with, &format!("`with` of step `{path}`"))?;
            Ok(value.map(|value| (!is_empty(&value)).then_some(value)))
        }
        KindProgram::Run { values } => script_arguments(turn, frame, program, values, path),
        KindProgram::Approval(_)
        | KindProgram::Input { .. }
        | KindProgram::Wait(_)
        | KindProgram::Switch { .. }
        | KindProgram::Foreach { .. }
        | KindProgram::While { .. }
        | KindProgram::Repeat { .. }
        | KindProgram::Plain => Err(Rejection::Broken(format!("`{path}` does no work"))),
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn script_arguments(
    turn: &Deciding<'_>,
    frame: FrameId,
    program: &StepProgram,
    values: &[(String, Template)],
    path: &StepPath,
) -> Result<Result<Option<Value>, Failure>, Rejection> {
    let mut object = serde_json::Map::new();
    let env: Vec<&(String, Template)> = turn.program.env.iter().chain(&program.env).collect();
    let values: Vec<&(String, Template)> = values.iter().collect();
    for (part, templates) in [("values", values), ("env", env)] {
        match texts(
            turn,
            frame,
            &templates,
            &format!("`{}` of step `{path}`", if part == "env" { part } else { "run" }),
        )? {
            Ok(texts) if texts.is_empty() => {}
            Ok(texts) => drop(object.insert(part.to_owned(), json!(texts))),
            Err(failure) => return Ok(Err(failure)),
        }
    }
    if let Some(template) = &program.working_dir {
        match turn.text(frame, template, &format!("`working_dir` of step `{path}`"))? {
            Ok(text) => drop(object.insert("working_dir".to_owned(), json!(text))),
            Err(failure) => return Ok(Err(failure)),
        }
    }
    Ok(Ok((!object.is_empty()).then_some(Value::Object(object))))
}

fn texts(
    turn: &Deciding<'_>,
    frame: FrameId,
    templates: &[&(String, Template)],
    what: &str,
) -> Result<Result<Map<String>, Failure>, Rejection> {
    let mut texts = Map::new();
    for (name, template) in templates {
        match turn.text(frame, template, what)? {
            Ok(text) => texts.insert(name.clone(), text),
            Err(failure) => return Ok(Err(failure)),
        };
    }
    Ok(Ok(texts))
}
