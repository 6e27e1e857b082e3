//! What is not as expected, side by side.

use serde_json::{Value, json};
use skep_definition::test_file::{Expected, ExpectedError, ExpectedStep, Pin};
use skep_model::Map;
use skep_model::error::Failure;
use skep_model::plan::Plan;
use skep_model::span::print_duration_ms;
use skep_views::execution::Execution;

use crate::simulate::{End, Run};

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What: `status`, `outputs.url`, `steps.deploy.attempts` ..
    pub what: String,
    /// What the test says.
    pub expected: String,
    /// What came of it.
    pub actual: String,
}

impl Mismatch {
    pub(super) fn new(what: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { what: what.into(), expected: expected.into(), actual: actual.into() }
    }

    /// Something that was given, and refused.
    pub(super) fn refused(what: &str, why: String) -> Self {
        Self::new(what, "it is taken", why)
    }
}

/// Everything that is not as expected.
pub(super) fn compare(expected: &Expected, run: &Run, plan: &Plan) -> Vec<Mismatch> {
    let mut found = Vec::new();
    how_it_ended(expected, run, &mut found);
    if let Some(outputs) = &expected.outputs {
        compare_outputs(outputs, &run.outputs, &mut found);
    }
    let view = run.view(plan);
    for pin in &expected.steps {
        compare_step(pin, run, &view, &mut found);
    }
    let paths = |paths: &[skep_model::ids::StepPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    compare_list("path", expected.path.as_deref(), &paths(&run.path), &mut found);
    compare_list("rollback", expected.rollback.as_deref(), &paths(&run.rollback), &mut found);
    if let Some(error) = &expected.error {
        compare_error(error, run.failure.as_ref(), &mut found);
    }
    let took_ms = u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX);
    let too_short = expected.at_least_ms.filter(|least| took_ms < *least).map(|least| ("at least", least));
    let too_long = expected.at_most_ms.filter(|most| took_ms > *most).map(|most| ("at most", most));
    found.extend(too_short.into_iter().chain(too_long).map(|(word, bound_ms)| {
        Mismatch::new("takes", format!("{word} {}", print_duration_ms(bound_ms)), print_duration_ms(took_ms))
    }));
    found
}

/// An execution that stands still is only as expected if the test names that status.
fn how_it_ended(expected: &Expected, run: &Run, found: &mut Vec<Mismatch>) {
    let actual = match &run.end {
        End::Over => run.status.as_str().to_owned(),
        End::DeadEnd(waits) => format!("{}, and it waits for ever: {waits}", run.status.as_str()),
        End::Unfinished(bound) => format!("{}, not over {}", run.status.as_str(), bound.as_str()),
        End::Broken(why) => format!("a broken invariant: {why}"),
    };
    let stands = matches!(run.end, End::Over | End::DeadEnd(_));
    match expected.status {
        Some(status) if stands && status == run.status => {}
        None if run.end == End::Over => {}
        Some(status) => found.push(Mismatch::new("status", status.as_str(), actual)),
        None => found.push(Mismatch::new("status", "it comes to its end", actual)),
    }
}

fn compare_outputs(expected: &Map<Value>, actual: &Map<Value>, found: &mut Vec<Mismatch>) {
    some_outputs("outputs", expected, actual, found);
    for (name, value) in actual.iter().filter(|(name, _)| !expected.contains_key(*name)) {
        found.push(Mismatch::new(format!("outputs.{name}"), "there is none", text(value)));
    }
}

fn some_outputs(of: &str, expected: &Map<Value>, actual: &Map<Value>, found: &mut Vec<Mismatch>) {
    for (name, value) in expected {
        match actual.get(name) {
            Some(given) if same(given, value) => {}
            given => found.push(Mismatch::new(
                format!("{of}.{name}"),
                text(value),
                given.map_or_else(|| "there is none".to_owned(), text),
            )),
        }
    }
}

/// Numbers are the same by value: `1` and `1.0`.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let in_right = |(name, value): (&String, &Value)| right.get(name).is_some_and(|other| same(value, other));
            left.len() == right.len() && left.iter().all(in_right)
        }
        (left, right) => left == right,
    }
}

fn compare_step(pin: &Pin<ExpectedStep>, run: &Run, view: &Execution, found: &mut Vec<Mismatch>) {
    let (of, expected) = (format!("steps.{}", pin.step), &pin.what);
    let Some(step) = view.step(&pin.step) else {
        let status = expected.status.unwrap_or("reached");
        if status != "pending" {
            found.push(Mismatch::new(of, status, "never reached"));
        }
        return;
    };
    if let Some(status) = expected.status.filter(|status| *status != step.status.as_str()) {
        found.push(Mismatch::new(of.clone(), status, step.status.as_str()));
    }
    if let Some(attempts) = expected.attempts.filter(|attempts| *attempts != step.attempts) {
        found.push(Mismatch::new(format!("{of}.attempts"), attempts.to_string(), step.attempts.to_string()));
    }
    let outputs: Map<Value> = step.outputs.iter().map(|(name, payload)| (name.clone(), run.value(payload))).collect();
    some_outputs(&format!("{of}.outputs"), &expected.outputs, &outputs, found);
}

fn compare_list(what: &str, expected: Option<&[String]>, actual: &[String], found: &mut Vec<Mismatch>) {
    if let Some(expected) = expected.filter(|expected| *expected != actual) {
        let words = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        found.push(Mismatch::new(what, words(expected), words(actual)));
    }
}

fn compare_error(expected: &ExpectedError, actual: Option<&Failure>, found: &mut Vec<Mismatch>) {
    let Some(failure) = actual else {
        let wanted = expected.message.clone().unwrap_or_else(|| "an error".to_owned());
        found.push(Mismatch::new("error", wanted, "none"));
        return;
    };
    if let Some(kind) = expected.kind.filter(|kind| *kind != failure.kind) {
        found.push(Mismatch::new("error.kind", kind.as_str(), failure.kind.as_str()));
    }
    let step = failure.step.as_deref().unwrap_or_default();
    if let Some(wanted) = expected.step.as_deref().filter(|wanted| *wanted != step) {
        found.push(Mismatch::new("error.step", wanted, step));
    }
    if let Some(part) = expected.message.as_deref().filter(|part| !failure.message.contains(*part)) {
        found.push(Mismatch::new("error.message", format!("it says `{part}`"), failure.message.clone()));
    }
}

fn text(value: &Value) -> String {
    json!(value).to_string()
}
