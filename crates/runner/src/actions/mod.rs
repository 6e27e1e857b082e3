//! The built-in actions that `uses:` names, one file each.
//!
//! An action takes its evaluated arguments and gives outputs or a failure. It must not retry, must not know the
//! plan, and takes no secret from a definition: credentials come from the owner's configuration by name.
//!
//! | action | does | manner |
//! |---|---|---|
//! | `noop`, `set`, `log` | nothing outside | at once, on the caller's thread |
//! | `file`, `sql`, `email` | blocking work | on a small pool of threads |
//! | `http` | one request | asynchronously |
//!
//! `registry` lists them, `context` is what each gets.

mod context;
mod email;
mod file;
mod http;
mod http_clients;
mod http_failure;
mod log;
mod noop;
mod registry;
mod set;
mod sql;
mod sql_values;

pub(crate) use context::{Cancel, Context, Now};
pub(crate) use http::perform as request;
pub(crate) use http_clients::Clients;
pub use registry::catalogue_actions;
pub(crate) use registry::{BuiltIn, Manner};
