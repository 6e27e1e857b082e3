//! Whole executions against a harness that plays the node.

mod kit;
mod loops;
mod order;
mod outputs;
mod people;
mod permits;
mod random;
mod random_permits;
mod recovery;
mod stops;
mod table;
mod time;
