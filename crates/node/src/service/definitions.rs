//! Definitions that were checked lately: what follows from the same text is not worked out for each start.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use skep_definition::check::Needs;
use skep_engine::Program;
use skep_model::catalogue::Catalogue;
use skep_model::ids::Hash;
use skep_model::problem::Problem;

use super::check::{Startable, startable};
use super::outlook::Asked;
use crate::config::Validation;
use crate::error::Error;

/// Texts kept, in bytes; a compiled plan takes about twenty times as much as its text.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// A definition that may start, compiled.
pub(crate) struct Definition {
    /// Its source.
    pub text: Arc<str>,
    /// Of the source.
    pub hash: Hash,
    /// Its plan.
    pub program: Arc<Program>,
    /// What a person should know about it.
    pub warnings: Vec<Problem>,
    /// What it needs of the machine, at level strict.
    pub needs: Option<Needs>,
    /// What is asked about it at level paranoid.
    pub asked: Option<Asked>,
}

/// What became of checking a text.
pub(super) type Checked = Result<Arc<Definition>, Refused>;

/// Why a text cannot be started.
pub(super) enum Refused {
    /// It has errors.
    Invalid(Vec<Problem>),
    /// It was accepted and does not compile: a bug.
    Broken(Error),
}

/// Definitions by the hash of their text. The catalogue of a node and how it validates never change, so they hold as
/// long as it runs.
#[derive(Default)]
pub(crate) struct Definitions {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_hash: HashMap<Hash, Arc<Definition>>,
    text_bytes: usize,
}

impl Definitions {
    /// The definition with this text, checked and compiled now or before.
    pub(super) fn checked(&self, text: &str, catalogue: &Catalogue, validation: Validation) -> Checked {
        let hash = Hash::of(text.as_bytes());
        if let Some(known) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).by_hash.get(&hash) {
            return Ok(Arc::clone(known));
        }
        let checked = startable(text, catalogue, validation).map_err(Refused::Invalid)?;
        let Startable { plan, warnings, needs, asked } = checked;
        let program = Program::new(plan).map_err(|bad| Refused::Broken(Error::damaged(&"the plan", bad)))?;
        let (text, program) = (Arc::from(text), Arc::new(program));
        let definition = Arc::new(Definition { text, hash, program, warnings, needs, asked });
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).keep(&definition);
        Ok(definition)
    }
}

impl Kept {
    fn keep(&mut self, definition: &Arc<Definition>) {
        let bytes = definition.text.len();
        if self.text_bytes + bytes > TEXT_BYTES_MAX {
            *self = Self::default();
        }
        if bytes <= TEXT_BYTES_MAX && self.by_hash.insert(definition.hash, Arc::clone(definition)).is_none() {
            self.text_bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_checked_once_and_what_is_kept_is_bounded() {
        let (definitions, catalogue) = (Definitions::default(), crate::catalogue::build());
        let text = |number: usize| {
            format!("name: w{number}\ndescription: {}\nsteps:\n  - {{id: a, uses: noop}}\n", "x".repeat(9_000))
        };
        let Ok(first) = definitions.checked(&text(0), &catalogue, Validation::default()) else {
            panic!("the text is refused")
        };
        let Ok(again) = definitions.checked(&text(0), &catalogue, Validation::default()) else {
            panic!("the text is refused")
        };
        assert!(Arc::ptr_eq(&first, &again));
        for number in 1..200 {
            assert!(definitions.checked(&text(number), &catalogue, Validation::default()).is_ok());
        }
        let kept = definitions.kept.lock().unwrap();
        let bytes: usize = kept.by_hash.values().map(|definition| definition.text.len()).sum();
        assert!(bytes == kept.text_bytes && bytes <= TEXT_BYTES_MAX && kept.by_hash.len() > 50);
    }

    #[test]
    fn a_text_with_errors_is_checked_each_time() {
        let definitions = Definitions::default();
        for _ in 0..2 {
            let checked = definitions.checked("steps: []", &crate::catalogue::build(), Validation::default());
            assert!(matches!(checked, Err(Refused::Invalid(problems)) if !problems.is_empty()));
        }
    }
}
