//! Every verb answers `--format json` with one JSON value, or JSON Lines where a page says so.

use serde_json::Value;

use crate::support::place::Place;

const DONE: &str = "name: done\ndescription: Done.\nsteps: [{id: a, run: 'echo out; echo err >&2'}]\n";

fn prepared() -> Place {
    let place = Place::new();
    place.run(DONE, &[], 0);
    place
}

#[test]
fn every_verb_that_answers_gives_one_value() {
    let place = prepared();
    for arguments in [
        &["status"][..],
        &["status", "@latest", "--all-iterations"],
        &["list"],
        &["list", "--all"],
        &["history"],
        &["history", "--status", "completed", "--workflow", "done", "--last", "7d", "--limit", "5"],
        &["workflow", "add", "workflow.yaml"],
        &["workflow", "list"],
        &["workflow", "show", "done"],
        &["workflow", "versions", "done"],
        &["workflow", "rm", "done"],
        &["validate", "workflow.yaml"],
        &["validate", "workflow.yaml", "--level", "basic"],
        &["convert", "workflow.yaml"],
        &["graph", "workflow.yaml"],
        &["schema"],
        &["explain", "SKEP-D001"],
        &["explain", "--all"],
        &["config", "show"],
        &["config", "path"],
        &["doctor"],
        &["audit", "list"],
        &["audit", "verify"],
        &["run", "workflow.yaml", "--dry-run"],
        &["run", "workflow.yaml"],
    ] {
        let value = place.json(arguments, 0);
        assert!(value.is_object() || value.is_array() || value.is_string(), "{arguments:?}: {value:#}");
    }
}

#[test]
fn every_verb_answers_people_too() {
    let place = prepared();
    for arguments in [
        &["status"][..],
        &["list"],
        &["history"],
        &["logs", "@latest"],
        &["replay", "@latest"],
        &["workflow", "list"],
        &["validate", "workflow.yaml"],
        &["convert", "workflow.yaml"],
        &["graph", "workflow.yaml"],
        &["schema"],
        &["explain", "SKEP-D001"],
        &["config", "show"],
        &["config", "path"],
        &["completions", "bash"],
        &["doctor"],
        &["audit", "list"],
        &["audit", "verify"],
        &["audit", "export"],
        &["run", "workflow.yaml"],
        &["--help"],
        &["--version"],
        &["run", "--help"],
    ] {
        let answer = place.skep(arguments).exits(0);
        assert!(!answer.out.is_empty() || !answer.err.is_empty(), "{answer}");
        assert!(!answer.out.contains('\u{1b}'), "no colour into a file: {answer}");
    }
}

#[test]
fn logs_are_lines() {
    let place = prepared();
    let records = place.skep(&["logs", "@latest", "--format", "json"]).exits(0).lines();
    let text = records.iter().map(Value::to_string).collect::<String>();
    assert!(text.contains("out") && text.contains("err"), "{text}");
    let shown = place.skep(&["logs", "@latest", "--step", "a"]).exits(0);
    assert!(shown.out.contains("out") && shown.out.contains("err"), "{shown}");
}

#[test]
fn replay_is_lines_and_a_state() {
    let place = prepared();
    let events = place.skep(&["replay", "@latest", "--format", "json"]).exits(0).lines();
    assert!(events.len() >= 3, "{events:#?}");
    let at = place.skep(&["replay", "@latest", "--at", "1", "--format", "json"]).exits(0).lines();
    let text = at.iter().map(Value::to_string).collect::<String>();
    assert!(text.contains("running"), "{text}");
}

#[test]
fn a_follower_sees_the_logs_of_a_live_execution() {
    let place = Place::new();
    let text = "name: live\ndescription: Live.\nsteps: [{id: a, run: 'echo early; until [ -e go ]; do sleep 0.01; done; echo late'}]\n";
    place.write("workflow.yaml", text);
    place.json(&["run", "workflow.yaml", "--detach"], 0);
    let follow = place.start(&["logs", "@latest", "-f"]);
    place.write("go", "");
    let answer = follow.end().exits(0);
    assert!(answer.out.contains("early") && answer.out.contains("late"), "{answer}");
    place.skep(&["serve", "--stop"]).exits(0);
}

#[test]
fn list_has_what_is_open_and_history_everything() {
    let place = prepared();
    let rows = |value: &Value| value.to_string().matches("\"workflow\":\"done\"").count();
    assert_eq!(rows(&place.json(&["list"], 0)), 0);
    assert_eq!(rows(&place.json(&["list", "--all"], 0)), 1);
    assert_eq!(rows(&place.json(&["history"], 0)), 1);
    assert_eq!(rows(&place.json(&["history", "--status", "failed"], 0)), 0);
}

#[test]
fn the_schema_names_every_kind() {
    let schema = prepared().json(&["schema"], 0).to_string();
    for kind in ["run", "uses", "approval", "input", "wait", "switch", "parallel", "foreach", "while", "repeat"] {
        assert!(schema.contains(&format!("\"{kind}\"")), "{kind}");
    }
}

#[test]
fn the_examples_of_the_help_are_whole() {
    let place = Place::new();
    let reference = place.skep(&["__cli-reference"]).exits(0).out;
    for verb in ["run", "serve", "status", "resume", "approve", "workflow", "validate", "doctor"] {
        assert!(reference.contains(&format!("skep {verb}")), "{verb}");
    }
}
