//! Undoing, doubts and questions, as people see them.

use serde_json::{Value, json};
use skep_model::event::{Event, Turn};
use skep_model::plan::Plan;
use skep_model::rollback::{Question, RollbackCause, Strategy};
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_model::time::Timestamp;

use super::plans::*;
use crate::answer::answer;
use crate::execution::Execution;
use crate::replay::lines;
use crate::step::Waiting;
use crate::timeline::{Outcome, Timeline, What};

fn kept(path: &str, unsure: bool) -> Event {
    Event::UndoKept { path: path.into(), arguments: None, check: None, verify: None, problem: None, unsure }
}

fn began(cause: RollbackCause) -> Event {
    let (actor, reason, strategy, to) = (None, None, Strategy::Graceful, None);
    Event::RollbackBegan { cause, actor, reason, failure: Some(failure()), strategy, to }
}

fn asked_about(path: &str, about: Question) -> Event {
    Event::QuestionAsked {
        path: path.into(),
        about,
        to: "ops".to_owned(),
        failure: Some(failure()),
        suggestion: None,
        until: None,
        escalations: Vec::new(),
    }
}

fn answered(path: &str, approved: bool) -> Event {
    Event::Answered { path: path.into(), approved, actor: ada(), comment: None }
}

fn rolled_back(path: &str) -> Event {
    Event::RolledBack { path: path.into(), actor: None, comment: None }
}

fn over(status: Status) -> Event {
    Event::RollbackEnded { status, failure: (status == Status::RollbackFailed).then(failure) }
}

fn two() -> Plan {
    plan(vec![run("a"), run("b"), run("c")], vec![])
}

fn failed_after_two() -> Vec<Event> {
    let done = |path: &str| vec![scheduled(path, 1), completed(path), kept(path, false)];
    [vec![started()], done("a"), done("b"), vec![scheduled("c", 1), failed("c"), began(RollbackCause::Failure)]]
        .concat()
}

fn undone() -> Vec<Event> {
    let retry = Event::AttemptFailed { path: "b.rollback".into(), failure: failure(), retry_at: Timestamp(3) };
    let undoing = vec![
        scheduled("b.rollback", 1),
        retry,
        scheduled("b.rollback", 2),
        completed("b.rollback"),
        scheduled("b.rollback.verify", 1),
        completed("b.rollback.verify"),
        rolled_back("b"),
        scheduled("a.rollback", 1),
        completed("a.rollback"),
        rolled_back("a"),
        over(Status::RolledBack),
        Event::Ended { status: Status::RolledBack, outputs: skep_model::Map::new(), failure: Some(failure()) },
    ];
    [failed_after_two(), undoing].concat()
}

fn answer_of(execution: &Execution) -> Value {
    answer(execution, &mut |payload| payload.value.clone(), &clock)
}

#[test]
fn an_undone_execution() {
    let execution = fold(&two(), undone());
    assert_eq!(listing(&execution), "a rolled_back\nb rolled_back\nc failed");
    assert_eq!((execution.status, execution.strays), (Status::RolledBack, 0));
    let answer = answer_of(&execution);
    assert_eq!(answer["rollback"], json!({"cause": "failure", "status": "rolled_back", "undone": 2, "left": 0}));
    assert_eq!(answer["steps"]["b"]["rollback"], json!({"status": "completed", "attempts": 2, "error": null}));
    assert_eq!(answer["steps"]["b"]["attempts"], json!(1), "the step's own attempts stay");
    assert!(answer["steps"]["c"].get("rollback").is_none());
    assert!(answer_of(&fold(&two(), vec![started()])).get("rollback").is_none());
}

#[test]
fn a_rollback_on_its_way_and_one_that_failed() {
    let check = |events: Vec<Event>, status: Status, left: u64, b: StepStatus| {
        let execution = fold(&two(), [failed_after_two(), events].concat());
        assert_eq!((execution.status, execution.left_to_undo()), (status, left));
        assert_eq!(execution.step("b").unwrap().rollback.as_ref().map(|undoing| undoing.status), Some(b));
    };
    check(vec![scheduled("b.rollback", 1)], Status::RollingBack, 2, StepStatus::Running);
    check(
        vec![scheduled("b.rollback", 1), completed("b.rollback"), rolled_back("b")],
        Status::RollingBack,
        1,
        StepStatus::Completed,
    );
    let end = vec![
        scheduled("b.rollback", 1),
        failed("b.rollback"),
        over(Status::RollbackFailed),
        ended(Status::RollbackFailed),
    ];
    check(end, Status::RollbackFailed, 2, StepStatus::Failed);
    let stop = vec![
        scheduled("b.rollback", 1),
        Event::RollbackStopAsked { actor: ada(), reason: None },
        completed("b.rollback"),
        rolled_back("b"),
        Event::Held { reason: failure() },
        Event::Resumed { actor: ada() },
    ];
    check(stop, Status::RollingBack, 1, StepStatus::Completed);
}

#[test]
fn a_rollback_after_the_end_opens_the_execution_again() {
    let done = [vec![started(), scheduled("a", 1), completed("a"), kept("a", false), ended(Status::Completed)]];
    let asked = [done.concat(), vec![began(RollbackCause::Asked)]].concat();
    let execution = fold(&two(), asked.clone());
    assert_eq!((execution.status, execution.ended_at), (Status::RollingBack, None));
    let end = vec![
        scheduled("a.rollback", 1),
        completed("a.rollback"),
        rolled_back("a"),
        over(Status::RolledBack),
        ended(Status::RolledBack),
    ];
    let execution = fold(&two(), [asked, end].concat());
    assert_eq!((execution.status, execution.ended_at.is_some()), (Status::RolledBack, true));
    assert_eq!(listing(&execution), "a rolled_back\nb skipped (not_reached)\nc skipped (not_reached)");
}

#[test]
fn a_question_in_the_flow_waits_and_goes() {
    let doubted = Event::Doubted { path: "a".into(), failure: Some(failure()) };
    let open = vec![
        started(),
        scheduled("a", 1),
        doubted,
        asked_about("a", Question::Unknown),
        Event::Held { reason: failure() },
    ];
    let execution = fold(&two(), open.clone());
    assert_eq!((execution.status, execution.step("a").unwrap().status), (Status::Held, StepStatus::Unknown));
    let waiting = &answer_of(&execution)["waiting"][0];
    assert_eq!(
        (&waiting["for"], &waiting["message"], &waiting["assignee"]),
        (&json!("answer"), &json!("was it done?"), &json!("ops"))
    );
    let done = [open, vec![answered("a", true), completed("a"), Event::Resumed { actor: ada() }]].concat();
    let execution = fold(&two(), done);
    assert_eq!((execution.status, execution.step("a").unwrap().status), (Status::Running, StepStatus::Completed));
    assert_eq!(execution.waiting().count(), 0);
}

#[test]
fn a_question_of_a_rollback_gives_the_steps_state_back() {
    let before = vec![started(), scheduled("a", 1), Event::Cancelled { path: "a".into() }, kept("a", true)];
    let open = [before, vec![began(RollbackCause::Cancel), asked_about("a", Question::Unknown)]].concat();
    let execution = fold(&two(), open.clone());
    let step = execution.step("a").unwrap();
    assert_eq!(step.status, StepStatus::Unknown);
    assert!(matches!(step.waiting, Some(Waiting::Answer { about: Question::Unknown, .. })));
    let check = |events: Vec<Event>, status: StepStatus, left: u64| {
        let execution = fold(&two(), [open.clone(), events].concat());
        assert_eq!((execution.step("a").unwrap().status, execution.left_to_undo()), (status, left));
        assert_eq!(execution.waiting().count(), 0);
    };
    let path = || "a".into();
    check(vec![answered("a", false), Event::UndoDropped { path: path() }], StepStatus::Cancelled, 0);
    check(vec![answered("a", true), Event::UndoConfirmed { path: path() }], StepStatus::Cancelled, 1);
    check(
        vec![answered("a", true), Event::UndoConfirmed { path: path() }, rolled_back("a")],
        StepStatus::RolledBack,
        0,
    );
    check(vec![Event::RollbackStopAsked { actor: ada(), reason: None }], StepStatus::Cancelled, 1);
}

#[test]
fn rounds_that_are_not_listed_are_undone_too() {
    let plan = plan(vec![foreach("l", vec![run("a")])], vec![]);
    let last = skep_model::limits::ITERATIONS_SHOWN_MAX;
    let path = format!("l[{last}].a");
    let events = vec![
        started(),
        loop_began("l", last + 1),
        round_began("l", last),
        scheduled(&path, 1),
        completed(&path),
        kept(&path, false),
        round_ended("l", last, StepStatus::Completed),
        began(RollbackCause::Failure),
        scheduled(&format!("{path}.rollback"), 1),
        completed(&format!("{path}.rollback")),
        rolled_back(&path),
    ];
    let execution = fold(&plan, events);
    assert_eq!((execution.strays, execution.left_to_undo()), (0, 0));
}

#[test]
fn the_words_of_a_history() {
    let more = vec![
        scheduled("a.verify", 1),
        Event::Doubted { path: "a".into(), failure: None },
        asked_about("a", Question::Unknown),
        asked_about("a", Question::Escalated),
        answered("a", true),
        Event::RollbackStopAsked { actor: ada(), reason: Some("wait".to_owned()) },
        Event::UndoConfirmed { path: "a".into() },
        Event::UndoDropped { path: "a".into() },
    ];
    let events: Vec<Event> = [undone(), more].concat().into_iter().skip(8).collect();
    let turns: Vec<Turn> = turns(events);
    let text: Vec<String> = lines(&two(), &turns, &clock).into_iter().map(|line| line.text).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    c failed (network): no connection to host
    undoing began (failure)
    undoing b began
    attempt 1 of undoing b failed (network): no connection to host; again at T3
    undoing b began attempt 2
    undoing b completed
    the look whether b was undone began
    the look whether b was undone completed
    b is undone
    undoing a began
    undoing a completed
    a is undone
    undoing ended rolled_back
    execution rolled_back (network): no connection to host
    the look whether a was done began
    a lost its owner; nobody knows whether it was done
    a: ops is asked: was it done?
    a failed (network): no connection to host; ops is asked: try it again?
    a: ada says yes
    ada stops the undoing: wait
    a was done and is undone
    a needs no undoing
    ");
}

#[test]
fn the_timeline_has_rows_for_compensations_and_questions() {
    let mut timeline = Timeline::new();
    turns(undone()).iter().for_each(|turn| timeline.apply(turn));
    let spans: Vec<&Outcome> = timeline.row("b.rollback").unwrap().spans.iter().map(|span| &span.outcome).collect();
    assert_eq!(spans, [&Outcome::Failed(failure()), &Outcome::Completed, &Outcome::Completed]);
    let mut asked = Timeline::new();
    let events =
        vec![started(), scheduled("a", 1), asked_about("a", Question::Escalated), answered("a", false), failed("a")];
    turns(events).iter().for_each(|turn| asked.apply(turn));
    let spans: Vec<(What, &Outcome)> =
        asked.row("a").unwrap().spans.iter().map(|span| (span.what, &span.outcome)).collect();
    let attempt = What::Attempt { number: 1, deliveries: 1 };
    assert_eq!(spans, [(attempt, &Outcome::Failed(failure())), (What::Wait, &Outcome::Rejected)]);
}
