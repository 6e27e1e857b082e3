//! What a new owner does, and what a dead owner's messages mean.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::limits::LOST_DELIVERIES_MAX;
use skep_model::outcome::Ended;

use super::kit::{cancel, flow, outcome_of, pause, resume};
use crate::Rejection;

const TWO: &str = "order: graph\nsteps: [{id: a, uses: noop, retry: {max_attempts: 2, delay: 1s, backoff: fixed}}, {id: b, uses: noop}]";

#[test]
fn outstanding_work_is_delivered_again_under_the_same_key() {
    let mut harness = flow(TWO).start();
    let old = harness.running["a"].clone();
    harness.crash();
    let new = harness.running["a"].clone();
    assert_eq!((new.attempt, new.delivery, new.idempotency_key()), (1, 2, old.idempotency_key()));
    assert_ne!(new.token, old.token);
    assert_eq!(new.work, old.work);
    let stale = harness.try_tell(&outcome_of("a", old.token, Ended::Aborted));
    assert!(matches!(stale, Err(Rejection::Stale { .. })), "{stale:?}");
    harness.fail("a", Kind::Network);
    harness.pass_ms(1_000);
    let last = harness.performed.iter().rfind(|task| &*task.path == "a").expect("it was repeated");
    assert_eq!((last.attempt, last.delivery), (2, 3));
    assert_eq!(harness.status().as_str(), "completed");
}

#[test]
fn an_outcome_counts_once() {
    let mut harness = flow(TWO).start();
    let message = harness.outcome_message("a", Ended::Succeeded(skep_model::Map::new()));
    harness.tell(&message);
    assert!(matches!(harness.try_tell(&message), Err(Rejection::Stale { .. })));
}

#[test]
fn ten_lost_deliveries_in_a_row_hold_the_execution() {
    let mut harness = flow(TWO).start();
    for lost in 1..LOST_DELIVERIES_MAX {
        harness.crash();
        assert_eq!((harness.status().as_str(), harness.state.lost_deliveries), ("running", lost));
    }
    harness.crash();
    assert_eq!(harness.status().as_str(), "held");
    let waits = harness.state.waiting_for().unwrap_or_default();
    assert_eq!(waits, "held: the owner died 10 times in a row while it performed: a, b");
    harness.crash();
    assert_eq!(harness.status().as_str(), "held");
    harness.tell(&resume());
    assert_eq!(harness.running["a"].delivery, 11);
    harness.settle();
    assert_eq!(harness.status().as_str(), "completed");
}

#[test]
fn an_outcome_begins_the_count_anew() {
    let mut harness = flow(TWO).start();
    (1..LOST_DELIVERIES_MAX).for_each(|_| harness.crash());
    harness.succeed("b", json!({}));
    (1..LOST_DELIVERIES_MAX).for_each(|_| harness.crash());
    assert_eq!(harness.status().as_str(), "running");
}

#[test]
fn what_was_being_stopped_is_not_performed_again() {
    let mut harness = flow(TWO).start();
    harness.tell(&cancel());
    harness.crash();
    assert_eq!((harness.summary().as_str(), harness.performed.len()), ("cancelled: a=cancelled b=cancelled", 2));
}

#[test]
fn a_paused_execution_stays_paused_and_its_work_is_delivered() {
    let mut harness = flow(TWO).start();
    harness.tell(&pause());
    harness.crash();
    assert_eq!((harness.status().as_str(), harness.runs().as_str()), ("paused", "a b"));
    harness.settle();
    assert_eq!(harness.status().as_str(), "paused");
    harness.tell(&resume());
    assert_eq!(harness.status().as_str(), "completed");
}

#[test]
fn a_loser_that_was_being_stopped_ends_with_its_owner() {
    let yaml = "steps: [{id: p, join: any, parallel: {l: [{id: a, uses: noop}], r: [{id: b, uses: noop}]}}]";
    let mut harness = flow(yaml).start();
    harness.succeed("a", json!({}));
    harness.crash();
    assert_eq!(harness.summary(), "completed: a=completed b=cancelled p=completed");
}
