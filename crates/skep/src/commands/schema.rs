//! `skep schema`: the JSON Schema of definitions, for editors.

use clap::Args;

use super::Outcome;
use crate::{exit, output};

/// Print the JSON Schema of workflow definitions, for editors and generators
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep schema > workflow.schema.json")]
pub struct Arguments {}

/// Runs the command.
pub fn run(_: &Arguments) -> Outcome {
    output::print_json(&skep_definition::schema::workflow());
    Ok(exit::OK)
}
