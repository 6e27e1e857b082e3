//! `skep prune`: archive and clean up now.

use clap::Args;
use serde_json::json;
use skep_api::wire::{self, Needs, Pruned};

use super::Outcome;
use super::backup::size;
use crate::context::Context;
use crate::door::Door;
use crate::{exit, output};

/// Archive executions that ended long ago, and remove old archive files and values that nothing names
///
/// `skep serve` does it by itself, when it starts and every hour. `[retention]` in config.toml says what is old.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep prune --dry-run")]
pub struct Arguments {
    /// Only count what would leave
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command: exits 1 if an execution could not be archived.
pub async fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let mut door = Door::open(&context.directory, Needs::Owner).await?;
    let answer = door.ask(&context.directory, wire::Prune { dry_run: arguments.dry_run }).await;
    door.abandon().await;
    let pruned = answer?;
    context.answer(&json!(pruned), || text(&pruned, arguments.dry_run));
    Ok(if pruned.failed.is_empty() { exit::OK } else { exit::FAILED })
}

fn text(pruned: &Pruned, dry_run: bool) -> String {
    if pruned.busy {
        return "nothing was done: the data directory is being copied or checked now".to_owned();
    }
    let failed: String = pruned.failed.iter().map(|failed| format!("not archived: {failed}\n")).collect();
    let mood = if dry_run { "would be " } else { "" };
    format!(
        "{failed}{} executions {mood}archived, {} archive files {mood}removed, {} values {mood}removed ({})",
        pruned.archived,
        pruned.deleted,
        pruned.blobs,
        size(pruned.blob_bytes)
    )
}

/// Says on standard error what an owner did by itself, if it is worth a line.
pub(super) fn note(pruned: &skep_node::service::Pruned) {
    for failed in &pruned.failed {
        output::note(&format!("not archived: {failed}"));
    }
}
