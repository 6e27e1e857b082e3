use serde_json::json;

use super::*;

fn errors(text: &str) -> String {
    let problems = read(text).expect_err(text);
    let line = |problem: &Problem| {
        let place = problem.place.map(|place| format!("{}:{}", place.line, place.column)).unwrap_or_default();
        format!("{place} {} {} ({})", problem.code, problem.message, problem.hint.as_deref().unwrap_or("-"))
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn everything_that_can_be_said() {
    let file = read(
        "workflow: ../release.yaml
tests:
  - name: all
    inputs: {env: staging}
    environment: {HOME: /home/ada}
    outcomes:
      build: {stdout: '{\"n\": 1}', takes: 30s}
      ping: [{fail: network}, {fail: {kind: rate_limit, message: slow down, http_status: 429}}, {outputs: {status: 200}}]
      deploy.rollback: {exit_code: 3, stderr: no room}
      child: {status: rolled_back}
    answers:
      gate: approve
      form: {values: {amount: 3}, by: ada, after: 5m}
      retry: [reject, {say: approve, comment: now}]
    signals: [{name: paid, payload: {n: 1}, after: 1m, by: shop}]
    expect:
      status: rolled_back
      outputs: {}
      steps: {build: completed, ping: {status: completed, attempts: 3, outputs: {status: 200}}}
      path: [build, ping]
      rollback: build
      error: {kind: network, step: ping, message: refused}
      takes: {at_least: 30s, at_most: 10m}",
    )
    .unwrap();
    let test = &file.tests[0];
    assert_eq!((file.workflow.as_deref(), test.name.as_str()), (Some("../release.yaml"), "all"));
    let lengths: Vec<(&str, usize)> = test.outcomes.iter().map(|pin| (pin.step.as_str(), pin.what.len())).collect();
    assert_eq!(lengths, [("build", 1), ("ping", 3), ("deploy.rollback", 1), ("child", 1)]);
    assert_eq!(test.outcomes[0].what[0].takes_ms, 30_000);
    assert_eq!(test.outcomes[1].what[1].fail.as_ref().map(|fail| fail.http_status), Some(Some(429)));
    assert_eq!(test.answers[2].what[1].comment.as_deref(), Some("now"));
    assert_eq!(test.signals[0].payload, json!({"n": 1}));
    assert_eq!(test.expect.steps[1].what.attempts, Some(3));
    assert_eq!(test.expect.rollback, Some(vec!["build".to_owned()]));
    assert_eq!((test.expect.at_least_ms, test.expect.at_most_ms), (Some(30_000), Some(600_000)));
}

#[test]
fn everything_that_is_wrong_is_said_with_its_place() {
    insta::assert_snapshot!(errors(
        "tests:
  - {name: a, expect: {}}
  - {name: a, expect: {status: done}}
  - {expect: {status: completed}}
  - name: b
    outcomes: {x: [], y: {fail: netwrok}, z: {fail: exit, exit_code: 3}, w: {exit_code: 300}}
    answers: {x: maybe, y: {by: ada}, z: {say: approve, values: {}}}
    signals: [{after: 3}]
    expect: {steps: {x: gone}, error: {kind: odd}, takes: 3}
  - {name: c}
extra: 1"
    ), @r#"
    2:23 SKEP-D022 a test that expects nothing cannot fail (say at least `status: completed`)
    3:5 SKEP-D028 two tests are called `a` (give one of them another name)
    3:32 SKEP-D027 `status` is one of `completed`, `failed`, `cancelled`, `rolled_back`, `rollback_failed`, `running`, `held`, `rolling_back`, this is the text "done" (for example `status: completed`)
    4:5 SKEP-D022 a test needs `name` (add `name: rolls back`)
    6:19 SKEP-D021 the list is empty (give one entry per attempt, or remove the key)
    6:33 SKEP-D027 `kind` does not know the text "netwrok" (did you mean `network`?)
    6:47 SKEP-D028 `fail` says how it ends, and so does another key (keep `fail`, or describe it with `exit_code` and `stderr`)
    6:89 SKEP-D034 `exit_code` is a whole number from 0 to 255, this is 300 (for example `exit_code: 3`)
    7:18 SKEP-D027 `say` is one of `approve`, `reject`, this is the text "maybe" (for example `say: approve`)
    7:28 SKEP-D022 this answer says nothing (add `say: approve`, `say: reject`, or `values` for a form)
    7:57 SKEP-D028 a form is filled in, not approved (remove `say`)
    8:15 SKEP-D022 a signal needs `name` (add `name: paid`)
    9:25 SKEP-D027 `status` is one of `pending`, `waiting`, `running`, `completed`, `failed`, `skipped`, `cancelled`, `unknown`, `rolled_back`, this is the text "gone" (for example `status: pending`)
    9:46 SKEP-D027 `kind` does not know the text "odd" (one of `network`, `timeout`, `rate_limit`, `unavailable`, `exit`, `permission`, `not_found`, `invalid`, `criterion`, `check`, `rejected`, `output_schema`, `resource_limit`, `crash`, `sandbox`, `bug`)
    9:59 SKEP-D021 `takes` is a mapping, this is the number 3 (write it as `{at_least: 1m, ..}`)
    10:5 SKEP-D022 a test needs `expect` (add `expect: {status: completed}`)
    11:1 SKEP-D020 a test file has no key `extra` (its keys are workflow, tests)
    "#);
}
