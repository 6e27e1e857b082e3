//! Test files against workflows.

use super::*;

const RELEASE: &str = "name: release
description: Builds, asks, deploys.
inputs: {env: {type: string, required: true}}
outputs: {image: '${{ steps.build.outputs.json.image }}'}
steps:
  - id: build
    run: ./build.sh
    retry: {max_attempts: 3, delay: 10s, jitter: false}
    rollback: ./unbuild.sh
  - {id: gate, approval: {message: 'Ship?', timeout: 1h}}
  - id: rollout
    foreach: [a, b]
    steps:
      - {id: ping, uses: http, with: {url: 'https://${{ item }}.example.org'}}
  - {id: deploy, run: ./deploy.sh, rollback: ./undeploy.sh}
  - {id: smoke, run: ./smoke.sh}
";

fn tested(test: &str) -> Vec<Tested> {
    let file = read(&format!("tests:\n{test}")).unwrap_or_else(|problems| panic!("{problems:#?}"));
    run(&file, RELEASE, &crate::catalogue::build(), &|_| true).unwrap_or_else(|unusable| panic!("{unusable:#?}"))
}

/// `what: expected / actual`, one line per mismatch.
fn mismatches(test: &str) -> String {
    let found = tested(&format!("  - name: t\n{test}"));
    let line = |found: &Mismatch| format!("{}: {} / {}", found.what, found.expected, found.actual);
    found[0].mismatches.iter().map(line).collect::<Vec<_>>().join("\n")
}

const GOOD: &str = "    inputs: {env: staging}
    outcomes:
      build: [{fail: network}, {stdout: '{\"image\": \"app:1\"}', takes: 30s}]
      ping: {outputs: {status: 200}}
    answers: {gate: {say: approve, by: ada, after: 5m}}
";

#[test]
fn a_workflow_that_does_what_its_test_says() {
    let test = format!(
        "{GOOD}    expect:
      status: completed
      outputs: {{image: 'app:1'}}
      steps: {{build: {{status: completed, attempts: 2}}, gate: completed, 'rollout[1].ping': {{outputs: {{status: 200.0}}}}}}
      path: [build, gate, rollout, 'rollout[0].ping', 'rollout[1].ping', deploy, smoke]
      rollback: []
      takes: {{at_least: 340s, at_most: 340s}}
"
    );
    assert_eq!(mismatches(&test), "");
    assert!(tested(&format!("  - name: t\n{test}"))[0].timeline.is_empty());
}

#[test]
fn a_failure_is_undone_as_expected() {
    let test = format!(
        "{}      smoke: {{exit_code: 3, stderr: no answer}}
    expect:
      status: rolled_back
      steps: {{deploy: rolled_back, build: rolled_back, smoke: failed}}
      rollback: [deploy, build]
      error: {{kind: exit, step: smoke, message: no answer}}
",
        GOOD.replace("    answers:", "      deploy.rollback: {takes: 5s}\n    answers:")
            .replace("    answers: {gate: {say: approve, by: ada, after: 5m}}\n", "")
    )
    .replace("    expect:", "    answers: {gate: approve}\n    expect:");
    assert_eq!(mismatches(&test), "");
}

#[test]
fn whatever_is_not_as_expected_is_said() {
    let test = format!(
        "{GOOD}    expect:
      status: failed
      outputs: {{image: 'app:2', url: x}}
      steps: {{build: {{status: failed, attempts: 1}}, smoke: skipped, 'rollout[7].ping': completed}}
      path: [build]
      rollback: [build]
      error: refused
      takes: {{at_most: 1m}}
"
    );
    insta::assert_snapshot!(mismatches(&test), @r#"
    status: failed / completed
    outputs.image: "app:2" / "app:1"
    outputs.url: "x" / there is none
    steps.build: failed / completed
    steps.build.attempts: 1 / 2
    steps.smoke: skipped / completed
    steps.rollout[7].ping: completed / never reached
    path: build / build, gate, rollout, rollout[0].ping, rollout[1].ping, deploy, smoke
    rollback: build / none
    error: refused / none
    takes: at most 1m / 5m40s
    "#);
    let timeline = &tested(&format!("  - name: t\n{test}"))[0].timeline;
    assert!(
        timeline[0].contains("started by nobody") && timeline.last().unwrap().starts_with("+5m40s"),
        "{timeline:#?}"
    );
}

#[test]
fn an_answer_that_never_comes_is_a_dead_end_or_the_end_of_the_wait() {
    let test = "    inputs: {env: x}\n    outcomes: {build: {stdout: '{\"image\": 1}'}}\n    expect: {status: rolled_back, takes: {at_least: 1h}}\n";
    assert_eq!(mismatches(test), "");
    let file = read("tests: [{name: t, expect: {status: completed}}, {name: u, expect: {status: running}}]").unwrap();
    let asks = "name: a\ndescription: A.\nsteps: [{id: g, approval: {message: ok}}]";
    let found = run(&file, asks, &crate::catalogue::build(), &|_| true).unwrap();
    assert_eq!(found[0].mismatches[0].actual, "running, and it waits for ever: decision: g");
    assert!(found[1].mismatches.is_empty(), "{found:#?}");
}

#[test]
fn what_is_fixed_and_not_needed_fails_the_test() {
    let test = "    inputs: {env: x}\n    outcomes: {build: {fail: invalid}, smoke: {exit_code: 1}}\n    answers: {gate: approve}\n    signals: [{name: go}]\n    expect: {status: failed}\n";
    insta::assert_snapshot!(mismatches(test), @r"
    outcome: `smoke` at line 4 is needed / nothing asked for it
    answer: `gate` at line 5 is needed / nothing asked for it
    ");
}

#[test]
fn inputs_are_checked_and_unknown_steps_refused() {
    assert!(mismatches("    expect: {status: completed}\n").starts_with("inputs: it is taken / the input `env`"));
    let file = read("tests: [{name: t, outcomes: {biuld: {}}, expect: {steps: {'rollout[0].pong': failed}}}]").unwrap();
    let Err(Unusable::TestFile(problems)) = run(&file, RELEASE, &crate::catalogue::build(), &|_| true) else {
        panic!("it is refused");
    };
    let said: Vec<String> = problems
        .iter()
        .map(|problem| {
            format!(
                "{:?} {} ({})",
                problem.place.map(|at| at.column),
                problem.message,
                problem.hint.as_deref().unwrap_or("-")
            )
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    Some(30) the workflow has no step `biuld` (did you mean `build`?)
    Some(59) the workflow has no step `pong` (did you mean `ping`?)
    ");
    let broken = run(&file, "name: x\nsteps: []", &crate::catalogue::build(), &|_| true);
    assert!(matches!(broken, Err(Unusable::Definition(problems)) if !problems.is_empty()));
}

#[test]
fn a_filter_runs_some() {
    let file =
        read("tests: [{name: one, expect: {status: completed}}, {name: two, expect: {status: completed}}]").unwrap();
    let found = run(&file, "name: a\ndescription: A.\nsteps: [{id: g, run: x}]", &crate::catalogue::build(), &|name| {
        name == "two"
    });
    assert_eq!(found.unwrap().iter().map(|tested| tested.name.as_str()).collect::<Vec<_>>(), ["two"]);
}
