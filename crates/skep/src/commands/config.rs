//! `skep config`: what the owner of a data directory is configured with.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use skep_api::local::failure_of;
use skep_node::config::{Config, ConfigRow};

use super::Outcome;
use crate::context::Context;
use crate::{exit, output};

/// Show the configuration
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep config show")]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Copy, Subcommand, Debug)]
enum Verb {
    /// Print every key with its value and where it came from
    #[command(after_help = "Example:\n  skep config show --format json")]
    Show,
    /// Print where the file is, whether it exists or not
    #[command(after_help = "Example:\n  skep config path")]
    Path,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let root = context.directory.root();
    match arguments.verb {
        Verb::Show => {
            let rows = Config::load(root).map_err(|error| failure_of(&error))?.rows();
            context.answer(&rows.iter().map(value).collect(), || text(&rows));
        }
        Verb::Path => {
            let path = Config::path(root);
            context.answer(&json!({ "path": path, "exists": path.exists() }), || path.display().to_string());
        }
    }
    Ok(exit::OK)
}

fn value(row: &ConfigRow) -> Value {
    json!({ "key": row.key, "value": row.value, "origin": row.origin, "doc": row.doc })
}

fn text(rows: &[ConfigRow]) -> String {
    let cells = |row: &ConfigRow| vec![row.key.clone(), row.value.clone(), row.origin.to_owned(), row.doc.to_owned()];
    output::table(&["KEY", "VALUE", "FROM", "WHAT IT DOES"], &rows.iter().map(cells).collect::<Vec<_>>())
}
