//! The spawner: a single-threaded helper mode of our own binary that forks the processes of scripts.
//!
//! Forking beside threads is a trap and becomes slow as memory grows; a small process without threads has
//! neither problem. Children are forked ahead of the scripts that take them, so that no script waits for a fork.
//! It must not know what a step, a journal or an execution is: it gets a program to start
//! and gives back a pid, three descriptors and, later, an exit status.
//!
//! ```text
//!   node                                    spawner (child subreaper)            child
//!   client  --- serial (socket, fd 0) --->  server --- fork ----------------->  parked: reads its gate
//!           <-- pid, start, 3 fds ---------
//!   a task takes it; its identity is committed
//!   order through the gate --------------------------------------------------->  exec
//!           <-- serial, status, leftovers (pipe, fd 1) --  waitpid  <----------  exit
//!   end of file on fd 0: the owner died -> kill everything, exit
//! ```
//!
//! `fork` holds every `unsafe` line of the crate, `wire` the bytes of both directions, `server` the helper,
//! `client` the node's side. Neighbours: [`crate::script`] makes the orders, [`crate::kill`] hunts.

mod client;
mod fork;
mod server;
mod wire;

pub use client::find_program;
pub(crate) use client::{Client, Exit, Gate, ParkResult, Parked};
pub use client::{Identity, boot_id};
pub use server::{is_requested, main};
pub use wire::ARGUMENT;
pub(crate) use wire::{ExecError, MARK, Order, Stage};

#[cfg(test)]
mod tests;
