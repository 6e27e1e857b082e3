//! What executions share, as one execution sees it: asking, going on, giving back.

use serde_json::json;
use skep_model::error::{Failure, Kind};
use skep_model::permit::Answer;
use skep_model::plan::{Backoff, Breaker, Concurrency, Plan, Retry, WhenFull};
use skep_model::status::Execution as Status;

use super::kit::{self, Harness, flow_with};

fn group(name: &str) -> Concurrency {
    Concurrency { group: name.to_owned(), limit: 1, when_full: WhenFull::Queue }
}

fn breaker(name: &str) -> Breaker {
    Breaker { name: name.to_owned(), failures: 3, threshold: None, window_ms: None, reset_ms: 60_000 }
}

fn retry(max_attempts: u32) -> Retry {
    let backoff = Backoff::Fixed;
    Retry { max_attempts, delay_ms: 1_000, max_delay_ms: 1_000, backoff, jitter: false, on: Vec::new() }
}

fn edit(plan: &mut Plan, step: &str, edit: impl FnOnce(&mut skep_model::plan::Step)) {
    let index = plan.step_by_id(step).unwrap();
    edit(&mut plan.steps[index as usize]);
}

fn open() -> Failure {
    let mut failure = Failure::new(Kind::Unavailable, "SKEP-N031", "the circuit is open");
    failure.retry_after_ms = Some(30_000);
    failure
}

const TWO: &str = "steps: [{id: a, uses: set, with: {v: \"${{ inputs.host }}\"}}, {id: b, uses: noop}]\n\
    inputs: {host: {type: string, default: h1}}";

/// `a` has a group, a breaker and three attempts.
fn shared() -> Harness {
    flow_with(TWO, |plan| {
        edit(plan, "a", |step| {
            step.concurrency = Some(group("db-${{ inputs.host }}"));
            step.circuit_breaker = Some(breaker("api"));
            step.retry = Some(retry(3));
        });
    })
    .start_with(json!({"host": "h1"}))
}

#[test]
fn a_step_asks_for_its_group_then_for_its_breaker_then_begins() {
    let mut flow = shared();
    assert_eq!(flow.last_turn(), "started, permit_asked a");
    assert_eq!(flow.state.waiting_for().as_deref(), Some("group db-h1: a"));
    assert!(!flow.state.waits_for_people(), "whoever has the place gives it back by itself");
    assert!(!flow.state.is_idle(), "a new owner has to ask again");
    flow.grant("a");
    assert_eq!(flow.last_turn(), "permit_granted a, permit_asked a");
    flow.grant("a");
    assert_eq!(flow.last_turn(), "permit_granted a, scheduled a");
    assert_eq!(flow.with("a"), json!({"v": "h1"}));
    flow.settle();
    assert_eq!(flow.status(), Status::Completed);
    assert_eq!(flow.released, ["group db-h1 a", "breaker api a success"]);
}

#[test]
fn a_group_is_kept_over_all_attempts_and_a_breaker_asked_before_each() {
    let mut flow = shared().fails("a", Kind::Network).fails("a", Kind::Permission);
    flow.grant("a");
    flow.grant("a");
    flow.settle();
    assert_eq!(flow.released, ["breaker api a failure"]);
    flow.pass_ms(1_000);
    assert_eq!(flow.last_turn(), "permit_asked a");
    flow.grant("a");
    flow.settle();
    assert_eq!(flow.released, ["breaker api a failure", "group db-h1 a", "breaker api a success"]);
    assert_eq!(flow.summary(), "failed: a=failed");
}

#[test]
fn an_open_breaker_fails_the_attempt_which_comes_back_when_a_probe_is_due() {
    let mut flow = shared();
    flow.grant("a");
    flow.permit("a", Answer::Refused(open()));
    assert_eq!(flow.last_turn(), "attempt_failed a");
    assert_eq!(flow.order(), "", "nothing was performed");
    flow.pass_ms(29_999);
    assert!(flow.asked.is_empty());
    flow.pass_ms(1);
    flow.permit("a", Answer::Granted { probe: true });
    assert_eq!((flow.performed[0].attempt, flow.performed[0].delivery), (2, 1));
    assert_eq!(flow.with("a"), json!({"v": "h1"}), "arguments are recorded with the first delivery");
    flow.crash();
    flow.fail("a", Kind::Timeout);
    flow.pass_ms(1_000);
    flow.permit("a", Answer::Refused(open()));
    assert_eq!(flow.summary(), "failed: a=failed");
    assert_eq!(flow.failure_message(), "the circuit is open");
}

#[test]
fn a_step_without_retry_fails_fast() {
    let mut flow = flow_with(TWO, |plan| edit(plan, "a", |step| step.circuit_breaker = Some(breaker("api")))).start();
    flow.permit("a", Answer::Refused(open()));
    assert_eq!(flow.summary(), "failed: a=failed");
    assert_eq!(flow.order(), "");
}

#[test]
fn what_is_waited_for_is_asked_again_after_a_crash_and_after_a_pause() {
    let mut flow = shared();
    flow.crash();
    assert_eq!(flow.asked.keys().collect::<Vec<_>>(), ["a"]);
    flow.tell(&kit::pause());
    flow.grant("a");
    assert_eq!(flow.last_turn(), "permit_granted a", "a place is taken, but nothing begins");
    flow.crash();
    flow.tell(&kit::resume());
    assert_eq!(flow.last_turn(), "resumed, permit_asked a");
    flow.grant("a");
    flow.settle();
    assert_eq!(flow.status(), Status::Completed);
}

#[test]
fn what_is_waited_for_is_asked_again_when_a_question_is_answered() {
    let yaml = "steps: [{id: p, parallel: {l: [{id: a, uses: noop}], r: [{id: b, uses: noop}]}}]";
    let plan = |plan: &mut Plan| {
        edit(plan, "a", |step| step.circuit_breaker = Some(breaker("api")));
        super::undo_kit::asks(plan, "b");
    };
    let mut flow = flow_with(yaml, plan).hangs("b").start();
    flow.crash();
    assert_eq!(flow.status(), Status::Held);
    // Nobody lets an execution through a breaker that stands still.
    flow.asked.clear();
    flow.tell(&kit::approve(Some("b")));
    assert_eq!(flow.asked.keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn stopping_a_step_in_line_ends_it_and_leaves_the_line() {
    let mut flow = shared();
    flow.tell(&kit::cancel());
    assert_eq!(flow.summary(), "cancelled: a=cancelled");
    assert_eq!(flow.released, ["group db-h1 a"]);
    let mut flow = shared();
    flow.grant("a");
    flow.grant("a");
    flow.tell(&kit::cancel());
    flow.settle();
    assert_eq!(flow.released, ["group db-h1 a", "breaker api a"], "a stopped attempt says nothing");
}

#[test]
fn a_full_group_may_leave_a_step_out_or_fail_it() {
    let mut flow = shared();
    flow.permit("a", Answer::Skipped);
    flow.settle();
    assert_eq!(flow.summary(), "completed: a=skipped(concurrency) b=completed");
    let mut flow = shared();
    flow.permit("a", Answer::Refused(kit::failure(Kind::ResourceLimit)));
    assert_eq!(flow.last_turn(), "attempt_failed a");
}

#[test]
fn steps_that_hold_others_and_gated_ones_have_groups_too() {
    let yaml = "steps: [{id: each, foreach: [1, 2], steps: [{id: x, uses: noop}]}, \
        {id: g, uses: noop, approve: before}]";
    let mut flow = flow_with(yaml, |plan| {
        edit(plan, "each", |step| step.concurrency = Some(group("loop")));
        edit(plan, "g", |step| step.concurrency = Some(group("gate")));
    })
    .start();
    flow.grant("each");
    flow.settle();
    assert_eq!(flow.released, ["group loop each"]);
    assert!(flow.asked.is_empty(), "a person decides first");
    flow.tell(&kit::approve(None));
    flow.grant("g");
    flow.settle();
    assert_eq!(flow.status(), Status::Completed);
}

#[test]
fn a_name_that_cannot_be_used_fails_the_step() {
    let mut flow = flow_with(TWO, |plan| {
        edit(plan, "a", |step| step.concurrency = Some(group("${{ inputs.host }}")));
    })
    .start_with(json!({"host": ""}));
    flow.settle();
    assert_eq!(flow.failure_message(), "the name that `concurrency` of step `a` gave is empty");
}

fn grouped() -> Harness {
    let yaml = "steps: [{id: a, uses: noop}]\nfinally: [{id: f, uses: noop}]\n\
        inputs: {env: {type: string, default: prod}}";
    flow_with(yaml, |plan| plan.concurrency = Some(group("deploy-${{ inputs.env }}")))
        .start_with(json!({"env": "prod"}))
}

#[test]
fn an_execution_asks_before_its_first_step() {
    let mut flow = grouped();
    assert_eq!(flow.last_turn(), "started, permit_asked");
    assert_eq!(flow.state.waiting_for().as_deref(), Some("group deploy-prod"));
    flow.crash();
    flow.tell(&skep_model::message::Message::TimerFired);
    assert_eq!(flow.order(), "", "nothing begins");
    flow.grant("");
    assert_eq!(flow.last_turn(), "permit_granted, scheduled a");
    flow.settle();
    assert_eq!(flow.summary(), "completed: a=completed f=completed");
    assert_eq!(flow.released, ["group deploy-prod "]);
}

#[test]
fn an_execution_that_gets_no_place_ends_without_having_begun() {
    let mut flow = grouped();
    flow.permit("", Answer::Skipped);
    assert_eq!((flow.summary().as_str(), flow.failure_message().contains("is full")), ("cancelled:", true));
    let mut flow = grouped();
    flow.permit("", Answer::Refused(kit::failure(Kind::ResourceLimit)));
    assert_eq!(flow.summary(), "failed:");
    let mut flow = grouped();
    flow.tell(&kit::cancel());
    assert_eq!(flow.last_turn(), "cancel_asked, ended", "there is nothing to clean up");
    assert_eq!(flow.released, ["group deploy-prod "]);
}

#[test]
fn an_answer_in_every_state() {
    let mut lines = String::new();
    for status in [Status::Running, Status::Paused, Status::Cancelling, Status::Completed] {
        for answer in [Answer::Granted { probe: false }, Answer::Refused(open()), Answer::Skipped] {
            let yaml = "steps: [{id: b, uses: noop}]\nfinally: [{id: a, uses: noop}]";
            let mut flow = flow_with(yaml, |plan| edit(plan, "a", |step| step.concurrency = Some(group("g")))).start();
            if status == Status::Cancelling {
                flow.tell(&kit::cancel());
            }
            flow.settle();
            let message = flow.permit_message("a", answer.clone());
            match status {
                Status::Paused => flow.tell(&kit::pause()),
                Status::Completed => {
                    flow.grant("a");
                    flow.settle();
                }
                _ => {}
            }
            assert_eq!(flow.status(), status, "{}", flow.trace());
            let told = match flow.try_tell(&message) {
                Ok(()) => flow.last_turn(),
                Err(rejection) => format!("!{rejection}"),
            };
            let word = serde_json::to_value(&answer).unwrap();
            let word = word
                .as_str()
                .map(str::to_owned)
                .unwrap_or_else(|| word.as_object().unwrap().keys().next().unwrap().clone());
            lines.push_str(&format!("{} {word}: {told}\n", status.as_str()));
        }
    }
    insta::assert_snapshot!(lines, @r"
    running granted: permit_granted a, scheduled a
    running refused: failed a, ended
    running skipped: skipped a, ended
    paused granted: permit_granted a
    paused refused: failed a
    paused skipped: skipped a
    cancelling granted: permit_granted a, scheduled a
    cancelling refused: failed a, ended
    cancelling skipped: skipped a, ended
    completed granted: !the execution is completed: it cannot change any more
    completed refused: !the execution is completed: it cannot change any more
    completed skipped: !the execution is completed: it cannot change any more
    ");
}
