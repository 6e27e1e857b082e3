//! Reruns: what stays, what runs again, under which key.

use serde_json::json;
use skep_model::error::Kind;

use super::kit::{Harness, cancel, flow, rerun, signal};

const THREE: &str = "inputs: {x: {type: integer, default: 1}}\ntimeout: 1h\n\
    steps: [{id: a, uses: noop}, {id: b, uses: noop, with: {x: '${{ inputs.x }}'}}, {id: c, uses: noop}]\n\
    finally: [{id: f, uses: noop}]\noutputs: {x: '${{ inputs.x }}'}";

fn again(mut harness: Harness, from: Option<&str>) -> Harness {
    harness.performed.clear();
    harness.tell(&rerun(from, None));
    harness.crash();
    harness.performed.clear();
    harness.settle();
    harness.crash();
    harness
}

fn keys(harness: &Harness) -> Vec<String> {
    harness.performed.iter().map(|task| task.idempotency_key()).collect()
}

#[test]
fn without_a_step_everything_runs_again_under_new_keys() {
    let mut harness = flow(THREE).start_with(json!({"x": 1}));
    harness.settle();
    let harness = again(harness, None);
    assert_eq!(harness.order(), "b c f", "the delivery of `a` was lost with its owner and is not counted here");
    assert_eq!(keys(&harness), ["e1/b/g2", "e1/c/g2", "e1/f/g2"]);
    assert_eq!((harness.status().as_str(), harness.state.generation()), ("completed", 2));
    let third = again(harness, Some("c"));
    assert_eq!((third.state.generation(), keys(&third)), (3, vec!["e1/f/g3".to_owned()]));
}

#[test]
fn from_a_step_of_a_sequence() {
    let run = |failing: &[&str], from: &str| {
        let mut harness = failing.iter().fold(flow(THREE), |flow, path| flow.fails(path, Kind::Invalid));
        harness = harness.start_with(json!({"x": 1}));
        harness.settle();
        harness.performed.clear();
        harness.tell(&rerun(Some(from), None));
        harness.settle();
        assert_eq!(harness.status().as_str(), "completed", "{}", harness.trace());
        harness.order()
    };
    assert_eq!(run(&[], "a"), "a b c f");
    assert_eq!(run(&[], "b"), "b c f");
    assert_eq!(run(&[], "c"), "c f");
    assert_eq!(run(&["b"], "b"), "b c f");
    assert_eq!(run(&["b"], "c"), "b c f", "what did not end well before it runs again too");
    assert_eq!(run(&["f"], "c"), "c f");
}

#[test]
fn from_a_step_of_a_graph() {
    let yaml = "order: graph\nsteps: [{id: a, uses: noop}, {id: b, uses: noop, depends_on: [a]}, \
        {id: c, uses: noop}, {id: d, uses: noop, depends_on: [b, c]}]";
    let run = |failing: &[&str], from: &str| {
        let mut harness = failing.iter().fold(flow(yaml), |flow, path| flow.fails(path, Kind::Invalid)).run();
        harness.performed.clear();
        harness.tell(&rerun(Some(from), None));
        harness.settle();
        assert_eq!(harness.status().as_str(), "completed", "{}", harness.trace());
        harness.order()
    };
    assert_eq!(run(&[], "b"), "b d");
    assert_eq!(run(&[], "c"), "c d");
    assert_eq!(run(&[], "a"), "a b d");
    assert_eq!(run(&["b"], "c"), "b c d", "`b` has not completed");
    assert_eq!(run(&["a"], "d"), "a b d");
}

#[test]
fn inputs_are_replaced_and_kept_results_seen() {
    let mut harness = flow(THREE).start_with(json!({"x": 1}));
    harness.settle();
    harness.tell(&rerun(Some("b"), Some(json!({"x": 2}))));
    harness.settle();
    assert_eq!((harness.with("b"), harness.outputs()), (json!({"x": 2}), json!({"x": 2})));
}

#[test]
fn what_cannot_be_the_beginning_is_named() {
    let yaml = "steps: [{id: p, parallel: {l: [{id: a, uses: noop}], r: [{id: each, foreach: '${{ [1] }}', \
        steps: [{id: b, uses: noop}]}]}}]\nfinally: [{id: f, uses: noop}]";
    let mut harness = flow(yaml).run();
    let mut said = |from: &str| harness.try_tell(&rerun(Some(from), None)).unwrap_err().to_string();
    let prefix = "it cannot be run again: ";
    assert_eq!(said("a"), format!("{prefix}`a` is inside of `p`: run it again from `p`"));
    assert_eq!(said("each[0].b"), format!("{prefix}`each[0].b` is inside of `p`: run it again from `p`"));
    assert_eq!(said("f"), format!("{prefix}`f` is a step of `finally`, which runs again in any case"));
    assert_eq!(said("nope"), format!("{prefix}the workflow has no step `nope`"));
}

#[test]
fn a_cancelled_one_runs_again_with_a_new_time_and_without_kept_signals() {
    let yaml = "timeout: 1h\nsteps: [{id: a, uses: noop}, {id: w, wait: {signal: go}}, \
        {id: l, foreach: '${{ [1, 2] }}', steps: [{id: b, uses: noop}]}]";
    let mut harness = flow(yaml).hangs("a").run();
    harness.tell(&signal("go", json!(1)));
    harness.tell(&cancel());
    harness.settle();
    assert_eq!(harness.status().as_str(), "cancelled");
    harness.now = harness.now.plus_ms(7_200_000);
    harness.tell(&rerun(None, None));
    assert_eq!(harness.state.next_wake(), Some(harness.now.plus_ms(3_600_000)));
    harness.settle();
    assert_eq!(harness.state.waiting_for().as_deref(), Some("signal go: w"), "the signal of before is forgotten");
    harness.tell(&signal("go", json!(2)));
    harness.settle();
    assert_eq!(harness.status().as_str(), "completed");
    harness.tell(&rerun(Some("l"), None));
    harness.settle();
    harness.crash();
    assert_eq!(harness.status().as_str(), "completed", "a loop's rounds run again");
}

#[test]
fn a_forced_end_leaves_nothing_behind() {
    let mut harness = flow("steps: [{id: p, parallel: {l: [{id: a, uses: noop}], r: [{id: w, wait: {for: 1h}}]}}]");
    harness = harness.hangs("a").run();
    harness.tell(&cancel());
    harness.now = harness.now.plus_ms(skep_model::limits::CANCEL_GRACE_MS);
    harness.tell(&cancel());
    assert_eq!(harness.status().as_str(), "cancelled");
    harness.tell(&rerun(Some("p"), None));
    harness.settle();
    harness.pass_ms(3_600_000);
    assert_eq!(harness.status().as_str(), "completed");
}
