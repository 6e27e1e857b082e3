//! Before a start at level strict: what the definition needs of this machine, asked at most every few seconds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use skep_definition::check;
use skep_model::ids::Hash;
use skep_model::limits::{SURROUNDINGS_KEPT_MAX, SURROUNDINGS_KEPT_MS};
use skep_model::problem::{Problem, Severity};
use skep_model::surroundings::Surroundings;

use super::definitions::Definition;
use super::start::{Found, invalid};
use super::validation::promoted;
use crate::error::Error;
use crate::owner::Node;
use crate::surroundings::Machine;

/// A definition and the search path of its scripts.
type Question = (Hash, Option<String>);

/// What was seen of the machine of late.
#[derive(Default)]
pub(crate) struct Seen(Mutex<HashMap<Question, (Instant, Vec<Problem>)>>);

impl Seen {
    /// The answer to `question`, seen now or a moment ago.
    fn answer(&self, question: Question, now: Instant, ask: impl FnOnce() -> Vec<Problem>) -> Vec<Problem> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |at: &Instant| now.saturating_duration_since(*at) < Duration::from_millis(SURROUNDINGS_KEPT_MS);
        if let Some((_, answer)) = seen.get(&question).filter(|(at, _)| is_fresh(at)) {
            return answer.clone();
        }
        if seen.len() >= SURROUNDINGS_KEPT_MAX {
            seen.clear();
        }
        let answer = ask();
        seen.insert(question, (now, answer.clone()));
        answer
    }
}

impl Node {
    /// Refuses a start for which something is missing here. Nothing is asked at the other levels.
    pub(super) fn surroundings(
        &self,
        found: &Found,
        definition: &Definition,
        path: Option<&String>,
    ) -> Result<(), Error> {
        let Some(needs) = &definition.needs else { return Ok(()) };
        let machine = Machine::new(self.directory().root());
        let machine: &dyn Surroundings = &machine;
        let question = (definition.hash, path.cloned());
        let ask = || check::environment(needs, machine, path.map(String::as_str));
        let mut problems = self.seen.answer(question, Instant::now(), ask);
        if self.validation.strict_mode {
            problems = promoted(problems);
        }
        match problems.iter().any(|problem| problem.severity == Severity::Error) {
            true => Err(invalid(found, problems)),
            false => Ok(()),
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
            let question = (Hash::of(b"text"), Some(path.to_owned()));
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
