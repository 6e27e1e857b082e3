//! Running a script: what process it takes, what it prints, how it ended.
//!
//! It must not evaluate expressions or decide about retries: it gets text and values and gives one
//! [`Ended`](skep_model::outcome::Ended).
//!
//! ```text
//!   launch   Task -> Launch: interpreter, arguments, environment, scratch files (pure but for PATH look-ups)
//!   scratch  the folder of one delivery
//!   streams  two pipes -> log lines for the sink, captured bytes for the outputs
//!   life     release, wait for exit, timeout or abort, kill what is left, report
//!   verdict  exit status and streams -> outputs, failure
//! ```

mod launch;
mod life;
mod scratch;
mod streams;
mod verdict;

pub(crate) use launch::Launch;
pub(crate) use life::Life;
pub(crate) use scratch::{Scratch, remove_stale};
pub(crate) use streams::Captured;
pub(crate) use verdict::{exited as foreseen_exit, spawn_failure, timed_out as foreseen_timeout};
