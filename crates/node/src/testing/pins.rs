//! What a test fixes, as the world that a simulated execution meets.

use std::collections::HashMap;
use std::time::Duration;

use skep_definition::test_file::{Answer, Failing, Outcome, Pin, Says, Test};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::effect::{Child, Task, Work};
use skep_model::error::Failure;
use skep_model::outcome::Ended;
use skep_model::rollback::Part;
use skep_model::status::Execution as Status;
use skep_runner::foresee;

use super::compare::Mismatch;
use super::{EXECUTION, id_of, named};
use crate::codes;
use crate::simulate::{ChildGave, Outside, Performed, Question, Said, Sent, Word};

/// Who answers and sends where a test does not say.
const SOMEBODY: &str = "somebody";

/// The pins of a test, and which of them were used.
pub(super) struct Pins<'t> {
    test: &'t Test,
    outcomes: Used,
    answers: Used,
}

/// How often each pin was asked for, and each path.
#[derive(Default)]
struct Used {
    pins: Vec<bool>,
    times: HashMap<String, usize>,
}

impl Used {
    fn of<T>(pins: &[Pin<T>]) -> Self {
        Self { pins: vec![false; pins.len()], times: HashMap::new() }
    }

    /// What is fixed for `path` this time: by its path, else by the id of its step. The last entry stands for all later
    /// times.
    fn next<'p, T>(&mut self, pins: &'p [Pin<Vec<T>>], path: &str) -> Option<&'p T> {
        let exact = pins.iter().position(|pin| pin.step == path);
        let (id, part) = (id_of(path), Part::split(path).1);
        let by_id = || pins.iter().position(|pin| *pin.step == *part.of(id));
        let found = exact.or_else(by_id)?;
        self.pins[found] = true;
        let time = self.times.entry(path.to_owned()).or_default();
        let entries = &pins[found].what;
        let entry = entries.get(*time).or_else(|| entries.last());
        *time += 1;
        entry
    }

    fn unused<T>(&self, what: &'static str, pins: &[Pin<T>]) -> impl Iterator<Item = Mismatch> {
        let unused: Vec<String> =
            pins.iter().zip(&self.pins).filter(|(_, used)| !**used).map(|(pin, _)| named(pin)).collect();
        unused.into_iter().map(move |name| Mismatch::new(what, format!("{name} is needed"), "nothing asked for it"))
    }
}

impl<'t> Pins<'t> {
    pub fn of(test: &'t Test) -> Self {
        Self { test, outcomes: Used::of(&test.outcomes), answers: Used::of(&test.answers) }
    }

    /// What was fixed and never asked for: the test is not about what it says.
    pub fn unused(&self) -> Vec<Mismatch> {
        let outcomes = self.outcomes.unused("outcome", &self.test.outcomes);
        outcomes.chain(self.answers.unused("answer", &self.test.answers)).collect()
    }
}

impl Outside for Pins<'_> {
    fn work(&mut self, task: &Task) -> Option<Performed> {
        let outcome = self.outcomes.next(&self.test.outcomes, &task.path)?;
        Some(Performed { result: ended(outcome, task), takes: Duration::from_millis(outcome.takes_ms) })
    }

    fn person(&mut self, question: &Question<'_>) -> Option<Said> {
        let path = if question.path.is_empty() { EXECUTION } else { question.path };
        let answer = self.answers.next(&self.test.answers, path)?;
        Some(said(answer))
    }

    fn child(&mut self, child: &Child) -> ChildGave {
        match self.outcomes.next(&self.test.outcomes, &child.path) {
            Some(outcome) => child_gave(outcome),
            None => ChildGave::completed(Map::new()),
        }
    }

    fn signals(&mut self) -> Vec<Sent> {
        let sent = |signal: &skep_definition::test_file::Sent| Sent {
            name: signal.name.clone(),
            payload: signal.payload.clone(),
            by: person(signal.by.as_deref()),
            after: Duration::from_millis(signal.after_ms),
        };
        self.test.signals.iter().map(sent).collect()
    }
}

fn person(name: Option<&str>) -> Actor {
    Actor::person(name.unwrap_or(SOMEBODY))
}

fn said(answer: &Answer) -> Said {
    let word = match &answer.says {
        Says::Approve => Word::Yes,
        Says::Reject => Word::No,
        Says::Values(values) => Word::Values(values.clone()),
    };
    let (by, after) = (person(answer.by.as_deref()), Duration::from_millis(answer.after_ms));
    Said { by, word, after, comment: answer.comment.clone() }
}

/// How a piece of work ends: what it gives by itself, with what the test says over it.
fn ended(outcome: &Outcome, task: &Task) -> Ended {
    if let Some(failing) = &outcome.fail {
        return Ended::Failed { failure: failure(failing, &task.path), outputs: outputs_of(outcome, Map::new()) };
    }
    let streams = (outcome.stdout.as_deref().unwrap_or_default(), outcome.stderr.as_deref().unwrap_or_default());
    let plain = match &task.work {
        Work::Script(script) => foresee::exited(script, outcome.exit_code.unwrap_or(0), streams.0, streams.1),
        Work::Action { .. } | Work::UndoChild { .. } => foresee::succeeded(&task.work),
    };
    match plain {
        Ended::Succeeded(outputs) => Ended::Succeeded(outputs_of(outcome, outputs)),
        Ended::Failed { failure, outputs } => Ended::Failed { failure, outputs: outputs_of(outcome, outputs) },
        Ended::Aborted => Ended::Aborted,
    }
}

fn outputs_of(outcome: &Outcome, mut plain: Map<serde_json::Value>) -> Map<serde_json::Value> {
    plain.extend(outcome.outputs.clone());
    if let (Some(stderr), true) = (&outcome.stderr, outcome.fail.is_some()) {
        plain.insert("stderr".to_owned(), stderr.clone().into());
    }
    plain
}

fn failure(failing: &Failing, path: &str) -> Failure {
    let message = failing.message.clone().unwrap_or_else(|| format!("`{path}` fails, says the test"));
    let mut failure = Failure::new(failing.kind, codes::TEST_FAILS.id, message);
    failure.http_status = failing.http_status;
    failure
}

fn child_gave(outcome: &Outcome) -> ChildGave {
    let failed = outcome.fail.as_ref().map(|failing| failure(failing, "the child execution"));
    let default = if failed.is_some() { Status::Failed } else { Status::Completed };
    let status = outcome.status.unwrap_or(default);
    let (outputs, takes) = (outcome.outputs.clone(), Duration::from_millis(outcome.takes_ms));
    ChildGave { status, outputs, failure: failed, can_be_undone: false, takes }
}
