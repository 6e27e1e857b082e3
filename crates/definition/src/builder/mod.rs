//! Workflows built in Rust, chained as in seed 002. They become the same [`Workflow`](crate::Workflow) as
//! files do and print back to YAML.
//!
//! ```
//! use skep_definition::builder::{ConditionalBranch, HumanTask, WorkflowBuilder};
//!
//! let workflow = WorkflowBuilder::new()
//!     .set_name("review")
//!     .add_step("analyze-request", "business-analyst")
//!     .add_human_task("review-analysis", HumanTask::new().assignee("manager@example.org").timeout(86_400_000))
//!     .add_conditional_branch(
//!         ConditionalBranch::new("context.approved")
//!             .true_branch([("deploy-solution", "devops")])
//!             .false_branch([("notify-rejection", "notification-service")]),
//!     )
//!     .build()
//!     .expect("every name in it is known");
//! assert_eq!(workflow.steps.len(), 3);
//! ```
//!
//! The words, and what they become:
//!
//! | word | canonical |
//! |---|---|
//! | an agent's name in the place of a step | `agent: {name: ..}` |
//! | `timeout` (a bare number is **milliseconds**) | `timeout` |
//! | `retries: 3`, `OnError::retry(3)` | `retry: {max_attempts: 4}`: three more after the first |
//! | `dependencies` | `order: graph`; steps of that list without them depend on the step before |
//! | `schedule` | kept under that key |
//! | `OnError::compensate`, `OnError::escalate` | `on_error`; a compensation that no step has becomes an agent step of that name |
//! | parallel branch | `parallel` |
//! | conditional branch | `switch` with one case and a `default` |
//! | `context.X` in a condition | `steps.ID.outputs.X` of the newest earlier step that has X, see `context.rs` |
//! | human task with `timeout` T, escalation after which E is left | `approval: {escalate: [{after: T}], timeout: T + E, on_timeout: reject, on_reject: continue}` |
//! | event trigger before the first step | `triggers` |
//! | a later one | `wait: {signal: SOURCE.EVENT}`, then, with `action`, an agent step of that name |
//!
//! This module must not check what files are checked for as well (unknown inputs, cycles, actions): that is
//! `check`. Neighbours: `workflow` (the model), `print` (back to text).

mod codes;
mod context;
mod lower;
#[cfg(test)]
mod tests;
mod words;

pub use codes::ALL as CODES;
pub use lower::WorkflowBuilder;
pub use words::{ConditionalBranch, EventTrigger, HumanTask, OnError, ParallelBranch, StepSpec};
