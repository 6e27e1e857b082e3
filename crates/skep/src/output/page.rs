//! The page of one execution: where it stands, its steps, what it waits for and how to answer.

use skep_api::views::execution::Execution;
use skep_api::views::step::{Step, Undoing, Waiting};
use skep_model::error::Failure;
use skep_model::span::print_duration_ms;
use skep_model::status::{SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use super::paint::{Paint, paint};
use super::table::width;
use super::words::{duration, moment_words, since, status_words, symbol};

/// Steps that a page lists; the rest is counted.
const STEPS_SHOWN_MAX: usize = 200;

/// The whole page; `all` lists every step. Ends without a line break.
pub fn page(view: &Execution, all: bool, now: Timestamp) -> String {
    let id = view.id.as_ref().map_or("", |id| id.as_str());
    let mut parts = vec![head(view, id, now)];
    parts.push(steps(view, if all { usize::MAX } else { STEPS_SHOWN_MAX }, now));
    parts.push(questions(view, id));
    parts.push(troubles(view, id));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

/// What is left to say when the steps were shown while they ran.
pub fn end_of(view: &Execution, now: Timestamp) -> String {
    let id = view.id.as_ref().map_or("", |id| id.as_str());
    let parts = [head(view, id, now), questions(view, id), troubles(view, id)];
    let shown: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    shown.join("\n\n")
}

fn head(view: &Execution, id: &str, now: Timestamp) -> String {
    let took = since(view.started_at, view.ended_at, now);
    let took = took.map_or_else(String::new, |took| format!(" in {took}"));
    let mut text = format!("{} {}{took}", paint(Paint::Strong, &view.workflow.name), status_words(view.status));
    let started = view.started_at.map(|at| format!("started {}", moment_words(at)));
    let by = view.actor.as_ref().map(|actor| format!("by {}", actor.label()));
    let run = (view.generation > 1).then(|| format!("run {}", view.generation));
    let child = view.parent.as_ref().map(|parent| format!("child of {} ({})", parent.execution, parent.path));
    let facts: Vec<String> = [Some(id.to_owned()), started, by, run, child].into_iter().flatten().collect();
    text.push_str(&format!("\n{}", paint(Paint::Faint, &facts.join("  "))));
    if let Some(cancel) = &view.cancel {
        let reason = cancel.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        text.push_str(&format!("\ncancelled by {}{reason}", cancel.actor.label()));
    }
    if let Some((resource, since)) = &view.entry {
        let wanted = skep_api::views::reasons::wanted(resource);
        text.push_str(&format!("\nwaits for {wanted}, since {}; nothing has begun", moment_words(*since)));
    }
    text
}

fn steps(view: &Execution, shown_max: usize, now: Timestamp) -> String {
    let steps = view.steps();
    let shown = &steps[..steps.len().min(shown_max)];
    let names: Vec<String> = shown.iter().map(|step| name(step)).collect();
    let name_width = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let mut lines: Vec<String> =
        shown.iter().zip(&names).map(|(step, name)| line(step, name, name_width, now)).collect();
    if steps.len() > shown.len() {
        lines.push(format!("  .. and {} more steps: `--all-iterations` lists them", steps.len() - shown.len()));
    }
    lines.join("\n")
}

/// The step's id, indented by the loops around it, with its round.
fn name(step: &Step) -> String {
    let depth = step.path.matches("].").count();
    let round = step.path.rfind("].").and_then(|end| step.path[..end].rfind('[').map(|from| &step.path[from..=end]));
    format!("{}{}{}", "  ".repeat(depth), round.map_or_else(String::new, |round| format!("{round} ")), step.id())
}

/// One step on one line: mark, name, how long, what is special.
pub(super) fn line(step: &Step, name: &str, name_width: usize, now: Timestamp) -> String {
    let filler = " ".repeat(name_width.saturating_sub(width(name)));
    let took = since(step.began_at, step.ended_at, now).unwrap_or_default();
    let text = format!("  {} {name}{filler}  {took:>7}  {}", symbol(step.status), details(step));
    text.trim_end().to_owned()
}

/// What is special about a step: attempts, why it failed or was skipped, what it waits for.
pub(super) fn details(step: &Step) -> String {
    let mut parts = Vec::new();
    if step.generation > 1 {
        parts.push(format!("run {}", step.generation));
    }
    if step.attempts > 1 {
        parts.push(format!("attempt {}", step.attempts));
    }
    if let Some(rounds) = step.rounds() {
        let total = rounds.total.map_or_else(|| "?".to_owned(), |total| total.to_string());
        parts.push(format!("{}/{total} rounds", rounds.ended));
    }
    if let Some(waiting) = &step.waiting {
        parts.push(waiting_words(waiting));
    }
    parts.extend(step.child.as_ref().map(|child| format!("child {child}")));
    if let (Some(failure), StepStatus::Failed) = (&step.failure, step.status) {
        parts.push(paint(Paint::Bad, &failure.message));
    }
    parts.extend(step.rollback.as_ref().map(undoing_words));
    parts.extend(step.reason.map(|reason| paint(Paint::Faint, reason_words(reason))));
    parts.join(", ")
}

fn undoing_words(undoing: &Undoing) -> String {
    match (undoing.status, &undoing.failure) {
        (StepStatus::Completed, _) => paint(Paint::Faint, "undone"),
        (StepStatus::Failed, Some(failure)) => paint(Paint::Bad, &format!("undoing failed: {}", failure.message)),
        (_, Some(failure)) => format!("is undone, attempt {}: {}", undoing.attempts, failure.message),
        (_, None) => format!("is undone, attempt {}", undoing.attempts),
    }
}

fn reason_words(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NotReached => "not reached",
        SkipReason::Condition => "its condition does not hold",
        SkipReason::Dependency => "what it depends on did not complete",
        SkipReason::Rejected => "rejected",
        SkipReason::OnError => "failed, and the flow goes on",
        SkipReason::Concurrency => "its group was full",
    }
}

fn waiting_words(waiting: &Waiting) -> String {
    let by = |who: &str| if who.is_empty() { String::new() } else { format!(" of {who}") };
    let until = |until: &Option<Timestamp>| until.map_or_else(String::new, |at| format!(" until {}", moment_words(at)));
    match waiting {
        Waiting::Decision { assignee, until: end, escalated_to, .. } => {
            let who = escalated_to.as_deref().unwrap_or(assignee);
            format!("waits for a decision{}{}", by(who), until(end))
        }
        Waiting::Form { assignee, until: end, .. } => format!("waits for answers{}{}", by(assignee), until(end)),
        Waiting::Signal { name, until: end } => format!("waits for the signal `{name}`{}", until(end)),
        Waiting::Time { until } => format!("waits until {}", moment_words(*until)),
        Waiting::Answer { about, to, suggestion, until: end, .. } => {
            format!("waits for an answer{}{}: {}", by(to), until(end), about.asks(*suggestion))
        }
        Waiting::Condition { until: end, every_ms } => {
            format!("waits for its condition, asked every {}{}", print_duration_ms(*every_ms), until(end))
        }
        Waiting::Turn => "waits for its turn".to_owned(),
        Waiting::Permit(resource) => format!("waits for {}", skep_api::views::reasons::wanted(resource)),
        Waiting::NextAttempt { at, failure } => format!("tries again at {}: {}", moment_words(*at), failure.message),
    }
}

/// What people are asked, and the commands that answer.
fn questions(view: &Execution, id: &str) -> String {
    let blocks: Vec<String> = view.waiting().filter_map(|step| question(step, id)).collect();
    blocks.join("\n\n")
}

fn question(step: &Step, id: &str) -> Option<String> {
    let path = quoted(&step.path);
    let (asked, commands) = match step.waiting.as_ref()? {
        Waiting::Decision { message, .. } => (
            message.clone(),
            vec![format!("skep approve {id} --step {path}"), format!("skep reject {id} --step {path}")],
        ),
        Waiting::Answer { about, failure, suggestion, .. } => {
            let why = failure.as_ref().map(|failure| format!(" ({})", failure.message)).unwrap_or_default();
            let commands = ["approve", "reject"].map(|verb| format!("skep {verb} {id} --step {path}"));
            (format!("{}{why}", about.asks(*suggestion)), commands.to_vec())
        }
        Waiting::Form { message, .. } => {
            (message.clone(), vec![format!("skep input {id} --step {path} -i FIELD=VALUE")])
        }
        Waiting::Signal { name, .. } => {
            (format!("waits for the signal `{name}`"), vec![format!("skep signal {id} {}", quoted(name))])
        }
        Waiting::Time { .. }
        | Waiting::NextAttempt { .. }
        | Waiting::Condition { .. }
        | Waiting::Turn
        | Waiting::Permit(_) => return None,
    };
    let asked = format!("{} {}: {asked}", paint(Paint::Attention, "◆"), step.path);
    Some(
        std::iter::once(asked)
            .chain(commands.into_iter().map(|command| format!("    {command}")))
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// A word as a shell takes it; paths of rounds have brackets.
fn quoted(word: &str) -> String {
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte));
    if plain && !word.is_empty() { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn troubles(view: &Execution, id: &str) -> String {
    let mut blocks = Vec::new();
    blocks.extend(view.failure.as_ref().map(|failure| trouble("error", failure)));
    blocks.extend(view.held.as_ref().map(|failure| format!("{}\n    skep resume {id}", trouble("held", failure))));
    blocks.join("\n\n")
}

fn trouble(word: &str, failure: &Failure) -> String {
    let at = failure.step.as_ref().map_or_else(String::new, |step| format!(" at {step}"));
    let word = paint(Paint::Bad, &format!("{word}{at}:"));
    let mut text = format!("{word} {} ({})", failure.message, failure.code);
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\n{} {hint}", paint(Paint::Attention, "hint:")));
    }
    text
}

/// The words for a step that reached a state worth a line of its own, while it is followed.
pub(super) fn event_line(step: &Step, now: Timestamp) -> String {
    line(step, &step.path, 0, now)
}

/// How long an execution has been going, for the live view.
pub(super) fn elapsed(view: &Execution, now: Timestamp) -> String {
    view.started_at.map_or_else(String::new, |at| duration(view.ended_at.unwrap_or(now).ms_since(at)))
}
