//! `skep replay`: the history of an execution, event by event.

use clap::Args;
use skep_api::wire::{self, Event, Needs};

use super::Outcome;
use crate::context::Context;
use crate::door::Door;
use crate::{exit, output};

/// Print every event of an execution, and with --at the state after one of them
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep replay @latest --at 12")]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    execution: String,
    /// Also print the state after this event, from 1
    #[arg(long, value_name = "NUMBER")]
    at: Option<u64>,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let mut door = Door::open(&context.directory, Needs::Reading).await?;
    let call = wire::Replay { execution: arguments.execution, at: arguments.at };
    let replay = door.ask(&context.directory, call).await?;
    for event in &replay.events {
        match context.is_json() {
            true => output::print_line(&serde_json::json!(event)),
            false => output::print(&text(event)),
        }
    }
    if let Some(state) = &replay.state {
        match context.is_json() {
            true => output::print_line(&serde_json::json!({ "state": state })),
            false => output::print(&format!("\n{}", skep_definition::print::value_to_yaml(state))),
        }
    }
    Ok(exit::OK)
}

fn text(event: &Event) -> String {
    let number = output::paint(output::Paint::Faint, &format!("{:>5}", event.number));
    format!("{number}  {}  {}", output::short_moment(&event.at), event.description)
}
