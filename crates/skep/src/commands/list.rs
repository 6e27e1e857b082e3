//! `skep list`: open executions.

use clap::Args;
use skep_api::wire::{self, Executions, Needs, Row};
use skep_model::status::Execution as Status;

use super::Outcome;
use crate::context::Context;
use crate::door::Door;
use crate::{exit, output};

/// Executions that one answer lists unless told otherwise.
pub const LIMIT_DEFAULT: usize = 50;

/// List executions that are not over, newest first
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep list --all --limit 10")]
pub struct Arguments {
    /// Also those that are over
    #[arg(long)]
    all: bool,
    /// At most this many
    #[arg(long, default_value_t = LIMIT_DEFAULT, value_name = "COUNT")]
    limit: usize,
    /// Leave out executions that a step of another one started
    #[arg(long)]
    no_children: bool,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let open = Status::ALL.into_iter().filter(|status| arguments.all || !status.is_terminal());
    let statuses = if arguments.all { Vec::new() } else { open.collect() };
    ask(
        context,
        wire::List { statuses, limit: arguments.limit, no_children: arguments.no_children, ..wire::List::default() },
    )
    .await
}

/// Asks for a list and prints it.
pub async fn ask(context: &Context, query: wire::List) -> Outcome {
    let mut door = Door::open(&context.directory, Needs::Reading).await?;
    let listed = door.ask(&context.directory, query).await?;
    let value = serde_json::json!({ "executions": listed.executions, "next": listed.next });
    context.answer(&value, || text(&listed));
    Ok(exit::OK)
}

fn text(listed: &Executions) -> String {
    if listed.executions.is_empty() {
        return "no executions; `skep run FILE` starts one, `skep list --all` shows those that are over".to_owned();
    }
    let rows: Vec<Vec<String>> = listed.executions.iter().map(cells).collect();
    let mut text = output::table(&["EXECUTION", "WORKFLOW", "STATUS", "STARTED", "NOTE"], &rows);
    if listed.next.is_some() {
        text.push_str("there are more: `--limit` shows them\n");
    }
    text
}

fn cells(row: &Row) -> Vec<String> {
    let interrupted = row.interrupted.then(|| "interrupted: `skep resume` goes on with it".to_owned());
    let note = interrupted.or_else(|| row.error.as_ref().or(row.waiting.as_ref()).cloned()).unwrap_or_default();
    vec![
        row.execution_id.clone(),
        format!("{}{}", if row.is_child { "↳ " } else { "" }, row.workflow),
        output::status_words(row.status),
        output::short_moment(&row.started_at),
        note.replace('\n', " "),
    ]
}

/// True if it would move by itself if somebody performed it: without an owner it is interrupted.
pub fn would_move(row: &Row) -> bool {
    skep_node::service::would_move(row.status, row.waiting.as_deref())
}
