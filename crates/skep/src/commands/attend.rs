//! Following an execution that this command started or resumed, and answering by its end.

use std::io::IsTerminal;

use serde_json::{Value, json};
use skep_api::views::execution::Execution;
use skep_api::wire::{self, Failure, Needs};

use super::Outcome;
use crate::context::Context;
use crate::door::Door;
use crate::exit;
use crate::follow::{Ending, Follower, Interrupts, Until};
use crate::output;

/// True if a person sits in front of it: then waiting for people is waiting for them.
fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Follows `execution`, prints its answer, and gives the exit code by its state.
pub async fn attend(context: &Context, door: Door, execution: String, wait: bool, interrupts: Interrupts) -> Outcome {
    attend_with(context, door, execution, wait, interrupts, false).await
}

/// The same; `existing` says in the answer that nothing was started.
pub async fn attend_with(
    context: &Context,
    mut door: Door,
    execution: String,
    wait: bool,
    mut interrupts: Interrupts,
    existing: bool,
) -> Outcome {
    let until = if wait || is_interactive() { Until::Terminal } else { Until::Settled };
    let (ending, view) = loop {
        let id = execution.clone();
        let follower = Follower { context, door: &mut door, execution: id, until, cancels: true };
        let (ending, view) = follower.run(&mut interrupts).await?;
        let Ending::Unattended(_) = ending else { break (ending, view) };
        // Its owner went away: take it over, as `resume` does.
        door.abandon().await;
        door = Door::open(&context.directory, Needs::Owner).await?;
        door.ask(&context.directory, wire::Resume { execution: execution.clone() }).await?;
    };
    let Ending::Reached(status) = ending else { return leave(door, &execution).await };
    let answer = door.ask(&context.directory, wire::Status { execution, all_iterations: false }).await;
    let shown = answer.map(|mut answer| {
        if existing {
            answer["existing"] = json!(true);
        }
        show(context, &answer, &view);
    });
    let mut flag = interrupts.into_flag();
    door.close(&mut flag).await;
    shown.map(|()| exit::of(status))
}

async fn leave(door: Door, execution: &str) -> Result<u8, Failure> {
    let text = if door.is_own() {
        format!("left: {execution} stays interrupted; `skep resume {execution}` goes on with it")
    } else {
        format!("left: {execution} goes on in its owner; `skep status {execution}` shows it")
    };
    door.abandon().await;
    output::note(&text);
    Ok(exit::LEFT)
}

fn show(context: &Context, answer: &Value, view: &Execution) {
    context.answer(answer, || {
        let outputs = answer.get("outputs").map_or_else(String::new, outputs_text);
        let text = output::end_of(view, output::now());
        if outputs.is_empty() { text } else { format!("{text}\n\n{outputs}") }
    });
}

/// Outputs for people: text as it is, everything else as JSON.
pub fn outputs_text(outputs: &Value) -> String {
    let Some(outputs) = outputs.as_object() else { return String::new() };
    let lines: Vec<String> = outputs
        .iter()
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{}: {text}", output::paint(output::Paint::Strong, name)),
            None => format!("{}: {value}", output::paint(output::Paint::Strong, name)),
        })
        .collect();
    lines.join("\n")
}

/// The answer of `--detach`.
pub fn show_started(context: &Context, execution: &str) {
    context.answer(&json!({ "execution_id": execution, "status": "running" }), || {
        format!("started {execution}\n  skep status {execution}\n  skep logs {execution} --follow")
    });
}

/// The answer of `--detach` where the key of the start was taken.
pub fn show_existing(context: &Context, execution: &str, status: &str) {
    let value = json!({ "execution_id": execution, "status": status, "existing": true });
    context.answer(&value, || format!("{execution} has that key already; it is {status}\n  skep status {execution}"));
}
