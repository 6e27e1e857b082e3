//! The four strategies of a rollback: what stops, what is undone, where it stands still.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::event::Event;
use skep_model::limits::ROLLBACK_GRACE_MS;
use skep_model::plan::{Plan, Rollback};
use skep_model::rollback::Strategy;
use skep_model::status::Execution as Status;

use super::kit::{Harness, approve, cancel, flow_with, pause, reject, resume, roll_back, undone};
use super::undo_kit::{step, undo_all};
use crate::Rejection;

fn settled(strategy: Strategy) -> impl Fn(&mut Plan) {
    move |plan| {
        undo_all(plan);
        plan.rollback = Some(Rollback { strategy, checkpoint_interval: 100, escalation_target: String::new() });
    }
}

fn plan_of(yaml: &str) -> Harness {
    flow_with(yaml, settled(Strategy::Graceful))
}

/// Compensations that were performed.
fn compensations(harness: &Harness) -> String {
    let order = harness.order();
    order.split(' ').filter(|path| path.contains(".rollback")).collect::<Vec<_>>().join(" ")
}

const BUSY: &str = "steps: [{id: u1, uses: noop}, {id: p, parallel: {l: [{id: u2, uses: noop}, {id: u3, uses: noop}], r: [{id: w, wait: {for: 1h}}]}}, {id: z, uses: noop}]\nfinally: [{id: f, uses: noop}]";

#[test]
fn immediate_stops_what_runs() {
    let mut harness = plan_of(BUSY).hangs("u2").run();
    harness.tell(&roll_back(Strategy::Immediate, None));
    assert!(harness.stopping.contains_key("u2"), "{}", harness.trace());
    harness.settle();
    // Nobody knows whether u2 was done.
    harness.tell(&reject(Some("u2")));
    harness.settle();
    assert_eq!((harness.status(), compensations(&harness).as_str()), (Status::RolledBack, "u1.rollback"));
    assert_eq!(harness.ended("z"), None);
    assert_eq!(harness.ended("f").as_deref(), Some("completed"));
}

#[test]
fn graceful_lets_what_runs_end_and_begins_nothing() {
    let mut harness = plan_of(BUSY).hangs("u2").run();
    harness.tell(&roll_back(Strategy::Graceful, None));
    assert!(!harness.stopping.contains_key("u2"), "{}", harness.trace());
    assert_eq!((harness.status(), harness.runs().as_str()), (Status::Running, "u2"));
    harness.succeed("u2", json!({}));
    harness.settle();
    assert_eq!((harness.status(), compensations(&harness).as_str()), (Status::RolledBack, "u2.rollback u1.rollback"));
    assert_eq!((harness.ended("u3"), harness.ended("z")), (None, None));
}

#[test]
fn graceful_stops_what_takes_too_long() {
    let mut harness = plan_of(BUSY).hangs("u2").run();
    harness.tell(&roll_back(Strategy::Graceful, None));
    harness.pass_ms(ROLLBACK_GRACE_MS - 1);
    assert!(!harness.stopping.contains_key("u2"));
    harness.pass_ms(1);
    harness.tell(&approve(Some("u2")));
    harness.settle();
    assert_eq!((harness.status(), compensations(&harness).as_str()), (Status::RolledBack, "u2.rollback u1.rollback"));
    assert!(harness.events().any(|event| matches!(event, Event::GraceOver)));
}

#[test]
fn what_runs_gets_no_second_attempt() {
    let yaml = "steps: [{id: u1, uses: noop}, {id: u2, uses: noop, retry: {max_attempts: 5}}]";
    let mut harness = plan_of(yaml).hangs("u2").run();
    harness.tell(&roll_back(Strategy::Graceful, None));
    harness.fail("u2", Kind::Exit);
    harness.settle();
    assert_eq!(harness.status(), Status::RolledBack, "{}", harness.trace());
}

#[test]
fn a_crash_while_what_runs_may_end_is_the_end_of_it() {
    let mut harness = plan_of(BUSY).hangs("u2").run();
    harness.tell(&roll_back(Strategy::Graceful, None));
    harness.crash();
    harness.settle();
    assert_eq!((harness.status(), harness.ended("u2").as_deref()), (Status::Held, Some("cancelled")));
    harness.tell(&reject(Some("u2")));
    harness.settle();
    assert_eq!(harness.status(), Status::RolledBack, "{}", harness.trace());
}

#[test]
fn a_cancel_ends_the_patience() {
    let mut harness = plan_of(BUSY).hangs("u2").run();
    harness.tell(&roll_back(Strategy::Graceful, None));
    harness.tell(&cancel());
    assert!(harness.stopping.contains_key("u2"), "{}", harness.trace());
    harness.settle();
    assert_eq!((harness.status(), compensations(&harness).as_str()), (Status::Held, ""), "{}", harness.trace());
}

#[test]
fn a_paused_one_and_one_held_for_a_question_can_be_undone() {
    let mut paused = plan_of("steps: [{id: u1, uses: noop}, {id: u2, uses: noop}]").hangs("u2").run();
    paused.tell(&pause());
    paused.tell(&roll_back(Strategy::Graceful, None));
    paused.succeed("u2", json!({}));
    paused.settle();
    assert_eq!((paused.status(), compensations(&paused).as_str()), (Status::RolledBack, "u2.rollback u1.rollback"));
    let yaml = "steps: [{id: u1, uses: noop}, {id: x, uses: noop, on_error: escalate}]";
    let mut held = plan_of(yaml).fails("x", Kind::Invalid).run();
    assert_eq!(held.status(), Status::Held);
    held.tell(&roll_back(Strategy::Immediate, None));
    held.settle();
    assert_eq!((held.status(), compensations(&held).as_str()), (Status::RolledBack, "u1.rollback"), "{}", held.trace());
}

#[test]
fn manual_executes_nothing_and_a_person_ticks_off() {
    let mut harness = plan_of("steps: [{id: u1, uses: noop}, {id: u2, uses: noop}]").run();
    harness.tell(&roll_back(Strategy::Manual, None));
    assert_eq!((harness.status(), compensations(&harness).as_str()), (Status::Held, ""));
    let wrong = harness.try_tell(&undone(Some("u1")));
    assert!(matches!(wrong, Err(Rejection::WrongState { .. })), "{wrong:?}");
    harness.tell(&undone(Some("u2")));
    assert_eq!((harness.status(), harness.ended("u2").as_deref()), (Status::Held, Some("rolled_back")));
    harness.crash();
    harness.tell(&resume());
    assert_eq!(harness.status(), Status::Held, "nobody but a person undoes it");
    harness.tell(&undone(None));
    assert_eq!((harness.status(), compensations(&harness).as_str()), (Status::RolledBack, ""));
}

#[test]
fn a_person_may_give_a_manual_rollback_up() {
    let mut harness = plan_of("steps: [{id: u1, uses: noop}, {id: u2, uses: noop}]").run();
    harness.tell(&roll_back(Strategy::Manual, None));
    harness.tell(&undone(None));
    harness.tell(&cancel());
    harness.tell(&cancel());
    assert_eq!(harness.status(), Status::RollbackFailed);
    assert!(harness.failure_message().contains("left: u1"), "{}", harness.failure_message());
}

#[test]
fn a_failure_is_undone_as_the_workflow_says() {
    let check = |strategy: Strategy, expect: (Status, &str)| {
        let yaml =
            "steps: [{id: u1, uses: noop}, {id: u2, uses: noop, name: c}, {id: u3, uses: noop}, {id: x, uses: noop}]";
        let harness = flow_with(yaml, |plan| {
            settled(strategy)(plan);
            step(plan, "u2").checkpoint = true;
        })
        .fails("x", Kind::Invalid)
        .run();
        assert_eq!((harness.status(), compensations(&harness).as_str()), expect, "{strategy:?}\n{}", harness.trace());
    };
    check(Strategy::Immediate, (Status::RolledBack, "u3.rollback u2.rollback u1.rollback"));
    check(Strategy::Graceful, (Status::RolledBack, "u3.rollback u2.rollback u1.rollback"));
    check(Strategy::Checkpoint, (Status::Held, "u3.rollback"));
    check(Strategy::Manual, (Status::Held, ""));
}

#[test]
fn a_critical_failure_stops_everything_at_once() {
    let yaml = "order: graph\nsteps: [{id: u1, uses: noop}, {id: x, uses: noop, depends_on: [u1]}, {id: u2, uses: noop, depends_on: [u1]}]";
    for (critical, kind, expect) in
        [(false, Kind::Invalid, false), (true, Kind::Invalid, true), (false, Kind::Sandbox, true)]
    {
        let mut harness = flow_with(yaml, |plan| {
            settled(Strategy::Graceful)(plan);
            step(plan, "x").critical = critical;
        })
        .hangs("x")
        .hangs("u2")
        .run();
        harness.fail("x", kind);
        assert_eq!(harness.stopping.contains_key("u2"), expect, "{critical} {kind:?}");
    }
}

#[test]
fn what_was_not_built_on_a_failed_one_is_undone_all_the_same() {
    let check = |yaml: &str, failing: &str, expect: &str| {
        let harness = plan_of(yaml).fails("x", Kind::Invalid).fails(failing, Kind::Invalid).run();
        assert_eq!((harness.status(), compensations(&harness).as_str()), (Status::RollbackFailed, expect), "{yaml}");
        assert!(harness.failure_message().contains("undoing `"), "{}", harness.failure_message());
    };
    // A sequence builds step on step.
    check("steps: [{id: u1, uses: noop}, {id: u2, uses: noop}, {id: x, uses: noop}]", "u2.rollback", "u2.rollback");
    // Branches, rounds over a list, and steps of a graph that do not depend on each other do not.
    check(
        "steps: [{id: p, parallel: {l: [{id: u1, uses: noop}], r: [{id: u2, uses: noop}]}}, {id: x, uses: noop}]",
        "u2.rollback",
        "u2.rollback u1.rollback",
    );
    check(
        "steps: [{id: l, foreach: '${{ [1, 2] }}', steps: [{id: u1, uses: noop}]}, {id: x, uses: noop}]",
        "l[1].u1.rollback",
        "l[1].u1.rollback l[0].u1.rollback",
    );
    check(
        "steps: [{id: l, repeat: {times: 2}, steps: [{id: u1, uses: noop}]}, {id: x, uses: noop}]",
        "l[1].u1.rollback",
        "l[1].u1.rollback",
    );
    check(
        "order: graph\nsteps: [{id: u1, uses: noop}, {id: u2, uses: noop}, {id: u3, uses: noop, depends_on: [u1]}, {id: x, uses: noop, depends_on: [u2, u3]}]",
        "u3.rollback",
        "u3.rollback u2.rollback",
    );
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let mut harness = plan_of("steps: [{id: u1, uses: noop}, {id: u2, uses: noop}]").hangs("u2").run();
    let refused = |result: Result<(), Rejection>| matches!(result, Err(Rejection::WrongState { .. }));
    assert!(refused(harness.try_tell(&roll_back(Strategy::Manual, Some(0)))));
    let point = harness.try_tell(&roll_back(Strategy::Checkpoint, Some(7)));
    assert!(matches!(point, Err(Rejection::NoPoint { number: Some(7), .. })), "{point:?}");
    harness.tell(&roll_back(Strategy::Graceful, None));
    assert!(refused(harness.try_tell(&roll_back(Strategy::Graceful, None))));
    assert!(refused(harness.try_tell(&undone(None))));
}
