//! A smaller world that fails in the same way: cuts are tried in a fixed order, larger ones first, and kept if the same
//! invariant still does not hold.

use skep_model::catalogue::Catalogue;

use crate::check::Violation;
use crate::world::{self, Scenario};

/// Worlds that are tried at most: a failure is small after a few hundred.
const TRIES_MAX: usize = 1_500;

/// A failure made small.
pub struct Shrunk {
    /// The cuts, for `--shrunk`.
    pub cuts: Vec<usize>,
    /// What is left.
    pub scenario: Scenario,
    /// How it fails.
    pub violation: Violation,
}

/// Makes a failing world small.
pub fn shrink(scenario: &Scenario, violation: Violation, catalogue: &Catalogue) -> Shrunk {
    let mut shrunk = Shrunk { cuts: Vec::new(), scenario: scenario.clone(), violation };
    let mut tries = 0;
    while let Some((cut, smaller, violation)) = step(&shrunk, catalogue, &mut tries) {
        shrunk.cuts.push(cut);
        shrunk.scenario = smaller;
        shrunk.violation = violation;
    }
    shrunk
}

fn step(shrunk: &Shrunk, catalogue: &Catalogue, tries: &mut usize) -> Option<(usize, Scenario, Violation)> {
    for (cut, smaller) in shrunk.scenario.smaller().into_iter().enumerate() {
        if *tries >= TRIES_MAX {
            return None;
        }
        *tries += 1;
        if let Err(violation) = world::run(&smaller, catalogue).verdict
            && violation.invariant == shrunk.violation.invariant
        {
            return Some((cut, smaller, violation));
        }
    }
    None
}
