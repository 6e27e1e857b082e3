//! Faces over `skep_node::service`: the same use cases for other processes.
//!
//! ```text
//! skep (another process) --wire::*--> local::Client ==HTTP over the Unix socket==> local::Server --> Desk --> Node
//! skep (this process, no owner) ------------------------------------------------------> Desk::Reader --> Reading
//! ```
//! [`wire`] holds what travels: plain types with stable JSON, never domain types. [`local`] is the HTTP face on the
//! data directory's Unix socket, with its client; [`rest`] is the one for programs on TCP. This crate must not decide anything about executions: every answer
//! comes from `node::service`, so that all faces agree.

pub mod local;
pub mod rest;
pub mod wire;

/// The folds that a face draws from: the live view applies the turns that it follows to them.
pub use skep_views as views;
