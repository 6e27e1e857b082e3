//! The running node: the only crate that knows engine, store and runner.
//!
//! ```text
//! service::* --Input--> driver thread: Core::handle (pure) -> prepare children -> blobs fsynced
//!                            ^                                        |
//!                            |                                        v
//!     runner outcomes -------+------ acks <------ writer thread: one commit per group
//!                            |
//!                            \--- after the ack: effects performed, callers answered, watchers woken
//! ```
//! [`core`] is a synchronous function without threads, clock or tokio: (state, message, now) -> rows to commit,
//! effects, timers. [`driver`] gives it threads, the writer and the clock. [`service`] is the one application
//! interface; the CLI, the Unix socket and every later face go through it, so they cannot disagree.

mod audit;
pub mod catalogue;
pub mod clock;
pub mod codes;
pub mod config;
pub mod core;
pub mod driver;
mod error;
mod fold;
pub mod forecast;
pub mod gates;
mod log_sink;
mod owner;
mod recovery;
mod restore;
pub mod retention;
pub mod service;
mod shard_time;
pub mod simulate;
pub mod surroundings;
pub mod testing;
mod watch;

pub use error::{Class as ErrorClass, Error};
pub use owner::{Node, Settings};
pub use recovery::{Recovered, Recovery};
pub use skep_store::DataDir;
pub use skep_store::Stats;
pub use watch::{Ended, Progress, Slots, Summary, Watcher};

#[cfg(test)]
mod tests;
