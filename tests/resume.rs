//! Going on after a death: with `resume`, with `serve`, and what `serve --stop` leaves.

use serde_json::Value;

use crate::support::answer::Running;
use crate::support::place::Place;
use crate::support::{journal, processes, wait};

const THREE: &str = "
name: three
description: Three steps, the second of which waits for a file.
steps:
  - {id: first, run: echo first >> trace}
  - {id: second, run: 'echo second >> trace; until [ -e go ]; do sleep 0.01; done; echo done'}
  - {id: third, run: 'echo third >> trace; echo \"after ${{ steps.second.outputs.stdout }}\"'}
";

const FAILS: &str = "
name: fails
description: Fails after the wait.
steps:
  - {id: first, run: echo first >> trace}
  - {id: second, run: 'echo second >> trace; until [ -e go ]; do sleep 0.01; done; exit 7'}
";

/// Runs a definition until `line` stands in the trace.
fn run_until(place: &Place, definition: &str, line: &str) -> Running {
    place.write("workflow.yaml", definition);
    let run = place.start(&["run", "workflow.yaml", "--format", "json"]);
    wait::until(line, wait::SOON, || place.read("trace").contains(line).then_some(()));
    run
}

fn status_becomes(place: &Place, wanted: &str) -> Value {
    wait::until(wanted, wait::SOON, || Some(place.status()).filter(|answer| answer["status"] == wanted))
}

#[test]
fn resume_goes_on_at_the_step_that_was_interrupted() {
    let place = Place::new();
    run_until(&place, THREE, "second").kill();
    let interrupted = place.status();
    assert_eq!(interrupted["status"], "running", "{interrupted:#}");
    assert_eq!(interrupted["steps"]["first"]["status"], "completed");
    place.write("go", "");
    let answer = place.json(&["resume", "@latest"], 0);
    assert_eq!(answer["status"], "completed", "{answer:#}");
    assert_eq!(answer["execution_id"], interrupted["execution_id"]);
    assert_eq!(answer["steps"]["third"]["outputs"]["stdout"], "after done");
    assert_eq!(answer["steps"]["second"]["attempts"], 1, "a lost delivery is not an attempt");
    assert_eq!(place.read("trace"), "first\nsecond\nsecond\nthird\n");
}

#[test]
fn resume_exits_by_how_it_ends() {
    let place = Place::new();
    run_until(&place, FAILS, "second").kill();
    place.write("go", "");
    let answer = place.json(&["resume", "@latest"], 1);
    assert_eq!(answer["status"], "failed", "{answer:#}");
    assert_eq!(answer["error"]["exit_code"], 7, "{answer:#}");
}

#[test]
fn a_second_run_names_the_interrupted_one_and_leaves_it_alone() {
    let place = Place::new();
    run_until(&place, THREE, "second").kill();
    let interrupted = place.status()["execution_id"].as_str().expect("it has an id").to_owned();
    place.write("other.yaml", "name: other\ndescription: Another.\nsteps: [{id: a, run: 'true'}]\n");
    let answer = place.skep(&["run", "other.yaml", "--format", "json"]).exits(0);
    assert!(answer.err.contains(&interrupted[..8]), "{answer}");
    let status = place.json(&["status", &interrupted], 0);
    assert_eq!(status["status"], "running", "{status:#}");
    assert_eq!(place.read("trace"), "first\nsecond\n");
}

#[test]
fn the_processes_of_a_dead_owner_do_not_outlive_it() {
    let place = Place::new();
    let run = run_until(&place, THREE, "second");
    let execution = journal::newest(place.data()).expect("it runs").execution;
    assert!(!processes::of_execution(&execution).is_empty(), "the second step runs");
    run.kill();
    wait::until("its processes to be gone", wait::SOON, || {
        processes::of_execution(&execution).is_empty().then_some(())
    });
}

#[test]
fn serve_recovers_every_open_execution() {
    let place = Place::new();
    run_until(&place, THREE, "second").kill();
    place.write("workflow.yaml", THREE.replace("trace", "trace-2"));
    let second = place.start(&["run", "workflow.yaml"]);
    wait::until("the second run", wait::SOON, || place.read("trace-2").contains("second").then_some(()));
    second.kill();
    place.write("go", "");
    let serve = place.start(&["serve"]);
    wait::until("both to end", wait::SOON, || {
        let list = place.json(&["history"], 0);
        let rows = list.to_string();
        (rows.matches("\"completed\"").count() == 2).then_some(())
    });
    for trace in ["trace", "trace-2"] {
        assert_eq!(place.read(trace), "first\nsecond\nsecond\nthird\n", "{trace}");
    }
    place.skep(&["serve", "--stop"]).exits(0);
    assert_eq!(serve.end().code, Some(0));
}

#[test]
fn serve_stop_lets_running_steps_end() {
    let place = Place::new();
    let serve = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    place.write("workflow.yaml", THREE);
    place.json(&["run", "workflow.yaml", "--detach"], 0);
    wait::until("the second step", wait::SOON, || place.read("trace").contains("second").then_some(()));
    let stop = place.start(&["serve", "--stop"]);
    wait::until("the owner to hear of it", wait::SOON, || serve.errors_so_far().contains("ending").then_some(()));
    place.write("go", "");
    assert_eq!(stop.end().code, Some(0));
    assert_eq!(serve.end().code, Some(0));
    let left = journal::newest(place.data()).expect("it was started");
    let second = &left.steps["second"];
    assert_eq!((second.deliveries, second.outstanding), (1, None), "it ended before the owner: {left:?}");
    assert_eq!(place.read("trace"), "first\nsecond\n", "nothing new begins");
    let answer = place.json(&["resume", "@latest"], 0);
    assert_eq!(answer["status"], "completed", "{answer:#}");
    assert_eq!(place.read("trace"), "first\nsecond\nthird\n");
}

#[test]
fn a_detached_run_goes_on_without_its_caller() {
    let place = Place::new();
    place.write("workflow.yaml", THREE);
    let answer = place.json(&["run", "workflow.yaml", "--detach"], 0);
    assert!(answer["execution_id"].is_string(), "{answer:#}");
    place.write("go", "");
    let answer = status_becomes(&place, "completed");
    assert_eq!(answer["steps"]["third"]["outputs"]["stdout"], "after done");
    place.skep(&["serve", "--stop"]).exits(0);
}

#[test]
fn an_owner_that_was_told_to_ask_goes_on_with_nothing_before_somebody_says_so() {
    let place = Place::new();
    place.write("three.yaml", THREE);
    place.write("asks.yaml", "name: asks\ndescription: Listens.\nsteps: [{id: hears, wait: {signal: go}}]\n");
    let serve = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    let started = |answer: Value| answer["execution_id"].as_str().expect("it has an id").to_owned();
    let hears = started(place.json(&["run", "asks.yaml", "--detach"], 0));
    let works = started(place.json(&["run", "three.yaml", "--detach"], 0));
    wait::until("the second step", wait::SOON, || place.read("trace").contains("second").then_some(()));
    serve.kill();
    place.write("go", "");

    let serve = place.start(&["serve", "--recovery", "ask", "--format", "json"]);
    wait::until("the new owner", wait::SOON, || {
        let listed = place.json(&["list"], 0);
        let rows = listed["executions"].as_array().cloned().unwrap_or_default();
        (rows.len() == 2 && rows.iter().all(|row| row["interrupted"] == true)).then_some(())
    });
    place.skep(&["signal", &hears, "go"]).exits(0);
    let refused = place.skep(&["pause", &works]);
    assert!(refused.code != Some(0) && refused.err.contains("skep resume"), "{refused}");
    let status = place.json(&["status", &hears], 0);
    assert_eq!((&status["status"], &status["waiting"][1]["kind"]), (&"running".into(), &"interrupted".into()));
    assert_eq!(place.read("trace"), "first\nsecond\n", "nothing goes on by itself");

    assert_eq!(place.json(&["resume", &hears], 0)["status"], "completed", "its signal was kept");
    let recovered = place.json(&["recover"], 0);
    assert_eq!(recovered["orphans"][0]["execution_id"], works.as_str(), "{recovered:#}");
    wait::until("its end", wait::SOON, || (place.json(&["status", &works], 0)["status"] == "completed").then_some(()));
    place.skep(&["serve", "--stop"]).exits(0);
    let said = serve.end().exits(0).value();
    assert_eq!((&said["recovered"], &said["interrupted"]), (&0.into(), &2.into()), "{said}");
}
