//! `skep checkpoint` and `skep rollback-points`: moments to which an execution can go back.

use clap::Args;
use skep_api::wire;

use super::Outcome;
use super::act::act;
use super::rollback::read;
use crate::context::Context;
use crate::{exit, output};

/// Make a rollback point of an execution now
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep checkpoint @latest --note 'before the migration'")]
pub struct Checkpoint {
    /// An id, the beginning of one, or @latest
    execution: String,
    /// What for
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// List the rollback points of an execution
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep rollback-points @latest")]
pub struct Points {
    /// An id, the beginning of one, or @latest
    execution: String,
}

/// Runs `skep checkpoint`.
pub async fn checkpoint(context: &Context, arguments: Checkpoint) -> Outcome {
    act(context, wire::Checkpoint { execution: arguments.execution, note: arguments.note }, "made a rollback point of")
        .await
}

/// Runs `skep rollback-points`.
pub async fn points(context: &Context, arguments: Points) -> Outcome {
    let answer = read(context, wire::RollbackPoints { execution: arguments.execution }).await?;
    context.answer(&answer, || output::rollback::points(&answer));
    Ok(exit::OK)
}
