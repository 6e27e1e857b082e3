//! `skep repair`: mend what can be mended, name the rest.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use skep_api::local::failure_of;
use skep_node::DataDir;
use skep_node::service::Repaired;

use super::Outcome;
use super::verify;
use crate::context::Context;
use crate::door::blocking;
use crate::{exit, output};

/// Mend what `skep verify` finds wrong, as far as a program can; stop the owner first
///
/// Everything that changes is copied into `repair-TIME/` of the data directory before. An execution whose journal is
/// damaged is set aside: its rows go into a file there, and the list says held. Exits 1 if something is left.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep serve --stop && skep repair")]
pub struct Arguments {
    /// The data directory [default: the data directory]
    directory: Option<PathBuf>,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let directory = arguments.directory.map_or_else(|| context.directory.clone(), DataDir::at);
    let mended = blocking(move || {
        let spinner = output::Spinner::new();
        skep_node::service::repair(&directory, output::now(), &skep_api::local::person(), &mut |what| spinner.say(what))
    });
    let repaired = mended.await?.map_err(|error| failure_of(&error))?;
    let value = json!({
        "found": repaired.found,
        "folder": repaired.folder,
        "done": repaired.done,
        "left": verify::value(&repaired.left),
    });
    context.answer(&value, || text(&repaired));
    Ok(if repaired.left.findings.is_empty() { exit::OK } else { exit::FAILED })
}

fn text(repaired: &Repaired) -> String {
    let mut text = String::new();
    if let Some(folder) = &repaired.folder {
        text.push_str(&format!("copies of what was changed are in {}\n", folder.display()));
    }
    repaired.done.iter().for_each(|done| text.push_str(&format!("  {done}\n")));
    text.push_str(&verify::text(&repaired.left));
    text
}
