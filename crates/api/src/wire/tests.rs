//! What travels is what was meant, and stays readable for other versions.

use std::fmt::Debug;

use serde_json::{Value, json};
use skep_model::status::Execution as StatusWord;

use super::*;

fn check<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + Debug>(value: &T, text: &Value) {
    assert_eq!(&serde_json::to_value(value).unwrap(), text);
    let back: T = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(&back, value);
}

fn start() -> Start {
    Start {
        source: Source::Text { text: "name: x".into(), file: Some("x.yaml".into()) },
        inputs: [("n".to_owned(), json!(3))].into_iter().collect(),
        arguments: vec![("env".into(), "prod".into())],
        base_dir: Some("/srv".into()),
        environment: [("PATH".to_owned(), "/bin".to_owned())].into_iter().collect(),
        idempotency_key: None,
        rollback_strategy: None,
        auto_approve: false,
        event: serde_json::Value::Null,
    }
}

#[test]
fn calls_keep_their_json() {
    check(
        &start(),
        &json!({"source": {"text": {"text": "name: x", "file": "x.yaml"}}, "inputs": {"n": 3},
                "arguments": [["env", "prod"]], "base_dir": "/srv", "environment": {"PATH": "/bin"}}),
    );
    check(
        &Signal { execution: "@latest".into(), name: "go".into(), payload: json!({"a": 1}) },
        &json!({"execution": "@latest", "name": "go", "payload": {"a": 1}}),
    );
    check(
        &Approve { execution: "0190".into(), step: None, comment: Some("fine".into()) },
        &json!({"execution": "0190", "step": null, "comment": "fine"}),
    );
    check(
        &List { statuses: vec![StatusWord::RolledBack], limit: 5, ..List::default() },
        &json!({"statuses": ["rolled_back"], "workflow": null, "since_us": null, "limit": 5, "cursor": null}),
    );
    check(
        &Settled { status: StatusWord::Held, waits_for_people: true },
        &json!({"status": "held", "waits_for_people": true}),
    );
}

#[test]
fn secrets_travel_and_are_not_printed() {
    let call = SetPassword { name: "grace".into(), password: skep_model::access::Secret::new("correct horse") };
    check(&call, &json!({"name": "grace", "password": "correct horse"}));
    assert!(!format!("{call:?}").contains("horse"));
    let grants = vec![Grant { role: skep_model::access::Role::Operator, workflows: vec!["deploy/*".into()] }];
    check(
        &CreateKey { name: "ci".into(), grants, expires_at_us: None },
        &json!({"name": "ci", "grants": [{"role": "operator", "workflows": ["deploy/*"]}], "expires_at_us": null}),
    );
}

#[test]
fn what_may_be_left_out_may_be_left_out() {
    let start: Start =
        serde_json::from_value(json!({"source": {"library": {"name": "a/b", "version": null}}})).unwrap();
    assert_eq!(start.source, Source::Library { name: "a/b".into(), version: None });
    assert!(start.base_dir.is_none() && start.inputs.is_empty() && start.arguments.is_empty());
    let logs: Logs = serde_json::from_value(json!({"execution": "x"})).unwrap();
    assert_eq!((logs.cursor, logs.wait_ms), (LogCursor::default(), 0));
}

#[test]
fn every_call_has_a_route_of_its_own() {
    let mut names = vec![
        Start::NAME,
        DryRun::NAME,
        Cancel::NAME,
        Pause::NAME,
        Resume::NAME,
        Rerun::NAME,
        Signal::NAME,
        Approve::NAME,
        Reject::NAME,
        Input::NAME,
        Ping::NAME,
        Stop::NAME,
        Status::NAME,
        Execution::NAME,
        List::NAME,
        Interrupted::NAME,
        Follow::NAME,
        Logs::NAME,
        Replay::NAME,
        AddWorkflow::NAME,
        ListWorkflows::NAME,
        ShowWorkflow::NAME,
        WorkflowVersions::NAME,
        RemoveWorkflow::NAME,
        Decisions::NAME,
        DecisionStats::NAME,
        DecisionRules::NAME,
        Orphans::NAME,
        Recover::NAME,
        Rollback::NAME,
        Checkpoint::NAME,
        Undone::NAME,
        RollbackPoints::NAME,
        RollbackPlan::NAME,
        RollbackStatus::NAME,
        ValidateWorkflow::NAME,
        ValidateText::NAME,
        ValidationsOf::NAME,
        CreateKey::NAME,
        ListKeys::NAME,
        RevokeKey::NAME,
        CreateUser::NAME,
        ListUsers::NAME,
        DisableUser::NAME,
        SetPassword::NAME,
    ];
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_failure_is_the_outer_contracts_error_or_report() {
    let mut failure = Failure::new("SKEP-N003", Class::NotFound, "no execution `x`", "look");
    assert_eq!(
        failure.to_contract(),
        json!({"error": {"code": "SKEP-N003", "message": "no execution `x`", "hint": "look"}})
    );
    failure.report = Some(Box::new(Report {
        valid: false,
        errors: vec![json!({"code": "SKEP-D001"})],
        warnings: Vec::new(),
        text: "words".into(),
    }));
    assert_eq!(failure.to_contract(), json!({"valid": false, "errors": [{"code": "SKEP-D001"}], "warnings": []}));
    let back: Failure = serde_json::from_value(serde_json::to_value(&failure).unwrap()).unwrap();
    assert_eq!(back, failure);
}

#[test]
fn a_follower_is_told_only_news() {
    let running = Settled { status: StatusWord::Running, waits_for_people: false };
    let waiting = Settled { status: StatusWord::Running, waits_for_people: true };
    let follow = |known| Follow { execution: "x".into(), from_seq: 4, known, wait_ms: 1_000 };
    let answer = |settled| Followed { turns: Vec::new(), settled, status: StatusWord::Running };
    for (known, settled, news) in [
        (None, Some(running), true),
        (Some(running), Some(running), false),
        (Some(running), Some(waiting), true),
        (Some(waiting), Some(waiting), false),
        (Some(waiting), None, true),
        (None, None, true),
    ] {
        assert_eq!(follow(known).is_news(&answer(settled)), news, "{known:?} {settled:?}");
    }
}
