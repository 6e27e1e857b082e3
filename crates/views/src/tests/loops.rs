//! Loops: order of entries, counts, results, and what is kept of very many rounds.

use serde_json::json;
use skep_model::event::Event;
use skep_model::limits;
use skep_model::plan::Plan;
use skep_model::status::{Execution as Status, Step as StepStatus};

use super::plans::*;
use crate::answer::step_entry;
use crate::execution::Execution;

fn rollout() -> Plan {
    plan(vec![foreach("rollout", vec![run("deploy"), run("check")]), run("report")], vec![])
}

fn round(index: u32) -> Vec<Event> {
    let deploy = format!("rollout[{index}].deploy");
    vec![
        round_began("rollout", index),
        gave(&deploy, "stdout", json!(index)),
        round_ended("rollout", index, StepStatus::Completed),
    ]
}

fn entry(execution: &Execution, path: &str) -> serde_json::Value {
    step_entry(execution, execution.step(path).unwrap(), &mut |payload| payload.value.clone())
}

#[test]
fn rounds_follow_their_loop_in_item_order_however_they_begin() {
    let events = vec![started(), loop_began("rollout", 12), round_began("rollout", 10), round_began("rollout", 2)];
    assert_eq!(
        listing(&fold(&rollout(), events)),
        "rollout running\n\
         rollout[2].deploy pending\nrollout[2].check pending\n\
         rollout[10].deploy pending\nrollout[10].check pending\n\
         report pending"
    );
}

#[test]
fn rounds_of_inner_loops_follow_theirs() {
    let inner = foreach("inner", vec![run("x")]);
    let plan = plan(vec![foreach("outer", vec![inner, run("y")])], vec![]);
    let events = vec![
        started(),
        loop_began("outer", 2),
        round_began("outer", 0),
        loop_began("outer[0].inner", 2),
        round_began("outer[0].inner", 0),
        completed("outer[0].inner[0].x"),
        round_ended("outer[0].inner", 0, StepStatus::Completed),
        round_began("outer[0].inner", 1),
        round_began("outer", 1),
    ];
    assert_eq!(
        listing(&fold(&plan, events)),
        "outer running\n\
         outer[0].inner running\nouter[0].inner[0].x completed\nouter[0].inner[1].x pending\nouter[0].y pending\n\
         outer[1].inner pending\nouter[1].y pending"
    );
}

#[test]
fn a_loop_counts_its_rounds() {
    let events = vec![
        started(),
        loop_began("rollout", 3),
        round_began("rollout", 0),
        failed("rollout[0].deploy"),
        round_ended("rollout", 0, StepStatus::Failed),
        round_began("rollout", 1),
    ];
    let execution = fold(&rollout(), events);
    let rounds = execution.step("rollout").unwrap().rounds().unwrap();
    assert_eq!((rounds.begun, rounds.ended, rounds.failed, rounds.total), (2, 1, 1, Some(3)));
    // 3 rounds of 2 steps and the report; of round 0 one failed and one is out of reach.
    let progress = execution.progress();
    assert_eq!((progress.done, progress.total), (2, 7));
}

#[test]
fn results_name_the_outputs_of_every_step_of_a_round() {
    let mut events = vec![started(), loop_began("rollout", 2)];
    events.extend(round(1));
    let execution = fold(&rollout(), events.clone());
    let ended = json!({
        "status": "completed",
        "outputs": { "deploy": { "stdout": 1 }, "check": { "stdout": null, "exit_code": null } },
    });
    assert_eq!(entry(&execution, "rollout")["outputs"], json!({ "results": [null, ended] }));
    assert_eq!(entry(&execution, "rollout")["attempts"], json!(1));
    events.extend([completed("rollout"), self::ended(Status::Completed)]);
    assert_eq!(entry(&fold(&rollout(), events), "rollout")["outputs"]["results"][1], ended, "the end changes nothing");
}

#[test]
fn a_loop_that_was_not_reached_has_null_results() {
    let execution = fold(&rollout(), vec![started(), ended(Status::Failed)]);
    let expect = json!({
        "status": "skipped", "attempts": 0, "outputs": { "results": null }, "error": null, "reason": "not_reached",
    });
    assert_eq!(entry(&execution, "rollout"), expect);
    assert_eq!(listing(&execution), "rollout skipped (not_reached)\nreport skipped (not_reached)");
}

#[test]
fn rounds_past_the_bound_are_counted_and_collected_but_not_listed() {
    let bound = limits::ITERATIONS_SHOWN_MAX;
    let mut events = vec![started(), loop_began("rollout", bound + 5)];
    events.extend((0..bound + 3).flat_map(round));
    events.push(round_began("rollout", bound + 3));
    events.push(scheduled(&format!("rollout[{}].deploy", bound + 3), 1));
    let turns = turns(events);
    let (mut short, mut long) = (Execution::new(&rollout()), Execution::with_all_iterations(&rollout()));
    for turn in &turns {
        short.apply(turn);
        long.apply(turn);
    }
    assert_eq!(short.steps().len(), 2 + 2 * bound as usize);
    assert_eq!(long.steps().len(), 2 + 2 * (bound as usize + 4));
    assert_eq!(entry(&short, "rollout"), entry(&long, "rollout"));
    assert_eq!(short.results("rollout").unwrap().len(), bound as usize + 3);
    assert_eq!(short.progress(), long.progress());
    assert_eq!(short.progress().total, 2 * (u64::from(bound) + 5) + 1);
    let running: Vec<&str> = short.active().map(|step| &*step.path).collect();
    assert_eq!(running, ["rollout", &format!("rollout[{}].deploy", bound + 3)], "what runs is seen all the same");
    assert_eq!(short.entries.len(), 2 + 2 * bound as usize + 2, "only what is listed or runs is kept");
    assert_eq!((short.strays, long.strays), (0, 0));
}
