//! Before a start at level strict: what the definition needs of this machine; at level paranoid also what would happen.
//! Asked at most every few seconds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skep_definition::check;
use skep_model::Map;
use skep_model::ids::Hash;
use skep_model::limits::{SURROUNDINGS_KEPT_MAX, SURROUNDINGS_KEPT_MS};
use skep_model::problem::{Problem, Severity};
use skep_model::surroundings::Surroundings;

use super::definitions::Definition;
use super::outlook::before_start;
use super::start::{Found, invalid};
use super::validation::promoted;
use crate::error::Error;
use crate::owner::Node;
use crate::surroundings::Machine;

/// A definition, the search path of its scripts, and the inputs, where it is simulated.
type Question = (Hash, Option<String>, Option<String>);

/// What was seen of the machine of late.
#[derive(Default)]
pub(crate) struct Seen(Mutex<HashMap<Question, (Instant, Vec<Problem>)>>);

impl Seen {
    /// The answer to `question`, seen now or a moment ago.
    fn answer(&self, question: Question, now: Instant, ask: impl FnOnce() -> Vec<Problem>) -> Vec<Problem> {
        let is_fresh = |at: &Instant| now.saturating_duration_since(*at) < Duration::from_millis(SURROUNDINGS_KEPT_MS);
        if let Some((_, answer)) = self.kept().get(&question).filter(|(at, _)| is_fresh(at)) {
            return answer.clone();
        }
        // Asking takes its time; two who ask at once ask twice.
        let answer = ask();
        let mut kept = self.kept();
        if kept.len() >= SURROUNDINGS_KEPT_MAX {
            kept.clear();
        }
        kept.insert(question, (now, answer.clone()));
        answer
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Question, (Instant, Vec<Problem>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Refuses a start for which something is missing here, or that will not go well; gives what a person should know.
    /// Nothing is asked below level strict, nothing simulated below level paranoid.
    pub(super) fn surroundings(
        &self,
        found: &Found,
        definition: &Definition,
        inputs: &Map<Value>,
        environment: &Map<String>,
    ) -> Result<Vec<Problem>, Error> {
        let Some(needs) = &definition.needs else { return Ok(Vec::new()) };
        let machine = Machine::new(self.directory().root());
        let machine: &dyn Surroundings = &machine;
        let path = environment.get("PATH");
        let with = definition.asked.as_ref().map(|_| json!(inputs).to_string());
        let ask = || {
            let mut problems = check::environment(needs, machine, path.map(String::as_str));
            if let Some(asked) = &definition.asked {
                let plan = definition.program.plan();
                problems.extend(before_start(plan, asked, inputs, environment, &self.reading(), machine));
            }
            problems
        };
        let mut problems = self.seen.answer((definition.hash, path.cloned(), with), Instant::now(), ask);
        problems.retain(|problem| problem.severity != Severity::Suggestion);
        if self.validation.strict_mode {
            problems = promoted(problems);
        }
        match problems.iter().any(|problem| problem.severity == Severity::Error) {
            true => Err(invalid(found, problems)),
            false => Ok(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_asked_once_in_a_while() {
        let seen = Seen::default();
        let start = Instant::now();
        let asked = std::cell::Cell::new(0);
        let ask = |path: &str, after_ms: u64| {
            let question = (Hash::of(b"text"), Some(path.to_owned()), None);
            seen.answer(question, start + Duration::from_millis(after_ms), || {
                asked.set(asked.get() + 1);
                Vec::new()
            });
            asked.get()
        };
        assert_eq!([ask("/bin", 0), ask("/bin", SURROUNDINGS_KEPT_MS - 1)], [1, 1]);
        assert_eq!([ask("/usr/bin", 0), ask("/bin", SURROUNDINGS_KEPT_MS)], [2, 3]);
        for number in 0..2 * SURROUNDINGS_KEPT_MAX {
            ask(&format!("/{number}"), 0);
        }
        assert!(seen.0.lock().unwrap().len() <= SURROUNDINGS_KEPT_MAX);
    }
}
