//! Plans and definitions that the store is known to have, so that a start does not bring them again.
//!
//! Known is what has landed. The store drops what no execution uses only when it is told to
//! ([`Retire::Unused`]), in the order in which it is told things: a start that was handed over before that still has
//! its plan, because its row uses it; one that comes after brings it along.

use foldhash::HashSet;
use skep_model::ids::Hash;
use skep_store::{Retire, Row};

/// Known pairs kept; beyond, all are forgotten and brought again.
const KNOWN_MAX: usize = 10_000;

/// The hashes of a plan and of the definition that it was made of.
pub(super) type Hashes = (Hash, Hash);

/// What the store has.
#[derive(Default)]
pub(super) struct Stored {
    known: HashSet<Hashes>,
}

impl Stored {
    pub fn has(&self, hashes: &Hashes) -> bool {
        self.known.contains(hashes)
    }

    /// They have landed.
    pub fn add(&mut self, hashes: Hashes) {
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(hashes);
    }

    /// These rows are handed over.
    pub fn note(&mut self, rows: &[Row]) {
        if rows.iter().any(|row| matches!(row, Row::Retire(Retire::Unused))) {
            self.known.clear();
        }
    }
}
