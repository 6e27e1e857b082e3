//! `skep history`: executions of the past.

use clap::Args;
use skep_api::wire;
use skep_model::span::parse_duration_ms;
use skep_model::status::Execution as Status;

use super::Outcome;
use super::list::{LIMIT_DEFAULT, ask};
use crate::context::Context;
use crate::output;

/// List executions of the past, newest first
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep history --status failed --last 7d")]
pub struct Arguments {
    /// Only in this state; may be given several times
    #[arg(long, value_name = "STATUS", value_parser = parse_status)]
    status: Vec<Status>,
    /// Only of this workflow
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// Only those started within this time, such as 12h or 7d
    #[arg(long, value_name = "DURATION", value_parser = parse_last)]
    last: Option<u64>,
    /// At most this many
    #[arg(long, default_value_t = LIMIT_DEFAULT, value_name = "COUNT")]
    limit: usize,
    /// Where the page before ended (`next` of its JSON)
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

fn parse_status(text: &str) -> Result<Status, String> {
    let known = || Status::ALL.map(Status::as_str).join(", ");
    Status::parse(text).ok_or_else(|| format!("no such state; known are {}", known()))
}

fn parse_last(text: &str) -> Result<u64, String> {
    parse_duration_ms(text).ok_or_else(|| "write a number and a unit: 30m, 12h, 7d".to_owned())
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let ago_us = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000);
    let query = wire::List {
        statuses: arguments.status,
        workflow: arguments.workflow,
        since_us: arguments.last.map(|ms| output::now().0.saturating_sub(ago_us(ms))),
        limit: arguments.limit,
        cursor: arguments.cursor,
        no_children: false,
    };
    ask(context, query).await
}
