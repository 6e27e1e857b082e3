//! Tables of places, and the corpus that runs real shells.

use skep_model::problem::Severity;

use super::{Placed, codes, place};

mod corpus;
mod places;
mod random;

fn codes_of(placed: &Placed) -> Vec<&'static str> {
    placed.problems.iter().map(|problem| problem.code).collect()
}
