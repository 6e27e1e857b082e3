//! Child executions, as the parent's engine sees them.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::message::Message;
use skep_model::status::Execution as Status;

use super::kit::{Harness, cancel, failure, flow, pause, rerun, resume};
use crate::Rejection;
use crate::codes;

fn parent(rest: &str) -> Harness {
    flow(&format!(
        "inputs: {{x: {{type: integer, default: 1}}}}\nsteps: [{{id: c, workflow: {{name: other, inputs: {{n: '${{{{ inputs.x }}}}'}}}}{rest}}}, \
         {{id: z, uses: noop}}]"
    ))
    .start_with(json!({"x": 1}))
}

#[test]
fn its_outputs_are_the_steps() {
    let mut harness = parent("");
    let child = harness.children["c"].clone();
    assert_eq!((child.workflow.as_str(), child.inputs, child.depth), ("other", json!({"n": 1}), 1));
    assert_eq!(harness.state.waiting_for(), None, "it moves by itself");
    assert!(!harness.state.waits_for_people() && !harness.state.is_idle());
    assert!(harness.state.waits_for_people_beside(&mut |id| *id == child.id));
    harness.child_ended("c", Status::Completed, json!({"y": 2}), None);
    harness.settle();
    assert_eq!(harness.summary(), "completed: c=completed z=completed");
}

#[test]
fn the_id_is_a_uuid_of_its_time_and_the_same_whoever_asks() {
    let harness = parent("");
    let id = harness.children["c"].id.to_string();
    let milliseconds = harness.now.0 / 1_000;
    assert_eq!(id[..13].replace('-', ""), format!("{milliseconds:012x}"));
    assert_eq!((id.len(), &id[14..15]), (36, "7"));
    assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
    assert_eq!(id, parent("").children["c"].id.to_string());
}

#[test]
fn a_crash_asks_for_it_again_without_a_row() {
    let mut harness = parent("");
    let (child, turns) = (harness.children["c"].clone(), harness.journal.len());
    harness.children.clear();
    harness.crash();
    assert_eq!((harness.children.get("c"), harness.journal.len()), (Some(&child), turns));
    let ended = harness.child_message("c", Status::Completed, json!({}), None);
    harness.tell(&ended);
    assert!(matches!(harness.try_tell(&ended), Err(Rejection::Stale { .. })), "its end counts once");
}

#[test]
fn a_failure_has_its_kind_and_a_retry_is_another_child() {
    let mut harness = parent(", retry: {max_attempts: 2, delay: 1s, jitter: false}");
    let first = harness.children["c"].id.clone();
    let stale = harness.child_message("c", Status::Completed, json!({}), None);
    harness.child_ended("c", Status::Failed, json!({}), Some(failure(Kind::Network)));
    harness.pass_ms(1_000);
    let second = harness.children["c"].clone();
    assert_ne!(second.id, first);
    assert_eq!(second.inputs, json!({"n": 1}));
    assert!(matches!(harness.try_tell(&stale), Err(Rejection::Stale { .. })), "the first child has no more to say");
    harness.child_ended("c", Status::Failed, json!({}), Some(failure(Kind::Network)));
    assert_eq!(harness.summary(), "failed: c=failed");
    let said = harness.state.failure.clone().expect("it failed");
    assert_eq!((said.kind, said.code.as_str()), (Kind::Network, codes::CHILD_FAILED.id));
    assert!(said.message.contains(second.id.as_str()), "{}", said.message);
    let mut permanent = parent(", retry: {max_attempts: 2, delay: 1s}");
    permanent.child_ended("c", Status::Failed, json!({}), Some(failure(Kind::Invalid)));
    assert_eq!(permanent.summary(), "failed: c=failed");
    let mut cancelled = parent(", on_error: skip");
    cancelled.child_ended("c", Status::Cancelled, json!({}), None);
    cancelled.settle();
    assert_eq!(cancelled.summary(), "completed: c=skipped(on_error) z=completed");
}

#[test]
fn a_cancel_reaches_it_and_waits_for_its_end() {
    let mut harness = parent("");
    let child = harness.children["c"].id.clone();
    harness.tell(&cancel());
    assert_eq!((harness.cancelled_children.len(), harness.status()), (1, Status::Cancelling));
    harness.crash();
    assert_eq!(harness.cancelled_children, [child.clone(), child], "a new owner cancels it again");
    harness.child_ended("c", Status::Cancelled, json!({}), None);
    assert_eq!(harness.summary(), "cancelled: c=cancelled");
    let mut late = parent("");
    late.tell(&cancel());
    late.child_ended("c", Status::Completed, json!({}), None);
    assert_eq!(late.summary(), "cancelled: c=completed");
}

#[test]
fn a_forced_end_does_not_wait() {
    let mut harness = parent("");
    harness.tell(&cancel());
    harness.tell(&cancel());
    harness.pass_ms(skep_model::limits::CANCEL_GRACE_MS);
    assert_eq!((harness.summary().as_str(), harness.cancelled_children.len()), ("cancelled: c=cancelled", 2));
}

#[test]
fn a_timeout_bounds_each_attempt_and_the_total_all() {
    let mut harness = parent(", timeout: 1m, retry: {max_attempts: 2, delay: 1s, jitter: false}");
    for attempt in 1..=2 {
        harness.pass_ms(60_000);
        assert_eq!(harness.cancelled_children.len(), attempt);
        harness.child_ended("c", Status::Cancelled, json!({}), None);
        harness.crash();
        harness.pass_ms(1_000);
    }
    let said = harness.state.failure.clone().expect("it failed");
    assert_eq!((said.kind, said.code.as_str()), (Kind::Timeout, codes::CHILD_TIMEOUT.id));
    let mut total = parent(", timeout: 1m, total_timeout: 90s, retry: {max_attempts: 9, delay: 1s, jitter: false}");
    total.pass_ms(60_000);
    total.child_ended("c", Status::Cancelled, json!({}), None);
    total.pass_ms(30_000);
    total.child_ended("c", Status::Cancelled, json!({}), None);
    assert_eq!(total.state.failure.as_ref().map(|failure| failure.code.as_str()), Some("SKEP-X002"));
}

#[test]
fn a_pause_lets_it_end_and_a_rerun_asks_for_another() {
    let mut harness = parent("");
    let first = harness.children["c"].id.clone();
    harness.tell(&pause());
    assert!(harness.cancelled_children.is_empty());
    harness.child_ended("c", Status::Completed, json!({}), None);
    assert_eq!(harness.summary(), "paused: c=completed");
    harness.tell(&resume());
    harness.settle();
    assert_eq!(harness.status(), Status::Completed);
    harness.tell(&rerun(None, None));
    assert_ne!(harness.children["c"].id, first);
    harness.tell(&Message::TimerFired);
    harness.child_ended("c", Status::Completed, json!({}), None);
    harness.settle();
    assert_eq!(harness.status(), Status::Completed);
}

#[test]
fn a_child_is_undone_with_its_parent() {
    let yaml = "steps: [{id: c, workflow: {name: other}}, {id: z, uses: noop}]";
    let mut harness = flow(yaml).start();
    harness.children_can_be_undone = true;
    let child = harness.children["c"].id.clone();
    harness.child_ended("c", Status::Completed, json!({}), None);
    harness.crash();
    harness.fail("z", Kind::Invalid);
    assert_eq!(harness.status(), Status::RollingBack);
    harness.crash();
    let task = harness.running["c.rollback"].clone();
    assert_eq!(task.work, skep_model::effect::Work::UndoChild { child });
    harness.succeed("c.rollback", json!({}));
    assert_eq!(harness.summary(), "rolled_back: c=completed z=failed c.rollback=completed c=rolled_back");
    let mut harmless = flow(yaml).start();
    harmless.child_ended("c", Status::Completed, json!({}), None);
    harmless.fail("z", Kind::Invalid);
    assert_eq!(harmless.summary(), "failed: c=completed z=failed", "nothing was left to undo");
}
