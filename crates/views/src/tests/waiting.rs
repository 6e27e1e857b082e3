//! What steps wait for, in the view, in the answer, in words.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::event::Event;
use skep_model::payload::Payload;
use skep_model::permit::Resource;
use skep_model::plan::{Concurrency, Plan, WhenFull};
use skep_model::status::Step as StepStatus;
use skep_model::time::Timestamp;

use super::plans::*;
use crate::answer::answer;
use crate::describe::describe;
use crate::execution::Execution;

fn plan_of_two() -> Plan {
    plan(vec![approval("gate"), run("act")], vec![])
}

fn waiting(execution: &Execution) -> Value {
    answer(execution, &mut |payload| payload.value.clone(), &clock)["waiting"].clone()
}

/// What only some kinds have; `kind`, `since`, `until` and `detail` are those of all.
fn check(events: Vec<Event>, expect: Value) {
    let mut found = waiting(&fold(&plan_of_two(), [vec![started()], events].concat()));
    for entry in found.as_array_mut().unwrap() {
        let entry = entry.as_object_mut().unwrap();
        for key in ["kind", "since", "detail"] {
            assert!(entry.shift_remove(key).is_some(), "{key}");
        }
        if !["decision", "form", "signal", "time"].iter().any(|word| entry["for"] == *word) {
            entry.shift_remove("until");
        }
    }
    assert_eq!(found, expect);
}

#[test]
fn every_wait_says_why_in_one_form() {
    let group = Concurrency { group: "db".to_owned(), limit: 2, when_full: WhenFull::Queue };
    let asked_for = |path: Option<&str>| Event::PermitAsked {
        path: path.map(Into::into),
        resource: Resource::Group(group.clone()),
    };
    let granted = |path: Option<&str>| Event::PermitGranted { path: path.map(Into::into), probe: false };
    let retry = |code: &str| {
        let mut failure = failure();
        failure.code = code.to_owned();
        Event::AttemptFailed { path: "act".into(), failure, retry_at: Timestamp(50) }
    };
    let held = Event::Held { reason: failure().at_step("act") };
    let table = [
        (vec![asked("gate")], "decision gate T90: a decision of manager@example.org"),
        (vec![asked_for(Some("act"))], "permit act -: a place in the group `db`, which takes 2 at a time"),
        (vec![asked_for(Some("act")), granted(Some("act"))], ""),
        (vec![asked_for(None)], "permit - -: a place in the group `db`, which takes 2 at a time; nothing has begun"),
        (vec![asked_for(None), granted(None)], ""),
        (vec![scheduled("act", 1), retry("X")], "retry act T50: attempt 2 of 1, after: no connection to host"),
        (
            vec![asked_for(Some("act")), retry("SKEP-N031")],
            "breaker act T50: attempt 2 of 1, after: no connection to host",
        ),
        (vec![held], "held act -: no connection to host"),
    ];
    for (events, expect) in table {
        let found = waiting(&fold(&plan_of_two(), [vec![started()], events].concat()));
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("-").to_owned();
        let words = found.as_array().unwrap().iter().map(|entry| {
            assert!(entry["since"].is_string(), "{entry}");
            let of = |key| text(entry, key);
            format!("{} {} {}: {}", of("kind"), of("step"), of("until"), of("detail"))
        });
        assert_eq!(words.collect::<Vec<_>>().join(", "), expect);
    }
}

fn decided(path: &str, approved: bool) -> Event {
    Event::Decided { path: path.into(), approved, actor: ada(), comment: Some("fine".to_owned()) }
}

fn proposed() -> Event {
    Event::Proposed {
        path: "act".into(),
        outputs: Map::from_iter([("stdout".to_owned(), Payload::inline(json!("+1")))]),
    }
}

#[test]
fn every_wait_has_its_shape() {
    let form = Event::FormAsked { path: "gate".into(), message: "Who?".into(), assignee: "".into(), until: None };
    let signal = Event::WaitBegan {
        path: "gate".into(),
        until: Some(Timestamp(70)),
        signal: Some("paid".into()),
        every_ms: None,
    };
    let time = Event::WaitBegan { path: "gate".into(), until: Some(Timestamp(70)), signal: None, every_ms: None };
    let retry = Event::AttemptFailed { path: "act".into(), failure: failure(), retry_at: Timestamp(50) };
    let error = crate::answer::error(Some(&failure()));
    let decision = |step: &str, escalated_to: Value, proposed: Value| {
        json!({
            "step": step, "for": "decision", "message": "Ship it?", "assignee": "manager@example.org", "until": "T90",
            "escalated_to": escalated_to, "proposed": proposed,
        })
    };
    let escalated = Event::Escalated { path: "gate".into(), to: "boss".into() };
    let table = [
        (vec![asked("gate")], json!([decision("gate", Value::Null, Value::Null)])),
        (vec![asked("gate"), escalated], json!([decision("gate", json!("boss"), Value::Null)])),
        (
            vec![scheduled("act", 1), proposed(), asked("act")],
            json!([decision("act", Value::Null, json!({ "stdout": "+1" }))]),
        ),
        (vec![form], json!([{ "step": "gate", "for": "form", "message": "Who?", "assignee": "", "until": null }])),
        (vec![signal], json!([{ "step": "gate", "for": "signal", "name": "paid", "until": "T70" }])),
        (vec![time], json!([{ "step": "gate", "for": "time", "until": "T70" }])),
        (
            vec![scheduled("act", 1), retry],
            json!([{ "step": "act", "for": "next_attempt", "at": "T50", "error": error }]),
        ),
        (vec![asked("gate"), decided("gate", true)], json!([])),
        (vec![asked("gate"), completed("gate")], json!([])),
    ];
    for (events, expect) in table {
        check(events, expect);
    }
}

#[test]
fn waits_are_listed_in_the_order_in_which_they_began() {
    let execution = fold(&plan_of_two(), vec![started(), asked("act"), asked("gate")]);
    let paths: Vec<&str> = execution.waiting().map(|step| &*step.path).collect();
    assert_eq!(paths, ["act", "gate"]);
}

#[test]
fn a_gate_is_no_attempt_but_an_approval_is_one() {
    let execution = fold(&plan_of_two(), vec![started(), asked("gate"), asked("act")]);
    assert_eq!((execution.step("gate").unwrap().attempts, execution.step("act").unwrap().attempts), (1, 0));
}

#[test]
fn an_allowed_step_of_a_paused_execution_waits_for_nothing() {
    let events = vec![started(), asked("act"), Event::Paused { actor: ada() }, decided("act", true)];
    let execution = fold(&plan_of_two(), events);
    let act = execution.step("act").unwrap();
    assert_eq!((act.status, &act.waiting), (StepStatus::Waiting, &None));
    assert_eq!(execution.active().count(), 1);
}

#[test]
fn events_read_as_sentences() {
    let signal = Event::WaitBegan {
        path: "pay".into(),
        until: Some(Timestamp(70)),
        signal: Some("paid".into()),
        every_ms: None,
    };
    let time = Event::WaitBegan { path: "nap".into(), until: Some(Timestamp(70)), signal: None, every_ms: None };
    let form = Event::FormAsked { path: "ask".into(), message: String::new(), assignee: String::new(), until: None };
    let taken = Event::SignalTaken { path: "pay".into(), name: "paid".into(), actor: ada(), kept: true };
    let events = [
        asked("gate"),
        Event::Escalated { path: "gate".into(), to: "boss".into() },
        decided("gate", false),
        proposed(),
        form,
        Event::FormFilled { path: "ask".into(), actor: ada() },
        signal,
        taken,
        time,
        failed("act"),
        Event::StopAsked { path: "act".into(), then: Default::default() },
        Event::CaseTaken { path: "pick".into(), case: Some(0) },
        Event::CaseTaken { path: "pick".into(), case: None },
        Event::BranchEnded { path: "both".into(), branch: 0, status: StepStatus::Failed },
        loop_began("each", 1),
        round_ended("each", 0, StepStatus::Completed),
        skipped("act", skep_model::status::SkipReason::Condition),
        Event::CancelAsked { actor: ada(), reason: Some("late\nand long".into()) },
        Event::ForceAsked { actor: ada(), at: Timestamp(5) },
        Event::FinallyBegan { status: skep_model::status::Execution::Failed },
        ended(skep_model::status::Execution::Failed),
    ];
    let execution = fold(&plan_of_two(), vec![started()]);
    let text: Vec<String> = events.iter().map(|event| describe(event, &execution, &clock)).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    gate asks manager@example.org: Ship it? (until T90)
    gate waited too long; boss is told
    gate rejected by ada: fine
    act proposes its result
    ask asks anybody to fill in a form
    the form of ask was filled in by ada
    pay waits for the signal paid (until T70)
    pay took the kept signal paid from ada
    nap waits until T70
    act failed (network): no connection to host
    act is asked to stop, its flow was cancelled
    pick took case 1
    pick found no case to take
    branch 1 of both ended failed
    each began, 1 round
    each[0] ended completed
    act skipped (condition)
    cancel asked by ada: late
    forced end asked by ada, to come at T5
    finally began; the execution would end failed
    execution failed (network): no connection to host
    ");
}
