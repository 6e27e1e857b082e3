//! What earlier executions of a workflow say about its steps: how often they fail, what they give, how long they take.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::Value;
use skep_model::Map;
use skep_model::error::Failure;
use skep_model::event::{Event, Turn};
use skep_model::ids::Hash;
use skep_model::payload::Payload;
use skep_model::plan::Plan;
use skep_model::rollback::Part;
use skep_model::status::{Execution as Status, SkipReason};
use skep_model::time::Timestamp;
use skep_store::{Filter, Reader};

use crate::error::Error;
use crate::fold;

/// Executions that are looked at, the newest: what was long ago says little about now.
pub const EXECUTIONS_MAX: usize = 200;
/// Turns that are read of them, all together: a tenth of a second.
const TURNS_MAX: usize = 20_000;
/// Outputs kept per step.
const OUTPUTS_MAX: usize = 32;
/// Durations kept per step and way to end.
const DURATIONS_MAX: usize = 1_000;

/// What is known of earlier executions.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// How many are over and were read.
    pub executions: usize,
    /// By the id of the step; of a compensation, `STEP.rollback`.
    pub steps: BTreeMap<String, Past>,
}

/// What is known of one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// How often it completed.
    pub completed: u32,
    /// How often it failed for good, also where that was handled.
    pub failed: u32,
    /// Different outputs that it gave, the newest last.
    pub outputs: Vec<Map<Value>>,
    /// What attempts took that succeeded.
    pub successes: Vec<Duration>,
    /// What attempts took that failed, and why they did.
    pub failures: Vec<(Duration, Failure)>,
    /// What people or signals took, and whether the answer was a yes.
    pub answers: Vec<(Duration, bool)>,
}

impl Past {
    /// The share of failures for good, if there were any ends.
    pub fn failure_share(&self) -> Option<f64> {
        let all = self.completed + self.failed;
        (all > 0).then(|| f64::from(self.failed) / f64::from(all))
    }

    /// The share of attempts that succeeded.
    pub fn success_share(&self) -> Option<f64> {
        let all = self.successes.len() + self.failures.len();
        (all > 0).then(|| self.successes.len() as f64 / all as f64)
    }
}

/// The middle one of some durations.
pub(super) fn median(durations: impl Iterator<Item = Duration>) -> Option<Duration> {
    let mut sorted: Vec<Duration> = durations.collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// Reads what the newest finished executions of `plan`'s workflow say about those of its steps that are as they were.
///
/// # Errors
/// Trouble with the store.
pub(crate) fn learn(reader: &dyn Reader, plan: &Plan) -> Result<History, Error> {
    let statuses = [Status::Completed, Status::Failed, Status::RolledBack, Status::RollbackFailed];
    let workflow = Some(plan.workflow.id.clone());
    let filter = Filter { statuses: statuses.to_vec(), workflow, ..Filter::default() };
    let mut history = History::default();
    let mut unchanged: HashMap<Hash, Vec<String>> = HashMap::new();
    let mut turns = 0;
    for row in reader.list(&filter, None, EXECUTIONS_MAX)?.rows {
        let compare = || fold::plan(reader, row.plan_hash).map(|old| same_steps(&old, plan)).unwrap_or_default();
        let steps = unchanged.entry(row.plan_hash).or_insert_with(compare);
        let mut of_one = Learning { history: &mut history, steps, begun: HashMap::new() };
        fold::each_turn(reader, row.local, 1, |turn| {
            turns += 1;
            of_one.turn(turn);
            Ok(())
        })?;
        history.executions += 1;
        if turns >= TURNS_MAX {
            break;
        }
    }
    Ok(history)
}

/// Ids of the steps that do now what they did then.
fn same_steps(old: &Plan, plan: &Plan) -> Vec<String> {
    let same = plan.steps.iter().filter(|step| {
        let before = old.step_by_id(&step.id).map(|index| &old.steps[index as usize]);
        before.is_some_and(|before| {
            before.kind == step.kind && before.outputs == step.outputs && before.timeout_ms == step.timeout_ms
        })
    });
    same.map(|step| step.id.clone()).collect()
}

struct Learning<'a> {
    history: &'a mut History,
    steps: &'a [String],
    /// When what runs or waits began, by path.
    begun: HashMap<String, Timestamp>,
}

impl Learning<'_> {
    fn turn(&mut self, turn: &Turn) {
        turn.events.iter().for_each(|event| self.event(turn.at, event));
    }

    fn event(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::Scheduled { path, .. }
            | Event::ChildAsked { path, .. }
            | Event::ApprovalAsked { path, .. }
            | Event::FormAsked { path, .. }
            | Event::WaitBegan { path, signal: Some(_), .. } => drop(self.begun.insert(path.to_string(), at)),
            Event::AttemptFailed { path, failure, .. } => self.attempt_failed(path, at, failure),
            Event::Proposed { path, .. } => self.attempt_succeeded(path, at),
            Event::Completed { path, outputs } => {
                self.attempt_succeeded(path, at);
                self.ended(path, |past| {
                    past.completed += 1;
                    keep_outputs(past, outputs);
                });
            }
            Event::Failed { path, failure, .. }
            | Event::Skipped { path, reason: SkipReason::OnError, failure: Some(failure) } => {
                self.attempt_failed(path, at, failure);
                self.ended(path, |past| past.failed += 1);
            }
            Event::RolledBack { path, .. } => self.attempt_succeeded(&Part::Rollback.of(path), at),
            Event::UndoFailed { path, failure } => {
                self.attempt_failed(&Part::Rollback.of(path), at, failure);
            }
            Event::Decided { path, approved, .. } => self.answered(path, at, *approved),
            Event::FormFilled { path, .. } | Event::SignalTaken { path, .. } => self.answered(path, at, true),
            _ => {}
        }
    }

    fn ended(&mut self, path: &str, note: impl FnOnce(&mut Past)) {
        let id = super::id_of(path);
        if self.steps.iter().any(|step| step == super::step_of(id)) {
            note(self.history.steps.entry(id.to_owned()).or_default());
        }
    }

    fn took(&mut self, path: &str, at: Timestamp) -> Option<Duration> {
        let began = self.begun.remove(path)?;
        Some(Duration::from_micros(u64::try_from(at.0 - began.0).unwrap_or(0)))
    }

    fn attempt_succeeded(&mut self, path: &str, at: Timestamp) {
        let Some(took) = self.took(path, at) else { return };
        self.ended(path, |past| {
            if past.successes.len() < DURATIONS_MAX {
                past.successes.push(took);
            }
        });
    }

    fn attempt_failed(&mut self, path: &str, at: Timestamp, failure: &Failure) {
        let Some(took) = self.took(path, at) else { return };
        self.ended(path, |past| {
            if past.failures.len() < DURATIONS_MAX {
                past.failures.push((took, failure.clone()));
            }
        });
    }

    fn answered(&mut self, path: &str, at: Timestamp, approved: bool) {
        let Some(took) = self.took(path, at) else { return };
        self.ended(path, |past| {
            if past.answers.len() < DURATIONS_MAX {
                past.answers.push((took, approved));
            }
        });
    }
}

/// Outputs of which a part lies in the blob store are left out.
fn keep_outputs(past: &mut Past, outputs: &Map<Payload>) {
    if past.outputs.len() >= OUTPUTS_MAX || outputs.values().any(|payload| !payload.references.is_empty()) {
        return;
    }
    let outputs: Map<Value> = outputs.iter().map(|(name, payload)| (name.clone(), payload.value.clone())).collect();
    if !past.outputs.contains(&outputs) {
        past.outputs.push(outputs);
    }
}
