//! A workflow's own tests, run on the simulator: nothing is executed, time is skipped.
//!
//! ```text
//! test file + definition ── each test ──> pins (outcomes, answers, signals) ── simulate ──> Run ── compare ──> Tested
//! ```

mod compare;
mod pins;
#[cfg(test)]
mod tests;

use skep_definition::check::Level;
use skep_definition::moment;
use skep_definition::test_file::{self, Pin, Test, TestFile};
use skep_engine::Program;
use skep_model::catalogue::Catalogue;
use skep_model::code::Code;
use skep_model::event::Event;
use skep_model::problem::{Place, Problem, Severity};
use skep_model::rollback::Part;
use skep_model::span::print_duration_ms;
use skep_model::time::Timestamp;
use skep_views::describe::describe;
use skep_views::execution::Execution;

use crate::codes;
use crate::service;
use crate::simulate::{self, Bounds, Run, simulate};
use pins::Pins;

pub use compare::Mismatch;

/// Tests begin at this moment: 2026-01-01T00:00:00Z.
const BEGINS: Timestamp = Timestamp(1_767_225_600_000_000);
/// The key under which a person answers about the execution as a whole.
pub(crate) const EXECUTION: &str = "execution";

/// What came of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// Its name.
    pub name: String,
    /// Where it stands in its file.
    pub place: Place,
    /// What is not as expected; empty: it passed.
    pub mismatches: Vec<Mismatch>,
    /// Virtual time that the execution took, in milliseconds.
    pub took_ms: u64,
    /// What happened, one line per event; only of tests that did not pass.
    pub timeline: Vec<String>,
}

/// Why tests could not be run.
#[derive(Clone, Debug, PartialEq)]
pub enum Unusable {
    /// The test file is not in order.
    TestFile(Vec<Problem>),
    /// The definition is not in order.
    Definition(Vec<Problem>),
}

/// The test file of `text`, by itself.
///
/// # Errors
/// [`Unusable::TestFile`].
pub fn read(text: &str) -> Result<TestFile, Unusable> {
    test_file::read(text).map_err(Unusable::TestFile)
}

/// Runs those tests of `file` that are `wanted`, against a definition.
///
/// # Errors
/// The definition has an error, or a test names what the definition does not have. Nothing is run then.
pub fn run(
    file: &TestFile,
    definition: &str,
    catalogue: &Catalogue,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Tested>, Unusable> {
    let program = program(definition, catalogue)?;
    let tests: Vec<&Test> = file.tests.iter().filter(|test| wanted(&test.name)).collect();
    let problems: Vec<Problem> = tests.iter().flat_map(|test| unknown_steps(test, &program)).collect();
    if !problems.is_empty() {
        return Err(Unusable::TestFile(problems));
    }
    Ok(tests.into_iter().map(|test| run_one(test, &program)).collect())
}

fn program(definition: &str, catalogue: &Catalogue) -> Result<Program, Unusable> {
    let (problems, workflow) = service::read_and_check(definition, Level::Standard, catalogue);
    let errors: Vec<Problem> = problems.into_iter().filter(|problem| problem.severity == Severity::Error).collect();
    let workflow = workflow.filter(|_| errors.is_empty()).ok_or(Unusable::Definition(errors))?;
    let plan = skep_definition::plan::plan(&workflow, catalogue).map_err(Unusable::Definition)?;
    // Whatever the checks let pass compiles; if not, that is a bug of the checks, and the message says where.
    Program::new(plan).map_err(|bad| Unusable::Definition(vec![problem(&codes::DAMAGED, None, bad.to_string(), "")]))
}

fn problem(code: &Code, place: Option<Place>, message: String, hint: &str) -> Problem {
    let hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
    Problem { code: code.id, severity: Severity::Error, message, place, hint }
}

/// Steps that are fixed or expected, and that the workflow does not have.
fn unknown_steps(test: &Test, program: &Program) -> Vec<Problem> {
    let answers = test.answers.iter().filter(|pin| pin.step != EXECUTION);
    let named = test
        .outcomes
        .iter()
        .map(|pin| (&pin.step, pin.place))
        .chain(answers.map(|pin| (&pin.step, pin.place)))
        .chain(test.expect.steps.iter().map(|pin| (&pin.step, pin.place)));
    let ids: Vec<&str> = program.plan().steps.iter().map(|step| step.id.as_str()).collect();
    let unknown = named.filter(|(step, _)| !ids.contains(&id_of(step)));
    unknown
        .map(|(step, place)| {
            let hint = skep_definition::suggest::meant_or_known(id_of(step), "the steps", ids.iter().copied());
            let message = format!("the workflow has no step `{}`", id_of(step));
            problem(&codes::TEST_STEP, Some(place), message, &hint.unwrap_or_default())
        })
        .collect()
}

/// The step's id in a path: `ping` of `rollout[1].ping.rollback`.
pub(crate) fn id_of(path: &str) -> &str {
    let step = Part::split(path).0;
    step.rfind("].").map_or(step, |at| &step[at + 2..])
}

fn run_one(test: &Test, program: &Program) -> Tested {
    let inputs = match skep_definition::inputs::resolve(&program.plan().inputs, &test.inputs) {
        Ok(inputs) => inputs,
        Err(problems) => {
            let mismatches = problems.into_iter().map(|problem| Mismatch::refused("inputs", problem.message)).collect();
            let (name, place) = (test.name.clone(), test.place);
            return Tested { name, place, mismatches, took_ms: 0, timeline: Vec::new() };
        }
    };
    let start = simulate::start_of(program, inputs, test.environment.clone());
    let mut pins = Pins::of(test);
    let run = simulate(program, start, BEGINS, &mut pins, Bounds::default());
    let mut mismatches = compare::compare(&test.expect, &run, program.plan());
    mismatches.extend(pins.unused());
    mismatches.extend(run.refused.iter().map(|refused| Mismatch::refused(&refused.what, refused.why.to_string())));
    mismatches.extend(unheard(&run, test));
    let timeline = if mismatches.is_empty() { Vec::new() } else { timeline(&run, program) };
    let took_ms = u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX);
    Tested { name: test.name.clone(), place: test.place, mismatches, took_ms, timeline }
}

/// Signals that came and that no step waited for.
fn unheard(run: &Run, test: &Test) -> Vec<Mismatch> {
    let mut kept: Vec<&str> = Vec::new();
    for event in run.turns.iter().flat_map(|turn| &turn.events) {
        match event {
            Event::SignalKept { name, .. } => kept.push(name),
            Event::SignalTaken { name, kept: true, .. } => {
                if let Some(at) = kept.iter().position(|waiting| waiting == name) {
                    kept.remove(at);
                }
            }
            _ => {}
        }
    }
    let line =
        |name: &str| test.signals.iter().find(|signal| signal.name == name).map_or(0, |signal| signal.place.line);
    let said = |name: &str| format!("`{name}` at line {} is needed", line(name));
    kept.into_iter().map(|name| Mismatch::new("signal", said(name), "no step waited for it")).collect()
}

/// `+1m  deploy failed ..`, one line per event.
fn timeline(run: &Run, program: &Program) -> Vec<String> {
    let mut view = Execution::with_all_iterations(program.plan());
    let mut lines = Vec::new();
    for turn in &run.turns {
        view.apply(turn);
        let after_ms = u64::try_from((turn.at.0 - BEGINS.0) / 1_000).unwrap_or_default();
        for event in &turn.events {
            let text = describe(event, &view, &moment::print);
            lines.push(format!("+{:<8} {text}", print_duration_ms(after_ms)));
        }
    }
    lines
}

/// Where a pin stands, for messages.
pub(crate) fn named<T>(pin: &Pin<T>) -> String {
    format!("`{}` at line {}", pin.step, pin.place.line)
}
