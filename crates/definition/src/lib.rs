//! Text becomes a checked [`Workflow`], and a workflow becomes a [`Plan`](skep_model::plan::Plan).
//!
//! ```text
//! text --tree::parse--> Node --dialect::to_canonical--> Node --lower--> Workflow --check--> problems
//!                                                                          |  \--print--> canonical YAML
//!                                            builder (seed 002) ---------->|   \--draw--> text, Mermaid, DOT
//!                                                                          \--plan--> Plan
//! ```
//! Pure: no clock, no file, no network. All problems of a text are listed at once, each with its place.
//! Neighbours: `engine` uses [`expr`] to evaluate; `node` and the CLI call [`load`] and [`plan`].

pub mod builder;
pub mod check;
pub mod codes;
#[cfg(test)]
mod corpus;
pub mod decisions;
pub mod diagnostic;
pub mod dialect;
pub mod draw;
pub mod expr;
pub mod inputs;
pub mod keys;
pub mod load;
pub mod lower;
pub mod moment;
mod outline;
mod outputs;
pub mod plan;
pub mod print;
#[cfg(test)]
mod samples;
pub mod schema;
pub mod script;
pub mod suggest;
pub mod test_file;
pub mod tree;
pub mod wanted;
pub mod workflow;

pub use workflow::Workflow;
