//! What a forecast has to say, as problems with their places.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use skep_definition::check::codes;
use skep_model::Map;
use skep_model::code::Code;
use skep_model::problem::{Place, Problem, Severity};

use super::{Forecast, SelfFailure};

/// A share of failures over this is a warning (seed 000's rule).
const FAILURES_WARNED: f64 = 0.5;
/// Codes that have said already that a step or a condition is never reached.
const SAID: [&str; 2] = ["SKEP-C036", "SKEP-C038"];
/// Inputs that a message shows.
const INPUTS_SHOWN_MAX: usize = 4;

/// The problems of a forecast. `places` are those of the steps, `said` what was found of the text.
pub(crate) fn problems(forecast: &Forecast, places: &BTreeMap<String, Place>, said: &[Problem]) -> Vec<Problem> {
    let mut found = Findings { places, problems: Vec::new() };
    found.failure_rates(forecast);
    found.standing_still(forecast);
    for (id, failure) in &forecast.found.self_failures {
        found.self_failure(id, failure);
    }
    let starts: Vec<usize> = {
        let mut starts: Vec<usize> = places.values().map(|place| place.start).collect();
        starts.sort_unstable();
        starts
    };
    for (id, certain) in &forecast.found.unreached {
        if !is_said(places.get(id), &starts, said) {
            found.unreached(id, *certain);
        }
    }
    for id in &forecast.boundless {
        let message = format!("`{id}` waits for ever if nobody answers");
        let hint = "give it a `timeout`, if somebody should notice";
        found.add(codes::WAITS_FOR_EVER, Severity::Suggestion, Some(id), message, hint);
    }
    found.problems
}

/// True if a check of the text has something to say between this step and the next one.
fn is_said(place: Option<&Place>, starts: &[usize], said: &[Problem]) -> bool {
    let Some(place) = place else { return false };
    let next = starts.iter().find(|start| **start > place.start).copied().unwrap_or(usize::MAX);
    said.iter().filter(|problem| SAID.contains(&problem.code)).filter_map(|problem| problem.place).any(|said| {
        // The line of a step begins before its id.
        said.line == place.line || (said.start >= place.start && said.start < next)
    })
}

struct Findings<'a> {
    places: &'a BTreeMap<String, Place>,
    problems: Vec<Problem>,
}

impl Findings<'_> {
    fn add(&mut self, code: Code, severity: Severity, step: Option<&str>, message: String, hint: impl Into<String>) {
        let place = step.and_then(|id| self.places.get(id)).copied();
        self.problems.push(Problem { code: code.id, severity, message, place, hint: Some(hint.into()) });
    }

    fn failure_rates(&mut self, forecast: &Forecast) {
        for (id, share, ends) in &forecast.often_failed {
            let severity = if *share > FAILURES_WARNED { Severity::Warning } else { Severity::Suggestion };
            let message = format!("`{id}` failed in {:.0} % of {ends} earlier executions", share * 100.0);
            let hint = "look at its failures with `skep history`; `retry` or a longer `timeout` may help";
            self.add(codes::OFTEN_FAILS, severity, Some(id), message, hint);
        }
    }

    fn standing_still(&mut self, forecast: &Forecast) {
        let severity = |certain: bool| if certain { Severity::Warning } else { Severity::Suggestion };
        for end in &forecast.found.dead_ends {
            let message = format!("if {}, the execution stands still for ever ({})", end.case, end.waits_for);
            let hint = "give the wait a `timeout`, or let it end after a failure, too";
            self.add(codes::DEAD_END, severity(end.certain), end.step.as_deref(), message, hint);
        }
        for (why, step, certain) in &forecast.found.endless {
            let message = match step {
                Some(step) => format!("a simulated execution did not end {why}: it was at `{step}`"),
                None => format!("a simulated execution did not end {why}"),
            };
            let hint = "bound it with `max_iterations` or a `timeout`";
            self.add(codes::NEVER_ENDS, severity(*certain), step.as_deref(), message, hint);
        }
    }

    fn self_failure(&mut self, id: &str, failure: &SelfFailure) {
        let severity = if failure.varied.is_empty() { Severity::Warning } else { Severity::Suggestion };
        let with = if failure.inputs.is_empty() { String::new() } else { format!(" with {}", shown(failure)) };
        let message = format!("`{id}` fails although nothing goes wrong{with}: {}", failure.message);
        let hint = match failure.varied.is_empty() {
            true => "mend the expression, or ask first in it (`is defined`, `default(..)`)",
            false => "declare the input more narrowly, or ask first in the expression; `-i NAME=VALUE` tries a value",
        };
        self.add(codes::FAILS_BY_ITSELF, severity, Some(id), message, hint);
    }

    fn unreached(&mut self, id: &str, certain: bool) {
        let (severity, message) = match certain {
            true => (Severity::Warning, format!("no simulated execution reaches `{id}`")),
            false => (
                Severity::Suggestion,
                format!("no simulated execution reaches `{id}`, as far as the results of other steps can be made up"),
            ),
        };
        let hint = "look at its `if` and at the conditions around it";
        self.add(codes::NEVER_REACHED, severity, Some(id), message, hint);
    }
}

/// `count = 0, name = "x"`, those that were varied first.
fn shown(failure: &SelfFailure) -> String {
    let mut inputs: Vec<(&String, &Value)> = failure.inputs.iter().collect();
    inputs.sort_by_key(|(name, _)| !failure.varied.contains(name));
    let known: Map<Value> =
        inputs.iter().take(INPUTS_SHOWN_MAX).map(|(name, it)| ((*name).clone(), (*it).clone())).collect();
    known
        .iter()
        .map(|(name, value)| format!("{name} = {}", cut(&json!(value).to_string())))
        .collect::<Vec<_>>()
        .join(", ")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
