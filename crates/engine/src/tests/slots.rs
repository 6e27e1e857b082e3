//! `max_parallel` of a workflow.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::message::Message;

use super::kit::{Harness, cancel, flow_with, pause, resume};

fn limited(limit: u32, yaml: &str) -> Harness {
    flow_with(yaml, |plan| plan.max_parallel = Some(limit))
}

const SIX: &str = "steps: [{id: p, parallel: {l: [{id: a, uses: noop}, {id: b, uses: noop}], \
    r: [{id: each, foreach: '${{ [1, 2, 3] }}', max_parallel: 3, steps: [{id: c, uses: noop}]}], q: [{id: d, uses: noop}]}}]";

#[test]
fn so_many_work_at_a_time_over_all_lists() {
    for limit in 1..=4_u32 {
        let mut harness = limited(limit, SIX).start();
        while !harness.status().is_terminal() {
            let running = harness.running.len();
            assert!(running > 0 && running <= limit as usize, "{limit}: {}\n{}", harness.runs(), harness.trace());
            let first = harness.running.keys().next().cloned().expect("one runs");
            harness.succeed(&first, json!({}));
        }
        assert_eq!(harness.status().as_str(), "completed");
        assert_eq!(harness.performed.len(), 6);
    }
}

#[test]
fn who_waits_begins_in_the_order_of_turns_and_of_the_plan() {
    let mut harness = limited(1, SIX).start();
    assert_eq!(harness.last_turn().matches("queued").count(), 4, "{}", harness.last_turn());
    harness.settle();
    assert_eq!(harness.order(), "a each[0].c each[1].c each[2].c d b");
}

#[test]
fn a_loop_without_an_end_starves_nobody() {
    let yaml = "steps: [{id: p, join: any, parallel: {l: [{id: x, while: '${{ true }}', steps: [{id: a, uses: noop}]}], \
        r: [{id: y, while: '${{ true }}', steps: [{id: b, uses: noop}]}], q: [{id: w, repeat: {times: 1}, steps: [{id: z, uses: noop}]}]}}]";
    let mut harness = limited(1, yaml).start();
    harness.settle();
    assert_eq!(harness.order(), "x[0].a y[0].b w[0].z x[1].a");
}

#[test]
fn a_pause_between_attempts_keeps_its_place_and_a_wait_takes_none() {
    let yaml = "steps: [{id: p, parallel: {l: [{id: a, uses: noop, retry: {max_attempts: 2, delay: 1m, jitter: false}}], \
        r: [{id: b, uses: noop}], w: [{id: w, wait: {signal: go}}]}}]";
    let mut harness = limited(1, yaml).fails("a", Kind::Network).run();
    assert_eq!(
        (harness.order().as_str(), harness.state.waiting_for().as_deref()),
        ("a", Some("next attempt: a, signal go: w"))
    );
    harness.crash();
    harness.pass_ms(60_000);
    assert_eq!(harness.order(), "a a b");
}

#[test]
fn who_waits_can_be_stopped_and_stands_still_in_a_pause() {
    let mut harness = limited(1, SIX).start();
    harness.tell(&pause());
    harness.succeed("a", json!({}));
    assert_eq!(harness.runs(), "");
    harness.crash();
    harness.tell(&resume());
    assert_eq!(harness.runs(), "each[0].c");
    harness.tell(&cancel());
    harness.settle();
    assert_eq!((harness.status().as_str(), harness.performed.len()), ("cancelled", 2));
}

#[test]
fn the_time_of_a_step_begins_with_its_work() {
    let yaml = "steps: [{id: p, parallel: {l: [{id: a, uses: noop}], r: [{id: b, uses: noop, total_timeout: 1m}]}}]";
    let mut harness = limited(1, yaml).hangs("a").hangs("b").run();
    harness.pass_ms(120_000);
    harness.succeed("a", json!({}));
    harness.settle();
    harness.now = harness.now.plus_ms(59_999);
    harness.tell(&Message::TimerFired);
    assert_eq!(harness.runs(), "b");
    harness.pass_ms(1);
    assert_eq!(harness.ended("b").as_deref(), Some("failed"));
}

#[test]
fn without_the_key_nothing_is_queued() {
    let harness = super::kit::flow(SIX).start();
    assert_eq!(harness.runs(), "a d each[0].c each[1].c each[2].c");
}

#[test]
fn who_waits_for_a_child_takes_no_place() {
    let yaml = "steps: [{id: p, parallel: {l: [{id: x, workflow: {name: inner}, retry: {max_attempts: 2, delay: 1m, jitter: false}}], \
        r: [{id: y, workflow: {name: inner}}], q: [{id: a, uses: noop}]}}]";
    let harness = limited(1, yaml).start();
    assert_eq!(harness.last_turn().matches("child_asked").count(), 2, "{}", harness.last_turn());
    assert_eq!(harness.runs(), "a");
}
