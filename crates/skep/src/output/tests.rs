//! Pages as people read them, over a workflow that is planned for real and turns written by hand.

use std::sync::Arc;

use skep_api::views::execution::Execution;
use skep_api::wire::{Class, Failure};
use skep_definition::check::Level;
use skep_model::actor::Actor;
use skep_model::error::{Failure as StepFailure, Kind};
use skep_model::event::{Event, Turn};
use skep_model::ids::{ExecutionId, Hash};
use skep_model::message::{Choices, Start};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use skep_model::{Map, Value};

use super::live::{changes, total_line};
use super::page::{end_of, page};
use super::print::failure_text;
use super::table::table;
use super::words::{duration, short_moment};

const GATED: &str = "name: gated\ndescription: Asks.\nsteps:\n  - {id: build, run: echo}\n  \
    - {id: gate, approval: {message: 'Ship it?', assignee: ada}}\n  - {id: after, run: echo}\n";

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// The view before anything happened.
fn view() -> Execution {
    let loaded = skep_definition::load::load(GATED);
    assert!(loaded.is_usable(), "{:?}", loaded.problems);
    let catalogue = skep_node::catalogue::build();
    let report = skep_node::service::validate(GATED, Level::Standard, &catalogue);
    assert!(report.valid, "{:?}", report.problems);
    let planned = skep_definition::plan::plan(&loaded.workflow.unwrap(), &catalogue);
    Execution::new(&planned.unwrap())
}

fn turn(seq: u64, second: i64, events: Vec<Event>) -> Turn {
    Turn { seq, at: Timestamp(1_764_547_200_000_000 + second * 1_000_000), events }
}

fn started() -> Event {
    Event::Started(Box::new(Start {
        execution: ExecutionId::new("0190-id"),
        plan_hash: Hash::of(b""),
        definition_hash: Hash::of(b""),
        inputs: Map::new(),
        base_dir: "/".into(),
        environment: Map::new(),
        actor: Actor::person("ada"),
        event: Value::Null,
        parent: None,
        choices: Choices::default(),
        seed: 1,
    }))
}

fn scheduled() -> Event {
    Event::Scheduled { path: Arc::from("build"), attempt: 1, delivery: 1, arguments: None }
}

fn asked() -> Event {
    Event::ApprovalAsked {
        path: Arc::from("gate"),
        message: "Ship it?".into(),
        assignee: "ada".into(),
        until: None,
        escalations: Vec::new(),
    }
}

fn waiting() -> Vec<Turn> {
    vec![
        turn(1, 0, vec![started(), scheduled()]),
        turn(2, 2, vec![Event::Completed { path: Arc::from("build"), outputs: Map::new() }, asked()]),
    ]
}

#[test]
fn a_page_says_what_is_waited_for_and_how_to_answer() {
    let mut view = view();
    waiting().iter().for_each(|turn| view.apply(turn));
    insta::assert_snapshot!(plain(&page(&view, false, turn(0, 5, Vec::new()).at)), @r"
    gated running in 5.0s
    0190-id  started 2025-12-01 00:00:00Z  by ada

      ✓ build     2.0s
      ◆ gate      3.0s  waits for a decision of ada
      · after

    ◆ gate: Ship it?
        skep approve 0190-id --step gate
        skep reject 0190-id --step gate
    ");
}

#[test]
fn a_failure_is_shown_with_its_hint() {
    let mut view = view();
    let failure = StepFailure::new(Kind::Exit, "SKEP-R001", "the script ended with exit code 3")
        .with_hint("look at `skep logs`")
        .at_step("build");
    let failed =
        Event::Failed { path: Arc::from("build"), failure: failure.clone(), outputs: Map::new(), handled: false };
    let ended = Event::Ended { status: Status::Failed, outputs: Map::new(), failure: Some(failure) };
    view.apply(&turn(1, 0, vec![started(), scheduled()]));
    view.apply(&turn(2, 1, vec![failed, ended]));
    insta::assert_snapshot!(plain(&end_of(&view, turn(0, 9, Vec::new()).at)), @r"
    gated failed in 1.0s
    0190-id  started 2025-12-01 00:00:00Z  by ada

    error at build: the script ended with exit code 3 (SKEP-R001)
    hint: look at `skep logs`
    ");
}

#[test]
fn what_changed_is_told_once_per_step() {
    let mut view = view();
    let mut lines = Vec::new();
    for turn in waiting() {
        view.apply(&turn);
        lines.extend(changes(&view, &turn, turn.at));
    }
    insta::assert_snapshot!(plain(&lines.join("\n")), @r"
      ✓ build     2.0s
      ◆ gate      0ms  waits for a decision of ada
    ");
    insta::assert_snapshot!(total_line(&view, turn(0, 5, Vec::new()).at), @"  [##########....................] 1/3 steps  5.0s");
}

#[test]
fn lengths_of_time_are_short() {
    for (ms, text) in [
        (0, "0ms"),
        (999, "999ms"),
        (1_250, "1.2s"),
        (59_999, "59s"),
        (185_000, "3m 05s"),
        (7_800_000, "2h 10m"),
        (273_600_000, "3d 4h"),
    ] {
        assert_eq!(duration(ms), text);
    }
    for (given, text) in
        [("2026-12-01T08:30:00Z", "2026-12-01 08:30:00Z"), ("2026-12-01T08:30:00.123456Z", "2026-12-01 08:30:00Z")]
    {
        assert_eq!(short_moment(given), text);
    }
}

#[test]
fn tables_and_failures_line_up() {
    let rows = vec![vec!["a".to_owned(), "\x1b[32mlong word\x1b[0m".to_owned(), "x".to_owned()]];
    assert_eq!(plain(&table(&["ONE", "TWO", "THREE"], &rows)), "ONE  TWO        THREE\na    long word  x\n");
    let failure = Failure::new("SKEP-N003", Class::NotFound, "no execution `x`", "look");
    assert_eq!(plain(&failure_text(&failure)), "error: no execution `x` (SKEP-N003)\nhint: look");
}
