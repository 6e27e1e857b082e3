//! `skep cancel`: stop an execution.

use clap::Args;
use skep_api::wire::Cancel;

use super::Outcome;
use super::act::act;
use crate::context::Context;

/// Stop an execution: what runs is stopped, then its `finally` steps run
///
/// A second time forces the end after a grace period.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep cancel @latest --reason 'wrong branch'")]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    execution: String,
    /// For the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    act(context, Cancel { execution: arguments.execution, reason: arguments.reason }, "cancelling").await
}
