//! The engine: `decide(state, program, message, now)` gives events and effects, `apply` folds events into state.
//!
//! ```text
//!   Message --decide--> Turn (events) --journal--> apply --> State
//!                          \--> effects, performed once the turn is durable --> Outcome = the next message
//! ```
//! Pure: no clock, no randomness, no input or output, no async. Recovery is [`apply_turn`] in a loop and then
//! the message `Recovered`; there is no second path. Neighbours: `definition` makes plans and evaluates
//! expressions, `node` calls [`decide`] and keeps the promises (durable before acted upon).
//!
//! The transition table stands in [`lifecycle`].

mod advance;
mod apply;
mod asking;
mod chunks;
pub mod codes;
mod decide;
mod ids;
mod index;
mod judge;
pub mod lifecycle;
mod outstanding;
mod payload;
mod permits;
mod program;
mod rejection;
mod results;
mod retry;
mod rollback;
mod scope;
mod slab;
mod slots;
mod snapshot;
mod state;
mod steps;
mod unknown;

pub use apply::{Misfit, apply_turn};
pub use decide::{Decision, EVENTS_PER_TURN, decide};
pub use outstanding::outstanding;
pub use payload::Blobs;
pub use permits::queued as permits_awaited;
pub use program::{BadPlan, Program};
pub use rejection::Rejection;
pub use rollback::list::Undoable;
pub use snapshot::{BadSnapshot, SNAPSHOT_FORMAT};
pub use state::{Ending, State, Timer};

#[cfg(test)]
mod tests;
