//! Ending everything that a delivery started, wherever it hid.
//!
//! A process group is not enough: a child that calls `setsid` leaves it, one that forks twice leaves its
//! parent, one that clears its environment hides its token. So a hunt looks at all processes again and again
//! until none is left that belongs to the delivery. This module must not know what a step is, and it never
//! signals a pid without having checked that it is still the same process.
//!
//! ```text
//!   processes  one look at /proc
//!   target     which of these processes belong to one delivery
//!   hunt       SIGTERM, grace, SIGSTOP until nothing new appears, SIGKILL, again until none is left
//!   hunter     the thread that does it for the runner; one look serves all hunts
//! ```

mod hunt;
mod hunter;
mod processes;
mod target;

pub(crate) use hunt::{Hunt, everything_below, hunt_all, self_and_ancestors};
pub(crate) use hunter::Hunter;
#[cfg(test)]
pub(crate) use processes::is_alive;
pub(crate) use processes::{TOKEN_VARIABLE, started_ticks};
pub(crate) use target::{Main, Surroundings, Target};

#[cfg(test)]
mod tests;
