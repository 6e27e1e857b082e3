//! How inputs are given, and where a workflow comes from.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::answer::Running;
use crate::support::place::Place;

const ECHO: &str = r#"
name: Echo inputs
description: Gives its inputs back.
inputs:
  env: {type: string, default: staging}
  count: {type: integer, default: 1}
  ratio: {type: number, default: 0.5}
  loud: {type: boolean, default: false}
  hosts: {type: array, items: {type: string}, default: []}
  more: {type: object, default: {}}
  workdir: {type: string, default: none}
outputs:
  env: ${{ inputs.env }}
  count: ${{ inputs.count }}
  ratio: ${{ inputs.ratio }}
  loud: ${{ inputs.loud }}
  hosts: ${{ inputs.hosts }}
  more: ${{ inputs.more }}
  workdir: ${{ inputs.workdir }}
steps:
  - {id: a, run: "true"}
"#;

fn check(place: &Place, arguments: &[&str], expected: &Value) {
    let answer = place.run(ECHO, arguments, 0);
    for (name, value) in expected.as_object().expect("an object of expected values") {
        assert_eq!(&answer["outputs"][name], value, "{arguments:?}");
    }
}

#[test]
fn inputs_by_every_spelling() {
    let place = Place::new();
    place.write("inputs.json", r#"{"hosts": ["a", "b"], "more": {"x": [1]}, "count": 3}"#);
    for (arguments, expected) in [
        (&[][..], json!({"env": "staging", "count": 1, "loud": false, "hosts": []})),
        (&["--env=production"], json!({"env": "production"})),
        (&["--env", "production"], json!({"env": "production"})),
        (&["--env="], json!({"env": ""})),
        (&["--loud"], json!({"loud": true})),
        (&["--loud", "--env", "x"], json!({"loud": true, "env": "x"})),
        (&["--loud=false"], json!({"loud": false})),
        (&["--count", "-5", "--ratio=1.5"], json!({"count": -5, "ratio": 1.5})),
        (&["--hosts", r#"["x y", "z"]"#], json!({"hosts": ["x y", "z"]})),
        (&["-i", "env=a=b", "-i", "count=7"], json!({"env": "a=b", "count": 7})),
        (&["-i", "@inputs.json"], json!({"hosts": ["a", "b"], "more": {"x": [1]}, "count": 3})),
        (&["-i", "@inputs.json", "--count=9"], json!({"hosts": ["a", "b"], "count": 9})),
        (&["-i", "workdir=theirs", "--workdir", "."], json!({"workdir": "theirs"})),
    ] {
        check(&place, arguments, &expected);
    }
}

#[test]
fn wrong_inputs_are_refused_before_anything_starts() {
    let place = Place::new();
    place.write("workflow.yaml", ECHO);
    for arguments in [&["--count=many"][..], &["--contu=3"], &["--hosts", "[1"], &["-i", "loud=maybe"]] {
        let mut all = vec!["run", "workflow.yaml", "--format", "json"];
        all.extend(arguments);
        let answer = place.skep(&all);
        assert!(matches!(answer.code, Some(1 | 2)), "{answer}");
        let name = arguments.last().expect("there is one").trim_start_matches('-');
        let value = answer.value();
        assert!(value["error"]["code"].is_string() || value["errors"].is_array(), "{name}: {answer}");
    }
    assert_eq!(place.json(&["list", "--all"], 0).to_string().matches("\"execution_id\"").count(), 0);
}

#[test]
fn a_required_input_has_to_be_given() {
    let place = Place::new();
    let text =
        "name: r\ndescription: R.\ninputs: {who: {type: string, required: true}}\nsteps: [{id: a, run: 'true'}]\n";
    place.write("workflow.yaml", text);
    let answer = place.skep(&["run", "workflow.yaml", "--format", "json"]);
    assert!(matches!(answer.code, Some(1 | 2)) && answer.out.contains("who"), "{answer}");
    assert_eq!(place.json(&["run", "workflow.yaml", "--who=Ada"], 0)["status"], "completed");
}

#[test]
fn a_definition_on_standard_input() {
    let place = Place::new();
    let file = place.write("workflow.yaml", ECHO);
    for arguments in [&["run", "-", "--env=x", "--format", "json"][..], &["validate", "-", "--format", "json"]] {
        let mut command = place.command(arguments);
        command.stdin(Stdio::from(std::fs::File::open(&file).unwrap()));
        let answer = Running::start(command).end().exits(0).value();
        assert!(answer["outputs"]["env"] == "x" || answer["valid"] == true, "{answer:#}");
    }
}

#[test]
fn the_library_by_names() {
    let place = Place::new();
    place.write("workflow.yaml", ECHO);
    place.json(&["workflow", "add", "workflow.yaml", "--as", "automation/tools/echo"], 0);
    place.json(&["workflow", "add", "workflow.yaml", "--as", "pipelines/ci/other"], 0);
    for name in ["echo", "tools/echo", "automation/tools/echo"] {
        let answer = place.json(&["run", name, "--env", name], 0);
        assert_eq!(answer["outputs"]["env"], name, "{answer:#}");
    }
    let listed = place.json(&["workflow", "list"], 0).to_string();
    assert!(listed.contains("automation/tools/echo") && listed.contains("pipelines/ci/other"), "{listed}");
    assert_eq!(place.json(&["pipeline", "other"], 0)["status"], "completed");
    assert_eq!(place.json(&["execute", "echo"], 0)["status"], "completed");
    place.write("workflow.yaml", ECHO.replace("Gives its", "Gives all its"));
    place.json(&["workflow", "add", "workflow.yaml", "--as", "automation/tools/echo"], 0);
    let versions = place.json(&["workflow", "versions", "echo"], 0).to_string();
    assert!(versions.contains("\"number\":1") && versions.contains("\"number\":2"), "{versions}");
    let first = place.skep(&["workflow", "show", "echo", "--version", "1"]).exits(0);
    assert!(first.out.contains("Gives its inputs"), "{first}");
    place.json(&["workflow", "rm", "echo"], 0);
    assert!(place.json(&["run", "echo"], 1)["error"]["hint"].is_string());
}

#[test]
fn a_library_workflow_runs_in_a_folder_of_its_own() {
    let place = Place::new();
    place.write("workflow.yaml", "name: here\ndescription: Where.\nsteps: [{id: a, run: pwd}]\n");
    place.json(&["workflow", "add", "workflow.yaml"], 0);
    let answer = place.json(&["run", "here"], 0);
    let id = answer["execution_id"].as_str().expect("an id is text");
    let directory = answer["steps"]["a"]["outputs"]["stdout"].as_str().expect("it printed");
    assert!(directory.ends_with(&format!("work/{id}")), "{directory}");
    let answer = place.json(&["run", "here", "--workdir", "/"], 0);
    assert_eq!(answer["steps"]["a"]["outputs"]["stdout"], "/");
}

#[test]
fn a_dry_run_starts_nothing() {
    let place = Place::new();
    place.write("workflow.yaml", "name: dry\ndescription: Dry.\nsteps: [{id: a, run: touch ran}]\n");
    let answer = place.json(&["run", "workflow.yaml", "--dry-run"], 0);
    assert!(answer["steps"].is_array(), "{answer:#}");
    assert_eq!(place.json(&["test", "workflow.yaml", "--dry-run"], 0), answer);
    place.json(&["test", "workflow.yaml"], 1);
    assert!(!place.work().join("ran").exists());
}
