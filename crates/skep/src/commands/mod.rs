//! One file per verb: its options, its help, what it asks through the door, what it prints.

pub mod approve;
pub mod audit;
pub mod backup;
pub mod cancel;
pub mod completions;
pub mod config;
pub mod convert;
pub mod decisions;
pub mod doctor;
pub mod explain;
pub mod graph;
pub mod history;
pub mod input;
pub mod key;
pub mod list;
pub mod logs;
pub mod pause;
pub mod points;
pub mod prefixed;
pub mod prune;
pub mod recover;
pub mod reference;
pub mod repair;
pub mod replay;
pub mod rerun;
pub mod resume;
pub mod rollback;
pub mod run;
pub mod schema;
pub mod serve;
pub mod signal;
pub mod status;
pub mod test;
pub mod user;
pub mod validate;
pub mod verify;
pub mod workflow;

mod act;
mod attend;
mod background;
mod grants;

pub use act::Outcome;
