//! `skep resume`: let whatever stopped go on.

use clap::Args;
use skep_api::wire::{Needs, Resume};

use super::Outcome;
use super::attend::attend;
use crate::context::Context;
use crate::door::Door;
use crate::follow::Interrupts;

/// Resume an execution that is paused, held or interrupted, and follow it to its end
///
/// Exits as `run` does.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep resume @latest")]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    execution: String,
    /// Wait for people and signals too [default: on a terminal]
    #[arg(long)]
    wait: bool,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let interrupts = Interrupts::listen();
    let mut door = Door::open(&context.directory, Needs::Owner).await?;
    match door.ask(&context.directory, Resume { execution: arguments.execution }).await {
        Ok(told) => attend(context, door, told.execution_id, arguments.wait, interrupts).await,
        Err(failure) => {
            door.abandon().await;
            Err(failure)
        }
    }
}
