//! `skep signal`: send an event to an execution.

use clap::Args;
use skep_api::wire::Signal;

use super::Outcome;
use super::act::act;
use crate::context::Context;
use crate::inputs::read_payload;

/// Send a signal to an execution that waits for it, or will
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep signal @latest deployed --payload '{\"version\": \"1.2\"}'")]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    execution: String,
    /// The name that a `wait: {signal: NAME}` waits for
    name: String,
    /// Any JSON, or @FILE with it (@- for standard input) [default: null]
    #[arg(long, value_name = "JSON|@FILE")]
    payload: Option<String>,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let payload = read_payload(arguments.payload.as_deref())?;
    let call = Signal { execution: arguments.execution, name: arguments.name, payload };
    act(context, call, "signalled").await
}
