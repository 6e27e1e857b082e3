//! What people and programs see of an execution: pure folds over its plan and its journal.
//!
//! This crate must not decide anything, read a clock, touch a store or resolve a blob; whoever calls it brings
//! the values behind payloads and the text of moments as closures. The engine's own state forgets what the
//! flow no longer needs; the views here remember what a reader asks about.
//!
//! ```text
//! store (journal) --Turn--> execution::Execution --> answer::answer    (`run`, `status`, REST)
//!                     |            |
//!                     |            +--> progress::Progress             (bars, lists)
//!                     +--> timeline::Timeline                          (Gantt, live view)
//!                     +--> replay::{state_at, lines}                   (`replay`, time travel)
//! ```
//!
//! Folding a turn costs what the turn changes, never what the execution holds.

mod again;
pub mod answer;
pub mod decisions;
pub mod describe;
pub mod execution;
pub mod points;
pub mod progress;
pub mod reasons;
pub mod replay;
pub mod step;
pub mod timeline;

mod fold;
mod shape;
mod undo;

#[cfg(test)]
mod tests;
