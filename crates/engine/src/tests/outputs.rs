//! Outputs: names, nulls, blobs, bounds.

use serde_json::{Value, json};
use skep_model::limits::{INLINE_EXECUTION_BYTES_MAX, INLINE_OUTPUT_BYTES_MAX};

use super::kit::flow;
use crate::Rejection;

#[test]
fn named_outputs_replace_the_raw_ones() {
    let yaml =
        "steps: [{id: a, run: 'true', outputs: {n: '${{ json.n + 1 }}'}}]\noutputs: {all: '${{ steps.a.outputs }}'}";
    let raw = json!({"stdout": "{}", "stderr": "", "exit_code": 0, "json": {"n": 1}});
    assert_eq!(flow(yaml).gives("a", raw).run().outputs(), json!({"all": {"n": 2}}));
    let wrong = flow(yaml).gives("a", json!({"stdout": "", "stderr": "", "exit_code": 0, "json": null})).run();
    assert_eq!(wrong.summary(), "failed: a=failed");
}

#[test]
fn outputs_of_what_did_not_run_are_null() {
    let yaml = "steps: [{id: a, run: 'true', if: '${{ false }}'}]\noutputs: {all: '${{ steps.a.outputs }}', s: '${{ steps.a.status }}', one: '${{ steps.a.outputs.exit_code }}'}";
    let nothing = json!({"stdout": null, "stderr": null, "exit_code": null, "json": null});
    assert_eq!(flow(yaml).run().outputs(), json!({"all": nothing, "s": "skipped", "one": null}));
}

#[test]
fn a_wrong_output_of_the_execution_fails_it() {
    let yaml = "steps: [{id: a, uses: noop}]\noutputs: {x: '${{ steps.a.outputs.nothing }}'}";
    let harness = flow(yaml).run();
    assert_eq!(harness.summary(), "failed: a=completed");
}

fn long(bytes: usize) -> Value {
    json!("x".repeat(bytes))
}

#[test]
fn a_large_output_is_a_blob_that_is_fetched_when_it_is_asked_for() {
    let yaml = "steps: [{id: a, uses: noop}, {id: w, wait: {signal: go}}, {id: z, uses: noop, with: {v: '${{ steps.a.outputs.big }}'}}]";
    let big = long(INLINE_OUTPUT_BYTES_MAX);
    let mut harness = flow(yaml).gives("a", json!({"big": big})).run();
    assert_eq!(harness.stored.len(), 1);
    assert!(serde_json::to_string(&harness.journal).expect("a journal is JSON").len() < 10_000);
    harness.crash();
    harness.fetches = false;
    let go = super::kit::signal("go", json!(1));
    let told = harness.try_tell(&go);
    assert!(matches!(told, Err(Rejection::NeedsBlob(_))), "{told:?}");
    harness.fetches = true;
    harness.tell(&go);
    assert_eq!(harness.with("z"), json!({"v": big}));
    harness.crash();
    harness.settle();
    assert_eq!(harness.status().as_str(), "completed");
}

#[test]
fn a_small_output_stays_in_the_journal_until_the_execution_is_full() {
    let yaml = "steps: [{id: l, foreach: '${{ range(80) }}', steps: [{id: x, uses: noop}]}]";
    let size = INLINE_OUTPUT_BYTES_MAX - 100;
    let mut harness = flow(yaml);
    for round in 0..80 {
        harness = harness.gives(&format!("l[{round}].x"), json!({"o": long(size), "small": round}));
    }
    let harness = harness.run();
    assert_eq!(harness.status().as_str(), "completed");
    let blobs = harness.journal.iter().filter(|turn| format!("{turn:?}").contains("Blob(")).count();
    let inline = INLINE_EXECUTION_BYTES_MAX / size + 1;
    assert_eq!(blobs, 80 - inline, "each after the bound");
    assert_eq!(harness.stored.len(), 1, "equal values are one blob");
}

#[test]
fn a_long_list_of_items_is_a_blob_too() {
    let yaml = "inputs: {l: {type: array}}\nsteps: [{id: l, foreach: '${{ inputs.l }}', steps: [{id: x, uses: noop, with: {v: '${{ item }}'}}]}]";
    let mut harness = flow(yaml).start_with(json!({"l": [long(INLINE_OUTPUT_BYTES_MAX), 2]}));
    harness.crash();
    harness.settle();
    assert_eq!((harness.status().as_str(), harness.with("l[1].x")), ("completed", json!({"v": 2})));
}
