//! What every implementation of the ports must do: one suite of cases over a [`Fixture`], and a seeded
//! differential test against the oracle in memory.

mod access;
mod bounds;
mod cases;
mod differential;
mod dump;
mod samples;

use crate::journal::Journal;
use crate::reader::Reader;

/// A store under test.
pub(crate) trait Fixture {
    /// Its writing side.
    fn journal(&mut self) -> &mut dyn Journal;
    /// A fresh reader.
    fn reader(&self) -> Box<dyn Reader>;
    /// Closes and opens it as a new owner would.
    fn reopen(&mut self);
}

pub(crate) use cases::run_all;
pub(crate) use differential::differ;
pub(crate) use samples::{created, turn, write};
