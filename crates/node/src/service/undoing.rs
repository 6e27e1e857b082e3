//! Reading what can be undone: the points of an execution, what a rollback would do, how one stands.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use skep_definition::moment;
use skep_engine::{Program, Rejection, State, Undoable, apply_turn};
use skep_model::effect::{Script, Work};
use skep_model::ids::Hash;
use skep_model::payload::BlobRef;
use skep_model::plan::{Plan, Step};
use skep_model::rollback::Strategy;
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_store::blobs::{Blobs, FolderBlobs};
use skep_views::answer::error;
use skep_views::execution::{Execution, Rollback};

use super::Reading;
use crate::error::Error;
use crate::fold;

impl Reading {
    /// `{"execution_id", "status", "points": [{"point", "kind", "at", "step", "actor", "note", "completed", "undoes"}]}`,
    /// the oldest first: `completed` steps at that moment, `undoes` how many going back there would undo.
    ///
    /// # Errors
    /// Unknown execution, trouble with the store.
    pub fn rollback_points(&self, execution: &str) -> Result<Value, Error> {
        let (view, _) = self.view(execution)?;
        let left = view.can_be_undone().len();
        let points = view.points.iter().map(|point| {
            json!({
                "point": point.number,
                "kind": point.kind.as_str(),
                "at": moment::print(point.at),
                "step": point.step,
                "actor": point.actor.as_ref().map(|actor| actor.label()),
                "note": point.note,
                "completed": completed(point.past()).count(),
                "undoes": left.saturating_sub(point.past().can_be_undone().len()),
            })
        });
        Ok(headed(&view, json!({ "points": points.collect::<Vec<_>>() })))
    }

    /// What a rollback would do: `{"execution_id", "status", "strategy", "to", "steps": [..], "cannot_be_undone":
    /// [{"step", "reason"}]}`. Each of `steps`, in the order of undoing: `{"step", "does", "unsure", "verified",
    /// "problem", "error", "left_because_of_another"}`; `does` is `{"run", "shell", "working_dir", "values"}`, `{"uses",
    /// "with"}`, `{"child"}` or null.
    ///
    /// # Errors
    /// Unknown execution, no such point, trouble with the store.
    pub fn rollback_plan(&self, execution: &str, strategy: Option<Strategy>, to: Option<u32>) -> Result<Value, Error> {
        let located = self.locate(execution)?;
        let plan = fold::plan(located.reader(), located.row.plan_hash)?;
        let mut view = Execution::with_all_iterations(&plan);
        let program = Program::new(plan.clone()).map_err(|bad| Error::damaged(&located.row.plan_hash, bad))?;
        let mut state = State::default();
        fold::each_turn(located.reader(), located.row.local, 1, |turn| {
            view.apply(turn);
            apply_turn(&mut state, &program, turn).map_err(|misfit| Error::Rejected(misfit.into()))
        })?;
        let (strategy, to) = way(&plan, &view, &state, strategy, to);
        let known = || view.points.iter().map(|point| point.number).collect();
        let no_point = || Error::Rejected(Rejection::NoPoint { number: to, known: known() });
        if strategy == Strategy::Checkpoint && to.is_none() {
            return Err(no_point());
        }
        let steps = self.undoable(&state, &program, to)?.ok_or_else(no_point)?;
        Ok(headed(
            &view,
            json!({
                "strategy": strategy.as_str(),
                "to": to,
                "steps": steps.iter().map(undo_step).collect::<Vec<_>>(),
                "cannot_be_undone": cannot_be_undone(&plan, &view, to),
            }),
        ))
    }

    /// How undoing an execution stands: `{"execution_id", "status", "rollback"}`; `rollback` is null if none began, else
    /// `{"cause", "strategy", "to", "status", "start_time", "end_time", "undone": [path], "left": [path], "errors":
    /// [{"step", "error"}], "success", "next"}`, where `status` is `running`, `completed`, `failed`, `at_point` or
    /// `manual_ready`, and `next` the step that a person undoes next.
    ///
    /// # Errors
    /// Unknown execution, trouble with the store.
    pub fn rollback_status(&self, execution: &str) -> Result<Value, Error> {
        let (view, _) = self.view(execution)?;
        let rollback = view.rollback.as_ref().map(|rollback| rollback_entry(&view, rollback));
        Ok(headed(&view, json!({ "rollback": rollback })))
    }

    fn undoable(&self, state: &State, program: &Program, to: Option<u32>) -> Result<Option<Vec<Undoable>>, Error> {
        let mut values: HashMap<Hash, Arc<Value>> = HashMap::new();
        let blobs = FolderBlobs::new(self.directory());
        loop {
            match state.undoable(program, to, &values) {
                Ok(found) => return Ok(found),
                Err(reference) => drop(values.insert(reference.blob, Arc::new(blob(&blobs, reference)?))),
            }
        }
    }
}

fn headed(view: &Execution, mut answer: Value) -> Value {
    answer["execution_id"] = json!(view.id.as_ref().map(|id| id.as_str()));
    answer["status"] = json!(view.status.as_str());
    answer
}

fn blob(blobs: &dyn Blobs, reference: BlobRef) -> Result<Value, Error> {
    let missing = || Error::damaged(&reference.blob, "the value is missing in the blob store");
    let bytes = blobs.get(reference.blob)?.ok_or_else(missing)?;
    serde_json::from_slice(&bytes).map_err(|problem| Error::damaged(&reference.blob, problem))
}

/// How and how far: as asked, as the rollback that is under way says, as the workflow says.
fn way(
    plan: &Plan,
    view: &Execution,
    state: &State,
    strategy: Option<Strategy>,
    to: Option<u32>,
) -> (Strategy, Option<u32>) {
    let under_way = view.rollback.as_ref().filter(|rollback| rollback.status == Status::RollingBack);
    match (strategy, to, under_way) {
        (None, None, Some(rollback)) => (rollback.strategy, rollback.to),
        (None | Some(Strategy::Checkpoint), Some(to), _) => (Strategy::Checkpoint, Some(to)),
        (Some(strategy), to, _) => (strategy, to.or_else(|| latest(strategy, state))),
        (None, None, None) => {
            let strategy = plan.rollback.as_ref().map_or(Strategy::Graceful, |settings| settings.strategy);
            (strategy, latest(strategy, state))
        }
    }
}

fn latest(strategy: Strategy, state: &State) -> Option<u32> {
    if strategy == Strategy::Checkpoint { state.latest_point() } else { None }
}

fn completed(view: &Execution) -> impl Iterator<Item = &str> {
    let steps = view.steps().into_iter().filter(|step| step.status == StepStatus::Completed);
    steps.map(|step| &*step.path)
}

fn undo_step(undoable: &Undoable) -> Value {
    json!({
        "step": undoable.path,
        "does": undoable.work.as_ref().map(does),
        "unsure": undoable.unsure,
        "verified": undoable.verified,
        "problem": error(undoable.problem.as_ref()),
        "error": error(undoable.failure.as_ref()),
        "left_because_of_another": undoable.below,
    })
}

fn does(work: &Work) -> Value {
    match work {
        Work::Script(Script { shell, text, values, working_dir, .. }) => {
            json!({ "run": text, "shell": shell, "working_dir": working_dir, "values": values })
        }
        Work::Action { name, with, .. } => json!({ "uses": name, "with": with }),
        Work::UndoChild { child } => json!({ "child": child.as_str() }),
    }
}

/// What was done after the point, changes something, and cannot be undone.
pub(crate) fn cannot_be_undone(plan: &Plan, view: &Execution, to: Option<u32>) -> Vec<Value> {
    let point = view.points.iter().find(|point| Some(point.number) == to);
    let before: Vec<&str> = point.map(|point| completed(point.past()).collect()).unwrap_or_default();
    let kept = view.can_be_undone();
    let mut found = Vec::new();
    for path in completed(view) {
        let id = path.rsplit("].").next().unwrap_or(path);
        let Some(step) = plan.step_by_id(id).map(|index| &plan.steps[index as usize]) else { continue };
        let is_left = !before.contains(&path) && !kept.iter().any(|kept| **kept == *path);
        if let Some(reason) = why_not(step).filter(|_| is_left) {
            found.push(json!({ "step": path, "reason": reason }));
        }
    }
    found
}

fn why_not(step: &Step) -> Option<&'static str> {
    if step.read_only || !step.kind.is_work() {
        None
    } else if step.irreversible {
        Some("irreversible")
    } else {
        step.compensation.is_none().then_some("no_rollback")
    }
}

fn rollback_entry(view: &Execution, rollback: &Rollback) -> Value {
    let manual = rollback.strategy == Strategy::Manual && view.status == Status::Held;
    let (status, success) = match (rollback.status, rollback.ended_at) {
        (Status::RolledBack, _) => ("completed", json!(true)),
        (Status::RollbackFailed, _) => ("failed", json!(false)),
        (Status::Cancelled, _) | (_, Some(_)) => ("at_point", json!(true)),
        (_, None) if manual => ("manual_ready", Value::Null),
        (_, None) => ("running", Value::Null),
    };
    let left: Vec<_> = view.can_be_undone().iter().rev().collect();
    let next = left.first().filter(|_| manual).cloned();
    let errors = rollback.failed.iter().map(|(path, failure)| json!({ "step": path, "error": error(Some(failure)) }));
    json!({
        "cause": rollback.cause.as_str(),
        "strategy": rollback.strategy.as_str(),
        "to": rollback.to,
        "status": status,
        "start_time": moment::print(rollback.began_at),
        "end_time": rollback.ended_at.map(moment::print),
        "undone": rollback.done,
        "left": left,
        "errors": errors.collect::<Vec<_>>(),
        "success": success,
        "next": next,
    })
}
