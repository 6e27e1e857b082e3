//! Performs effects: scripts as local processes, built-in actions, and the killing of what they leave behind.
//!
//! It must not know a store, a plan or the engine: it takes a [`Task`](skep_model::effect::Task) and gives one
//! [`Outcome`](skep_model::outcome::Outcome), exactly once. Retries, timeouts between attempts and what an
//! outcome means are decided elsewhere.
//!
//! ```text
//!   node --prepare--> Runner --order--> spawner --fork--> parked child
//!        (commit)
//!        --perform--> release --> script::life --lines--> Sink
//!                             \-> actions                    \--done--> Outcome
//!        --abort----> kill::Hunter
//!        --sweep----> kill (before a new owner delivers again)
//! ```
//!
//! The binary calls [`spawner::is_requested`] before anything else and becomes the helper if so.

#![allow(clippy::result_large_err, reason = "a failure is built once per failed step; a box would only add noise")]

pub mod spawner;

mod actions;
mod clock;
mod config;
mod crypto;
pub mod foresee;
mod kill;
mod live;
mod perform;
mod prepare;
mod runner;
mod script;
mod sink;

pub mod codes;

pub use actions::catalogue_actions;
pub use config::{Config, Credential, Login, Smtp, Tls};
pub use crypto::install_crypto;
pub use prepare::Prepared;
pub use runner::{Done, Error, Runner};
pub use sink::{LogLine, Sink, Stream};
pub use spawner::{Identity, find_program};

#[cfg(test)]
mod tests;
