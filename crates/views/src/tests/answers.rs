//! The outer contract.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::Hash;
use skep_model::payload::{BlobRef, Payload};
use skep_model::status::Execution as Status;

use super::plans::*;
use crate::answer::{answer, error};
use crate::execution::Execution;

/// A caller's rule for blobs: a word in their place.
fn value_of(payload: &Payload) -> Value {
    payload.as_blob().map_or_else(|| payload.value.clone(), |blob| json!({ "size_bytes": blob.size_bytes }))
}

fn answer_of(execution: &Execution) -> Value {
    answer(execution, &mut value_of, &clock)
}

#[test]
fn a_completed_execution() {
    let plan = plan(vec![run("build"), run("deploy")], vec![]);
    let blob = Payload::blob(BlobRef { blob: Hash::of(b"long"), size_bytes: 4 });
    let outputs = Map::from_iter([("log".to_owned(), blob)]);
    let ended = Event::Ended { status: Status::Completed, outputs, failure: None };
    let skipped = skipped("deploy", skep_model::status::SkipReason::Condition);
    let execution =
        fold(&plan, vec![started(), scheduled("build", 1), gave("build", "stdout", json!("ok")), skipped, ended]);
    let expect = json!({
        "execution_id": "x1",
        "workflow": "release",
        "status": "completed",
        "started_at": "T10",
        "ended_at": "T50",
        "outputs": { "log": { "size_bytes": 4 } },
        "error": null,
        "held": null,
        "waiting": [],
        "steps": {
            "build": {
                "status": "completed", "attempts": 1, "outputs": { "stdout": "ok" }, "error": null, "reason": null,
            },
            "deploy": {
                "status": "skipped", "attempts": 0, "outputs": { "stdout": null, "exit_code": null },
                "error": null, "reason": "condition",
            },
        },
    });
    assert_eq!(answer_of(&execution), expect);
}

#[test]
fn before_the_first_turn() {
    let answer = answer_of(&Execution::new(&plan(vec![run("build")], vec![])));
    assert_eq!((&answer["execution_id"], &answer["status"]), (&Value::Null, &json!("pending")));
    assert_eq!(answer["steps"]["build"]["status"], json!("pending"));
}

#[test]
fn steps_stand_in_plan_order() {
    let plan = plan(vec![foreach("z", vec![run("y")]), run("x")], vec![run("a")]);
    let answer = answer_of(&fold(&plan, vec![started(), loop_began("z", 1), round_began("z", 0)]));
    let paths: Vec<&String> = answer["steps"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["z", "z[0].y", "x", "a"]);
}

#[test]
fn an_error_has_seven_keys_and_no_more() {
    let mut failure =
        Failure::new(FailureKind::Exit, "SKEP-R002", "it ended with 7").with_hint("read the log").at_step("build");
    failure.exit_code = Some(7);
    failure.http_status = Some(500);
    let expect = json!({
        "class": "transient", "kind": "exit", "code": "SKEP-R002", "message": "it ended with 7",
        "hint": "read the log", "step": "build", "exit_code": 7,
    });
    assert_eq!(error(Some(&failure)), expect);
    assert_eq!(error(None), Value::Null);
}

#[test]
fn a_held_execution_says_why() {
    let plan = plan(vec![run("build")], vec![]);
    let execution = fold(&plan, vec![started(), scheduled("build", 1), Event::Held { reason: failure() }]);
    let answer = answer_of(&execution);
    assert_eq!((&answer["held"], &answer["error"]), (&error(Some(&failure())), &Value::Null));
}
