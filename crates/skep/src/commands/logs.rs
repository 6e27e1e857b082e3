//! `skep logs`: what the steps printed.

use clap::Args;
use skep_api::wire::{self, LogLine, LogLines, Needs};

use super::Outcome;
use crate::context::Context;
use crate::door::Door;
use crate::{exit, output};

/// How long one look for new lines may take; then it is asked again.
const LOOK_MS: u64 = 20_000;

/// Print what the steps of an execution printed
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep logs @latest --follow --step build")]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    #[arg(default_value = "@latest")]
    execution: String,
    /// Go on until the execution is over
    #[arg(short, long)]
    follow: bool,
    /// Only of this step, and of what is inside it
    #[arg(long, value_name = "PATH")]
    step: Option<String>,
    /// Begin each line with its time
    #[arg(long)]
    timestamps: bool,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let mut door = Door::open(&context.directory, Needs::Reading).await?;
    let row = door.ask(&context.directory, wire::Execution { execution: arguments.execution.clone() }).await?;
    let mut cursor = wire::LogCursor::default();
    loop {
        let wait_ms = if arguments.follow { LOOK_MS } else { 0 };
        let call = wire::Logs { execution: row.execution_id.clone(), step: arguments.step.clone(), cursor, wait_ms };
        let page = door.ask(&context.directory, call).await?;
        print(context, &arguments, &page);
        cursor = page.cursor;
        if !page.at_end {
            continue;
        }
        if !arguments.follow || page.status.is_terminal() {
            return Ok(exit::OK);
        }
        if matches!(door, Door::Files(_)) {
            output::note("nobody performs it now, so no more will come; `skep resume` goes on with it");
            return Ok(exit::OK);
        }
    }
}

fn print(context: &Context, arguments: &Arguments, page: &LogLines) {
    for line in &page.lines {
        if context.is_json() {
            output::print_line(&serde_json::json!(line));
        } else {
            output::print_text(&text(line, arguments.timestamps, arguments.step.is_none()));
        }
    }
}

/// `TIME  PATH | text`; a step's own colours stay as they are.
fn text(line: &LogLine, timestamps: bool, paths: bool) -> String {
    let time = if timestamps { format!("{}  ", line.at) } else { String::new() };
    let path = if paths { format!("{} | ", line.step) } else { String::new() };
    format!("{time}{path}{}\n", line.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_where_they_come_from() {
        let line = LogLine {
            at: "2026-12-01T08:30:00Z".into(),
            step: "build".into(),
            delivery: 1,
            stream: "stdout".into(),
            text: "hello".into(),
        };
        assert_eq!(text(&line, false, true), "build | hello\n");
        assert_eq!(text(&line, true, true), "2026-12-01T08:30:00Z  build | hello\n");
        assert_eq!(text(&line, false, false), "hello\n");
    }
}
