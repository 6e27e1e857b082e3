//! `skep graph`: draw a workflow.

use clap::{Args, ValueEnum};
use serde_json::json;
use skep_definition::draw;

use super::Outcome;
use super::convert::usable;
use crate::context::Context;
use crate::exit;

/// Draw a workflow
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep graph release.yaml --as mermaid")]
pub struct Arguments {
    /// A file, or - for standard input
    file: String,
    /// In which language
    #[arg(long = "as", value_enum, default_value_t, value_name = "KIND")]
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Kind {
    /// For reading here
    #[default]
    Text,
    /// For Markdown pages
    Mermaid,
    /// For Graphviz
    Dot,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let workflow = usable(&arguments.file)?;
    let (kind, drawn) = match arguments.kind {
        Kind::Text => ("text", draw::text(&workflow)),
        Kind::Mermaid => ("mermaid", draw::mermaid(&workflow)),
        Kind::Dot => ("dot", draw::dot(&workflow)),
    };
    context.answer(&json!({ "kind": kind, "graph": drawn }), || drawn.clone());
    Ok(exit::OK)
}
