//! Shapes and numbers: what must not be empty, twice, too large, contradictory or in the wrong place.

use serde_json::Value;
use skep_model::limits::{ITERATIONS_MAX, NESTING_MAX, STEPS_MAX};
use skep_model::plan::Join;
use skep_model::span::{parse_duration_ms, print_duration_ms};

use super::codes;
use super::report::{Finding, Report};
use crate::outline::{Exceeded, Outline, Role, StepEntry};
use crate::workflow::{Kind, Wait, Workflow};

/// Least pause between two askings of a `wait: {condition}`, in milliseconds: what changes faster is polled by a step
/// of its own, and a thousand waiting executions still cost next to nothing.
const WAIT_EVERY_MS_MIN: u64 = 1_000;

/// Checks the whole workflow.
pub(crate) fn check(workflow: &Workflow, outline: &Outline<'_>, report: &mut Report<'_>) {
    limits(outline, report);
    empties(outline, report);
    if workflow.max_parallel == Some(0) {
        report.add("/max_parallel", Finding::error(codes::LOOP_INVALID, "`max_parallel` is at least 1"));
    }
    for (number, entry) in outline.steps.iter().enumerate() {
        let first = outline.by_id[entry.step.id.as_str()];
        if first != number {
            let finding =
                Finding::error(codes::STEP_TWICE, format!("another step has the id `{}`, too", entry.step.id));
            report.add(&format!("{}/id", entry.pointer), finding.hint("ids are unique in the whole workflow"));
        }
        placed_keys(entry, report);
        kind(entry, report);
    }
}

fn limits(outline: &Outline<'_>, report: &mut Report<'_>) {
    match &outline.exceeded {
        None => {}
        Some(Exceeded::Steps) => {
            report.add("/steps", Finding::error(codes::TOO_LARGE, format!("a workflow has at most {STEPS_MAX} steps")));
        }
        Some(Exceeded::Nesting(pointer)) => {
            report.add(
                pointer,
                Finding::error(codes::TOO_LARGE, format!("lists of steps nest at most {NESTING_MAX} deep")),
            );
        }
    }
}

fn empties(outline: &Outline<'_>, report: &mut Report<'_>) {
    for list in &outline.lists {
        // An empty case or `default` says "then nothing", and a list that was cut off is reported as too deep.
        if !list.steps.is_empty() || outline.exceeded.is_some() {
            continue;
        }
        let what = match list.role {
            Role::Root => "the workflow has no steps",
            Role::Branch(_) => "the branch has no steps",
            Role::Body => "the loop has no steps",
            Role::Case(_) | Role::Default | Role::Finally => continue,
        };
        report.add(&list.pointer, Finding::error(codes::EMPTY, what));
    }
}

/// Keys that only steps that do work can have.
fn placed_keys(entry: &StepEntry<'_>, report: &mut Report<'_>) {
    let step = entry.step;
    let works = matches!(step.kind, Kind::Run { .. } | Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_));
    if step.retry.is_some() && !works && !matches!(step.kind, Kind::Workflow(_)) {
        let message = format!("`retry` has no meaning on `{}`: {} has no attempts", step.id, what_it_is(&step.kind));
        let finding = Finding::error(codes::NOT_FOR_THIS_KIND, message);
        report.add(&format!("{}/retry", entry.pointer), finding.hint("put it on the steps that do the work"));
    }
    if let Some(gate) = &step.approve {
        if !works {
            let message = format!("`approve` has no meaning on `{}`: {} does no work", step.id, what_it_is(&step.kind));
            let finding = Finding::error(codes::NOT_FOR_THIS_KIND, message);
            report.add(
                &format!("{}/approve", entry.pointer),
                finding.hint("put a step with `approval` before it, or `approve` on the steps inside"),
            );
        }
        escalations(&format!("{}/approve", entry.pointer), &gate.approval.escalate, gate.approval.timeout_ms, report);
    }
}

/// Words for a kind in a sentence.
pub(crate) fn what_it_is(kind: &Kind) -> &'static str {
    match kind {
        Kind::Run { .. } => "a script",
        Kind::Uses { .. } => "an action",
        Kind::Agent(_) => "an agent's task",
        Kind::Ai(_) => "a model turn",
        Kind::Workflow(_) => "a child workflow",
        Kind::Approval(_) => "an approval",
        Kind::Input { .. } => "a form",
        Kind::Wait(_) => "a wait",
        Kind::Switch { .. } => "a switch",
        Kind::Parallel { .. } => "a group of branches",
        Kind::Foreach { .. } | Kind::While { .. } | Kind::Repeat { .. } => "a loop",
    }
}

fn kind(entry: &StepEntry<'_>, report: &mut Report<'_>) {
    let at = |part: &str| format!("{}{part}", entry.pointer);
    match &entry.step.kind {
        Kind::Run { .. } | Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_) | Kind::Workflow(_) => {}
        Kind::Approval(asked) => {
            two_timeouts(entry, asked.timeout_ms, report);
            escalations(&at("/approval"), &asked.escalate, asked.timeout_ms.or(entry.step.timeout_ms), report);
        }
        Kind::Input { fields, .. } if fields.is_empty() => {
            report.add(&at("/input"), Finding::error(codes::EMPTY, "the form has no fields"));
        }
        Kind::Input { .. } => {}
        Kind::Wait(waits) => wait(entry, waits, report),
        Kind::Switch { cases, .. } if cases.is_empty() => {
            report.add(&at("/switch"), Finding::error(codes::EMPTY, "the switch has no cases"));
        }
        Kind::Switch { .. } => {}
        Kind::Parallel { branches, join, .. } => parallel(entry, branches.len(), *join, report),
        Kind::Foreach { items, max_parallel, max_iterations, .. } => {
            foreach(entry, items, *max_parallel, report);
            iterations(entry, *max_iterations, report);
        }
        Kind::While { max_iterations, .. } => iterations(entry, *max_iterations, report),
        Kind::Repeat { times, until, max_iterations, .. } => {
            repeat(entry, times.as_ref(), until.is_some(), report);
            iterations(entry, *max_iterations, report);
        }
    }
}

fn escalations(pointer: &str, chain: &[(u64, String)], end_ms: Option<u64>, report: &mut Report<'_>) {
    let Some(end_ms) = end_ms else { return };
    for (index, (after_ms, to)) in chain.iter().enumerate() {
        if *after_ms >= end_ms {
            let finding = Finding::error(
                codes::WAIT_INVALID,
                format!("the escalation to `{to}` could never happen: the wait has ended by then"),
            );
            report.add(
                &format!("{pointer}/escalate/{index}/after"),
                finding.hint("let it come earlier, or let the `timeout` be longer"),
            );
        }
    }
}

fn two_timeouts(entry: &StepEntry<'_>, inner_ms: Option<u64>, report: &mut Report<'_>) {
    if inner_ms.is_some() && entry.step.timeout_ms.is_some() {
        let finding = Finding::error(codes::WAIT_INVALID, format!("`{}` has two timeouts for one wait", entry.step.id));
        report.add(&format!("{}/timeout", entry.pointer), finding.hint("remove one of them"));
    }
}

fn wait(entry: &StepEntry<'_>, wait: &Wait, report: &mut Report<'_>) {
    let mut literal = |part: &str, text: &str, reads: bool, form: &str| {
        if !text.contains("${{") && !reads {
            let finding = Finding::error(codes::VALUE_INVALID, format!("`{text}` is not {form}"));
            report.add(&format!("{}/wait/{part}", entry.pointer), finding);
        }
    };
    match wait {
        Wait::Duration(text) => {
            literal("for", text, parse_duration_ms(text).is_some(), "a duration such as `10m` or `1h30m`");
        }
        Wait::Moment(text) => {
            let reads = text.trim().parse::<jiff::Timestamp>().is_ok();
            literal("until", text, reads, "a moment such as `2026-12-01T08:00:00Z`");
        }
        Wait::Signal { name, timeout_ms } => {
            literal("signal", name, !name.trim().is_empty(), "the name of a signal");
            two_timeouts(entry, *timeout_ms, report);
        }
        Wait::Condition { every_ms, timeout_ms, .. } => {
            two_timeouts(entry, *timeout_ms, report);
            if let Some(every_ms) = every_ms.filter(|every_ms| *every_ms < WAIT_EVERY_MS_MIN) {
                let message = format!("`every: {}` asks too often", print_duration_ms(every_ms));
                let finding = Finding::error(codes::VALUE_INVALID, message);
                let hint = format!("write at least `{}`, for example `10s`", print_duration_ms(WAIT_EVERY_MS_MIN));
                report.add(&format!("{}/wait/every", entry.pointer), finding.hint(hint));
            }
        }
    }
}

fn parallel(entry: &StepEntry<'_>, branches: usize, join: Option<Join>, report: &mut Report<'_>) {
    if branches == 0 {
        report.add(
            &format!("{}/parallel", entry.pointer),
            Finding::error(codes::EMPTY, "the `parallel` has no branches"),
        );
        return;
    }
    if let Some(Join::Count(count)) = join
        && (count == 0 || count as usize > branches)
    {
        let finding =
            Finding::error(codes::JOIN_INVALID, format!("`join: {count}` cannot be reached with {branches} branches"));
        report.add(
            &format!("{}/join", entry.pointer),
            finding.hint(format!("write a number from 1 to {branches}, `all` or `any`")),
        );
    }
}

fn foreach(entry: &StepEntry<'_>, items: &Value, max_parallel: Option<u32>, report: &mut Report<'_>) {
    if max_parallel == Some(0) {
        let finding = Finding::error(codes::LOOP_INVALID, "a loop runs at least one round at a time");
        report.add(&format!("{}/max_parallel", entry.pointer), finding.hint("write 1 for one after another"));
    }
    let wrong = match items {
        Value::Array(_) => None,
        Value::String(text) if text.contains("${{") => None,
        other => Some(other),
    };
    if let Some(wrong) = wrong {
        let finding = Finding::error(codes::VALUE_INVALID, format!("`foreach` needs a list, and {wrong} is none"));
        report.add(
            &format!("{}/foreach", entry.pointer),
            finding.hint("write a list `[a, b]`, or an expression such as `${{ inputs.hosts }}`"),
        );
    }
}

fn iterations(entry: &StepEntry<'_>, limit: Option<u32>, report: &mut Report<'_>) {
    if let Some(limit) = limit
        && (limit == 0 || limit > ITERATIONS_MAX)
    {
        let finding = Finding::error(codes::LOOP_INVALID, format!("`max_iterations: {limit}` is not possible"));
        report.add(
            &format!("{}/max_iterations", entry.pointer),
            finding.hint(format!("write a number from 1 to {ITERATIONS_MAX}")),
        );
    }
}

fn repeat(entry: &StepEntry<'_>, times: Option<&Value>, until: bool, report: &mut Report<'_>) {
    let at = format!("{}/repeat", entry.pointer);
    if times.is_some() == until {
        let finding = Finding::error(codes::LOOP_INVALID, "`repeat` has either `times` or `until`");
        report.add(&at, finding.hint("write `repeat: {times: 3}` or `repeat: {until: CONDITION}`"));
        return;
    }
    let reads = match times {
        None => true,
        Some(Value::String(text)) => text.contains("${{"),
        Some(other) => other.as_u64().is_some_and(|times| times <= u64::from(ITERATIONS_MAX)),
    };
    if !reads {
        let finding = Finding::error(
            codes::VALUE_INVALID,
            format!("`times` is a whole number from 0 to {ITERATIONS_MAX}, or an expression that gives one"),
        );
        report.add(&format!("{at}/times"), finding);
    }
}
