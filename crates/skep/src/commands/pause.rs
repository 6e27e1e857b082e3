//! `skep pause`: let an execution begin no new step.

use clap::Args;
use skep_api::wire::Pause;

use super::Outcome;
use super::act::act;
use crate::context::Context;

/// Pause an execution: running steps end, no new one begins
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep pause @latest")]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    execution: String,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    act(context, Pause { execution: arguments.execution }, "pausing").await
}
