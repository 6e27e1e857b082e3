//! Whole executions against a harness that plays the node.

mod kit;
mod loops;
mod order;
mod outputs;
mod people;
mod random;
mod recovery;
mod snapshots;
mod stops;
mod table;
mod time;
