//! `skep input`: fill in a form.

use clap::Args;
use skep_api::wire;

use super::Outcome;
use super::act::act;
use crate::context::Context;
use crate::inputs::read_given;

/// Fill in the form that an execution waits for
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep input @latest --step ask -i branch=main")]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    execution: String,
    /// The step that asks [default: the only one that does]
    #[arg(long, value_name = "PATH")]
    step: Option<String>,
    /// An answer, or all of them from a JSON file (@- for standard input)
    #[arg(short, long = "input", value_name = "FIELD=VALUE|@FILE")]
    input: Vec<String>,
    /// The same as `-i`
    #[arg(value_name = "FIELD=VALUE|@FILE")]
    more: Vec<String>,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let all: Vec<String> = arguments.input.into_iter().chain(arguments.more).collect();
    let given = read_given(&all)?;
    let call = wire::Input {
        execution: arguments.execution,
        step: arguments.step,
        values: given.values,
        arguments: given.arguments,
    };
    act(context, call, "answered").await
}
