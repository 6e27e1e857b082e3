//! `skep verify`: is everything as it was written?

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use skep_node::DataDir;
use skep_node::service::{Finding, Verified};

use super::Outcome;
use crate::context::Context;
use crate::door::blocking;
use crate::{exit, output};

/// Findings that are listed; more are counted.
const SHOWN_MAX: usize = 1_000;

/// Check every page, row, hash, execution and file of a data directory, and change nothing
///
/// Works beside a running owner and without one. Exits 1 if anything is wrong.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep verify /var/backups/skep-monday")]
pub struct Arguments {
    /// The data directory, or a copy of one [default: the data directory]
    directory: Option<PathBuf>,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let directory = arguments.directory.map_or_else(|| context.directory.clone(), DataDir::at);
    let root = directory.root().to_owned();
    let looked = blocking(move || {
        let spinner = output::Spinner::new();
        skep_node::service::verify(&directory, &mut |what| spinner.say(what))
    });
    let verified = looked.await?;
    let whole = verified.findings.is_empty();
    context.answer(&value(&verified), || format!("{}\n{}", root.display(), text(&verified)));
    Ok(if whole { exit::OK } else { exit::FAILED })
}

/// `{"whole", "executions", "turns", "archived", "findings": [..], "more", "notes"}`.
pub(super) fn value(verified: &Verified) -> Value {
    let shown: Vec<Value> = verified.findings.iter().take(SHOWN_MAX).map(finding).collect();
    json!({
        "whole": verified.findings.is_empty(),
        "executions": verified.executions,
        "turns": verified.turns,
        "archived": verified.archived,
        "more": verified.findings.len() - shown.len(),
        "findings": shown,
        "notes": verified.notes,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind,
        "place": finding.place,
        "problem": finding.problem,
        "repair": finding.mend.words(),
        "execution_id": finding.execution,
    })
}

pub(super) fn text(verified: &Verified) -> String {
    let mut text = String::new();
    for finding in verified.findings.iter().take(SHOWN_MAX) {
        let place = output::paint(output::Paint::Bad, &finding.place);
        text.push_str(&format!("{place}: {} ({})\n", finding.problem, finding.kind));
        text.push_str(&format!("    repair: {}\n", finding.mend.words()));
    }
    for note in &verified.notes {
        text.push_str(&format!("{} {note}\n", output::paint(output::Paint::Attention, "note:")));
    }
    let counted =
        format!("{} executions with {} turns, {} archived", verified.executions, verified.turns, verified.archived);
    match verified.findings.len() {
        0 => text.push_str(&format!("everything is as it was written: {counted}")),
        wrong => text.push_str(&format!("{wrong} things are wrong; in order are {counted}")),
    }
    text
}
