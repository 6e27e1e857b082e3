//! Reruns over a real store.

use serde_json::json;
use skep_model::Map;

use super::{SUM, ada, open, request, settle};
use crate::service::RerunRequest;

fn rerun(execution: &str, from: Option<&str>, arguments: &[(&str, &str)]) -> RerunRequest {
    RerunRequest {
        execution: execution.to_owned(),
        from: from.map(str::to_owned),
        inputs: Map::new(),
        arguments: arguments.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        actor: ada(),
    }
}

#[test]
fn what_is_over_runs_again_with_other_inputs() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let id = node.start(request(SUM)).unwrap().execution;
    settle(&node, &id);
    node.rerun(rerun(id.as_str(), None, &[("numbers", "[4, 5, 6]")])).unwrap();
    let answer = settle(&node, &id);
    assert_eq!((&answer["status"], &answer["outputs"]), (&json!("completed"), &json!({"last": 60})), "{answer:#}");
    assert_eq!((&answer["generation"], &answer["steps"]["end"]["generation"]), (&json!(2), &json!(2)));
    let wrong = node.rerun(rerun(id.as_str(), None, &[("numbers", "[\"x\"]")])).unwrap_err();
    assert!(wrong.to_string().starts_with("the inputs do not fit"), "{wrong}");
    let inside = node.rerun(rerun(id.as_str(), Some("one"), &[])).unwrap_err();
    assert!(inside.to_string().contains("`one` is inside of `each`"), "{inside}");
    node.close();
}

#[test]
fn a_new_owner_runs_again_what_an_old_one_ended_and_keeps_what_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let id = node.start(request(SUM)).unwrap().execution;
    settle(&node, &id);
    node.close();
    let node = open(directory.path());
    node.rerun(rerun("@latest", Some("end"), &[])).unwrap();
    let answer = settle(&node, &id);
    assert_eq!(answer["outputs"], json!({"last": 30}), "{answer:#}");
    assert_eq!(answer["steps"]["each[1].one"].get("generation"), None);
    assert_eq!(answer["steps"]["end"]["generation"], json!(2));
    node.close();
}

#[test]
fn what_is_not_over_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let text = "name: w\ndescription: Waits.\nsteps: [{id: w, wait: {signal: go}}]";
    let id = node.start(request(text)).unwrap().execution;
    settle(&node, &id);
    let refused = node.rerun(rerun(id.as_str(), None, &[])).unwrap_err();
    assert_eq!(refused.to_string(), "the execution is running: only an execution that is over can be run again");
    node.close();
}
