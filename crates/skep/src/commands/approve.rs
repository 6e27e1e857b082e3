//! `skep approve`, `skep reject`: decide where an execution asks.

use clap::Args;
use skep_api::wire;

use super::Outcome;
use super::act::act;
use crate::context::Context;

/// Approve what an execution asks
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep approve @latest --step gate --comment 'looks good'")]
pub struct Approve {
    #[command(flatten)]
    decision: Decision,
}

/// Reject what an execution asks
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep reject @latest --step gate --comment 'not today'")]
pub struct Reject {
    #[command(flatten)]
    decision: Decision,
}

#[derive(Args, Debug)]
struct Decision {
    /// An id, the beginning of one, or @latest
    execution: String,
    /// The step that asks [default: the only one that does]
    #[arg(long, value_name = "PATH")]
    step: Option<String>,
    /// For the record
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Runs `skep approve`.
pub async fn approve(context: &Context, verb: Approve) -> Outcome {
    let Decision { execution, step, comment } = verb.decision;
    act(context, wire::Approve { execution, step, comment }, "approved").await
}

/// Runs `skep reject`.
pub async fn reject(context: &Context, verb: Reject) -> Outcome {
    let Decision { execution, step, comment } = verb.decision;
    act(context, wire::Reject { execution, step, comment }, "rejected").await
}
