//! What tests tell an execution.

use serde_json::Value;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::error::{Failure, Kind};
use skep_model::ids::{ExecutionId, Hash, StepPath};
use skep_model::message::{Choices, Decision, Message, Start};
use skep_model::permit::Resource;
use skep_model::rollback::Strategy;

use crate::Program;

pub(super) fn ada() -> Actor {
    Actor::person("ada")
}

pub(super) fn failure(kind: Kind) -> Failure {
    Failure::new(kind, "SKEP-T001", format!("failed on purpose: {}", kind.as_str()))
}

pub(super) fn approve(path: Option<&str>) -> Message {
    Message::Approve(decision(path))
}

pub(super) fn reject(path: Option<&str>) -> Message {
    Message::Reject(decision(path))
}

fn decision(path: Option<&str>) -> Decision {
    Decision { path: path.map(StepPath::from), actor: ada(), comment: Some("so be it".to_owned()) }
}

pub(super) fn cancel() -> Message {
    Message::Cancel { actor: ada(), reason: None }
}

pub(super) fn pause() -> Message {
    Message::Pause { actor: ada() }
}

pub(super) fn resume() -> Message {
    Message::Resume { actor: ada() }
}

pub(super) fn rollback() -> Message {
    Message::Rollback { actor: ada(), reason: None, strategy: None, to: None }
}

pub(super) fn roll_back(strategy: Strategy, to: Option<u32>) -> Message {
    Message::Rollback { actor: ada(), reason: Some("wrong".to_owned()), strategy: Some(strategy), to }
}

pub(super) fn checkpoint() -> Message {
    Message::Checkpoint { actor: ada(), note: Some("before the night".to_owned()) }
}

pub(super) fn undone(path: Option<&str>) -> Message {
    Message::Undone { actor: ada(), path: path.map(StepPath::from), comment: None }
}

pub(super) fn rerun(from: Option<&str>, inputs: Option<Value>) -> Message {
    Message::Rerun { actor: ada(), from: from.map(StepPath::from), inputs: inputs.map(object) }
}

/// A permit that nobody asked for.
pub(super) fn stray_permit(path: &str) -> Message {
    let group = skep_model::plan::Concurrency {
        group: "stray".to_owned(),
        limit: 1,
        when_full: skep_model::plan::WhenFull::Queue,
    };
    let answer = skep_model::permit::Answer::Granted { probe: false };
    Message::Permit { path: Some(path.into()), resource: Resource::Group(group), answer }
}

pub(super) fn signal(name: &str, payload: Value) -> Message {
    Message::Signal { name: name.to_owned(), payload, actor: ada() }
}

pub(super) fn keep_signal(name: &str, payload: Value) -> Message {
    Message::KeepSignal { name: name.to_owned(), payload, actor: ada() }
}

pub(super) fn input(values: Value) -> Message {
    Message::Input { path: None, values: object(values), actor: ada() }
}

pub(super) fn object(value: Value) -> Map<Value> {
    match value {
        Value::Object(map) => map.into_iter().collect(),
        other => panic!("the test meant an object, not {other}"),
    }
}

pub(super) fn start_message(program: &Program, inputs: Value) -> Message {
    Message::Start(Box::new(Start {
        execution: ExecutionId::new("e1"),
        plan_hash: program.hash(),
        definition_hash: Hash::of(b"definition"),
        inputs: object(inputs),
        base_dir: "/work".into(),
        environment: Map::from_iter([("PATH".to_owned(), "/bin".to_owned())]),
        actor: ada(),
        event: Value::Null,
        seed: 7,
        parent: None,
        choices: Choices::default(),
    }))
}
