//! The face on the data directory's Unix socket: HTTP/1.1, one POST route per use case, JSON both ways.
//!
//! ```text
//! Client --connect--> socket --accept (same uid only)--> Server --attend--> Desk --> Node / Reading
//! ```
//! A data directory has one owner, decided by its lock; the socket only leads to it, so a socket file that a dead
//! owner left behind is replaced. An answer may be kept back until there is news (a long poll): it is woken by the
//! owner's heartbeat, never by looking again and again. This module must not know how executions work.
//! Neighbours: `skep`'s door chooses between [`Client`], an owner of its own and [`Desk::reader`].

mod client;
mod convert;
mod desk;
mod person;
mod server;
mod socket;
mod uses;

#[cfg(test)]
mod tests;

pub use client::{CallError, Client};
pub use convert::{failure_of, report_of, validation_of};
pub use desk::{Desk, Perform, WAIT_MS_MAX, attend};
pub use person::{Asker, person};
pub(crate) use server::{Attributed, closed, serve};
pub use server::{BODY_BYTES_MAX, Server};
