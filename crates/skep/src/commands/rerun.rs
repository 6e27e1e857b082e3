//! `skep rerun`: run again what is over.

use clap::Args;
use skep_api::wire::{Needs, Rerun};

use super::Outcome;
use super::attend::attend;
use crate::context::Context;
use crate::door::Door;
use crate::follow::Interrupts;
use crate::inputs::read_given;

/// Run an execution again that is over, as a whole or from one of its steps, and follow it to its end
///
/// Steps that run again get a new idempotency key; what does not come after `--from` keeps its result.
/// Exits as `run` does.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep rerun @latest --from deploy -i host=web-2")]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    execution: String,
    /// The step of the main list to begin with [default: the first one]
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
    /// An input that gets another value, or several from a JSON file (@- for standard input)
    #[arg(short, long = "input", value_name = "NAME=VALUE|@FILE")]
    input: Vec<String>,
    /// Wait for people and signals too [default: on a terminal]
    #[arg(long)]
    wait: bool,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let given = read_given(&arguments.input)?;
    let interrupts = Interrupts::listen();
    let mut door = Door::open(&context.directory, Needs::Owner).await?;
    let call = Rerun {
        execution: arguments.execution,
        from: arguments.from,
        inputs: given.values,
        arguments: given.arguments,
    };
    match door.ask(&context.directory, call).await {
        Ok(told) => attend(context, door, told.execution_id, arguments.wait, interrupts).await,
        Err(failure) => {
            door.abandon().await;
            Err(failure)
        }
    }
}
