//! Attempts and deliveries, as states and as spans of time.

use serde_json::json;
use skep_model::Map;
use skep_model::event::Event;
use skep_model::payload::Payload;
use skep_model::plan::Plan;
use skep_model::status::{Execution as Status, SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use super::plans::*;
use crate::replay::lines;
use crate::step::Waiting;
use crate::timeline::{Outcome, SPANS_PER_STEP_MAX, Timeline, What};

fn fetch() -> Plan {
    plan(vec![run("fetch")], vec![])
}

fn attempt_failed(path: &str) -> Event {
    Event::AttemptFailed { path: path.into(), failure: failure(), retry_at: Timestamp(35) }
}

fn story() -> Vec<Event> {
    vec![
        started(),
        scheduled("fetch", 1),
        attempt_failed("fetch"),
        scheduled("fetch", 2),
        Event::Redelivered { path: "fetch".into(), delivery: 3 },
        completed("fetch"),
        ended(Status::Completed),
    ]
}

fn timeline(events: Vec<Event>) -> Timeline {
    let mut timeline = Timeline::new();
    for turn in turns(events) {
        timeline.apply(&turn);
    }
    timeline
}

/// A line per span: `begin-end what outcome`.
fn spans(timeline: &Timeline, path: &str) -> String {
    let mut lines = Vec::new();
    for span in &timeline.row(path).unwrap().spans {
        let what = match span.what {
            What::Attempt { number, deliveries } => format!("attempt {number} x{deliveries}"),
            What::Pause => "pause".to_owned(),
            What::Wait => "wait".to_owned(),
            What::Inside => "inside".to_owned(),
        };
        let outcome = match &span.outcome {
            Outcome::Open => "open",
            Outcome::Completed => "completed",
            Outcome::Failed(failure) => failure.kind.as_str(),
            Outcome::Rejected => "rejected",
            Outcome::Cancelled => "cancelled",
        };
        let end = span.ended_at.map(|at| at.0.to_string()).unwrap_or_default();
        lines.push(format!("{}-{end} {what} {outcome}", span.began_at.0));
    }
    lines.join("\n")
}

#[test]
fn a_failed_attempt_waits_for_the_next_one() {
    let execution = fold(&fetch(), story()[..3].to_vec());
    let step = execution.step("fetch").unwrap();
    assert_eq!((step.status, step.attempts, step.deliveries), (StepStatus::Waiting, 1, 1));
    assert_eq!(step.waiting, Some(Waiting::NextAttempt { at: Timestamp(35), failure: failure() }));
    assert_eq!(step.failure, Some(failure()));
    assert_eq!(execution.progress().waiting, 1);
}

#[test]
fn deliveries_count_over_all_attempts_and_a_success_clears_the_failure() {
    let execution = fold(&fetch(), story());
    let step = execution.step("fetch").unwrap();
    assert_eq!((step.status, step.attempts, step.deliveries), (StepStatus::Completed, 2, 3));
    assert_eq!((step.began_at, step.ended_at), (Some(Timestamp(20)), Some(Timestamp(60))));
    assert_eq!((&step.failure, &step.waiting), (&None, &None));
}

#[test]
fn a_failure_that_was_let_pass_is_kept_with_null_outputs() {
    let let_pass = Event::Skipped { path: "fetch".into(), reason: SkipReason::OnError, failure: Some(failure()) };
    let execution = fold(&fetch(), vec![started(), scheduled("fetch", 1), let_pass]);
    let step = execution.step("fetch").unwrap();
    assert_eq!((step.status, step.reason, step.attempts), (StepStatus::Skipped, Some(SkipReason::OnError), 1));
    assert_eq!(step.failure, Some(failure()));
    assert!(step.outputs["stdout"].value.is_null());
}

#[test]
fn a_failed_step_keeps_its_streams() {
    let outputs = Map::from_iter([("stdout".to_owned(), Payload::inline(json!("half")))]);
    let event = Event::Failed { path: "fetch".into(), failure: failure(), outputs: outputs.clone(), handled: false };
    assert_eq!(fold(&fetch(), vec![started(), scheduled("fetch", 1), event]).step("fetch").unwrap().outputs, outputs);
}

#[test]
fn attempts_and_pauses_are_spans() {
    insta::assert_snapshot!(spans(&timeline(story()), "fetch"), @r"
    20-30 attempt 1 x1 network
    30-40 pause completed
    40-60 attempt 2 x2 completed
    ");
}

#[test]
fn questions_are_spans_and_the_end_closes_what_is_open() {
    let decided = Event::Decided { path: "gate".into(), approved: false, actor: ada(), comment: None };
    let rejected = Event::Skipped { path: "gate".into(), reason: SkipReason::Rejected, failure: Some(failure()) };
    let timeline = timeline(vec![
        started(),
        Event::Forked { path: "both".into() },
        asked("gate"),
        decided,
        rejected,
        scheduled("left", 1),
        skipped("never", SkipReason::Condition),
        ended(Status::Cancelled),
    ]);
    let all: Vec<String> = timeline.rows().map(|(path, _)| format!("{path}: {}", spans(&timeline, path))).collect();
    insta::assert_snapshot!(all.join("\n"), @r"
    both: 20-80 inside cancelled
    gate: 30-40 wait rejected
    left: 60-80 attempt 1 x1 cancelled
    ");
}

#[test]
fn a_row_keeps_the_newest_spans() {
    let mut events = vec![started()];
    for attempt in 1..=SPANS_PER_STEP_MAX as u32 {
        events.extend([scheduled("fetch", attempt), attempt_failed("fetch")]);
    }
    let timeline = timeline(events);
    let row = timeline.row("fetch").unwrap();
    assert_eq!((row.spans.len(), row.dropped), (SPANS_PER_STEP_MAX, SPANS_PER_STEP_MAX as u64));
    assert_eq!(row.spans.last().unwrap().what, What::Pause);
}

#[test]
fn rows_of_rounds_past_the_bound_are_left_out() {
    let events = || vec![started(), scheduled("a[2].b[1000].c", 1), scheduled("a[999].c", 1)];
    let mut all = Timeline::with_all_iterations();
    turns(events()).iter().for_each(|turn| all.apply(turn));
    assert_eq!((timeline(events()).rows().count(), all.rows().count()), (1, 2));
}

#[test]
fn the_history_names_attempts() {
    let history = lines(&fetch(), &turns(story()), &clock);
    let text: Vec<String> = history.iter().map(|line| format!("{} {}", line.number, line.text)).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    1 execution x1 started by ada
    2 fetch began
    3 attempt 1 of fetch failed (network): no connection to host; again at T35
    4 fetch began attempt 2
    5 fetch lost its owner and is delivered again (3)
    6 fetch completed
    7 execution completed
    ");
}
