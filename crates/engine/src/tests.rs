//! Whole executions against a harness that plays the node.

mod children;
mod decisions;
mod kit;
mod loops;
mod messages;
mod misfits;
mod order;
mod outputs;
mod people;
mod permits;
mod points;
mod random;
mod random_permits;
mod recovery;
mod rerun;
mod results;
mod rollback;
mod slots;
mod snapshots;
mod stops;
mod strategies;
mod table;
mod time;
mod undo_kit;
mod unknown;
mod until;
