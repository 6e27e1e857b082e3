//! Deciding, answering, signalling, pausing: from another process while an owner runs, and without one.

use serde_json::{Value, json};

use crate::support::answer::Running;
use crate::support::place::Place;
use crate::support::wait;

const GATE: &str = "
name: gate
description: Asks, then acts.
steps:
  - {id: ask, approval: {message: 'Go on?'}}
  - {id: act, run: 'echo acted >> trace'}
";

const FORM: &str = "
name: form
description: Asks for a branch.
steps:
  - id: ask
    input: {branch: {type: choice, choices: [main, next]}, count: {type: integer, default: 1}}
  - {id: act, run: 'echo \"${{ steps.ask.outputs.branch }} ${{ steps.ask.outputs.count }}\"'}
";

const SIGNAL: &str = "
name: signal
description: Waits for a signal.
steps:
  - {id: nod, wait: {signal: deployed, timeout: 1h}}
  - {id: act, run: 'echo \"${{ steps.nod.outputs.payload.version }}\"'}
";

/// A `run` that stays, and the execution waits for somebody.
fn waiting(place: &Place, definition: &str) -> Running {
    place.write("workflow.yaml", definition);
    let run = place.start(&["run", "workflow.yaml", "--wait", "--format", "json"]);
    wait::until("the execution to wait", wait::SOON, || is_waiting(place).then_some(()));
    run
}

/// Asked only once there is something to ask about.
fn is_waiting(place: &Place) -> bool {
    let answer = place.skep(&["status", "@latest", "--format", "json"]);
    answer.code == Some(0) && answer.value()["waiting"].as_array().is_some_and(|waiting| !waiting.is_empty())
}

/// Without an owner the command that moves the execution carries it to its end before it answers or after;
/// `status` tells when.
fn ended(place: &Place) -> Value {
    wait::until("the end", wait::SOON, || {
        let answer = place.status();
        ["completed", "failed", "cancelled"].iter().any(|word| answer["status"] == *word).then_some(answer)
    })
}

/// Runs `definition` both ways, moves it with `arguments`, and gives both answers.
fn moved(definition: &str, arguments: &[&str]) -> [Value; 2] {
    let owned = Place::new();
    let run = waiting(&owned, definition);
    owned.json(arguments, 0);
    let beside_an_owner = run.end().value();

    let alone = Place::new();
    let answer = alone.run(definition, &[], 4);
    assert_eq!(answer["status"], "running", "{answer:#}");
    alone.json(arguments, 0);
    [beside_an_owner, ended(&alone)]
}

#[test]
fn approve() {
    for answer in moved(GATE, &["approve", "@latest", "--comment", "looks good"]) {
        assert_eq!(answer["status"], "completed", "{answer:#}");
        assert_eq!(answer["steps"]["ask"]["outputs"]["approved"], true);
        assert_eq!(answer["steps"]["ask"]["outputs"]["comment"], "looks good");
        assert_eq!(answer["steps"]["act"]["status"], "completed");
    }
}

#[test]
fn reject() {
    for answer in moved(GATE, &["reject", "@latest", "--step", "ask", "--comment", "no"]) {
        assert_eq!(answer["status"], "failed", "{answer:#}");
        assert_eq!(answer["steps"]["ask"]["reason"], "rejected");
        assert_eq!(answer["steps"]["act"]["status"], "skipped");
        assert_eq!(answer["error"]["kind"], "rejected", "{answer:#}");
    }
}

#[test]
fn input() {
    for answer in moved(FORM, &["input", "@latest", "-i", "branch=next", "-i", "count=3"]) {
        assert_eq!(answer["steps"]["act"]["outputs"]["stdout"], "next 3", "{answer:#}");
    }
}

#[test]
fn input_is_checked() {
    let place = Place::new();
    place.run(FORM, &[], 4);
    let answer = place.skep(&["input", "@latest", "-i", "branch=other", "--format", "json"]);
    assert!(matches!(answer.code, Some(1 | 2)) && answer.out.contains("branch"), "{answer}");
    place.write("form.json", r#"{"branch": "main"}"#);
    place.json(&["input", "@latest", "@form.json"], 0);
    assert_eq!(ended(&place)["steps"]["act"]["outputs"]["stdout"], "main 1");
}

#[test]
fn signal() {
    for answer in moved(SIGNAL, &["signal", "@latest", "deployed", "--payload", r#"{"version": "1.2"}"#]) {
        assert_eq!(answer["steps"]["act"]["outputs"]["stdout"], "1.2", "{answer:#}");
    }
}

#[test]
fn a_signal_before_its_wait_is_kept() {
    let place = Place::new();
    let text = SIGNAL.replace("  - {id: nod", "  - {id: gate, approval: {message: 'Go?'}}\n  - {id: nod");
    place.run(&text, &[], 4);
    place.json(&["signal", "@latest", "deployed", "--payload", r#"{"version": "early"}"#], 0);
    place.json(&["approve", "@latest"], 0);
    assert_eq!(ended(&place)["steps"]["act"]["outputs"]["stdout"], "early");
}

#[test]
fn deciding_twice_is_refused() {
    let place = Place::new();
    place.run(GATE, &[], 4);
    place.json(&["approve", "@latest"], 0);
    ended(&place);
    let answer = place.json(&["approve", "@latest"], 1);
    assert!(answer["error"]["message"].as_str().is_some_and(|message| message.contains("completed")), "{answer:#}");
    assert_eq!(place.read("trace"), "acted\n");
}

#[test]
fn cancel_without_an_owner() {
    for verb in ["cancel", "stop"] {
        let place = Place::new();
        place.run(GATE, &[], 4);
        place.json(&[verb, "@latest"], 0);
        assert_eq!(ended(&place)["status"], "cancelled");
        assert_eq!(place.read("trace"), "");
    }
}

const STEPS: &str = "
name: steps
description: Two steps with a file between them.
steps:
  - {id: one, run: 'echo one >> trace; until [ -e go ]; do sleep 0.01; done'}
  - {id: two, run: 'echo two >> trace'}
";

#[test]
fn pause_and_resume_beside_an_owner() {
    let place = Place::new();
    place.write("workflow.yaml", STEPS);
    let run = place.start(&["run", "workflow.yaml", "--format", "json"]);
    wait::until("the first step", wait::SOON, || (place.read("trace") == "one\n").then_some(()));
    place.json(&["pause", "@latest"], 0);
    place.write("go", "");
    // Without `--wait` a paused execution is nothing to follow.
    let answer = run.end().exits(4).value();
    assert_eq!(answer["status"], "paused", "{answer:#}");
    assert_eq!(place.read("trace"), "one\n", "no new step begins");
    let answer = place.json(&["resume", "@latest"], 0);
    assert_eq!(answer["status"], "completed", "{answer:#}");
    assert_eq!(place.read("trace"), "one\ntwo\n");
}

#[test]
fn pause_and_resume_with_one_owner_for_all() {
    let place = Place::new();
    let serve = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    place.write("workflow.yaml", STEPS);
    place.json(&["run", "workflow.yaml", "--detach"], 0);
    wait::until("the first step", wait::SOON, || (place.read("trace") == "one\n").then_some(()));
    place.json(&["pause", "@latest"], 0);
    place.write("go", "");
    wait::until("the first step to end", wait::SOON, || {
        (place.status()["steps"]["one"]["status"] == "completed").then_some(())
    });
    assert_eq!(place.status()["status"], "paused");
    assert_eq!(place.json(&["resume", "@latest"], 0)["status"], "completed");
    place.json(&["serve", "--stop"], 0);
    assert_eq!(serve.end().code, Some(0));
}

#[test]
fn several_waiting_steps_are_told_apart() {
    let place = Place::new();
    let text = "
name: two gates
description: Two questions at once.
steps:
  - id: both
    parallel:
      left: [{id: left, approval: {message: 'Left?'}}]
      right: [{id: right, approval: {message: 'Right?'}}]
";
    let answer = place.run(text, &[], 4);
    assert_eq!(answer["steps"]["left"]["status"], "waiting", "{answer:#}");
    assert!(place.json(&["approve", "@latest"], 1)["error"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    place.json(&["approve", "@latest", "--step", "right"], 0);
    place.json(&["approve", "@latest"], 0);
    assert_eq!(ended(&place)["status"], "completed");
}

#[test]
fn a_person_sees_what_to_do() {
    let place = Place::new();
    place.write("workflow.yaml", GATE);
    let run = place.skep(&["run", "workflow.yaml"]).exits(4);
    let status = place.skep(&["status"]).exits(0);
    for shown in [run, status] {
        let text = format!("{}{}", shown.out, shown.err);
        assert!(text.contains("Go on?") && text.contains("skep approve"), "{shown}");
    }
    assert_eq!(place.status()["waiting"][0]["step"], json!("ask"));
}
