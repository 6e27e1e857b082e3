//! `skep decisions`: what was decided about failed attempts, why, and how it turned out.

use clap::Args;
use serde_json::json;
use skep_api::wire::{self, Decision, RuleStats};
use skep_model::time::Timestamp;

use super::Outcome;
use super::rollback::read;
use crate::context::Context;
use crate::output::Paint;
use crate::{exit, output};

/// Show what was decided about failed attempts: by which rule, why, and how it turned out
///
/// Where a step has no `retry` and no `on_error`, the workflow's `autonomy` says who decides: a person (off), a person
/// with a proposal (suggest), or the table of decisions (act).
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  skep decisions @latest\n  skep decisions --stats --since 7d\n  skep decisions --rules > decisions.yaml"
)]
pub struct Arguments {
    /// An id, the beginning of one, or @latest
    #[arg(required_unless_present_any = ["stats", "rules"])]
    execution: Option<String>,
    /// How each rule did in the newest 1,000 executions
    #[arg(long, conflicts_with = "execution")]
    stats: bool,
    /// With --stats: only of this workflow
    #[arg(long, requires = "stats", value_name = "WORKFLOW")]
    workflow: Option<String>,
    /// With --stats: only of executions that were accepted since then: `7d` ago, or a moment
    #[arg(long, requires = "stats", value_name = "WHEN", value_parser = super::audit::parse_when)]
    since: Option<Timestamp>,
    /// Print the table that is in force, as YAML
    #[arg(long, conflicts_with_all = ["execution", "stats"])]
    rules: bool,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    if arguments.rules {
        let rules = read(context, wire::DecisionRules {}).await?;
        context.answer(&json!({ "rules": rules }), || rules.trim_end().to_owned());
    } else if arguments.stats {
        let since_us = arguments.since.map(|since| since.0);
        let stats = read(context, wire::DecisionStats { workflow: arguments.workflow, since_us }).await?;
        context.answer(&json!(stats), || stats_text(&stats));
    } else {
        let call = wire::Decisions { execution: arguments.execution.unwrap_or_default() };
        let decisions = read(context, call).await?;
        context.answer(&json!({ "decisions": decisions }), || text(&decisions));
    }
    Ok(exit::OK)
}

fn text(decisions: &[Decision]) -> String {
    if decisions.is_empty() {
        return "nothing had to be decided: no attempt failed".to_owned();
    }
    let cells = |decision: &Decision| {
        let proposed = if decision.autonomy == "suggest" { " (proposed)" } else { "" };
        vec![
            output::short_moment(&decision.at),
            decision.step.clone(),
            decision.attempt.to_string(),
            decision.kind.clone(),
            format!("{}{proposed}", decision.decision),
            decision.rule.clone(),
            decision.reason.clone(),
            turned_out(decision),
        ]
    };
    let rows: Vec<Vec<String>> = decisions.iter().map(cells).collect();
    output::table(&["WHEN", "STEP", "ATTEMPT", "FAILURE", "DECISION", "RULE", "WHY", "HOW IT TURNED OUT"], &rows)
}

fn turned_out(decision: &Decision) -> String {
    let words = decision.outcome.as_deref().unwrap_or("open");
    match decision.worth_it {
        Some(true) => output::paint(Paint::Good, words),
        Some(false) => output::paint(Paint::Bad, words),
        None => words.to_owned(),
    }
}

fn stats_text(stats: &RuleStats) -> String {
    let more = if stats.has_more { ", the newest" } else { "" };
    let head = format!("{} executions{more}", stats.executions);
    if stats.rules.is_empty() {
        return format!("{head}: nothing had to be decided");
    }
    let share = |good: u64, bad: u64| match good + bad {
        0 => "-".to_owned(),
        known => format!("{:.0} %", good as f64 * 100.0 / known as f64),
    };
    let cells = |count: &wire::RuleCount| {
        vec![
            count.rule.clone(),
            count.decision.clone(),
            count.decided.to_string(),
            count.worth_it.to_string(),
            count.not_worth_it.to_string(),
            share(count.worth_it, count.not_worth_it),
        ]
    };
    let rows: Vec<Vec<String>> = stats.rules.iter().map(cells).collect();
    format!("{}\n{head}", output::table(&["RULE", "DECISION", "DECIDED", "WORTH IT", "NOT", "SHARE"], &rows))
}
