//! The one JSON value of `run` and `status`, and the exit codes.

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::wait;

const KEYS: &[&str] = &["execution_id", "status", "outputs", "steps", "error"];
const STEP_KEYS: &[&str] = &["status", "attempts", "outputs", "error", "reason"];
const ERROR_KEYS: &[&str] = &["class", "kind", "code", "message", "hint", "step", "exit_code"];

pub(super) fn has_keys(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some(), "no {key} in {value:#}");
    }
}

/// Every key is there, whatever happened; `status` says the same as `run`.
fn check_shape(place: &Place, answer: &Value) {
    has_keys(answer, KEYS);
    for (path, step) in answer["steps"].as_object().expect("steps are an object") {
        has_keys(step, STEP_KEYS);
        assert!(step["attempts"].is_u64() && step["outputs"].is_object(), "{path}: {step:#}");
        if !step["error"].is_null() {
            has_keys(&step["error"], ERROR_KEYS);
        }
    }
    if !answer["error"].is_null() {
        has_keys(&answer["error"], ERROR_KEYS);
    }
    assert_eq!(&place.status(), answer);
    let id = answer["execution_id"].as_str().expect("an id is text");
    assert_eq!(&place.json(&["status", &id[..12]], 0), answer, "an id may be shortened");
}

fn paths(answer: &Value) -> Vec<&str> {
    answer["steps"].as_object().expect("steps are an object").keys().map(String::as_str).collect()
}

#[test]
fn a_completed_run() {
    let place = Place::new();
    let answer = place.run(
        r#"
name: complete
description: Each kind of output.
inputs: {who: {type: string, default: world}}
outputs: {greeting: "${{ steps.hello.outputs.stdout }}", both: "${{ steps.each.outputs.results }}"}
steps:
  - {id: hello, run: 'echo "hello ${{ inputs.who }}"; echo oops >&2'}
  - {id: data, run: "echo '{\"n\": [1, 2]}'"}
  - {id: named, run: "echo '{\"n\": 7}'", outputs: {number: "${{ json.n }}", fixed: yes}}
  - id: each
    foreach: [a, b]
    steps:
      - {id: one, run: 'printf "%s\n\n" "${{ item }}"'}
  - {id: never, if: "${{ false }}", run: exit 1}
"#,
        &[],
        0,
    );
    check_shape(&place, &answer);
    assert_eq!(answer["status"], "completed");
    assert_eq!(answer["error"], Value::Null);
    assert_eq!(answer["outputs"]["greeting"], "hello world");
    assert_eq!(
        answer["steps"]["hello"],
        json!({"status": "completed", "attempts": 1, "error": null, "reason": null,
            "outputs": {"stdout": "hello world", "stderr": "oops", "exit_code": 0, "json": null}})
    );
    assert_eq!(answer["steps"]["data"]["outputs"]["json"], json!({"n": [1, 2]}));
    assert_eq!(answer["steps"]["named"]["outputs"], json!({"number": 7, "fixed": "yes"}));
    assert_eq!(answer["steps"]["each[1].one"]["outputs"]["stdout"], "b\n", "one final newline goes");
    assert_eq!(answer["steps"]["each"]["outputs"]["results"][1]["outputs"]["one"]["stdout"], "b\n");
    assert_eq!(answer["outputs"]["both"][0]["status"], "completed");
    assert_eq!(answer["steps"]["never"]["status"], "skipped");
    assert_eq!(answer["steps"]["never"]["reason"], "condition");
    assert_eq!(answer["steps"]["never"]["attempts"], 0);
    let order: Vec<&str> = paths(&answer).into_iter().filter(|path| !path.contains('[')).collect();
    assert_eq!(order, ["hello", "data", "named", "each", "never"], "in the order of the plan");
}

#[test]
fn a_failed_run() {
    let place = Place::new();
    let answer = place.run(
        r#"
name: fail
description: Fails in the middle.
steps:
  - {id: before, run: "true"}
  - {id: breaks, run: 'echo some; echo reason >&2; exit 9'}
  - {id: after, run: "true"}
  - {id: anyway, if: "${{ failure() }}", run: 'echo "saw ${{ steps.breaks.error.exit_code }}"'}
finally:
  - {id: clean, run: 'echo "${{ execution.status }}"'}
"#,
        &[],
        1,
    );
    check_shape(&place, &answer);
    assert_eq!(answer["status"], "failed");
    assert_eq!(answer["error"]["step"], "breaks");
    assert_eq!(answer["error"]["exit_code"], 9);
    assert_eq!((&answer["error"]["class"], &answer["error"]["kind"]), (&json!("transient"), &json!("exit")));
    assert_eq!(answer["steps"]["breaks"]["status"], "failed");
    assert_eq!(answer["steps"]["breaks"]["outputs"]["stdout"], "some");
    assert_eq!(answer["steps"]["breaks"]["outputs"]["stderr"], "reason");
    assert_eq!(answer["steps"]["after"]["status"], "skipped");
    assert_eq!(answer["steps"]["after"]["reason"], "not_reached");
    assert_eq!(answer["steps"]["anyway"]["outputs"]["stdout"], "saw 9");
    assert_eq!(answer["steps"]["clean"]["outputs"]["stdout"], "failed");
}

#[test]
fn retries_timeouts_and_what_may_fail() {
    let place = Place::new();
    let answer = place.run(
        r#"
name: errors
description: Errors that are handled.
steps:
  - id: third
    run: '[ "$SKEP_ATTEMPT" -ge 3 ] || exit 75'
    retry: {max_attempts: 4, delay: 10ms}
  - {id: optional, run: exit 3, on_error: {strategy: skip}}
  - {id: slow, run: sleep 60, timeout: 200ms, on_error: skip}
  - {id: killed, run: 'kill -SEGV $$', on_error: skip}
  - {id: missing, shell: no-such-interpreter, run: x, on_error: skip}
"#,
        &[],
        0,
    );
    check_shape(&place, &answer);
    let step = |id: &str| &answer["steps"][id];
    assert_eq!((&step("third")["status"], &step("third")["attempts"]), (&json!("completed"), &json!(3)));
    assert_eq!((&step("optional")["status"], &step("optional")["reason"]), (&json!("skipped"), &json!("on_error")));
    assert_eq!(step("optional")["error"]["exit_code"], 3);
    assert_eq!(step("slow")["error"]["kind"], "timeout");
    assert_eq!(step("slow")["error"]["class"], "transient");
    assert_eq!(step("killed")["error"]["kind"], "crash");
    assert_eq!(step("killed")["error"]["class"], "system");
    assert_eq!(step("missing")["error"]["class"], "permanent");
}

#[test]
fn a_graph_skips_what_depends_on_a_failure() {
    let place = Place::new();
    let answer = place.run(
        "
name: graph
description: One side fails.
order: graph
steps:
  - {id: bad, run: exit 1}
  - {id: good, run: 'true'}
  - {id: after_bad, depends_on: [bad], run: 'true'}
  - {id: after_good, depends_on: [good], run: 'true'}
",
        &[],
        1,
    );
    check_shape(&place, &answer);
    assert_eq!(answer["steps"]["after_bad"]["status"], "skipped", "{answer:#}");
    assert_eq!(answer["steps"]["after_bad"]["reason"], "dependency", "{answer:#}");
}

#[test]
fn a_cancelled_run() {
    let place = Place::new();
    place.write(
        "workflow.yaml",
        "
name: long
description: Waits for long.
steps:
  - {id: long, run: 'touch began; sleep 600'}
  - {id: after, run: 'true'}
finally:
  - {id: clean, run: 'echo ${{ execution.status }}'}
",
    );
    let run = place.start(&["run", "workflow.yaml", "--format", "json"]);
    wait::until("the step", wait::SOON, || place.work().join("began").exists().then_some(()));
    place.json(&["cancel", "@latest"], 0);
    let answer = run.end().exits(3).value();
    check_shape(&place, &answer);
    assert_eq!(answer["status"], "cancelled");
    assert_eq!(answer["steps"]["long"]["status"], "cancelled");
    assert_eq!(answer["steps"]["after"]["status"], "skipped");
    assert_eq!(answer["steps"]["clean"]["status"], "completed");
    assert_eq!(place.skep(&["status", "@latest", "--exit-code", "--format", "json"]).code, Some(3));
}

#[test]
fn an_invalid_definition() {
    let place = Place::new();
    let text = "name: bad\ndescription: Bad.\nsteps:\n  - {id: a, run: 'true', tiemout: 3s}\n  - {id: b, run: 'true', depends_on: [a]}\n";
    let from_run = place.run(text, &[], 2);
    let from_validate = place.json(&["validate", "workflow.yaml"], 2);
    assert_eq!(from_run["errors"], from_validate["errors"]);
    assert_eq!(from_validate["valid"], false);
    assert!(from_validate["warnings"].is_array(), "{from_validate:#}");
    let errors = from_validate["errors"].as_array().expect("errors are a list");
    assert_eq!(errors.len(), 2, "all at once: {from_validate:#}");
    for error in errors {
        has_keys(error, &["code", "message", "file", "line", "column", "hint"]);
        assert_eq!(error["file"], "workflow.yaml");
    }
    assert_eq!((&errors[0]["code"], &errors[0]["line"]), (&json!("SKEP-D020"), &json!(4)));
    assert!(errors[0]["hint"].as_str().is_some_and(|hint| hint.contains("timeout")), "{from_validate:#}");
    let valid = place.write("good.yaml", "name: good\ndescription: Good.\nsteps: [{id: a, run: 'true'}]\n");
    let answer = place.json(&["validate", &valid.to_string_lossy()], 0);
    assert_eq!((&answer["valid"], &answer["errors"]), (&json!(true), &json!([])));
    let shown = place.skep(&["validate", "workflow.yaml"]).exits(2);
    assert!(shown.err.contains("tiemout") || shown.out.contains("tiemout"), "people see the place: {shown}");
}

#[test]
fn what_this_build_cannot_do_is_refused_before_the_start_all_at_once() {
    let place = Place::new();
    let answer = place.run(
        "
name: later
description: Wants more.
steps:
  - {id: first, run: touch ran}
  - {id: remote, agent: {capabilities: [db], task: x}}
  - {id: hive, uses: hv-broadcast, with: {message: x}}
",
        &[],
        2,
    );
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(2), "{answer:#}");
    assert!(!place.work().join("ran").exists(), "nothing ran");
    assert_eq!(place.json(&["validate", "workflow.yaml"], 0)["valid"], true, "it is well formed");
}

#[test]
fn errors_have_a_code_a_message_and_a_hint() {
    let place = Place::new();
    place.write("ok.yaml", "name: ok\ndescription: Ok.\nsteps: [{id: a, run: 'true'}]\n");
    for arguments in [
        &["status", "nothing"][..],
        &["status", "@latest"],
        &["run", "./missing.yaml"],
        &["run", "no-such-workflow"],
        &["approve", "@latest"],
        &["workflow", "show", "nothing"],
        &["explain", "SKEP-X999"],
    ] {
        let answer = place.json(arguments, 1);
        has_keys(&answer["error"], &["code", "message", "hint"]);
        assert!(answer["error"]["code"].as_str().is_some_and(|code| code.starts_with("SKEP-")), "{answer:#}");
        let shown = place.skep(arguments).exits(1);
        assert!(shown.out.is_empty() && !shown.err.is_empty(), "for people it is on standard error: {shown}");
    }
    let misspelt = place.skep(&["validat", "ok.yaml"]).exits(2);
    assert!(misspelt.err.contains("'validate'"), "{misspelt}");
}

#[test]
fn more_iterations_than_a_person_reads_are_left_out_unless_asked_for() {
    let place = Place::new();
    let answer = place.run(
        "
name: many
description: Many rounds.
steps:
  - {id: each, repeat: {times: 1100}, steps: [{id: one, uses: set, with: {n: '${{ index }}'}}]}
",
        &[],
        0,
    );
    assert_eq!(answer["status"], "completed");
    let all = place.json(&["status", "@latest", "--all-iterations"], 0);
    assert_eq!(all["steps"]["each[1099].one"]["outputs"]["n"], 1099);
    assert!(answer["steps"].as_object().map(serde_json::Map::len) <= Some(1_001), "{}", paths(&answer).len());
}
