//! Outcomes that nobody knows, and failures that a person is asked about.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::limits::LOST_DELIVERIES_MAX;
use skep_model::message::Message;
use skep_model::outcome::Ended;
use skep_model::plan::{Asking, OnCancel, OnError, Plan};
use skep_model::status::Execution as Status;

use super::kit::{Harness, approve, cancel, flow, flow_with, pause, reject, resume};
use super::undo_kit::{asks, retry, step, undo_all, undoable, verified};
use crate::Rejection;

const TWO: &str = "steps: [{id: a, uses: noop}, {id: z, uses: noop}]";

fn looked_at(yaml: &str) -> Harness {
    flow_with(yaml, |plan| verified(plan, "a"))
}

fn asked(yaml: &str) -> Harness {
    flow_with(yaml, |plan| asks(plan, "a"))
}

/// How the first delivery of `a` ends.
fn ends(harness: Harness, how: &str) -> Harness {
    match how {
        "crash" => {
            let mut harness = harness.hangs("a").run();
            harness.crash();
            harness.settle();
            harness
        }
        kind => harness.fails("a", Kind::parse(kind).expect("a kind")).run(),
    }
}

// ---- verify --------------------------------------------------------------------------------------------------

#[test]
fn a_verification_tells_what_became_of_it() {
    let check = |how: &str, verification: Option<Kind>, order: &str, status: Status| {
        let mut harness = looked_at(TWO);
        if let Some(kind) = verification {
            harness = harness.fails("a.verify", kind);
        }
        let harness = ends(harness, how);
        assert_eq!((harness.order().as_str(), harness.status()), (order, status), "{how}\n{}", harness.trace());
    };
    // Done: the step completes and is not performed again.
    for how in ["timeout", "network", "crash"] {
        check(how, None, "a a.verify z", Status::Completed);
    }
    // Not done: as after a clean failure; a lost delivery is delivered again.
    check("timeout", Some(Kind::Exit), "a a.verify", Status::Failed);
    check("crash", Some(Kind::NotFound), "a a.verify a z", Status::Completed);
    // Nobody knows: a person.
    check("timeout", Some(Kind::Network), "a a.verify", Status::Held);
    check("crash", Some(Kind::Timeout), "a a.verify", Status::Held);
    // A clean failure is no doubt.
    check("exit", None, "a", Status::Failed);
}

#[test]
fn what_the_verification_gives_is_the_steps_output() {
    let yaml = "steps: [{id: a, uses: noop, outputs: {v: '${{ n }}'}}, {id: z, uses: noop, with: {v: '${{ steps.a.outputs.v }}'}}]";
    // An action of the kit has no output `n` that the checks know, so the name stands in the plan only.
    let plan = |plan: &mut Plan| {
        verified(plan, "a");
        step(plan, "a").outputs = Some(skep_model::Map::from_iter([("v".to_owned(), json!("${{ n }}"))]));
    };
    let harness = flow_with(&yaml.replace("'${{ n }}'", "1"), plan)
        .fails("a", Kind::Timeout)
        .gives("a.verify", json!({"n": 5}))
        .run();
    assert_eq!(harness.with("z"), json!({"v": 5}));
}

#[test]
fn a_step_that_was_not_done_keeps_its_attempts() {
    let yaml = "steps: [{id: a, uses: noop, retry: {max_attempts: 2, delay: 1s, jitter: false}}]";
    let mut harness = looked_at(yaml)
        .fails("a", Kind::Timeout)
        .fails("a.verify", Kind::Exit)
        .fails("a", Kind::Timeout)
        .fails("a.verify", Kind::Exit)
        .run();
    assert_eq!((harness.status(), harness.order().as_str()), (Status::Running, "a a.verify"));
    harness.pass_ms(1_000);
    assert_eq!(
        (harness.summary().as_str(), harness.order().as_str()),
        ("failed: a.verify=failed a.verify=failed a=failed", "a a.verify a a.verify")
    );
    let tokens: std::collections::BTreeSet<_> = harness.performed.iter().map(|task| task.token.clone()).collect();
    assert_eq!(tokens.len(), 4);
}

#[test]
fn a_verification_survives_its_owner_and_its_step_is_held_if_it_kills_owners() {
    let mut harness = looked_at(TWO).hangs("a").run();
    harness.crash();
    assert_eq!(harness.runs(), "a.verify");
    harness.crash();
    assert_eq!((harness.runs().as_str(), harness.running["a.verify"].delivery), ("a.verify", 2));
    let mut deaths = 2;
    while harness.status() != Status::Held {
        deaths += 1;
        assert!(deaths <= LOST_DELIVERIES_MAX, "{}", harness.trace());
        if harness.running.contains_key("a.verify") {
            harness.fail("a.verify", Kind::Exit);
        }
        harness.crash();
    }
    assert_eq!(deaths, LOST_DELIVERIES_MAX, "each death counts once");
}

#[test]
fn a_cancel_during_a_verification_stops_both() {
    let mut harness = looked_at(TWO).fails("a", Kind::Timeout).hangs("a.verify").run();
    harness.tell(&cancel());
    assert_eq!(harness.last_turn(), "cancel_asked, stop_asked a, stop_asked a.verify");
    let mut crashed = looked_at(TWO).fails("a", Kind::Timeout).hangs("a.verify").run();
    crashed.tell(&cancel());
    crashed.crash();
    harness.settle();
    for harness in [harness, crashed] {
        assert_eq!(harness.summary(), "cancelled: a.verify=cancelled a=cancelled");
    }
    let mut faster = looked_at(TWO).fails("a", Kind::Timeout).hangs("a.verify").run();
    faster.tell(&cancel());
    faster.succeed("a.verify", json!({}));
    assert_eq!(faster.summary(), "cancelled: a.verify=completed a=completed");
}

#[test]
fn a_result_that_is_to_be_approved_is_so_after_a_doubt_too() {
    for verifies in [true, false] {
        let mut harness = flow_with("steps: [{id: a, uses: noop, approve: after}]", |plan| {
            if verifies { verified(plan, "a") } else { asks(plan, "a") }
        })
        .fails("a", Kind::Timeout)
        .run();
        if !verifies {
            harness.tell(&approve(None));
        }
        assert_eq!(harness.state.waiting_for().as_deref(), Some("decision: a"));
        harness.tell(&approve(None));
        assert_eq!(harness.status(), Status::Completed);
    }
}

// ---- ask -------------------------------------------------------------------------------------------------------

#[test]
fn a_person_tells_whether_it_was_done() {
    for how in ["timeout", "crash"] {
        let held = || {
            let mut harness = ends(asked(TWO), how);
            assert_eq!(harness.status(), Status::Held);
            assert!(harness.state.waits_for_people());
            assert_eq!(harness.state.waiting_for().as_deref(), Some("answer: a (was it done?)"));
            let refused = harness.try_tell(&resume());
            assert!(matches!(refused, Err(Rejection::Unanswered { .. })), "{refused:?}");
            harness.crash();
            assert_eq!(harness.status(), Status::Held, "the question survives its owner");
            harness
        };
        let mut done = held();
        done.tell(&approve(Some("a")));
        done.settle();
        assert_eq!((done.summary().as_str(), done.order().as_str()), ("completed: a=completed z=completed", "a z"));
        let mut not_done = held();
        not_done.tell(&reject(None));
        not_done.settle();
        let expect =
            if how == "crash" { ("completed: a=completed z=completed", "a a z") } else { ("failed: a=failed", "a") };
        assert_eq!((not_done.summary().as_str(), not_done.order().as_str()), expect);
    }
}

#[test]
fn a_step_that_is_to_be_asked_about_and_ran_out_of_its_time_is_asked_about() {
    let mut harness = asked("steps: [{id: a, uses: noop, total_timeout: 10s}, {id: z, uses: noop}]").hangs("a").run();
    harness.pass_ms(10_000);
    assert_eq!(harness.status(), Status::Held, "{}", harness.trace());
    harness.tell(&cancel());
    assert_eq!(harness.summary(), "cancelled: a=cancelled");
}

#[test]
fn work_beside_a_question_goes_on_and_several_questions_are_named() {
    let yaml = "steps: [{id: p, fail_fast: false, parallel: {l: [{id: a, uses: noop}], m: [{id: b, uses: noop}], r: [{id: c, uses: noop}]}}]";
    let mut harness = flow_with(yaml, |plan| {
        asks(plan, "a");
        step(plan, "b").on_error = OnError::Escalate(Asking { to: "ops".to_owned(), ..Asking::default() });
    })
    .hangs("a")
    .hangs("b")
    .hangs("c")
    .run();
    harness.fail("a", Kind::Timeout);
    harness.crash();
    assert_eq!((harness.status(), harness.runs().as_str()), (Status::Held, "b c"), "a new owner performs it again");
    harness.fail("b", Kind::Exit);
    assert_eq!(harness.state.waiting_for().as_deref(), Some("answer: a (was it done?), answer: b (try it again?)"));
    let reason = harness.state.held.clone().expect("it is held").message.clone();
    assert!(reason.contains("`a`") && reason.contains("`b` failed and ops is asked"), "{reason}");
    let both = harness.try_tell(&approve(None));
    assert!(matches!(&both, Err(Rejection::Ambiguous { paths, .. }) if paths == &["a", "b"]), "{both:?}");
    harness.tell(&approve(Some("a")));
    assert_eq!(harness.status(), Status::Held);
    harness.tell(&approve(None));
    assert_eq!((harness.status(), harness.runs().as_str()), (Status::Running, "b c"));
    harness.succeed("b", json!({}));
    harness.succeed("c", json!({}));
    assert_eq!(harness.status(), Status::Completed);
}

#[test]
fn a_pause_stays_a_pause_when_a_question_comes_up() {
    let mut harness = asked(TWO).hangs("a").run();
    harness.tell(&pause());
    harness.fail("a", Kind::Timeout);
    assert_eq!(harness.status(), Status::Paused);
    let refused = harness.try_tell(&resume());
    assert!(matches!(refused, Err(Rejection::Unanswered { .. })), "{refused:?}");
    harness.tell(&approve(None));
    assert_eq!((harness.status(), harness.order().as_str()), (Status::Paused, "a"));
    harness.tell(&resume());
    harness.settle();
    assert_eq!(harness.status(), Status::Completed);
}

// ---- escalate ----------------------------------------------------------------------------------------------------

fn escalating(yaml: &str) -> Harness {
    flow_with(yaml, |plan| {
        undo_all(plan);
        step(plan, "a").on_error = OnError::Escalate(Asking { to: "ops".to_owned(), ..Asking::default() });
    })
}

#[test]
fn a_failure_becomes_a_question() {
    let yaml = "steps: [{id: a, uses: noop, retry: {max_attempts: 2, delay: 1s, jitter: false}}, {id: z, uses: noop}]";
    let held = || {
        let mut harness = escalating(yaml).fails("a", Kind::Exit).fails("a", Kind::Exit).fails("a", Kind::Exit).run();
        harness.pass_ms(1_000);
        assert_eq!(harness.status(), Status::Held);
        harness.crash();
        harness
    };
    for message in [approve(Some("a")), resume()] {
        let mut again = held();
        again.tell(&message);
        again.settle();
        assert_eq!(again.status(), Status::Running, "the attempts begin anew\n{}", again.trace());
        again.pass_ms(1_000);
        assert_eq!(again.summary(), "completed: a=completed z=completed");
        let attempts: Vec<(u32, u32)> = again.performed[..4].iter().map(|task| (task.attempt, task.delivery)).collect();
        assert_eq!(attempts, [(1, 1), (2, 2), (1, 3), (2, 4)]);
    }
    for message in [reject(None), cancel()] {
        let mut ends = held();
        ends.tell(&message);
        ends.settle();
        assert!(ends.summary().ends_with(": a=failed"), "{}", ends.summary());
    }
}

#[test]
fn a_step_that_could_not_begin_begins_anew() {
    let yaml = "steps: [{id: s, uses: noop}, {id: a, uses: noop, if: '${{ steps.s.outputs.go == 1 }}'}]";
    let mut harness = escalating(yaml).gives("s", json!({})).run();
    assert_eq!(harness.status(), Status::Held);
    harness.tell(&approve(None));
    assert_eq!(harness.status(), Status::Held, "it fails the same way\n{}", harness.trace());
    harness.tell(&reject(None));
    assert_eq!(harness.status(), Status::Failed);
}

#[test]
fn a_question_asked_too_late_asks_again() {
    let mut harness = escalating("steps: [{id: a, approval: {message: ok?, timeout: 1h, on_timeout: fail}}]").run();
    harness.pass_ms(3_600_000);
    assert_eq!(harness.status(), Status::Held);
    harness.tell(&resume());
    assert_eq!(harness.state.waiting_for().as_deref(), Some("decision: a"));
    harness.tell(&approve(None));
    assert_eq!(harness.status(), Status::Completed);
}

#[test]
fn a_step_that_holds_others_can_only_be_let_fail() {
    let yaml = "steps: [{id: a, foreach: '${{ [1] }}', steps: [{id: x, uses: noop}]}, {id: z, uses: noop, if: '${{ always() }}', with: {r: '${{ steps.a.outputs.results }}'}}]";
    let mut harness = escalating(yaml).fails("a[0].x", Kind::Exit).run();
    assert_eq!(harness.status(), Status::Held);
    for message in [approve(None), resume()] {
        let refused = harness.try_tell(&message);
        assert!(matches!(refused, Err(Rejection::WrongState { .. })), "{refused:?}");
    }
    harness.tell(&reject(None));
    harness.settle();
    assert_eq!(harness.summary(), "failed: a[0].x=failed a=failed z=completed");
    assert_eq!(harness.with("z")["r"][0]["status"], json!("failed"), "its results are readable again");
}

#[test]
fn a_rejected_escalation_is_undone_like_any_failure() {
    let mut harness = escalating("steps: [{id: u, uses: noop}, {id: a, uses: noop}]").fails("a", Kind::Exit).run();
    harness.tell(&reject(None));
    harness.settle();
    assert_eq!(harness.summary(), "rolled_back: u=completed a=failed u.rollback=completed u=rolled_back");
}

// ---- unsure in a rollback ----------------------------------------------------------------------------------------

/// `u` ends so that nobody knows whether it was done, and the execution is undone.
fn unsure(verifies: bool, how: &str) -> Harness {
    let harness = flow_with("steps: [{id: t, uses: noop}, {id: u, uses: noop}]", |plan| {
        undoable(plan, "t u");
        plan.on_cancel = OnCancel::Rollback;
        if how == "timed out before" {
            step(plan, "u").retry = Some(retry(2));
        }
        if verifies {
            verified(plan, "u");
            step(plan, "u").on_unknown = Some(skep_model::plan::OnUnknown::Retry);
        }
    });
    match how {
        "aborted" => {
            let mut harness = harness.hangs("u").run();
            harness.tell(&cancel());
            harness.outcome("u", Ended::Aborted);
            harness
        }
        "died" => {
            let mut harness = harness.hangs("u").run();
            harness.tell(&cancel());
            harness.crash();
            harness
        }
        // What the last delivery says does not tell what those before it did.
        "died before" => {
            let mut harness = harness.hangs("u").run();
            harness.crash();
            harness.fail("u", Kind::Exit);
            harness
        }
        "timed out before" => {
            let mut harness = harness.hangs("u").run();
            harness.fail("u", Kind::Timeout);
            harness.now = harness.now.plus_ms(60_000);
            harness.tell(&Message::TimerFired);
            harness.fail("u", Kind::Exit);
            harness
        }
        kind => {
            let mut harness = harness.hangs("u").run();
            harness.fail("u", Kind::parse(kind).expect("a kind"));
            harness
        }
    }
}

#[test]
fn an_unsure_step_is_looked_at_before_it_is_undone() {
    for how in ["aborted", "died", "timeout", "crash", "network", "died before", "timed out before"] {
        let start = || unsure(true, how);
        let check = |mut harness: Harness, verification: Option<Kind>, order: &str| {
            assert_eq!(harness.runs(), "u.verify", "{how}");
            match verification {
                Some(kind) => harness.fail("u.verify", kind),
                None => harness.succeed("u.verify", json!({})),
            }
            harness.settle();
            assert!(harness.order().ends_with(order), "{how}: {}", harness.order());
            harness
        };
        let done = check(start(), None, "u.verify u.rollback t.rollback");
        assert!(done.status().is_terminal());
        check(start(), Some(Kind::Exit), "u.verify t.rollback");
        let held = check(start(), Some(Kind::Timeout), "u.verify");
        assert_eq!(held.status(), Status::Held);
    }
}

#[test]
fn a_person_is_asked_about_an_unsure_step_without_a_verification() {
    for how in ["aborted", "died", "timeout", "died before", "timed out before"] {
        for (message, order) in [(approve(Some("u")), "u.rollback t.rollback"), (reject(None), "t.rollback")] {
            let mut harness = unsure(false, how);
            assert_eq!(harness.state.waiting_for().as_deref(), Some("answer: u (was it done?)"), "{how}");
            let refused = harness.try_tell(&resume());
            assert!(matches!(refused, Err(Rejection::Unanswered { .. })), "{refused:?}");
            harness.crash();
            harness.tell(&message);
            assert_eq!(harness.status(), Status::RollingBack);
            harness.settle();
            assert!(harness.order().ends_with(order), "{}", harness.order());
        }
    }
}

#[test]
fn a_cancel_takes_the_question_of_a_rollback_back() {
    let mut harness = unsure(false, "timeout");
    harness.tell(&cancel());
    assert!(harness.state.waiting_for().is_some_and(|waits| waits.starts_with("held: the rollback was stopped")));
    assert!(matches!(harness.try_tell(&approve(Some("u"))), Err(Rejection::NotWaiting { .. })));
    harness.tell(&resume());
    assert_eq!(harness.state.waiting_for().as_deref(), Some("answer: u (was it done?)"), "it is asked again");
    harness.tell(&cancel());
    harness.tell(&cancel());
    assert_eq!(harness.status(), Status::RollbackFailed);
}

#[test]
fn a_clean_failure_and_a_read_only_step_are_not_undone() {
    let clean = unsure(true, "exit");
    assert_eq!(clean.runs(), "t.rollback");
    let mut reading = flow_with("steps: [{id: u, uses: noop}]", |plan| {
        undo_all(plan);
        plan.on_cancel = OnCancel::Rollback;
        step(plan, "u").read_only = true;
    })
    .hangs("u")
    .run();
    reading.tell(&cancel());
    reading.settle();
    assert_eq!(reading.summary(), "cancelled: u=cancelled");
}

#[test]
fn an_unsure_step_whose_undoing_needs_its_result_fails_loudly_if_it_was_done() {
    let build = |plan: &mut Plan| {
        undoable(plan, "u");
        let undo = step(plan, "u").compensation.as_mut().expect("it can be undone");
        undo.work = super::undo_kit::noop(json!({"id": "${{ steps.u.outputs.n }}"}));
    };
    for (message, status) in [(approve(None), Status::RollbackFailed), (reject(None), Status::RolledBack)] {
        let mut harness = flow_with("steps: [{id: u, uses: noop}]", build).fails("u", Kind::Timeout).run();
        harness.tell(&message);
        harness.settle();
        assert_eq!((harness.status(), harness.order().as_str()), (status, "u"), "{}", harness.trace());
    }
}

#[test]
fn a_cancel_in_the_pause_before_the_next_attempt_leaves_it_unsure() {
    let mut harness = flow_with("steps: [{id: u, uses: noop}]", |plan| {
        undo_all(plan);
        plan.on_cancel = OnCancel::Rollback;
        step(plan, "u").retry = Some(retry(3));
    })
    .fails("u", Kind::Network)
    .run();
    harness.tell(&cancel());
    assert_eq!(harness.state.waiting_for().as_deref(), Some("answer: u (was it done?)"));
}

#[test]
fn steps_without_a_word_about_it_are_simply_delivered_again() {
    let mut harness = flow(TWO).hangs("a").run();
    harness.crash();
    assert_eq!(harness.last_turn(), "redelivered a");
    harness.tell(&Message::TimerFired);
    harness.settle();
    assert_eq!(harness.status(), Status::Completed);
}

#[test]
fn undoing_does_not_wait_for_questions_about_steps() {
    let yaml = "steps: [{id: p, parallel: {l: [{id: a, uses: noop}], r: [{id: loop, foreach: [1], steps: [{id: b, uses: noop}]}]}}]";
    let plan = |plan: &mut Plan| {
        asks(plan, "a");
        step(plan, "b").on_error = OnError::Compensate { step: None };
    };
    let mut harness = flow_with(yaml, plan).hangs("loop[0].b").fails("a", Kind::Timeout).run();
    assert_eq!(harness.status(), Status::Held, "{}", harness.trace());
    harness.fail("loop[0].b", Kind::Exit);
    harness.settle();
    assert_eq!(harness.status(), Status::Failed, "{}", harness.trace());
}

#[test]
fn a_step_whose_result_was_not_decided_on_in_time_is_not_done_twice() {
    let yaml = "steps: [{id: a, uses: noop, total_timeout: 1m, approve: {when: after, message: ok}}]";
    let plan = |plan: &mut Plan| {
        undoable(plan, "a");
        step(plan, "a").on_error = OnError::Escalate(Asking::default());
    };
    let mut harness = flow_with(yaml, plan).run();
    harness.pass_ms(60_000);
    assert_eq!(harness.status(), Status::Held, "{}", harness.trace());
    let refused = harness.try_tell(&approve(Some("a")));
    assert!(matches!(&refused, Err(Rejection::WrongState { message, .. }) if message.contains("done already")));
    harness.tell(&reject(Some("a")));
    harness.settle();
    assert_eq!((harness.status(), harness.order().as_str()), (Status::RolledBack, "a a.rollback"));
}

#[test]
fn a_step_that_was_done_badly_and_is_let_fail_is_not_left_alone() {
    let yaml = "steps: [{id: a, uses: noop, output_schema: {type: object, required: [missing]}}]";
    let plan = |plan: &mut Plan| {
        undoable(plan, "a");
        step(plan, "a").on_error = OnError::Escalate(Asking::default());
    };
    let mut harness = flow_with(yaml, plan).run();
    harness.tell(&reject(Some("a")));
    assert_eq!(harness.state.waiting_for().as_deref(), Some("answer: a (was it done?)"), "{}", harness.trace());
    harness.tell(&approve(Some("a")));
    harness.settle();
    assert_eq!((harness.status(), harness.order().as_str()), (Status::RolledBack, "a a.rollback"));
}
