//! The ports over plain vectors and maps: the oracle of the tests, and a store for dry runs.
//!
//! Naive on purpose: reading is a walk over everything. Nothing is durable; a clone is another handle on the
//! same store.

mod access;
mod reader;
mod state;

#[cfg(test)]
mod tests;

pub use state::Memory;
