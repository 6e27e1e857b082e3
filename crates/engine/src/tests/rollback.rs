//! Undoing: who begins it, in which order, what stops it, and what the end of it is called.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::limits::LOST_DELIVERIES_MAX;
use skep_model::message::Message;
use skep_model::plan::{OnCancel, OnError, Plan};
use skep_model::status::Execution as Status;

use super::kit::{Harness, approve, cancel, flow_with, pause, reject, resume, rollback};
use super::undo_kit::{noop, retry, step, undo_all, undoable, undoing};
use crate::Rejection;

const FINALLY: &str = "\nfinally: [{id: f, uses: noop, with: {s: '${{ execution.status }}', f: '${{ failure() }}'}}]";

fn steps(list: &str) -> String {
    format!("steps: [{list}]{FINALLY}")
}

/// Paths performed after the forward steps: `u2.rollback u1.rollback`.
fn undone(harness: &Harness) -> String {
    let order = harness.order();
    order.split(' ').filter(|path| path.contains(".rollback")).collect::<Vec<_>>().join(" ")
}

// ---- order -------------------------------------------------------------------------------------------------

#[test]
fn a_failure_is_undone_in_reverse_order_of_completion() {
    let check = |list: &str, failing: &str, expect: &str| {
        let harness = undoing(&steps(list)).fails(failing, Kind::Invalid).run();
        assert_eq!(undone(&harness), expect, "{list}\n{}", harness.trace());
        assert_eq!(harness.status(), Status::RolledBack);
        assert_eq!(harness.with("f"), json!({"s": "rolled_back", "f": true}), "`finally` runs after it");
        assert!(harness.failure_message().starts_with("failed on purpose: invalid"), "{}", harness.failure_message());
    };
    check("{id: u1, uses: noop}, {id: u2, uses: noop}, {id: x, uses: noop}", "x", "u2.rollback u1.rollback");
    check("{id: u1, uses: noop}, {id: a, uses: noop}, {id: x, uses: noop}", "x", "u1.rollback");
    check(
        "{id: p, parallel: {l: [{id: u1, uses: noop}, {id: u3, uses: noop}], r: [{id: u2, uses: noop}]}}, {id: x, uses: noop}",
        "x",
        "u3.rollback u2.rollback u1.rollback",
    );
    check(
        "{id: l, foreach: '${{ [1, 2] }}', steps: [{id: u1, uses: noop}]}, {id: x, uses: noop}",
        "x",
        "l[1].u1.rollback l[0].u1.rollback",
    );
    check(
        "{id: o, foreach: '${{ [1, 2] }}', steps: [{id: i, repeat: {times: 2}, steps: [{id: u1, uses: noop}]}, {id: u2, uses: noop}]}, {id: x, uses: noop}",
        "x",
        "o[1].u2.rollback o[1].i[1].u1.rollback o[1].i[0].u1.rollback o[0].u2.rollback o[0].i[1].u1.rollback o[0].i[0].u1.rollback",
    );
    check(
        "{id: s, switch: {cases: [{when: '${{ true }}', steps: [{id: u1, uses: noop}]}]}}, {id: x, uses: noop}",
        "x",
        "u1.rollback",
    );
}

#[test]
fn a_graph_is_undone_in_reverse_topological_order() {
    let yaml = "order: graph\nsteps: [{id: u1, uses: noop}, {id: u2, uses: noop, depends_on: [u1]}, {id: u3, uses: noop, depends_on: [u1]}, {id: x, uses: noop, depends_on: [u2, u3]}]";
    let harness = undoing(yaml).fails("x", Kind::Exit).run();
    assert_eq!(undone(&harness), "u3.rollback u2.rollback u1.rollback");
}

#[test]
fn one_compensation_runs_at_a_time_and_none_before_all_has_ended() {
    let yaml = "steps: [{id: p, fail_fast: false, parallel: {l: [{id: u1, uses: noop}, {id: x, uses: noop}], r: [{id: u2, uses: noop}]}}]";
    let mut harness = undoing(yaml).fails("x", Kind::Invalid).hangs("u2").run();
    assert_eq!((harness.status(), harness.runs().as_str()), (Status::Running, "u2"));
    harness.succeed("u2", json!({}));
    assert_eq!((harness.status(), harness.runs().as_str()), (Status::RollingBack, "u2.rollback"));
    harness.succeed("u2.rollback", json!({}));
    assert_eq!(harness.runs(), "u1.rollback");
}

#[test]
fn the_arguments_are_those_of_the_steps_place_and_time() {
    let yaml = "steps: [{id: l, foreach: '${{ [7, 8] }}', steps: [{id: u, uses: noop}]}, {id: x, uses: noop}]";
    let mut harness = flow_with(yaml, |plan| {
        undoable(plan, "u");
        let work = &mut step(plan, "u").compensation.as_mut().expect("it was just set").work;
        *work = noop(json!({"item": "${{ item }}", "own": "${{ n }}", "steps": "${{ steps.u.outputs.n }}"}));
    })
    .gives("l[0].u", json!({"n": "x".repeat(20_000)}))
    .gives("l[1].u", json!({"n": 2}))
    .fails("x", Kind::Invalid)
    .start();
    harness.settle();
    assert_eq!(harness.with("l[1].u.rollback"), json!({"item": 8, "own": 2, "steps": 2}));
    let long = harness.with("l[0].u.rollback");
    assert_eq!((long["item"].clone(), long["own"].as_str().map(str::len)), (json!(7), Some(20_000)));
    let key = harness.performed.iter().find(|task| &*task.path == "l[0].u.rollback").map(|task| task.idempotency_key());
    assert_eq!(key.as_deref(), Some("e1/l[0].u.rollback/g1"));
}

#[test]
fn arguments_that_cannot_be_worked_out_fail_the_rollback_and_not_the_step() {
    let build = |plan: &mut Plan| {
        undoable(plan, "u1 u2");
        step(plan, "u1").compensation.as_mut().expect("it was just set").work = noop(json!("${{ nowhere.to.be }}"));
    };
    let yaml = steps("{id: u1, uses: noop}, {id: u2, uses: noop}, {id: x, uses: noop}");
    let fine = flow_with(&yaml, |plan| build(plan)).run();
    assert_eq!(fine.status(), Status::Completed);
    let harness = flow_with(&yaml, |plan| build(plan)).fails("x", Kind::Invalid).run();
    assert_eq!((harness.status(), undone(&harness).as_str()), (Status::RollbackFailed, "u2.rollback"));
    assert!(harness.failure_message().contains("undoing `u1` failed"), "{}", harness.failure_message());
}

// ---- who begins it -----------------------------------------------------------------------------------------

#[test]
fn nothing_to_undo_is_no_rollback() {
    let check = |yaml: &str, keeps: bool, expect: Status| {
        let edit = |plan: &mut Plan| {
            undo_all(plan);
            plan.keeps_effects = keeps;
        };
        let harness = flow_with(yaml, edit).fails("x", Kind::Invalid).run();
        assert_eq!(harness.status(), expect, "{yaml}");
    };
    check("steps: [{id: a, uses: noop}, {id: x, uses: noop}]", false, Status::Failed);
    check("steps: [{id: x, uses: noop}, {id: u, uses: noop}]", false, Status::Failed);
    check("steps: [{id: u, uses: noop}, {id: x, uses: noop}]", true, Status::Failed);
    check("steps: [{id: u, uses: noop}, {id: x, uses: noop}]", false, Status::RolledBack);
    check("steps: [{id: u, uses: noop}, {id: x, uses: noop, on_error: skip}]", false, Status::Completed);
    // A step that failed cleanly has nothing that could be undone.
    check(
        "steps: [{id: u, uses: noop}, {id: x, uses: noop}]\nfinally: [{id: f, uses: noop}]",
        false,
        Status::RolledBack,
    );
}

#[test]
fn the_timeout_of_the_workflow_is_a_failure() {
    let mut harness =
        undoing(&format!("timeout: 1m\n{}", steps("{id: u, uses: noop}, {id: a, uses: noop}"))).hangs("a").run();
    harness.pass_ms(60_000);
    assert_eq!(
        harness.summary(),
        "rolled_back: u=completed a=cancelled u.rollback=completed u=rolled_back f=completed"
    );
    assert_eq!(harness.state.failure.as_ref().map(|failure| failure.code.as_str()), Some("SKEP-X001"));
}

fn on_cancel_rollback(yaml: &str) -> Harness {
    flow_with(yaml, |plan| {
        undo_all(plan);
        plan.on_cancel = OnCancel::Rollback;
    })
}

#[test]
fn a_cancel_undoes_where_the_workflow_says_so() {
    let mut harness = on_cancel_rollback(&steps("{id: u, uses: noop}, {id: a, uses: noop}")).hangs("a").run();
    harness.tell(&cancel());
    harness.settle();
    assert_eq!(harness.summary(), "cancelled: u=completed a=cancelled u.rollback=completed u=rolled_back f=completed");
    assert_eq!(harness.with("f")["s"], json!("rolled_back"));
    let mut other = undoing(&steps("{id: u, uses: noop}, {id: a, uses: noop}")).hangs("a").run();
    other.tell(&cancel());
    other.settle();
    assert_eq!(other.summary(), "cancelled: u=completed a=cancelled f=completed");
}

#[test]
fn a_success_after_the_cancel_is_undone_too() {
    let mut harness = on_cancel_rollback("steps: [{id: u1, uses: noop}, {id: u2, uses: noop}]").hangs("u2").run();
    harness.tell(&cancel());
    harness.succeed("u2", json!({}));
    harness.settle();
    assert_eq!(undone(&harness), "u2.rollback u1.rollback");
}

fn compensating(keeps: bool) -> Harness {
    let yaml = "steps: [{id: u, uses: noop}, {id: n, uses: noop}, {id: p, parallel: {l: [{id: x, uses: noop}], r: [{id: w, wait: {for: 1h}}]}}, {id: z, uses: noop}]\nfinally: [{id: f, uses: noop}]";
    flow_with(yaml, |plan| {
        undo_all(plan);
        plan.keeps_effects = keeps;
        let first = plan.step_by_id("n");
        step(plan, "n").compensation_only = true;
        step(plan, "n").kind = noop(json!({"why": "${{ steps.x.error.kind }}"})).kind;
        step(plan, "x").on_error = OnError::Compensate { step: first };
    })
}

#[test]
fn a_step_with_compensate_stops_all_runs_its_step_and_undoes() {
    for keeps in [false, true] {
        let harness = compensating(keeps).fails("x", Kind::Invalid).run();
        assert_eq!(
            harness.summary(),
            "rolled_back: u=completed x=failed w=cancelled p=cancelled n=completed u.rollback=completed u=rolled_back f=completed"
        );
        assert_eq!(harness.with("n"), json!({"why": "invalid"}));
        assert!(harness.failure_message().starts_with("failed on purpose"));
    }
}

#[test]
fn a_cancel_while_all_is_stopped_for_the_rollback_holds_it() {
    let yaml = "steps: [{id: u, uses: noop}, {id: p, parallel: {l: [{id: x, uses: noop}], r: [{id: b, uses: noop}]}}]";
    let mut harness = flow_with(yaml, |plan| {
        undo_all(plan);
        step(plan, "x").on_error = OnError::Compensate { step: None };
    })
    .hangs("x")
    .hangs("b")
    .run();
    harness.fail("x", Kind::Invalid);
    harness.tell(&cancel());
    harness.settle();
    assert_eq!((harness.status(), undone(&harness).as_str()), (Status::Held, ""), "{}", harness.trace());
    harness.tell(&resume());
    harness.settle();
    assert_eq!(harness.status(), Status::RolledBack);
}

#[test]
fn the_step_that_runs_first_is_passed_by_and_may_fail() {
    let mut harness = compensating(false).run();
    harness.pass_ms(3_600_000);
    assert_eq!(harness.summary(), "completed: u=completed x=completed w=completed p=completed z=completed f=completed");
    let failing = compensating(false).fails("x", Kind::Invalid).fails("n", Kind::Exit).run();
    assert_eq!(failing.summary(), "rollback_failed: u=completed x=failed w=cancelled p=cancelled n=failed f=completed");
    assert!(failing.failure_message().contains("undoing `n` failed"), "{}", failing.failure_message());
}

#[test]
fn a_graph_does_not_wait_for_what_runs_only_as_a_compensation() {
    let yaml = "order: graph\nsteps: [{id: n, uses: noop}, {id: a, uses: noop, depends_on: [n]}, {id: m, uses: noop, depends_on: [a]}]";
    let harness = flow_with(yaml, |plan| {
        step(plan, "n").compensation_only = true;
        step(plan, "m").compensation_only = true;
    })
    .run();
    assert_eq!(harness.summary(), "completed: a=completed");
}

#[test]
fn a_person_may_undo_what_is_over() {
    let yaml = steps("{id: u1, uses: noop}, {id: u2, uses: noop}");
    let mut harness = undoing(&yaml).run();
    assert_eq!(harness.status(), Status::Completed);
    harness.tell(&rollback());
    assert_eq!((harness.status(), harness.runs().as_str()), (Status::RollingBack, "u2.rollback"));
    harness.crash();
    harness.settle();
    assert!(
        harness
            .summary()
            .ends_with("f=completed u2.rollback=completed u2=rolled_back u1.rollback=completed u1=rolled_back")
    );
    assert_eq!(harness.status(), Status::RolledBack, "`finally` does not run again");
    let again = harness.try_tell(&rollback());
    assert!(matches!(again, Err(Rejection::NothingToUndo(_))), "{again:?}");
    let mut late = undoing(&yaml).fails("u2.rollback", Kind::Exit).run();
    (0..2).for_each(|_| {
        late.tell(&rollback());
        late.settle();
    });
    assert_eq!((late.status(), late.failure_message().as_str()), (Status::RolledBack, ""), "it had not failed");
    let mut empty = undoing("steps: [{id: a, uses: noop}]").run();
    let nothing = empty.try_tell(&rollback());
    assert!(matches!(nothing, Err(Rejection::NothingToUndo(Status::Completed))), "{nothing:?}");
}

#[test]
fn a_cancelled_and_a_forced_one_can_be_undone_later() {
    let mut harness =
        undoing(&steps("{id: u, uses: noop}, {id: g, approval: {message: ok?}}, {id: z, uses: noop}")).run();
    harness.tell(&cancel());
    harness.settle();
    harness.tell(&rollback());
    harness.settle();
    assert_eq!(harness.status(), Status::RolledBack);
    assert_eq!(harness.failure_message(), "");
    let yaml = "steps: [{id: u, uses: noop}, {id: p, parallel: {l: [{id: a, uses: noop}], r: [{id: b, uses: noop}, {id: z, uses: noop}]}}]";
    let mut forced = undoing(yaml).hangs("a").hangs("b").run();
    forced.tell(&cancel());
    forced.now = forced.now.plus_ms(20_000);
    forced.tell(&cancel());
    assert_eq!(forced.status(), Status::Cancelled);
    forced.tell(&rollback());
    forced.settle();
    assert_eq!(undone(&forced), "u.rollback");
    assert_eq!(forced.status(), Status::RolledBack);
}

// ---- failures ----------------------------------------------------------------------------------------------

const THREE: &str = "{id: u1, uses: noop}, {id: u2, uses: noop}, {id: u3, uses: noop}, {id: x, uses: noop}";

#[test]
fn a_compensation_that_fails_for_good_stops_the_rollback() {
    let mut harness = undoing(&steps(THREE)).fails("x", Kind::Invalid).fails("u2.rollback", Kind::Network).run();
    assert_eq!((harness.status(), undone(&harness).as_str()), (Status::RollbackFailed, "u3.rollback u2.rollback"));
    assert_eq!(harness.with("f"), json!({"s": "rollback_failed", "f": true}));
    let failure = harness.state.failure.clone().expect("it failed");
    assert_eq!((failure.code.as_str(), failure.step.as_deref()), ("SKEP-X022", Some("u2")));
    assert!(failure.message.contains("failed on purpose: network; undone because: failed on purpose: invalid"));
    // A person repairs the world and lets the rest be undone.
    harness.tell(&rollback());
    harness.settle();
    assert_eq!(undone(&harness), "u3.rollback u2.rollback u2.rollback u1.rollback");
    assert_eq!(harness.status(), Status::RolledBack);
    let tokens: Vec<_> = harness.performed.iter().map(|task| task.token.clone()).collect();
    let distinct: std::collections::BTreeSet<_> = tokens.iter().cloned().collect();
    assert_eq!(distinct.len(), tokens.len(), "every delivery has a token of its own");
}

#[test]
fn a_compensation_has_attempts_of_its_own() {
    let build = |plan: &mut Plan| {
        undo_all(plan);
        step(plan, "u1").compensation.as_mut().expect("it can be undone").work.retry = Some(retry(3));
    };
    let yaml = steps("{id: u1, uses: noop}, {id: x, uses: noop}");
    let mut harness = flow_with(&yaml, build)
        .fails("x", Kind::Invalid)
        .fails("u1.rollback", Kind::Network)
        .fails("u1.rollback", Kind::Exit)
        .run();
    assert_eq!((harness.status(), harness.runs().as_str()), (Status::RollingBack, ""));
    harness.pass_ms(1_000);
    harness.crash();
    harness.pass_ms(1_000);
    assert_eq!(harness.status(), Status::RolledBack);
    let attempts: Vec<(u32, u32)> = harness
        .performed
        .iter()
        .filter(|task| &*task.path == "u1.rollback")
        .map(|task| (task.attempt, task.delivery))
        .collect();
    assert_eq!(attempts, [(1, 1), (2, 2), (3, 3)]);
}

#[test]
fn a_compensation_is_verified_where_it_says_how() {
    let build = |plan: &mut Plan| {
        undo_all(plan);
        let undo = step(plan, "u2").compensation.as_mut().expect("it can be undone");
        undo.verify = Some(noop(json!({"gone": "${{ steps.u2.status }}"})));
    };
    let yaml = steps("{id: u1, uses: noop}, {id: u2, uses: noop}, {id: x, uses: noop}");
    let fine = flow_with(&yaml, build).fails("x", Kind::Invalid).run();
    assert_eq!(undone(&fine), "u2.rollback u2.rollback.verify u1.rollback");
    assert_eq!(fine.with("u2.rollback.verify"), json!({"gone": "completed"}));
    let bad = flow_with(&yaml, build).fails("x", Kind::Invalid).fails("u2.rollback.verify", Kind::Exit).run();
    assert_eq!((bad.status(), undone(&bad).as_str()), (Status::RollbackFailed, "u2.rollback u2.rollback.verify"));
}

// ---- cancel, pause, crash ------------------------------------------------------------------------------------

#[test]
fn a_cancel_stops_a_rollback_after_the_compensation_that_runs() {
    let start = || {
        let mut harness = undoing(&steps(THREE)).fails("x", Kind::Invalid).hangs("u3.rollback").run();
        assert_eq!(harness.runs(), "u3.rollback");
        let refused = harness.try_tell(&pause());
        assert!(matches!(refused, Err(Rejection::WrongState { .. })), "{refused:?}");
        harness.tell(&cancel());
        harness.tell(&cancel());
        assert_eq!(harness.status(), Status::RollingBack, "the second one says nothing new");
        harness.succeed("u3.rollback", json!({}));
        assert_eq!((harness.status(), harness.runs().as_str()), (Status::Held, ""));
        let waits = harness.state.waiting_for().unwrap_or_default();
        assert!(waits.starts_with("held: the rollback was stopped by ada; 2 steps"), "{waits}");
        harness
    };
    let mut on = start();
    on.crash();
    on.tell(&resume());
    on.settle();
    assert_eq!((on.status(), undone(&on).as_str()), (Status::RolledBack, "u3.rollback u2.rollback u1.rollback"));
    let mut ended = start();
    ended.tell(&cancel());
    ended.settle();
    assert_eq!((ended.status(), undone(&ended).as_str()), (Status::RollbackFailed, "u3.rollback"));
    assert_eq!(ended.with("f")["s"], json!("rollback_failed"));
    assert!(ended.failure_message().contains("left: u2, u1"), "{}", ended.failure_message());
}

#[test]
fn a_compensation_that_kills_its_owner_is_held() {
    let mut harness =
        undoing(&steps("{id: u, uses: noop}, {id: x, uses: noop}")).fails("x", Kind::Exit).hangs("u.rollback").run();
    (0..LOST_DELIVERIES_MAX).for_each(|_| harness.crash());
    assert_eq!(harness.status(), Status::Held);
    harness.tell(&resume());
    harness.settle();
    assert_eq!(harness.status(), Status::RolledBack);
}

#[test]
fn the_clean_up_after_a_rollback_may_be_forced() {
    let mut harness =
        undoing(&steps("{id: u, uses: noop}, {id: x, uses: noop}")).fails("x", Kind::Exit).hangs("f").run();
    assert_eq!((harness.status(), harness.runs().as_str()), (Status::RollingBack, "f"));
    harness.tell(&cancel());
    harness.pass_ms(10_000);
    assert_eq!(harness.status(), Status::RolledBack);
}

/// Tells `message` after the given number of answers, then lets all go on.
fn disturbed(after: usize, message: Option<&Message>, crash: bool) -> Harness {
    let yaml = steps(
        "{id: u1, uses: noop}, {id: p, parallel: {l: [{id: u2, uses: noop}], r: [{id: u3, uses: noop}]}}, {id: l, foreach: '${{ [1, 2] }}', steps: [{id: u4, uses: noop}]}, {id: x, uses: noop}",
    );
    let mut harness = on_cancel_rollback(&yaml).fails("x", Kind::Invalid).start();
    let mut answers = 0;
    while !harness.status().is_terminal() {
        if answers == after && message.is_some_and(|message| harness.try_tell(message).is_ok()) {
            harness.settle();
        }
        if crash {
            harness.crash();
        }
        answers += 1;
        assert!(answers < 100, "{}", harness.trace());
        if harness.status() == Status::Held {
            let asked = !harness.state.questions().is_empty();
            harness.tell(&if asked { approve(None) } else { resume() });
        }
        harness.step_world();
    }
    harness
}

#[test]
fn a_crash_after_every_turn_gives_the_same_end() {
    let whole = disturbed(usize::MAX, None, false);
    let crashed = disturbed(usize::MAX, None, true);
    assert_eq!(crashed.summary(), whole.summary());
    assert_eq!(whole.status(), Status::RolledBack);
}

#[test]
fn a_cancel_at_every_moment_leaves_nothing_half_undone() {
    for after in 0..20 {
        for crash in [false, true] {
            let harness = disturbed(after, Some(&cancel()), crash);
            let kept: Vec<&str> = harness.state.undo.kept.iter().map(|kept| &*kept.path).collect();
            let ends = matches!(harness.status(), Status::Cancelled | Status::RolledBack);
            assert!(ends && kept.is_empty(), "{after}: {} {kept:?}\n{}", harness.summary(), harness.trace());
        }
    }
}

#[test]
fn a_rejected_result_is_undone_because_it_was_done() {
    let mut harness = undoing("steps: [{id: u, uses: noop, approve: after}]").run();
    harness.tell(&reject(None));
    harness.settle();
    assert_eq!(harness.summary(), "rolled_back: u=skipped(rejected) u.rollback=completed u=rolled_back");
    let mut allowed =
        undoing("steps: [{id: u, uses: noop, approve: after}, {id: x, uses: noop}]").fails("x", Kind::Exit).run();
    allowed.tell(&approve(None));
    allowed.settle();
    assert_eq!(undone(&allowed), "u.rollback", "once");
}
