//! The whole node over a real store, with actions that need no process of their own.

mod access;
mod audit;
mod bounds;
mod breakers;
mod paranoid;
mod permits;
mod predicted;
mod recoveries;
mod sources;
mod validation;
mod world;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::ids::ExecutionId;

use crate::config::Config;
use crate::service::{Decide, ListQuery, Source, StartRequest};
use crate::{Node, Settings};

fn ada() -> Actor {
    Actor::person("ada")
}

fn open(directory: &std::path::Path) -> Node {
    open_with(directory, Config::default())
}

fn open_with(directory: &std::path::Path, config: Config) -> Node {
    let settings = Settings { data_dir: directory.to_owned(), config, spawner: None };
    Node::open(settings).unwrap()
}

fn request(text: &str) -> StartRequest {
    StartRequest {
        source: Source::Text { text: text.to_owned(), file: None },
        inputs: Map::new(),
        arguments: Vec::new(),
        base_dir: None,
        environment: Map::new(),
        actor: ada(),
        idempotency_key: None,
        event: serde_json::Value::Null,
        choices: Default::default(),
    }
}

/// Waits until nothing moves by itself any more; the beats wake it, a bound keeps a broken test from hanging.
fn settle(node: &Node, execution: &ExecutionId) -> Value {
    let mut beats = node.watcher().beats();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !node.settled(execution).unwrap().is_some_and(crate::Summary::is_settled) {
        assert!(Instant::now() < deadline, "it does not settle");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(1), beats.changed()).await });
    }
    node.reading().status(execution.as_str(), false).unwrap()
}

const SUM: &str = r#"
name: sum
description: Adds up.
inputs:
  numbers: {type: array, items: {type: integer}, default: [1, 2, 3]}
outputs: {last: "${{ steps.end.outputs.value }}"}
steps:
  - id: each
    foreach: ${{ inputs.numbers }}
    max_parallel: 2
    steps:
      - {id: one, uses: set, with: {value: "${{ item * 10 }}"}}
  - {id: end, uses: set, with: {value: "${{ steps.each.outputs.results[2].outputs.one.value }}"}}
"#;

#[test]
fn a_workflow_runs_to_its_end_and_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let started = node.start(request(SUM)).unwrap();
    let answer = settle(&node, &started.execution);
    assert_eq!(answer["status"], "completed", "{answer:#}");
    assert_eq!(answer["outputs"], json!({"last": 30}));
    assert_eq!(answer["steps"]["each[1].one"]["outputs"], json!({"value": 20}));
    let listing = node.reading().list(&ListQuery { limit: 10, ..ListQuery::default() }).unwrap();
    assert_eq!(listing.rows.len(), 1);
    let replay = node.reading().replay("@latest", Some(1)).unwrap();
    assert_eq!(replay.state.unwrap()["status"], "running");
    node.close();
}

const GATE: &str = r"
name: gate
description: Asks.
steps:
  - {id: ask, approval: {message: 'Go?'}}
  - {id: go, uses: log, with: {message: went}}
";

#[test]
fn a_decision_survives_the_owner() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let execution = node.start(request(GATE)).unwrap().execution;
    let answer = settle(&node, &execution);
    assert_eq!(answer["waiting"][0]["step"], "ask", "{answer:#}");
    node.close();

    let node = open(directory.path());
    let decide = Decide { execution: "@latest".to_owned(), step: None, actor: ada(), comment: Some("yes".to_owned()) };
    node.approve(decide.clone()).unwrap();
    let answer = settle(&node, &execution);
    assert_eq!(answer["status"], "completed", "{answer:#}");
    assert_eq!(answer["steps"]["ask"]["outputs"]["by"], "ada");
    let error = node.approve(decide).unwrap_err();
    assert_eq!(error.to_string(), "the execution is completed: it cannot change any more");
    let logs = node.reading().logs("@latest", None, Default::default()).unwrap();
    assert_eq!(logs.records.len(), 1);
    node.close();
}

#[test]
fn what_this_build_lacks_is_refused_before_the_start_all_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let text = "
name: later
description: Wants more.
steps:
  - {id: a, agent: {capabilities: [db], task: x}}
  - {id: b, uses: hv-broadcast, with: {message: x}}
  - {id: c, uses: noop, policy: hardened}
";
    let crate::Error::InvalidDefinition { problems, .. } = node.start(request(text)).unwrap_err() else {
        panic!("it must be refused as a definition");
    };
    let errors = problems.iter().filter(|problem| problem.severity == skep_model::problem::Severity::Error);
    assert_eq!(errors.count(), 3, "{problems:#?}");
    assert!(node.reading().interrupted().unwrap().is_empty());
    node.close();
}

#[test]
fn the_library_finds_a_workflow_by_the_end_of_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let path = |path: &str| Some(path.to_owned());
    node.add_workflow(SUM.to_owned(), None, path("automation/maths/sum"), ada()).unwrap();
    let again = node.add_workflow(SUM.to_owned(), None, path("automation/maths/sum"), ada()).unwrap();
    assert_eq!(again.number, 1, "the same text is the same version");
    node.add_workflow(GATE.to_owned(), None, None, ada()).unwrap();
    for name in ["sum", "maths/sum", "automation/sum", "automation/maths/sum"] {
        assert_eq!(node.reading().workflow(name, None).unwrap().0.path, "automation/maths/sum", "{name}");
    }
    assert!(node.reading().workflow("som", None).is_err());
    node.add_workflow(GATE.to_owned(), None, path("other/sum"), ada()).unwrap();
    assert!(matches!(node.reading().workflow("sum", None), Err(crate::Error::AmbiguousWorkflow { .. })));
    assert_eq!(node.remove_workflow("other/sum", &ada()).unwrap(), "other/sum");
    let request = StartRequest { source: Source::Library { name: "sum".to_owned(), version: None }, ..request("") };
    let execution = node.start(request).unwrap().execution;
    assert_eq!(settle(&node, &execution)["status"], "completed");
    node.close();
}

#[test]
fn large_outputs_travel_through_the_blob_store() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let text = "
name: large
description: Large values.
inputs: {text: {type: string}}
steps:
  - {id: a, uses: set, with: {value: '${{ inputs.text }}'}}
  - {id: b, uses: set, with: {length: '${{ steps.a.outputs.value | length }}'}}
";
    let mut request = request(text);
    request.inputs.insert("text".to_owned(), json!("x".repeat(100_000)));
    let execution = node.start(request).unwrap().execution;
    let answer = settle(&node, &execution);
    assert_eq!(answer["steps"]["b"]["outputs"]["length"], 100_000, "{}", answer["error"]);
    assert_eq!(answer["steps"]["a"]["outputs"]["value"].as_str().map(str::len), Some(100_000));
    node.close();
}

mod children;
mod reruns;
