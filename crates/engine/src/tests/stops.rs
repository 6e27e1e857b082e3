//! Cancel and pause, in every phase.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::limits::CANCEL_GRACE_MS;
use skep_model::message::Message;

use super::kit::{Harness, cancel, flow, pause, resume, signal};

const FINALLY: &str = "\nfinally: [{id: f, uses: noop, with: {s: '${{ execution.status }}'}}]";

/// Runs until nothing moves, then cancels.
fn cancelled(steps: &str, hanging: &str) -> Harness {
    let mut harness = flow(&format!("steps: [{steps}, {{id: z, uses: noop}}]{FINALLY}")).hangs(hanging).run();
    harness.tell(&cancel());
    harness.settle();
    harness
}

#[test]
fn a_cancel_stops_every_phase_and_cleans_up() {
    let check = |steps: &str, expect: &str| {
        let harness = cancelled(steps, "a");
        assert_eq!(harness.summary(), format!("cancelled:{expect} f=completed"), "{}", harness.trace());
        assert_eq!(harness.with("f"), json!({"s": "cancelled"}));
    };
    check("{id: a, uses: noop}", " a=cancelled");
    check("{id: w, wait: {for: 1h}}", " w=cancelled");
    check("{id: w, wait: {signal: go}}", " w=cancelled");
    check("{id: g, approval: {message: ok}}", " g=cancelled");
    check("{id: i, input: {n: {type: integer}}}", " i=cancelled");
    check(
        "{id: s, switch: {cases: [{when: '${{ true }}', steps: [{id: a, uses: noop}]}]}}",
        " a=cancelled s=cancelled",
    );
    check("{id: l, foreach: '${{ [1, 2] }}', steps: [{id: w, wait: {for: 1h}}]}", " l[0].w=cancelled l=cancelled");
    check(
        "{id: p, parallel: {l: [{id: a, uses: noop}], r: [{id: w, wait: {for: 1h}}]}}",
        " w=cancelled a=cancelled p=cancelled",
    );
}

#[test]
fn a_cancel_ends_a_pause_between_attempts() {
    let yaml = "steps: [{id: a, uses: noop, retry: {max_attempts: 3, delay: 1m}}]";
    let mut harness = flow(yaml).fails("a", Kind::Network).run();
    harness.tell(&cancel());
    assert_eq!((harness.summary().as_str(), harness.performed.len()), ("cancelled: a=cancelled", 1));
}

#[test]
fn a_success_after_the_cancel_is_recorded() {
    let mut harness = flow("steps: [{id: a, uses: noop}, {id: z, uses: noop}]").start();
    harness.tell(&cancel());
    harness.succeed("a", json!({}));
    assert_eq!(harness.summary(), "cancelled: a=completed");
}

#[test]
fn abandon_leaves_the_clean_up_out() {
    let mut harness = flow(&format!("on_cancel: abandon\nsteps: [{{id: a, uses: noop}}]{FINALLY}")).hangs("a").run();
    harness.tell(&cancel());
    harness.settle();
    assert_eq!(harness.summary(), "cancelled: a=cancelled");
}

#[test]
fn a_cancel_during_the_clean_up_lets_it_end() {
    let mut harness = flow(&format!("steps: [{{id: a, uses: noop}}]{FINALLY}")).hangs("f").run();
    harness.tell(&cancel());
    harness.settle();
    assert_eq!((harness.status().as_str(), harness.runs().as_str()), ("cancelling", "f"));
    harness.succeed("f", json!({}));
    assert_eq!(harness.summary(), "cancelled: a=completed f=completed");
}

#[test]
fn a_second_cancel_forces_the_end_after_the_grace_period() {
    let mut harness = flow("steps: [{id: a, uses: noop}]").hangs("a").run();
    harness.tell(&cancel());
    harness.now = harness.now.plus_ms(1_000);
    harness.tell(&cancel());
    assert_eq!(harness.last_turn(), "force_asked");
    let turns = harness.journal.len();
    harness.tell(&cancel());
    assert_eq!(harness.journal.len(), turns, "a third one says nothing new");
    harness.now = harness.now.plus_ms(CANCEL_GRACE_MS - 1_001);
    harness.tell(&Message::TimerFired);
    assert_eq!(harness.status().as_str(), "cancelling");
    harness.now = harness.now.plus_ms(1);
    harness.tell(&Message::TimerFired);
    assert_eq!(harness.summary(), "cancelled: a=cancelled");
}

#[test]
fn a_second_cancel_after_the_grace_period_forces_at_once() {
    let mut harness = flow("steps: [{id: a, uses: noop}]").hangs("a").run();
    harness.tell(&cancel());
    harness.now = harness.now.plus_ms(CANCEL_GRACE_MS);
    harness.tell(&cancel());
    assert_eq!(harness.last_turn(), "force_asked, cancelled a, ended");
}

#[test]
fn a_pause_lets_running_work_end_and_begins_nothing() {
    let mut harness = flow("steps: [{id: a, uses: noop}, {id: w, wait: {for: 1h}}, {id: z, uses: noop}]").start();
    harness.tell(&pause());
    harness.succeed("a", json!({}));
    assert_eq!(harness.summary(), "paused: a=completed");
    assert_eq!(harness.state.next_wake(), None);
    harness.crash();
    harness.tell(&resume());
    harness.tell(&pause());
    harness.pass_ms(7_200_000);
    assert_eq!(harness.summary(), "paused: a=completed", "no timer fires");
    harness.tell(&resume());
    harness.settle();
    assert_eq!(harness.summary(), "completed: a=completed w=completed z=completed");
}

#[test]
fn a_signal_during_a_pause_is_taken_and_a_cancel_ends_it() {
    let mut harness = flow("steps: [{id: w, wait: {signal: go}}, {id: z, uses: noop}]").run();
    harness.tell(&pause());
    harness.tell(&signal("go", json!(1)));
    assert_eq!(harness.summary(), "paused: w=completed");
    harness.tell(&cancel());
    assert_eq!(harness.summary(), "cancelled: w=completed");
}
