//! `skep recover`: take on executions that nobody has.

use clap::Args;
use serde_json::json;
use skep_api::wire::{self, Needs, Orphan};

use super::Outcome;
use super::rollback::read;
use crate::context::Context;
use crate::door::Door;
use crate::follow::Interrupts;
use crate::{exit, output};

/// Go on with the executions that no living owner has, as far as they are worth it
///
/// One that was at work within 24 hours goes on if more than a fifth of it is done, or if no step of high priority has
/// failed. The others are left to a person: `skep resume` goes on with them, `skep rollback` undoes them.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep recover --dry-run")]
pub struct Arguments {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: &Arguments) -> Outcome {
    if arguments.dry_run {
        let orphans = read(context, wire::Orphans {}).await?;
        answer(context, &orphans, "would go on");
        return Ok(exit::OK);
    }
    let mut leave = Interrupts::listen().into_flag();
    let mut door = Door::open(&context.directory, Needs::Owner).await?;
    let recovered = door.ask(&context.directory, wire::Recover {}).await;
    if let Ok(orphans) = &recovered {
        answer(context, orphans, "goes on");
    }
    if door.close(&mut leave).await {
        output::note("left: what is not over stays interrupted; `skep recover` goes on");
    }
    recovered.map(|_| exit::OK)
}

fn answer(context: &Context, orphans: &[Orphan], goes_on: &str) {
    context.answer(&json!({ "orphans": orphans }), || text(orphans, goes_on));
}

fn text(orphans: &[Orphan], goes_on: &str) -> String {
    if orphans.is_empty() {
        return "no execution is without an owner".to_owned();
    }
    let cells = |orphan: &Orphan| {
        vec![
            orphan.execution_id.clone(),
            orphan.workflow.clone(),
            output::status_words(orphan.status),
            output::short_moment(&orphan.updated_at),
            if orphan.decision == "resume" { goes_on.to_owned() } else { "is left".to_owned() },
            orphan.reason.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = orphans.iter().map(cells).collect();
    output::table(&["EXECUTION", "WORKFLOW", "STATUS", "LAST EVENT", "", "WHY"], &rows)
}
