//! The simulator: the real definition, engine, driver and SQLite store in one thread and in virtual time, with faults
//! below SQLite and above it, and invariants that are checked after every commit. For development only.
//!
//! ```text
//! generate (workflows) --> world (clock, runner, people, crashes) --turns--> node::driver --> store over disk
//!                             \--every commit--> check (invariants) --> report, shrinking
//! ```
//! Everything follows from a seed: a failure is repeated by one command.

#![allow(clippy::module_name_repetitions, reason = "names read in a sentence")]

pub mod check;
pub mod disk;
pub mod generate;
pub mod mutants;
pub mod random;
pub mod report;
pub mod rollbacks;
pub mod run;
pub mod shrink;
pub mod torture;
pub mod trace;
pub mod world;
