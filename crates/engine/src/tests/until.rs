//! `wait: {condition}`: when it is asked, and that asking costs no row.

use skep_model::message::Message;
use skep_model::plan::{Kind, Plan, Wait};

use super::kit::{Harness, cancel, flow, flow_with, pause, resume};

const TWO: &str = "steps: [{id: p, parallel: {l: [{id: a, uses: noop, on_error: skip}], \
    r: [{id: w, wait: {condition: '${{ 1 > 2 }}', every: 10s, timeout: 1m}}]}}, {id: z, uses: noop}]";

/// `w` waits until `a` beside it has completed.
fn waiting() -> Harness {
    let beside = |plan: &mut Plan| {
        let at = plan.step_by_id("w").expect("the plan has it") as usize;
        let Kind::Wait(Wait::Condition { condition, .. }) = &mut plan.steps[at].kind else { panic!("it waits") };
        *condition = "${{ steps.a.status == 'completed' }}".to_owned();
    };
    flow_with(TWO, beside).hangs("a").run()
}

#[test]
fn a_condition_that_holds_takes_no_turn_of_its_own() {
    let harness = flow("steps: [{id: w, wait: {condition: '${{ 1 < 2 }}'}}, {id: z, uses: noop}]").run();
    assert_eq!(harness.summary(), "completed: w=completed z=completed");
    assert_eq!(harness.trace().lines().next(), Some("1: started, wait_began w, completed w, scheduled z"));
}

#[test]
fn it_is_asked_at_multiples_of_the_pause_without_a_row() {
    let mut harness = waiting();
    let (began, turns) = (harness.now, harness.journal.len());
    for round in 1..=5 {
        assert_eq!(harness.state.next_wake(), Some(began.plus_ms(round * 10_000)), "round {round}");
        harness.pass_ms(10_000);
    }
    harness.pass_ms(500);
    assert_eq!((harness.state.next_wake(), harness.journal.len()), (Some(began.plus_ms(60_000)), turns));
    harness.pass_ms(9_500);
    assert_eq!(harness.ended("w").as_deref(), Some("failed"), "the timeout came");
    assert_eq!(harness.state.errors[0].code, "SKEP-X003");
}

#[test]
fn a_crash_may_ask_earlier_and_never_later() {
    let mut harness = waiting();
    let began = harness.now;
    harness.pass_ms(10_000);
    harness.pass_ms(14_000);
    assert_eq!(harness.state.next_wake(), Some(began.plus_ms(30_000)));
    harness.crash();
    assert_eq!(harness.state.next_wake(), Some(began.plus_ms(30_000)), "the recovery has asked");
}

#[test]
fn the_end_of_a_step_asks_at_once() {
    let mut harness = waiting();
    harness.now = harness.now.plus_ms(3_000);
    harness.succeed("a", serde_json::json!({}));
    assert_eq!(
        harness.last_turn(),
        "completed a, branch_ended p, completed w, branch_ended p, completed p, scheduled z"
    );
}

#[test]
fn an_error_of_the_condition_fails_the_step() {
    let yaml = "inputs: {n: {type: object}}\nsteps: [{id: w, wait: {condition: '${{ inputs.n.x == 1 }}'}}]";
    let mut harness = flow(yaml).start_with(serde_json::json!({"n": {}}));
    harness.settle();
    assert_eq!(harness.summary(), "failed: w=failed");
    assert!(harness.failure_message().contains("`condition` of step `w`"), "{}", harness.failure_message());
}

#[test]
fn it_stands_still_with_the_execution_and_can_be_cancelled() {
    let mut harness = waiting();
    harness.tell(&pause());
    assert_eq!(harness.state.next_wake(), None);
    harness.succeed("a", serde_json::json!({}));
    harness.tell(&Message::TimerFired);
    assert_eq!(harness.ended("w"), None);
    harness.tell(&resume());
    assert_eq!(harness.ended("w").as_deref(), Some("completed"));
    let mut stopped = waiting();
    stopped.tell(&cancel());
    assert_eq!(stopped.ended("w").as_deref(), Some("cancelled"));
}

#[test]
fn nobody_is_awaited_while_a_condition_is_asked() {
    let harness = flow("steps: [{id: w, wait: {condition: '${{ 1 > 2 }}', every: 1h}}]").run();
    assert!(!harness.state.waits_for_people());
    assert_eq!(harness.state.waiting_for().as_deref(), Some("condition: w"));
}
