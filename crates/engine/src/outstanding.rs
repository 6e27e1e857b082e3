//! What a state still waits for: the effects that its events asked for and no outcome has answered.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::effect::{Child, Effect, Script, Task, Work};
use skep_model::ids::{ExecutionId, Hash};
use skep_model::message::Start;
use skep_model::payload::BlobRef;
use skep_model::plan::{Kind, Retry, Step};
use skep_model::rollback::Part;

use crate::payload::{Blobs, load};
use crate::program::Program;
use crate::state::{Instance, InstanceId, Phase, State};

/// The effects that follow from the fold, in a stable order: what a new owner has to perform or stop.
///
/// # Errors
/// The reference of a blob that has to be fetched first.
pub fn outstanding(state: &State, program: &Program, blobs: &dyn Blobs) -> Result<Vec<Effect>, BlobRef> {
    let mut effects = Vec::new();
    for id in state.performing.iter() {
        let instance = state.instance(id);
        effects.push(match state.is_stopping(instance) {
            true => Effect::Abort { path: instance.path.clone(), token: state.token(instance) },
            false => Effect::Perform(Box::new(task(state, program, id, &|hash| blobs.get(hash))?)),
        });
    }
    for id in state.instances.ids() {
        effects.extend(child(state, program, id, &|hash| blobs.get(hash))?);
    }
    effects.extend(crate::permits::queued(state, program));
    Ok(effects)
}

/// What a child execution that is waited for needs: to be started, or cancelled if its step was asked to stop.
pub(crate) fn child(
    state: &State,
    program: &Program,
    id: InstanceId,
    blobs: &dyn Fn(&Hash) -> Option<Arc<Value>>,
) -> Result<Option<Effect>, BlobRef> {
    let instance = state.instance(id);
    let Phase::Child { id: child, .. } = &instance.phase else { return Ok(None) };
    if state.is_stopping(instance) {
        return Ok(Some(Effect::CancelChild { path: instance.path.clone(), child: child.clone() }));
    }
    let start = state.start.as_deref().expect("a child is asked for only after the start");
    let Kind::Workflow { name, version, .. } = &program.step(instance.step).kind else {
        unreachable!("only a `workflow` step asks for a child");
    };
    let inputs = match &instance.arguments {
        Some(payload) => load(payload, blobs)?,
        None => Value::Object(serde_json::Map::new()),
    };
    Ok(Some(Effect::StartChild(Box::new(Child {
        id: child.clone(),
        execution: start.execution.clone(),
        path: instance.path.clone(),
        workflow: name.clone(),
        version: version.clone(),
        inputs,
        depth: start.parent.as_ref().map_or(0, |parent| parent.depth) + 1,
        base_dir: start.base_dir.clone(),
        environment: start.environment.clone(),
    }))))
}

/// The task of an instance that is being performed, from what its events recorded.
pub(crate) fn task(
    state: &State,
    program: &Program,
    id: InstanceId,
    blobs: &dyn Fn(&Hash) -> Option<Arc<Value>>,
) -> Result<Task, BlobRef> {
    let instance = state.instance(id);
    let start = state.start.as_deref().expect("work is scheduled only after the start");
    let does = does(program, instance);
    let arguments = match &instance.arguments {
        Some(payload) => load(payload, blobs)?,
        None => Value::Object(serde_json::Map::new()),
    };
    let work = work_of(does.kind, arguments, start);
    let task = task_of(state, instance, start, does.timeout_ms, work);
    Ok(Task { priority: program.step(instance.step).priority, ..task })
}

/// The work that a kind of step is, with its arguments.
pub(crate) fn work_of(kind: &Kind, arguments: Value, start: &Start) -> Work {
    match kind {
        Kind::Run { shell, script, .. } => Work::Script(script_of(shell, script, &arguments, start)),
        Kind::Uses { action, .. } => {
            Work::Action { name: action.clone(), with: arguments, base_dir: start.base_dir.clone() }
        }
        Kind::Workflow { .. } => {
            Work::UndoChild { child: ExecutionId::new(arguments["child"].as_str().unwrap_or_default()) }
        }
        _ => unreachable!("only scripts, actions and the undoing of children are performed"),
    }
}

/// True if this part of the step is something that can be performed.
pub(crate) fn is_work(step: &Step, part: Part) -> bool {
    let undo = step.compensation.as_ref();
    match part {
        Part::Step => matches!(step.kind, Kind::Run { .. } | Kind::Uses { .. }),
        Part::Verify => step.verify.is_some(),
        Part::Rollback => undo.is_some() || matches!(step.kind, Kind::Workflow { .. }),
        Part::RollbackVerify => undo.is_some_and(|undo| undo.verify.is_some()),
    }
}

/// What an instance performs: the work of its step, or a piece of work beside it.
pub(crate) struct Does<'a> {
    pub kind: &'a Kind,
    pub timeout_ms: Option<u64>,
    pub retry: Option<&'a Retry>,
}

pub(crate) fn does<'a>(program: &'a Program, instance: &Instance) -> Does<'a> {
    part_of(program.step(instance.step), instance.part)
}

/// What a part of a step is.
pub(crate) fn part_of(step: &Step, part: Part) -> Does<'_> {
    let side = match part {
        Part::Step => None,
        Part::Verify => step.verify.as_deref(),
        Part::Rollback => step.compensation.as_ref().map(|undo| &undo.work),
        Part::RollbackVerify => step.compensation.as_ref().and_then(|undo| undo.verify.as_ref()),
    };
    match side {
        Some(side) => Does { kind: &side.kind, timeout_ms: side.timeout_ms, retry: side.retry.as_ref() },
        None => Does { kind: &step.kind, timeout_ms: step.timeout_ms, retry: step.retry.as_ref() },
    }
}

fn task_of(state: &State, instance: &Instance, start: &Start, timeout_ms: Option<u64>, work: Work) -> Task {
    Task {
        execution: start.execution.clone(),
        path: instance.path.clone(),
        generation: instance.generation,
        attempt: instance.attempt,
        delivery: instance.delivery,
        token: state.token(instance),
        timeout_ms,
        policy: Cow::Borrowed("none"),
        work,
        priority: skep_model::plan::Priority::default(),
    }
}

fn script_of(shell: &str, script: &str, arguments: &Value, start: &Start) -> Script {
    let mut env = start.environment.clone();
    env.extend(texts(&arguments["env"]));
    let working_dir = arguments["working_dir"].as_str().unwrap_or_default();
    let working_dir = std::path::Path::new(&*start.base_dir).join(working_dir);
    Script {
        shell: shell.to_owned(),
        text: script.to_owned(),
        values: texts(&arguments["values"]),
        env,
        working_dir: working_dir.to_string_lossy().into_owned(),
        inputs: json!(start.inputs),
    }
}

fn texts(value: &Value) -> Map<String> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned())).collect()
}
