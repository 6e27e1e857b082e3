//! What holds for every history: folding step by step is rebuilding, and the kept counts are the counted ones.

use serde_json::json;
use skep_model::event::{Event, Turn};
use skep_model::plan::Plan;
use skep_model::status::{Execution as Status, SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use super::plans::*;
use crate::execution::Execution;
use crate::progress::Share;
use crate::replay::{follow, lines, state_at};

fn big_plan() -> Plan {
    let pick = switch("pick", vec![vec![run("blue")], vec![foreach("each", vec![run("green")])]], None);
    let both = parallel("both", vec![vec![run("left"), run("later")], vec![approval("right")]]);
    plan(vec![run("build"), pick, foreach("rollout", vec![both, run("check")])], vec![run("clean")])
}

/// A history with most kinds of events, in turns of several.
fn history() -> Vec<Turn> {
    let at = |id: &str| format!("rollout[0].{id}");
    let retry = Event::AttemptFailed { path: "build".into(), failure: failure(), retry_at: Timestamp(3) };
    let branch = |branch, status| Event::BranchEnded { path: at("both").into(), branch, status };
    let approved = Event::Decided { path: at("right").into(), approved: true, actor: ada(), comment: None };
    let turns = [
        vec![started(), scheduled("build", 1)],
        vec![retry],
        vec![scheduled("build", 2)],
        vec![completed("build"), Event::CaseTaken { path: "pick".into(), case: Some(0) }, scheduled("blue", 1)],
        vec![
            gave("blue", "stdout", json!("b")),
            completed("pick"),
            loop_began("rollout", 3),
            round_began("rollout", 0),
        ],
        vec![Event::Forked { path: at("both").into() }, scheduled(&at("left"), 1), asked(&at("right"))],
        vec![failed(&at("left")), branch(0, StepStatus::Failed)],
        vec![approved, completed(&at("right")), branch(1, StepStatus::Completed), failed(&at("both"))],
        vec![round_ended("rollout", 0, StepStatus::Failed), failed("rollout")],
        vec![Event::FinallyBegan { status: Status::Failed }, skipped("clean", SkipReason::Condition)],
        vec![ended(Status::Failed)],
    ];
    let turn = |(at, events)| Turn { seq: at as u64 + 1, at: Timestamp(at as i64), events };
    turns.into_iter().enumerate().map(turn).collect()
}

fn check_counts(execution: &Execution) {
    let steps = execution.steps();
    let leaves: Vec<_> = steps.iter().filter(|step| execution.shape.step(step.index).is_leaf()).collect();
    let count = |share| leaves.iter().filter(|step| Share::of(step) == share).count() as u64;
    let progress = execution.progress();
    assert_eq!(progress.done, count(Share::Done));
    assert_eq!(progress.running, count(Share::Running));
    assert_eq!(progress.waiting, count(Share::Waiting));
    assert_eq!(execution.tally.listed, leaves.len() as u64);
    assert_eq!(execution.tally.expected, steps.iter().map(|step| step.expected).sum::<u64>());
    let active = steps
        .iter()
        .filter(|step| matches!(step.status, StepStatus::Running | StepStatus::Waiting | StepStatus::Unknown))
        .count();
    assert_eq!(execution.active().count(), active);
    assert!((0.0..=1.0).contains(&progress.figure));
    assert_eq!(progress.figure == 1.0, execution.status.is_terminal());
}

#[test]
fn folding_on_is_rebuilding_and_the_counts_are_right_after_every_event() {
    let (plan, turns) = (big_plan(), history());
    let mut execution = Execution::new(&plan);
    let mut number = 0;
    for turn in &turns {
        for event in &turn.events {
            execution.apply_event(turn.at, event);
            number += 1;
            check_counts(&execution);
            let mut rebuilt = state_at(&plan, &turns, number);
            rebuilt.seq = execution.seq;
            assert_eq!(rebuilt, execution, "after event {number}: {event:?}");
        }
        execution.seq = turn.seq;
    }
    assert_eq!(execution.strays, 0);
    assert_eq!(execution.progress().done, execution.progress().total);
}

#[test]
fn following_is_folding() {
    let (plan, turns) = (big_plan(), history());
    let (mut followed, mut folded) = (Execution::new(&plan), Execution::new(&plan));
    let mut numbers = Vec::new();
    for turn in &turns {
        numbers.extend(follow(&mut followed, turn, &clock).into_iter().map(|line| line.number));
        folded.apply(turn);
        assert_eq!(followed, folded);
    }
    let all: u64 = turns.iter().map(|turn| turn.events.len() as u64).sum();
    assert_eq!(numbers, (1..=all).collect::<Vec<_>>());
    assert_eq!(lines(&plan, &turns, &clock).len() as u64, all);
}

#[test]
fn a_turn_counts_once() {
    let (plan, turns) = (big_plan(), history());
    let mut execution = state_at(&plan, &turns, u64::MAX);
    let before = execution.clone();
    execution.apply(&turns[2]);
    assert!(follow(&mut execution, &turns[10], &clock).is_empty());
    assert_eq!(execution, before);
}

#[test]
fn the_state_before_the_first_event_and_inside_a_turn() {
    let (plan, turns) = (big_plan(), history());
    assert_eq!(state_at(&plan, &turns, 0), Execution::new(&plan));
    let inside = state_at(&plan, &turns, 5);
    assert_eq!((inside.seq, inside.events), (3, 5));
    assert_eq!(inside.step("build").unwrap().status, StepStatus::Completed);
    assert_eq!(inside.step("blue").unwrap().status, StepStatus::Pending);
}

#[test]
fn an_event_costs_what_it_changes() {
    const STEPS: usize = 1_000;
    let ids: Vec<&'static str> = (0..STEPS).map(|at| &*Box::leak(format!("s{at}").into_boxed_str())).collect();
    let plan = plan(ids.iter().map(|id| run(id)).collect(), vec![]);
    let events = ids.iter().flat_map(|id| [scheduled(id, 1), completed(id)]);
    let execution = fold(&plan, std::iter::once(started()).chain(events).collect());
    assert_eq!(execution.progress().done, STEPS as u64);
    assert_eq!(execution.looks, 2 * STEPS as u64, "one look at one step per event");
}

#[test]
fn leaving_a_list_looks_only_at_that_list() {
    let rest: Vec<_> = ["a", "b", "c", "d"].into_iter().map(run).collect();
    let cases = vec![vec![run("blue")], vec![run("green")]];
    let plan = plan([vec![switch("pick", cases, None)], rest].into_iter().flatten().collect(), vec![]);
    let taken = Event::CaseTaken { path: "pick".into(), case: Some(0) };
    // The switch itself, and the one step of the other case (found pending, then changed).
    assert_eq!(fold(&plan, vec![started(), taken]).looks, 3);
}
