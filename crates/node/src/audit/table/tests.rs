use skep_model::decision::{Action, Autonomy, Judged};
use skep_model::error::Kind as FailureKind;
use skep_model::ids::{ExecutionId, Hash};
use skep_model::message::Choices;
use skep_model::payload::Payload;
use skep_model::rollback::{PointKind, Question};
use skep_model::time::Timestamp;

use super::*;

fn ada() -> Actor {
    Actor::person("ada")
}

fn failure() -> Failure {
    Failure::new(FailureKind::Exit, "SKEP-R002", "it said: password=hunter2")
}

fn start() -> Event {
    Event::Started(Box::new(Start {
        execution: ExecutionId::new("e-1"),
        plan_hash: Hash::of(b"plan"),
        definition_hash: Hash::of(b"definition"),
        inputs: [("token".to_owned(), json!("hunter2"))].into_iter().collect(),
        base_dir: "/srv".into(),
        environment: [("HOME".to_owned(), "/hunter2".to_owned())].into_iter().collect(),
        actor: ada(),
        event: Value::Null,
        seed: 1,
        parent: None,
        choices: Choices::default(),
    }))
}

fn judged(autonomy: Option<Autonomy>) -> Event {
    Event::Judged(Box::new(Judged {
        path: "deploy".into(),
        attempt: 1,
        action: Action::Skip,
        autonomy,
        rule: "nearly-done".to_owned(),
        reason: "its priority is low".to_owned(),
        kind: skep_model::error::Kind::Exit,
        facts: None,
        alternatives: Vec::new(),
    }))
}

/// Events with people's texts, failures and values in them.
fn samples() -> Vec<Event> {
    let path = || StepPath::from("deploy");
    let values = || -> Map<Payload> { [("value".to_owned(), Payload::from(json!("hunter2")))].into_iter().collect() };
    let comment = || Some("why not".to_owned());
    let failed = || Some(failure());
    vec![
        start(),
        Event::Scheduled { path: path(), attempt: 1, delivery: 1, arguments: None },
        Event::Redelivered { path: path(), delivery: 2 },
        Event::AttemptFailed { path: path(), failure: failure(), retry_at: Timestamp(9) },
        Event::Completed { path: path(), outputs: values() },
        Event::Failed { path: path(), failure: failure(), outputs: values(), handled: false },
        Event::Failed { path: "deploy.rollback".into(), failure: failure(), outputs: Map::new(), handled: false },
        Event::Skipped { path: path(), reason: SkipReason::OnError, failure: failed() },
        Event::Skipped { path: path(), reason: SkipReason::Condition, failure: None },
        Event::ApprovalAsked {
            path: path(),
            message: "Go?".to_owned(),
            assignee: "eve".to_owned(),
            until: None,
            escalations: vec![(Timestamp(1), "max".to_owned())],
        },
        Event::Escalated { path: path(), to: "max".to_owned() },
        Event::Decided { path: path(), approved: false, actor: ada(), comment: comment() },
        Event::FormFilled { path: path(), actor: ada() },
        Event::SignalKept { name: "go".to_owned(), payload: Payload::from(json!("hunter2")), actor: ada() },
        Event::SignalTaken { path: path(), name: "go".to_owned(), actor: ada(), kept: false },
        Event::SignalTaken { path: path(), name: "go".to_owned(), actor: ada(), kept: true },
        Event::Paused { actor: ada() },
        Event::Resumed { actor: ada() },
        Event::CancelAsked { actor: ada(), reason: comment() },
        Event::ForceAsked { actor: ada(), at: Timestamp(1) },
        Event::TimedOut,
        Event::Held { reason: failure() },
        Event::Rerun {
            actor: ada(),
            from: Some(path()),
            generation: 2,
            inputs: [("token".to_owned(), json!("hunter2"))].into_iter().collect(),
            kept: Vec::new(),
        },
        Event::CompensationAsked { path: path(), first: None, arguments: None, problem: None },
        Event::RollbackBegan {
            cause: RollbackCause::Asked,
            actor: Some(ada()),
            reason: comment(),
            failure: None,
            strategy: Strategy::Checkpoint,
            to: Some(2),
        },
        Event::RollbackBegan {
            cause: RollbackCause::Failure,
            actor: None,
            reason: None,
            failure: failed(),
            strategy: Strategy::Graceful,
            to: None,
        },
        Event::RollbackAsked { actor: ada(), reason: comment(), strategy: Strategy::Immediate, to: None, until: None },
        Event::GraceOver,
        Event::PointMade { number: 1, kind: PointKind::Asked, path: None, actor: Some(ada()), note: comment() },
        Event::PointMade { number: 2, kind: PointKind::Interval, path: None, actor: None, note: None },
        Event::Returned { actor: ada(), number: 1, generation: 2, again: vec![path()] },
        Event::UndoFailed { path: path(), failure: failure() },
        Event::RolledBack { path: path(), actor: None, comment: None },
        Event::RolledBack { path: path(), actor: Some(ada()), comment: comment() },
        Event::RollbackStopAsked { actor: ada(), reason: comment() },
        Event::RollbackEnded { status: Status::RolledBack, failure: None },
        Event::RollbackEnded { status: Status::RollbackFailed, failure: failed() },
        Event::Doubted { path: path(), failure: None },
        Event::QuestionAsked {
            path: path(),
            about: Question::Escalated,
            to: "ada".to_owned(),
            failure: failed(),
            suggestion: Some(Action::Skip),
            until: None,
            escalations: vec![(Timestamp(1), "max".to_owned())],
        },
        judged(Some(Autonomy::Act)),
        judged(None),
        Event::Answered { path: path(), approved: true, actor: ada(), comment: comment() },
        Event::Queued { path: path() },
        Event::Ended { status: Status::Completed, outputs: values(), failure: None },
        Event::Ended { status: Status::Failed, outputs: Map::new(), failure: failed() },
        Event::Ended { status: Status::RollbackFailed, outputs: Map::new(), failure: failed() },
    ]
}

#[test]
fn the_table() {
    let row = |event: &Event| {
        let tag = json!(event)["t"].as_str().unwrap_or_default().to_owned();
        match entry_of(event) {
            Some(entry) => format!(
                "{tag}: {} {} {} {}",
                entry.event_type.as_str(),
                entry.severity.as_str(),
                entry.actor.label(),
                entry.outcome
            ),
            None => format!("{tag}: -"),
        }
    };
    let table: Vec<String> = samples().iter().map(row).collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    started: execution_started info ada done
    scheduled: -
    redelivered: step_redelivered warning engine done
    attempt_failed: step_retried warning engine retry
    completed: -
    failed: step_failed error engine failed
    failed: compensation_failed critical engine failed
    skipped: step_skipped warning engine skip
    skipped: -
    approval_asked: approval_asked info engine asked
    escalated: escalated warning engine asked
    decided: approval_decided info ada rejected
    form_filled: input_given info ada done
    signal_kept: signal_received info ada done
    signal_taken: signal_received info ada done
    signal_taken: -
    paused: execution_paused info ada done
    resumed: execution_resumed info ada done
    cancel_asked: cancel_asked info ada done
    force_asked: cancel_asked warning ada done
    timed_out: execution_timed_out error engine failed
    held: execution_held warning engine done
    rerun: execution_rerun info ada done
    compensation_asked: compensation_asked warning engine compensate
    rollback_began: rollback_began warning ada done
    rollback_began: rollback_began warning engine done
    rollback_asked: rollback_asked warning ada done
    grace_over: -
    point_made: rollback_point_made info ada done
    point_made: -
    returned: execution_returned info ada done
    undo_failed: undo_failed critical engine failed
    rolled_back: step_rolled_back info engine done
    rolled_back: step_rolled_back info ada done
    rollback_stop_asked: rollback_stopped warning ada done
    rollback_ended: rollback_ended info engine rolled_back
    rollback_ended: rollback_ended critical engine rollback_failed
    doubted: outcome_unknown warning engine done
    question_asked: question_asked warning engine asked
    judged: failure_judged warning engine skip
    judged: -
    answered: question_answered info ada approved
    queued: -
    ended: execution_completed info engine completed
    ended: execution_failed error engine failed
    ended: rollback_failed critical engine rollback_failed
    ");
}

#[test]
fn the_look_at_the_text_misses_nothing_and_spares_the_ordinary() {
    for event in samples() {
        let text = serde_json::to_string(&[Event::Queued { path: "a".into() }, event.clone()]).unwrap();
        assert!(is_wanted(text.as_bytes()) || entry_of(&event).is_none(), "{text}");
    }
    for ordinary in [
        r#"[{"t":"completed","p":"a","o":{"text":"\"t\":\"ended\""}},{"t":"scheduled","p":"b","a":1,"d":1}]"#,
        r#"[{"t":"iteration_began","p":"a","i":1}]"#,
        "[]",
        r#"[{"t":""#,
    ] {
        assert!(!is_wanted(ordinary.as_bytes()), "{ordinary}");
    }
    assert!(is_wanted(&[0xff]), "what is damaged is looked at");
}

#[test]
fn no_value_and_no_text_of_a_process_enters_a_record() {
    for event in samples() {
        let record = serde_json::to_string(&entry_of(&event)).unwrap();
        assert!(!record.contains("hunter2"), "{record}");
    }
    let entry = entry_of(&start()).unwrap();
    assert_eq!(entry.details["inputs"], json!(["token"]), "names are recorded");
}

#[test]
fn people_write_as_much_as_they_like_and_a_record_stays_small() {
    let comment = Some("ü".repeat(100_000));
    let entry = entry_of(&Event::Decided { path: "a".into(), approved: true, actor: ada(), comment }).unwrap();
    assert_eq!(entry.details["comment"].as_str().map(|text| text.chars().count()), Some(AUDIT_TEXT_CHARACTERS_MAX));
    let names: Vec<String> = (0..250).map(|number| format!("input-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(bounded_names(&names)[AUDIT_NAMES_MAX], "and 150 more");
}
