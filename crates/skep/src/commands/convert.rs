//! `skep convert`: print a definition in the canonical spelling.

use clap::Args;
use skep_definition::{Workflow, load, print};

use super::Outcome;
use crate::context::Context;
use crate::launch::{file_label, read_definition};
use crate::{exit, output};
use skep_api::local::{failure_of, report_of};
use skep_api::wire::Failure;

/// Print a definition of any spelling in the canonical one
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep convert template.json > workflow.yaml")]
pub struct Arguments {
    /// A file, or - for standard input
    file: String,
}

/// Runs the command: YAML, or JSON with `--format json`.
pub fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let workflow = usable(&arguments.file)?;
    match context.is_json() {
        true => output::print_json(&print::to_value(&workflow)),
        false => output::print_text(&print::to_yaml(&workflow)),
    }
    Ok(exit::OK)
}

/// Reads a definition that can be worked with; its warnings go to standard error.
///
/// # Errors
/// What is wrong with it.
pub fn usable(file: &str) -> Result<Workflow, Failure> {
    let text = read_definition(file)?;
    let loaded = load::load(&text);
    let usable = loaded.is_usable();
    match loaded.workflow {
        Some(workflow) if usable => {
            if !loaded.problems.is_empty() {
                output::note(&report_of(&loaded.problems, &text, Some(&file_label(file))).text);
            }
            Ok(workflow)
        }
        Some(_) | None => Err(failure_of(&skep_node::Error::InvalidDefinition {
            file: Some(file_label(file)),
            text,
            problems: loaded.problems,
        })),
    }
}
