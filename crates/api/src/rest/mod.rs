//! The HTTP face for programs on TCP: keys, roles, and the endpoints of seed 000 at their paths.
//!
//! ```text
//! request -> routes: method, path, right -> caller: key -> Principal -> handler -> Desk (as that caller) -> Node
//! ```
//! Every endpoint is a row of [`routes::all`] with the right that it needs; there is no other way to add one. This
//! module must not decide anything about executions: it translates to the calls that the socket has, too.

mod answer;
mod asked;
mod caller;
mod health;
mod metrics;
mod routes;
mod server;
#[cfg(test)]
mod tests;
mod v1;

pub use server::{Server, Settings};
