//! Child executions over a real store.

use serde_json::{Value, json};
use skep_model::ids::ExecutionId;

use super::{ada, open, request, settle};
use crate::Node;
use crate::service::{Decide, ListQuery};

const CHILD: &str = "name: kid\ndescription: Adds one.\ninputs: {n: {type: integer, required: true}}\n\
    outputs: {m: '${{ steps.a.outputs.value }}'}\nsteps: [{id: a, uses: set, with: {value: '${{ inputs.n + 1 }}'}}]";

const ASKING: &str = "name: kid\ndescription: Asks.\nsteps: [{id: gate, approval: {message: ok?}}]";

fn parent(rest: &str) -> String {
    format!(
        "name: top\ndescription: Has a child.\nsteps: [{{id: c, workflow: {{name: kid{rest}}}}}, {{id: z, uses: set, with: {{value: 1}}}}]"
    )
}

fn add(node: &Node, text: &str) {
    node.add_workflow(text.to_owned(), None, None, ada()).unwrap();
}

fn child_of(answer: &Value) -> ExecutionId {
    ExecutionId::new(answer["steps"]["c"]["child"].as_str().unwrap_or_else(|| panic!("no child: {answer:#}")))
}

#[test]
fn a_child_runs_and_gives_its_outputs() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    add(&node, CHILD);
    let id = node.start(request(&parent(", inputs: {n: 2}"))).unwrap().execution;
    let answer = settle(&node, &id);
    assert_eq!(answer["status"], "completed", "{answer:#}");
    assert_eq!(answer["steps"]["c"]["outputs"], json!({"m": 3}));
    let child = settle(&node, &child_of(&answer));
    assert_eq!(child["parent"], json!({"execution_id": id.as_str(), "step": "c"}));
    let list = |no_children| {
        let query = ListQuery { limit: 10, no_children, ..ListQuery::default() };
        node.reading().list(&query).unwrap().rows.iter().map(|row| row.is_child).collect::<Vec<_>>()
    };
    assert_eq!((list(false), list(true)), (vec![true, false], vec![false]));
    assert_eq!(node.reading().row("@latest").unwrap().id, id.to_string());
    node.close();
}

#[test]
fn what_cannot_start_is_refused_before_or_fails_the_step() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let unknown = node.start(request(&parent(""))).unwrap_err();
    let crate::Error::InvalidDefinition { problems, .. } = &unknown else { panic!("{unknown}") };
    assert_eq!(problems[0].message, "step `c`: no workflow `kid` in the library");
    add(&node, CHILD);
    let version = node.start(request(&parent(", version: '7'"))).unwrap_err();
    let crate::Error::InvalidDefinition { problems, .. } = &version else { panic!("{version}") };
    assert!(problems[0].message.contains("has no version 7"), "{problems:?}");
    let id = node.start(request(&parent(", inputs: {n: x}"))).unwrap().execution;
    let answer = settle(&node, &id);
    assert_eq!((&answer["status"], &answer["error"]["kind"]), (&json!("failed"), &json!("invalid")), "{answer:#}");
    assert!(answer["error"]["message"].as_str().unwrap().contains("the inputs do not fit"), "{answer:#}");
    node.close();
}

#[test]
fn a_workflow_that_starts_itself_ends_at_the_bound() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    add(&node, "name: kid\ndescription: An end for now.\nsteps: [{id: z, uses: set, with: {value: 1}}]");
    let itself = "name: kid\ndescription: Again and again.\nsteps: [{id: c, workflow: {name: kid}}]";
    add(&node, itself);
    let id = node.start(request(itself)).unwrap().execution;
    let answer = settle(&node, &id);
    assert_eq!(answer["status"], "failed");
    let message = answer["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("at most 8 are allowed"), "{message}");
    let query = ListQuery { limit: 100, ..ListQuery::default() };
    assert_eq!(node.reading().list(&query).unwrap().rows.len(), 9, "the first and eight below it");
    node.close();
}

#[test]
fn who_follows_the_parent_sees_that_a_person_is_awaited_in_the_child() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    add(&node, ASKING);
    let id = node.start(request(&parent(""))).unwrap().execution;
    let answer = settle(&node, &id);
    assert_eq!(answer["status"], "running", "settled, because only a person can move it");
    let child = child_of(&answer);
    let decide = Decide { execution: child.to_string(), step: None, actor: ada(), comment: None };
    node.approve(decide).unwrap();
    assert_eq!(settle(&node, &id)["status"], "completed");
    node.close();
}

#[test]
fn a_cancel_of_the_parent_cancels_the_child_and_one_of_the_child_fails_the_step() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    add(&node, ASKING);
    let id = node.start(request(&parent(""))).unwrap().execution;
    let child = child_of(&settle(&node, &id));
    node.cancel(id.as_str(), ada(), None).unwrap();
    assert_eq!(settle(&node, &id)["status"], "cancelled");
    assert_eq!(settle(&node, &child)["status"], "cancelled");
    let id = node.start(request(&parent(""))).unwrap().execution;
    let child = child_of(&settle(&node, &id));
    node.cancel(child.as_str(), ada(), None).unwrap();
    let answer = settle(&node, &id);
    assert_eq!((&answer["status"], &answer["error"]["code"]), (&json!("failed"), &json!("SKEP-X042")), "{answer:#}");
    assert!(answer["error"]["message"].as_str().unwrap().contains(child.as_str()));
    node.close();
}

/// The child ends while nobody has its parent: the parent's fold asks for it again, and the node finds it over.
#[test]
fn a_crash_between_the_childs_end_and_the_parents_message_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    add(&node, ASKING);
    let id = node.start(request(&parent(""))).unwrap().execution;
    let child = child_of(&settle(&node, &id));
    node.close();
    // The child's last turn as if its owner had died right after that commit.
    end_by_hand(directory.path(), &child);
    let node = open(directory.path());
    node.recover_all().unwrap();
    let answer = settle(&node, &id);
    assert_eq!(answer["status"], "completed", "{answer:#}");
    assert_eq!(child_of(&answer), child);
    node.close();
}

fn end_by_hand(directory: &std::path::Path, child: &ExecutionId) {
    use skep_model::event::Event;
    use skep_model::status::Execution as Status;
    use skep_store::{DataDir, ExecutionChange, Journal, NewTurn, Reader, Row, SqliteJournal, SqliteReader, Write};

    let directory = DataDir::at(directory);
    let reader = SqliteReader::open(&directory).unwrap();
    let row = reader.execution(child).unwrap().unwrap();
    let last = reader.turns(row.local, 1, 1_000).unwrap().pop().unwrap();
    let decided = Event::Decided { path: "gate".into(), approved: true, actor: ada(), comment: None };
    let completed = Event::Completed { path: "gate".into(), outputs: skep_model::Map::new() };
    let ended = Event::Ended { status: Status::Completed, outputs: skep_model::Map::new(), failure: None };
    let events = serde_json::to_string(&[decided, completed, ended]).unwrap();
    let (seq, at) = (last.seq + 1, last.at.plus_ms(1));
    let change = ExecutionChange {
        local: row.local,
        status: Status::Completed,
        updated_at: at,
        ended_at: Some(at),
        waiting: None,
        error: None,
        seq,
    };
    let turn = NewTurn { execution: row.local, seq, at, events };
    let write = Write { turn: Some(turn), rows: vec![Row::ExecutionChanged(change)] };
    let mut journal = SqliteJournal::open(&directory).unwrap();
    journal.commit(&[write]).unwrap();
}
