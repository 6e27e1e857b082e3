//! Steps that wait for people: approvals, gates, forms.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::event::Event;
use skep_model::message::{Choices, Message};
use skep_model::rollback::Strategy;

use super::kit::{Harness, approve, flow, input, pause, reject, resume};
use crate::Rejection;

const HOUR: u64 = 3_600_000;

fn gate(rest: &str) -> Harness {
    flow(&format!("steps: [{{id: g, approval: {{message: 'ok?'{rest}}}}}, {{id: z, uses: noop}}]\noutputs: {{y: '${{{{ steps.g.outputs.approved }}}}'}}")).run()
}

fn check(rest: &str, message: &Message, expect: &str) {
    let mut harness = gate(rest);
    assert!(harness.state.waits_for_people());
    assert_eq!(harness.state.waiting_for().as_deref(), Some("decision: g"));
    harness.tell(message);
    harness.settle();
    assert_eq!(harness.summary(), expect, "{}", harness.trace());
}

#[test]
fn a_decision_lets_go_on_or_fails_or_is_a_value() {
    check("", &approve(None), "completed: g=completed z=completed");
    check("", &reject(Some("g")), "failed: g=skipped(rejected)");
    check(", on_reject: continue", &reject(None), "completed: g=completed z=completed");
    let mut harness = gate(", on_reject: continue");
    harness.tell(&reject(None));
    harness.settle();
    assert_eq!(harness.outputs(), json!({"y": false}));
}

#[test]
fn the_end_of_the_wait_decides() {
    let check = |rest: &str, expect: &str| {
        let mut harness = gate(&format!(", timeout: 1h{rest}"));
        harness.pass_ms(HOUR - 1);
        assert_eq!(harness.status().as_str(), "running");
        harness.pass_ms(1);
        assert_eq!(harness.summary(), expect);
    };
    check("", "failed: g=skipped(rejected)");
    check(", on_timeout: reject", "failed: g=skipped(rejected)");
    check(", on_timeout: approve", "completed: g=completed z=completed");
    check(", on_timeout: fail", "failed: g=failed");
}

#[test]
fn escalations_come_in_order_of_time_and_two_may_be_due_at_once() {
    let mut harness = gate(", timeout: 9h, escalate: [{after: 3h, to: c}, {after: 1h, to: a}, {after: 1h, to: b}]");
    let told = |harness: &Harness| {
        let to = harness.journal.iter().flat_map(|turn| &turn.events).filter_map(|event| match event {
            Event::Escalated { to, .. } => Some(to.clone()),
            _ => None,
        });
        to.collect::<String>()
    };
    harness.pass_ms(HOUR);
    assert_eq!(told(&harness), "ab");
    harness.pass_ms(2 * HOUR);
    assert_eq!(told(&harness), "abc");
    harness.tell(&approve(None));
    harness.settle();
    assert_eq!(harness.status().as_str(), "completed");
}

#[test]
fn the_first_decision_counts_also_against_the_end_of_the_wait() {
    let mut harness = gate(", timeout: 1h");
    harness.now = harness.now.plus_ms(2 * HOUR);
    harness.tell(&approve(Some("g")));
    let twice = harness.try_tell(&reject(Some("g")));
    assert!(matches!(twice, Err(Rejection::NotWaiting { .. })), "{twice:?}");
    harness.tell(&Message::TimerFired);
    harness.settle();
    assert_eq!(harness.summary(), "completed: g=completed z=completed");
}

#[test]
fn a_decision_that_could_be_for_two_steps_must_name_one() {
    let mut harness =
        flow("order: graph\nsteps: [{id: g, approval: {message: a}}, {id: h, approval: {message: b}}]").run();
    let both = harness.try_tell(&approve(None));
    assert!(matches!(&both, Err(Rejection::Ambiguous { paths, .. }) if paths == &["g", "h"]), "{both:?}");
    assert!(matches!(harness.try_tell(&approve(Some("x"))), Err(Rejection::UnknownStep { .. })));
    harness.tell(&approve(Some("h")));
    harness.tell(&approve(None));
    assert_eq!(harness.summary(), "completed: h=completed g=completed");
}

fn gated(when: &str, rest: &str) -> Harness {
    let names = "${{ [steps.a.outputs.stdout, steps.a.outputs.approved] }}";
    let yaml = format!(
        "steps: [{{id: a, run: 'true', approve: {when}{rest}}}, {{id: z, uses: noop, if: '${{{{ always() }}}}', with: {{v: '{names}'}}}}]"
    );
    flow(&yaml).gives("a", json!({"stdout": "out", "stderr": "", "exit_code": 0, "json": null})).run()
}

#[test]
fn a_gate_stands_before_or_after_the_work() {
    let check = |when: &str, message: &Message, rest: &str, expect: &str, seen: serde_json::Value| {
        let mut harness = gated(when, rest);
        assert_eq!(harness.order(), if when == "before" { "" } else { "a" });
        harness.tell(message);
        harness.settle();
        assert_eq!(harness.summary(), expect, "{}", harness.trace());
        assert_eq!(harness.with("z"), json!({"v": seen}), "{when}");
    };
    let done = "completed: a=completed z=completed";
    check("before", &approve(None), "", done, json!(["out", true]));
    check("after", &approve(None), "", done, json!(["out", true]));
    check("before", &reject(None), "", "failed: a=skipped(rejected) z=completed", json!([null, null]));
    check("after", &reject(None), "", "failed: a=skipped(rejected) z=completed", json!([null, null]));
    check("before", &reject(None), ", on_reject: continue", done, json!([null, false]));
}

#[test]
fn what_was_allowed_while_paused_begins_with_the_resume() {
    let mut harness = gated("before", "");
    harness.tell(&pause());
    harness.tell(&approve(None));
    harness.settle();
    assert_eq!(harness.order(), "");
    harness.crash();
    harness.tell(&resume());
    harness.settle();
    assert_eq!(harness.summary(), "completed: a=completed z=completed");
}

#[test]
fn a_form_takes_only_what_fits() {
    let yaml = "steps: [{id: f, input: {n: {type: integer, required: true}}, timeout: 1h}, {id: z, uses: noop, with: {v: '${{ steps.f.outputs.n }}'}}]";
    let mut harness = flow(yaml).run();
    for wrong in [json!({"n": "x"}), json!({}), json!({"n": 1, "m": 2})] {
        let answer = harness.try_tell(&input(wrong.clone()));
        assert!(matches!(answer, Err(Rejection::BadInput(_))), "{wrong}: {answer:?}");
    }
    harness.tell(&input(json!({"n": 4})));
    harness.settle();
    assert_eq!(harness.with("z"), json!({"v": 4}));
    assert!(matches!(harness.try_tell(&input(json!({"n": 4}))), Err(Rejection::Terminal(_))));
    let mut late = flow(yaml).run();
    late.pass_ms(HOUR);
    assert_eq!(late.summary(), "failed: f=failed");
    assert_eq!(late.state.failure.as_ref().map(|failure| failure.kind), Some(Kind::Timeout));
}

// ---- choices at the start --------------------------------------------------------------------------------------

#[test]
fn whoever_started_it_may_have_said_yes_to_everything() {
    let choices = || Choices { approver: Some(super::messages::ada()), ..Choices::default() };
    let yaml = "steps: [{id: g, approval: {message: 'ok?', timeout: 1h}}, {id: b, uses: noop, approve: before}, {id: a, uses: noop, approve: after}, {id: f, input: {x: {type: text}}}]\noutputs: {by: '${{ steps.g.outputs.by }}'}";
    let mut harness = flow(yaml).run_choosing(choices());
    harness.crash();
    assert_eq!(harness.state.waiting_for().as_deref(), Some("form: f"), "a form has to be filled in all the same");
    harness.tell(&input(json!({"x": "1"})));
    assert_eq!(harness.summary(), "completed: g=completed b=completed a=completed f=completed");
    assert_eq!(harness.outputs(), json!({"by": "ada"}));
    let asked = harness.events().filter(|event| matches!(event, Event::ApprovalAsked { .. })).count();
    assert_eq!(asked, 3, "the questions are on record");
}

#[test]
fn a_strategy_may_be_chosen_at_the_start() {
    let yaml = "steps: [{id: u, uses: noop}, {id: z, uses: noop}]";
    let choices = Choices { strategy: Some(Strategy::Manual), ..Choices::default() };
    let harness = super::undo_kit::undoing(yaml).fails("z", Kind::Exit).run_choosing(choices);
    assert_eq!((harness.status().as_str(), harness.order().as_str()), ("held", "u z"));
}
