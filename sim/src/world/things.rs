//! What the work of a world changes outside: registers, each a pile of what was written and not taken back.
//!
//! A step whose text says `write R` puts itself on the pile of R, once, however often it is delivered; `take_back R` in
//! its compensation takes it off again, wherever it lies, and nothing if it is not there, as a careful compensation
//! does. What lies on top is what the register shows: taking back in another order than the reverse is seen.

use std::collections::{BTreeMap, BTreeSet};

use skep_model::effect::{Task, Work};
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::rollback::Part;

use crate::check::{Invariant, Violation};

/// Who wrote something.
pub type Writer = (ExecutionId, StepPath);

/// The registers of a world.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Things {
    piles: BTreeMap<String, Vec<Writer>>,
    /// What was seen to be wrong.
    pub wrong: Option<Violation>,
}

impl Things {
    /// Work was done, or a part of it that counts.
    pub fn done(&mut self, task: &Task) {
        let Some((verb, register)) = order(&task.work) else { return };
        let (step, _) = Part::split(&task.path);
        // Rounds of a loop may run at one time: each has registers of its own.
        let round = step.rfind("].").map_or("", |at| &step[..at + 2]);
        let register = format!("{}/{round}{register}", task.execution);
        let writer = (task.execution.clone(), StepPath::from(step));
        let pile = self.piles.entry(register.clone()).or_default();
        let lies = pile.iter().position(|other| *other == writer);
        match (verb, lies) {
            (Verb::Write, None) => pile.push(writer),
            (Verb::TakeBack, Some(at)) => {
                let above = pile.len() - at - 1;
                pile.remove(at);
                if above > 0 {
                    let what = format!("{writer:?} is taken back from `{register}`, and {pile:?} was built on it");
                    self.wrong.get_or_insert(Violation::new(Invariant::CompensationOrder, what));
                }
            }
            (Verb::Write, Some(_)) | (Verb::TakeBack, None) => {}
        }
        self.piles.retain(|_, pile| !pile.is_empty());
    }

    /// What of an execution is there.
    pub fn of(&self, execution: &ExecutionId) -> BTreeSet<StepPath> {
        let all = self.piles.values().flatten();
        all.filter(|(whose, _)| whose == execution).map(|(_, path)| path.clone()).collect()
    }

    /// True if the step's work is there.
    pub fn has(&self, execution: &ExecutionId, path: &str) -> bool {
        self.piles.values().flatten().any(|(whose, other)| whose == execution && **other == *path)
    }

    /// True if the world is as it was before anything happened.
    pub fn is_untouched(&self) -> bool {
        self.piles.is_empty()
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Write,
    TakeBack,
}

/// What the work says about a register.
fn order(work: &Work) -> Option<(Verb, &str)> {
    let text = match work {
        Work::Script(script) => script.text.as_str(),
        Work::Action { with, .. } => with["order"].as_str()?,
        Work::UndoChild { .. } => return None,
    };
    let mut words = text.split(|letter: char| letter.is_whitespace() || letter == ';');
    let verb = words.find_map(|word| match word {
        "write" => Some(Verb::Write),
        "take_back" => Some(Verb::TakeBack),
        _ => None,
    })?;
    Some((verb, words.next()?))
}
