//! The nouns of Skep: ids, time, values, plans, messages, events, effects, outcomes, limits, errors.
//!
//! Pure data. This crate must not read a clock, touch a file or decide anything; every other crate
//! imports it and it imports none of them.
//!
//! ```text
//! definition --Plan--> engine --Event--> store (journal)
//!                        |  ^
//!                 Effect |  | Message (Outcome, Approve, Signal ..)
//!                        v  |
//!                       runner
//! ```

pub mod access;
pub mod actor;
pub mod audit;
pub mod catalogue;
pub mod code;
pub mod decision;
pub mod effect;
pub mod error;
pub mod event;
pub mod ids;
pub mod limits;
pub mod message;
pub mod mutant;
pub mod outcome;
pub mod payload;
pub mod permit;
pub mod plan;
pub mod problem;
pub mod rollback;
pub mod span;
pub mod status;
pub mod surroundings;
pub mod time;

pub use serde_json::Value;

/// An ordered map from name to value; order is the order in which people wrote the names.
pub type Map<V> = indexmap::IndexMap<String, V>;
