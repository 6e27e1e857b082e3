//! Undoing from outside: the world before and after, the plan, the points, a person who ticks off.

use serde_json::{Value, json};

use crate::support::place::Place;

/// Three steps that make a file each, the last one irreversible; the second is a rollback point.
const FILES: &str = r#"name: files
description: Makes files.
inputs: {fail: {type: boolean, default: false}}
rollback: {strategy: STRATEGY, checkpoint_interval: 50}
steps:
  - {id: a, run: 'touch a', rollback: 'rm a'}
  - {id: b, run: 'touch b', rollback: 'rm b', checkpoint: true}
  - {id: c, run: 'touch c', rollback: 'rm c'}
  - {id: told, run: 'echo told', irreversible: true}
  - {id: last, run: 'if [ "${{ inputs.fail }}" = true ] && [ ! -e repaired ]; then exit 3; fi'}
"#;

fn files(place: &Place) -> String {
    ["a", "b", "c"].into_iter().filter(|name| place.work().join(name).exists()).collect()
}

fn begun(strategy: &str, fail: bool, code: i32) -> Place {
    let place = Place::new();
    place.write("workflow.yaml", FILES.replace("STRATEGY", strategy));
    let input = format!("fail={fail}");
    place.skep(&["run", "workflow.yaml", "-i", &input]).exits(code);
    place
}

fn paths(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(|entry| entry["step"].as_str().or(entry.as_str())).collect()
}

#[test]
fn what_was_done_is_undone_outside_too() {
    for strategy in ["immediate", "graceful"] {
        let place = begun("graceful", false, 0);
        assert_eq!(files(&place), "abc");
        place.json(&["rollback", "@latest", "--strategy", strategy, "--reason", "wrong"], 0);
        assert_eq!(files(&place), "", "{strategy}");
        let status = place.json(&["rollback", "status", "@latest"], 0);
        let rollback = &status["rollback"];
        assert_eq!((&rollback["status"], &rollback["success"]), (&json!("completed"), &json!(true)), "{status:#}");
        assert_eq!(paths(&rollback["undone"]), ["c", "b", "a"]);
    }
}

#[test]
fn the_plan_says_what_would_be_done_and_what_cannot() {
    let place = begun("graceful", false, 0);
    let plan = place.json(&["rollback", "plan", "@latest"], 0);
    assert_eq!(paths(&plan["steps"]), ["c", "b", "a"], "{plan:#}");
    assert_eq!(plan["steps"][0]["does"]["run"], "rm c");
    assert_eq!(plan["cannot_be_undone"][0], json!({"step": "told", "reason": "irreversible"}));
    let part = place.json(&["rollback", "plan", "@latest", "--to", "1"], 0);
    assert_eq!((paths(&part["steps"]), &part["strategy"]), (vec!["c"], &json!("checkpoint")));
    let points = place.json(&["rollback-points", "@latest"], 0);
    let undoes: Vec<_> =
        points["points"].as_array().into_iter().flatten().map(|point| point["undoes"].clone()).collect();
    assert_eq!(undoes, [json!(3), json!(1)], "{points:#}");
    let text = place.skep(&["rollback", "plan", "@latest"]).exits(0);
    assert!(text.out.contains("rm c") && text.out.contains("told (irreversible)"), "{text}");
    let wrong = place.skep(&["rollback", "plan", "@latest", "--to", "9"]);
    assert!(wrong.err.contains("there are: 0, 1"), "{wrong}");
    assert_eq!(files(&place), "abc", "nothing was done");
}

#[test]
fn a_failure_goes_back_to_the_point_and_on_from_there() {
    let place = begun("checkpoint", true, 4);
    assert_eq!(files(&place), "ab");
    let status = place.json(&["rollback", "status", "@latest"], 0);
    assert_eq!(status["rollback"]["status"], "at_point", "{status:#}");
    place.write("repaired", "");
    place.skep(&["resume", "@latest"]).exits(0);
    assert_eq!(files(&place), "abc");
    let answer = place.json(&["status", "@latest"], 0);
    assert_eq!((&answer["status"], &answer["generation"]), (&json!("completed"), &json!(2)), "{answer:#}");
    let generation = |step: &str| answer["steps"][step]["generation"].clone();
    assert_eq!((generation("b"), generation("c")), (Value::Null, json!(2)));
}

#[test]
fn by_hand_a_person_says_what_is_done() {
    let place = begun("manual", true, 4);
    assert_eq!(files(&place), "abc", "nothing was executed");
    let status = place.json(&["rollback", "status", "@latest"], 0);
    assert_eq!((&status["rollback"]["status"], &status["rollback"]["next"]), (&json!("manual_ready"), &json!("c")));
    let wrong = place.skep(&["rollback", "done", "@latest", "a"]);
    assert!(wrong.code != Some(0) && wrong.err.contains("`c` is undone next"), "{wrong}");
    for step in ["c", "b"] {
        let told = place.json(&["rollback", "done", "@latest", step, "--comment", "gone"], 0);
        assert_eq!(told["status"], "held");
    }
    place.json(&["rollback", "done", "@latest"], 0);
    assert_eq!(place.json(&["status", "@latest"], 0)["status"], "rolled_back");
}

#[test]
fn undo_is_for_what_is_over_and_mistakes_are_told() {
    let place = begun("graceful", false, 0);
    place.json(&["undo", "@latest"], 0);
    let status = place.json(&["status", "@latest"], 0);
    assert_eq!((status["status"].as_str(), files(&place).as_str()), (Some("rolled_back"), ""));
    let again = place.skep(&["undo", "@latest"]);
    assert!(again.code != Some(0) && again.err.contains("nothing that can be undone"), "{again}");
    let late = place.skep(&["checkpoint", "@latest"]);
    assert!(late.code != Some(0) && late.err.contains("rolled_back"), "{late}");
    let both = place.skep(&["rollback", "@latest", "--strategy", "manual", "--to", "1"]);
    assert!(both.code != Some(0) && both.err.contains("--to"), "{both}");
    let nobody = place.skep(&["rollback", "status", "nonsuch"]);
    assert!(nobody.code != Some(0) && nobody.err.contains("nonsuch"), "{nobody}");
}
