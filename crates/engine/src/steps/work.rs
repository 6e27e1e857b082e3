//! Scripts and actions: resolved arguments are recorded, then a runner does the work.

use std::fmt::Display;

use serde_json::{Value, json};
use skep_definition::expr::Template;
use skep_model::Map;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::StepIndex;

use crate::codes;
use crate::decide::{Deciding, split};
use crate::program::KindProgram;
use crate::rejection::Rejection;
use crate::scope::{Place, Trouble};
use crate::state::{FrameId, InstanceId};

/// Begins the first attempt of a step, or the next one.
pub(crate) fn begin(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
) -> Result<(), Rejection> {
    let program = turn.program.step_program(step);
    let templates = Templates { kind: &program.kind, env: &program.env, working_dir: program.working_dir.as_ref() };
    let known = turn.state.find(path).map(|id| turn.state.instance(id));
    let (attempt, delivery) = known.map_or((1, 1), |known| (known.attempt + 1, known.delivery + 1));
    // Recorded with the first delivery, and valid for all.
    let arguments = match delivery {
        1 => split(arguments(&mut turn.place(frame), &templates, &format_args!("step `{path}`")))?,
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

/// The next attempt of work beside a step.
pub(crate) fn repeat(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let path = instance.path.clone();
    let (attempt, delivery) = (instance.attempt + 1, instance.delivery + 1);
    turn.emit(Event::Scheduled { path: path.clone(), attempt, delivery, arguments: None })?;
    perform(turn, &path)
}

fn perform(turn: &mut Deciding<'_>, path: &StepPath) -> Result<(), Rejection> {
    let id = turn.state.find(path).ok_or_else(|| Rejection::Broken(format!("`{path}` was not scheduled")))?;
    turn.perform(id)
}

/// What the arguments of a piece of work are made of.
pub(crate) struct Templates<'p> {
    pub kind: &'p KindProgram,
    pub env: &'p [(String, Template)],
    pub working_dir: Option<&'p Template>,
}

/// What the event records, so that no later delivery evaluates an expression again; `None` = nothing to record.
/// `of` names the work in failures: `step x`.
pub(crate) fn arguments(
    place: &mut Place<'_>,
    templates: &Templates<'_>,
    of: &dyn Display,
) -> Result<Option<Value>, Trouble> {
    match templates.kind {
        KindProgram::Uses { with } => {
            let value = place.evaluate(with, &format_args!("`with` of {of}"))?;
            Ok((!is_empty(&value)).then_some(value))
        }
        KindProgram::Run { values } => script_arguments(place, templates, values, of),
        KindProgram::Approval(_)
        | KindProgram::Input { .. }
        | KindProgram::Wait(_)
        | KindProgram::Switch { .. }
        | KindProgram::Foreach { .. }
        | KindProgram::While { .. }
        | KindProgram::Repeat { .. }
        | KindProgram::WaitCondition(_)
        | KindProgram::Workflow { .. }
        | KindProgram::Plain => {
            let message = format!("{of} is neither a script nor an action");
            Err(Trouble::Wrong(Box::new(Failure::new(FailureKind::Bug, codes::NOT_BUILT.id, message))))
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn script_arguments(
    place: &mut Place<'_>,
    templates: &Templates<'_>,
    values: &[(String, Template)],
    of: &dyn Display,
) -> Result<Option<Value>, Trouble> {
    let mut object = serde_json::Map::new();
    let env: Vec<&(String, Template)> = place.program.env.iter().chain(templates.env).collect();
    let values: Vec<&(String, Template)> = values.iter().collect();
    for (part, templates) in [("values", values), ("env", env)] {
        let key = if part == "env" { part } else { "run" };
        let texts = texts(place, &templates, &format!("`{key}` of {of}"))?;
        if !texts.is_empty() {
            object.insert(part.to_owned(), json!(texts));
        }
    }
    if let Some(template) = templates.working_dir {
        let text = place.text(template, &format_args!("`working_dir` of {of}"))?;
        object.insert("working_dir".to_owned(), json!(text));
    }
    Ok((!object.is_empty()).then_some(Value::Object(object)))
}

fn texts(place: &mut Place<'_>, templates: &[&(String, Template)], what: &dyn Display) -> Result<Map<String>, Trouble> {
    templates.iter().map(|(name, template)| Ok((name.clone(), place.text(template, what)?))).collect()
}
