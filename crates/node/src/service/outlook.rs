//! Level paranoid: what would happen, whether the machines that steps talk to can be reached, how busy this one is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use skep_definition::check::{self, Hosts};
use skep_definition::{Workflow, plan};
use skep_model::Map;
use skep_model::catalogue::Catalogue;
use skep_model::plan::Plan;
use skep_model::problem::{Place, Problem, Severity};
use skep_model::surroundings::{Load, Surroundings};

use super::Reading;
use super::start::read_arguments;
use super::validation::Look;
use crate::clock;
use crate::forecast;

/// What was seen.
pub(super) struct Outlook {
    pub problems: Vec<Problem>,
    /// `{"load_average", "processors", "processes", "tasks", "tasks_max", "hosts", "unreachable"}`.
    pub machine: Value,
    /// See [`crate::forecast`]; null if the definition has errors.
    pub simulation: Value,
}

/// What a definition needs for that, beside its plan.
#[derive(Clone)]
pub(crate) struct Asked {
    hosts: Hosts,
    places: Arc<BTreeMap<String, Place>>,
}

impl Asked {
    pub fn of(workflow: &Workflow) -> Self {
        Self { hosts: Hosts::of(workflow), places: Arc::new(check::places_of_steps(workflow)) }
    }
}

/// Looks at a workflow. `said` is what was found of its text.
pub(super) fn outlook(
    workflow: &Workflow,
    look: &Look,
    catalogue: &Catalogue,
    reading: Option<&Reading>,
    surroundings: &dyn Surroundings,
    said: &[Problem],
) -> Outlook {
    let asked = Asked::of(workflow);
    let has_errors = said.iter().any(|problem| problem.severity == Severity::Error);
    let plan = plan::plan(workflow, catalogue).ok().filter(|_| !has_errors);
    let arguments = plan.as_ref().map_or_else(|| Ok(Map::new()), |plan| read_arguments(plan, &look.arguments));
    let (inputs, wrong) = match arguments {
        Ok(inputs) => (inputs, Vec::new()),
        Err(problems) => (Map::new(), problems),
    };
    let plan = plan.filter(|_| wrong.is_empty());
    let environment = look.path.iter().map(|path| ("PATH".to_owned(), path.clone())).collect();
    let mut seen = around(&asked, surroundings);
    seen.problems.extend(wrong);
    if let Some(plan) = plan {
        let (problems, simulation) = simulated(&plan, &asked, &inputs, &environment, reading, said);
        seen.problems.extend(problems);
        seen.simulation = simulation;
    }
    seen
}

/// The machines around.
fn around(asked: &Asked, surroundings: &dyn Surroundings) -> Outlook {
    let load = surroundings.load();
    let hosts = asked.hosts.list();
    let unreachable = if hosts.is_empty() { Vec::new() } else { surroundings.unreachable(&hosts) };
    let mut problems = check::busy(&load);
    problems.extend(asked.hosts.unreachable(&unreachable));
    let names = |hosts: &[skep_model::surroundings::Host]| hosts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let Load { load_average, processors, processes, tasks, tasks_max, .. } = load;
    let machine = json!({
        "load_average": load_average,
        "processors": processors,
        "processes": processes,
        "tasks": tasks,
        "tasks_max": tasks_max,
        "hosts": names(&hosts),
        "unreachable": names(&unreachable),
    });
    Outlook { problems, machine, simulation: Value::Null }
}

fn simulated(
    plan: &Plan,
    asked: &Asked,
    inputs: &Map<Value>,
    environment: &Map<String>,
    reading: Option<&Reading>,
    said: &[Problem],
) -> (Vec<Problem>, Value) {
    // A history that cannot be read is none; the definition is not to blame for it.
    let history = reading.and_then(|reading| forecast::learn(reading.reader(), plan).ok()).unwrap_or_default();
    match forecast::forecast(plan, inputs, environment, &history, clock::now()) {
        Ok(forecast) => (forecast::problems(&forecast, &asked.places, said), forecast::to_json(&forecast)),
        Err(_) => (Vec::new(), Value::Null),
    }
}

/// The same before a start: with its inputs, and without what the text says already.
pub(super) fn before_start(
    plan: &Plan,
    asked: &Asked,
    inputs: &Map<Value>,
    environment: &Map<String>,
    reading: &Reading,
    surroundings: &dyn Surroundings,
) -> Vec<Problem> {
    let mut problems = around(asked, surroundings).problems;
    problems.extend(simulated(plan, asked, inputs, environment, Some(reading), &[]).0);
    problems
}
