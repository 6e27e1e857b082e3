//! What would happen: level paranoid's look at a workflow, made of simulated executions.
//!
//! ```text
//!   plan --prepare--> plan with made-up results      history --> success shares, outputs, durations of each step
//!              \                                      /
//!   inputs --> cases: all succeed (variations), each step fails / recovers / takes too long, each person says no / nothing
//!              |                                             spread: drawn executions --> how long it takes
//!              +--> Forecast: paths, failure points, unreached, dead ends --findings--> problems, --report--> JSON
//! ```
//! A result that follows from the inputs is computed by the engine itself; one that earlier executions gave is taken from
//! them; any other is made up, and what rests on it is never called certain. The same workflow, inputs, history and
//! moment give the same forecast: there is no clock in it, its size is bounded by turns, and chance has a fixed seed.
//!
//! It must not execute, write or ask anybody anything. Neighbours: [`crate::simulate`] simulates one execution,
//! `service::validation` adds what is found here to what the text says.

mod cases;
mod chance;
mod findings;
mod history;
mod inputs;
mod prepare;
mod report;
mod spread;
#[cfg(test)]
mod tests;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use skep_definition::wanted::Wanted;
use skep_engine::BadPlan;
use skep_model::Map;
use skep_model::plan::Plan;
use skep_model::rollback::Part;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

pub(crate) use findings::problems;
pub(crate) use history::learn;
pub use history::{History, Past};
pub(crate) use report::{summary, to_json};

/// What would happen to executions of a workflow.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// Earlier executions that it is based on.
    pub history: usize,
    /// What the simulated executions showed.
    pub found: Found,
    /// How long it takes; `None` if that cannot be told.
    pub spread: Option<Spread>,
    /// Steps that often failed: the share of failures, and how often the step ended.
    pub often_failed: Vec<(String, f64, u32)>,
    /// Inputs for which no value was found: then nothing was simulated.
    pub lacking: Vec<String>,
    /// Steps that wait for somebody without a bound.
    pub boundless: Vec<String>,
}

/// What the simulated executions showed.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// How many there were.
    pub executions: usize,
    /// How many more there would have been: the workflow is too large for all of them.
    pub left_out: usize,
    /// One in which nothing goes wrong completes.
    pub completes: bool,
    /// The different ways through.
    pub paths: Vec<Path>,
    /// What can go wrong, and what comes of it.
    pub failure_points: Vec<FailurePoint>,
    /// Steps that began in no execution, and whether that is certain.
    pub unreached: Vec<(String, bool)>,
    /// Executions that stand still for ever.
    pub dead_ends: Vec<DeadEnd>,
    /// Executions that do not end: why it was left, the last step, whether that is certain.
    pub endless: Vec<(String, Option<String>, bool)>,
    /// Steps at which made-up results led no further, and why.
    pub not_foreseen: BTreeMap<String, String>,
    /// Steps that fail although nothing goes wrong.
    pub self_failures: BTreeMap<String, SelfFailure>,
    pub(crate) reached: BTreeSet<String>,
}

/// One simulated execution among others.
#[derive(Clone, Debug)]
pub struct Case {
    /// What goes wrong, for people: "`build` fails".
    pub what: String,
    /// Its inputs.
    pub inputs: Map<Value>,
}

/// A way through the workflow.
#[derive(Clone, Debug)]
pub struct Path {
    /// The first execution that took it.
    pub case: Case,
    /// How it ended.
    pub status: Status,
    /// Paths of steps in the order in which they began.
    pub steps: Vec<String>,
    /// How many were skipped.
    pub skipped: usize,
    /// What was undone, in that order.
    pub rolled_back: Vec<String>,
    /// What it took.
    pub took: Duration,
}

/// What comes of something that goes wrong.
#[derive(Clone, Debug)]
pub struct FailurePoint {
    /// The step.
    pub step: String,
    /// What goes wrong with it.
    pub case: String,
    /// How the execution ends.
    pub status: Status,
    /// It completes all the same.
    pub handled: bool,
    /// A further attempt made good for it.
    pub recovered: bool,
    /// Steps that have completed and are not undone.
    pub completed: usize,
    /// What is undone by itself, in that order.
    pub rollback: Vec<String>,
    /// What is left that somebody could undo, in that order.
    pub could_be_undone: Vec<String>,
    /// `{"step", "reason"}` each.
    pub cannot_be_undone: Vec<Value>,
    /// Other steps that fail because of it, and why.
    pub also_fail: Vec<(String, String)>,
}

/// An execution that stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadEnd {
    /// What goes wrong in it.
    pub case: String,
    /// As in `skep list`.
    pub waits_for: String,
    /// The first step that waits.
    pub step: Option<String>,
    /// It does not rest on made-up results.
    pub certain: bool,
}

/// A failure that nobody caused.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfFailure {
    /// Why.
    pub message: String,
    /// With these inputs.
    pub inputs: Map<Value>,
    /// Names of those that nobody gave and that are not their default.
    pub varied: Vec<String>,
}

/// How long it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// One in ten is faster.
    pub p10: Duration,
    /// One in two.
    pub p50: Duration,
    /// One in ten is slower.
    pub p90: Duration,
    /// Executions that were drawn and ended.
    pub drawn: usize,
    /// Steps whose durations nobody has seen: those are guesses.
    pub guessed: Vec<String>,
}

/// Ends of a step before its failures are a share and no accident.
const ENDS_MIN: u32 = 5;
/// More failures than this are told, as a share.
const FAILURES_SUGGESTED: f64 = 0.2;

/// Simulates executions of `plan` that start at `at`, with the given inputs and what `history` knows.
///
/// # Errors
/// [`BadPlan`]: a plan that does not compile.
pub fn forecast(
    plan: &Plan,
    given: &Map<Value>,
    environment: &Map<String>,
    history: &History,
    at: Timestamp,
) -> Result<Forecast, BadPlan> {
    let prepared = prepare::Prepared::new(plan, history)?;
    let environment = &surrounded(environment, &prepared.wanted);
    let (sets, lacking) = inputs::sets(plan, given, &prepared.wanted);
    let found = cases::Cases::new(&prepared, environment, at).run(&sets);
    let seed = chance::hash(&[&plan.workflow.id], plan.steps.len());
    let usual = sets.first().filter(|_| found.executions > 0);
    let spread = usual.and_then(|inputs| spread::spread(&prepared, inputs, environment, (at, seed)));
    let often = plan.steps.iter().filter_map(|step| {
        let past = history.steps.get(&step.id)?;
        let (share, ends) = (past.failure_share()?, past.completed + past.failed);
        (ends >= ENDS_MIN && share > FAILURES_SUGGESTED).then(|| (step.id.clone(), share, ends))
    });
    Ok(Forecast {
        history: history.executions,
        often_failed: often.collect(),
        boundless: plan.steps.iter().filter(|step| waits_for_ever(step)).map(|step| step.id.clone()).collect(),
        found,
        spread,
        lacking,
    })
}

/// The environment with a text for every variable that expressions name and that is not there now.
fn surrounded(environment: &Map<String>, wanted: &[Wanted]) -> Map<String> {
    let mut environment = environment.clone();
    for it in wanted {
        if let [root, name, ..] = it.path.as_slice()
            && root == "env"
            && !environment.contains_key(name)
        {
            environment.insert(name.clone(), "text".to_owned());
        }
    }
    environment
}

/// It waits for a person or a signal, and nothing ends that.
fn waits_for_ever(step: &skep_model::plan::Step) -> bool {
    use skep_model::plan::{Kind, Wait};
    match &step.kind {
        Kind::Input(form) => form.timeout_ms.is_none(),
        Kind::Wait(Wait::Signal { timeout_ms, .. }) => timeout_ms.is_none(),
        _ => world::approval_of(step).is_some_and(|approval| approval.timeout_ms.is_none()),
    }
}

/// The id of the step at a path, with its part: `deploy`, `deploy.rollback`.
fn id_of(path: &str) -> &str {
    path.rfind("].").map_or(path, |at| &path[at + 2..])
}

/// The step of an id with a part.
fn step_of(id: &str) -> &str {
    Part::split(id).0
}
