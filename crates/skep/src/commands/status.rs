//! `skep status`: where an execution stands.

use clap::Args;
use skep_api::wire::{self, Needs};

use super::Outcome;
use super::attend::outputs_text;
use crate::context::Context;
use crate::door::Door;
use crate::follow::{Ending, Follower, Interrupts, Until, read_view};
use crate::{exit, output};

/// Show where an execution stands, what it waits for and how to answer
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep status @latest --exit-code")]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    #[arg(default_value = "@latest")]
    execution: String,
    /// Exit by its state: 0 completed, 1 failed, 3 cancelled or rolled back, 4 not over
    #[arg(long)]
    exit_code: bool,
    /// List every round of every loop [default: the first 1,000]
    #[arg(long)]
    all_iterations: bool,
    /// Follow it to its end first
    #[arg(long)]
    watch: bool,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let mut door = Door::open(&context.directory, Needs::Reading).await?;
    let row = door.ask(&context.directory, wire::Execution { execution: arguments.execution.clone() }).await?;
    let execution = row.execution_id.clone();
    let mut status = row.status;
    if arguments.watch {
        let id = execution.clone();
        let follower = Follower { context, door: &mut door, execution: id, until: Until::Terminal, cancels: false };
        let (ending, _) = follower.run(&mut Interrupts::listen()).await?;
        match ending {
            Ending::Reached(reached) => status = reached,
            Ending::Left => return Ok(exit::LEFT),
            Ending::Unattended(reached) => {
                status = reached;
                output::note(&format!("nobody performs it now; `skep resume {execution}` goes on with it"));
            }
        }
    }
    let interrupted = row.interrupted && !status.is_terminal();
    show(context, &mut door, execution.clone(), arguments.all_iterations, interrupted).await?;
    if interrupted {
        output::note(&format!("interrupted: nobody performs it now; `skep resume {execution}` goes on with it"));
    }
    Ok(if arguments.exit_code { exit::of(status) } else { exit::OK })
}

async fn show(
    context: &Context,
    door: &mut Door,
    execution: String,
    all_iterations: bool,
    interrupted: bool,
) -> Result<(), wire::Failure> {
    let mut answer =
        door.ask(&context.directory, wire::Status { execution: execution.clone(), all_iterations }).await?;
    if let (true, Some(waiting)) = (interrupted, answer["waiting"].as_array_mut()) {
        let detail = format!("nobody performs it now; `skep resume {execution}` goes on with it");
        waiting.push(serde_json::json!({
            "step": null, "for": "owner", "kind": "interrupted", "since": null, "until": null, "detail": detail,
        }));
    }
    if context.is_json() {
        output::print_json(&answer);
        return Ok(());
    }
    let view = read_view(context, &execution).await?;
    output::print(&output::page(&view, all_iterations, output::now()));
    for entry in answer["waiting"].as_array().into_iter().flatten().filter(|entry| entry["for"] == "group") {
        let who = entry["step"].as_str().unwrap_or("it");
        output::print(&format!("\n{who} waits for {}", entry["detail"].as_str().unwrap_or_default()));
    }
    let outputs = answer.get("outputs").map_or_else(String::new, outputs_text);
    if !outputs.is_empty() {
        output::print(&format!("\n{outputs}"));
    }
    Ok(())
}
