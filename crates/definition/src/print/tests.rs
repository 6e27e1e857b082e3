use super::*;
use crate::lower;
use crate::tree;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

const SAMPLE: &str = include_str!("release.yaml");

fn read(text: &str) -> Workflow {
    let node = tree::parse(text).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
    let (workflow, problems) = lower::workflow(&node);
    let errors: Vec<_> =
        problems.iter().filter(|problem| problem.severity == skep_model::problem::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    workflow.unwrap()
}

#[test]
fn the_documented_example_prints_as_a_person_would_write_it() {
    insta::assert_snapshot!(to_yaml(&read(SAMPLE)), @r#"
name: release
description: Build, ask, roll out host by host, undo if it goes wrong.
version: 1.2.0
category: orchestration
tags: [deploy]
inputs:
  repository: {type: string, required: true, description: owner/name}
  environment: {type: string, enum: [staging, production], default: staging}
  hosts: {type: array, items: {type: string}, default: [web-1, web-2]}
defaults:
  timeout: 10m
  retry: {max_attempts: 3, delay: 2s, backoff: exponential}
  policy: standard
concurrency: {group: "release-${{ inputs.environment }}", limit: 1, when_full: queue}
rollback: {enabled: true, strategy: graceful, auto: true, checkpoint_interval: 3}
max_parallel: 3
timeout: 2h
triggers:
  - type: schedule
    config: {cron: 0 3 * * *, timezone: Europe/Berlin, overlap: skip, catch_up: latest}
  - type: event
    config: {source: github, event: push, condition: "${{ event.ref == 'refs/heads/main' }}"}
  - {type: condition, config: {metric: failure_rate, window: 1h, condition: "> 10%"}}
steps:
  - id: build
    run: ./build.sh "${{ inputs.repository }}"
    outputs: {image: "${{ json.image }}"}
  - id: notify
    uses: http
    with:
      method: POST
      url: https://example.org/hook
      json: {image: "${{ steps.build.outputs.image }}"}
    on_error: skip
  - id: gate
    if: ${{ inputs.environment == 'production' }}
    approval:
      message: Ship ${{ steps.build.outputs.image }}?
      assignee: manager@example.org
      timeout: 1d
      escalate: [{after: 8h, to: director@example.org}]
      on_timeout: reject
  - id: rollout
    foreach: ${{ inputs.hosts }}
    max_parallel: 2
    steps:
      - id: deploy
        run: ./deploy.sh "${{ item }}" "${{ steps.build.outputs.image }}"
        rollback: {run: './undeploy.sh "${{ item }}"'}
        checkpoint: true
finally:
  - id: report
    run: ./report.sh "${{ execution.status }}"
"#);
}

#[test]
fn texts_are_quoted_where_some_reader_would_misread_them() {
    for (text, expect) in [
        ("plain text", "plain text"),
        ("./build.sh \"x\"", "./build.sh \"x\""),
        ("${{ inputs.hosts }}", "${{ inputs.hosts }}"),
        ("1.2.0", "1.2.0"),
        ("10s", "10s"),
        ("no", "\"no\""),
        ("Yes", "\"Yes\""),
        ("~", "\"~\""),
        ("1.10", "\"1.10\""),
        ("010", "\"010\""),
        ("12:30", "\"12:30\""),
        ("0x1F", "\"0x1F\""),
        ("2026-12-01", "\"2026-12-01\""),
        ("2026-12-01T00:00:00Z", "\"2026-12-01T00:00:00Z\""),
        ("*.conf", "\"*.conf\""),
        ("@team", "\"@team\""),
        ("a: b", "\"a: b\""),
        ("ends:", "\"ends:\""),
        ("a #b", "\"a #b\""),
        ("- x", "\"- x\""),
        ("", "\"\""),
        (" x", "\" x\""),
        ("{\"a\": 1}", "'{\"a\": 1}'"),
        ("tab\there", "\"tab\\there\""),
        ("é ✓", "é ✓"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\nb", "|-\n  a\n  b"),
        ("a\n\n", "|+\n  a\n"),
        (" a\nb", "\" a\\nb\""),
    ] {
        let printed = value_to_yaml(&json!({"key": text}));
        assert_eq!(printed, format!("key: {expect}\n"), "{text:?}");
        assert_eq!(tree::parse(&printed).unwrap().to_value(), json!({"key": text}), "{printed}");
    }
}

#[test]
fn values_of_any_shape_read_back() {
    for value in [
        json!([]),
        json!({}),
        json!(null),
        json!("x"),
        json!("a\nb"),
        json!([1, [2, [3, [4, [5]]]], {"a": [{"b": {"c": {"d": [1]}}}]}]),
        json!({"a": [[], {}, null, [["x\ny\n"]]], "no": {"1": {"2": {"3": {"4": 5}}}}}),
        json!([{"a": "x\ny\n", "b": [{"c": "x\n"}]}]),
    ] {
        let printed = value_to_yaml(&value);
        assert_eq!(
            tree::parse(&printed).unwrap_or_else(|problems| panic!("{problems:?}\n{printed}")).to_value(),
            value,
            "{printed}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_reads_back(text in generated::nasty_text(), key in generated::nasty_text()) {
        let value = json!({key.clone(): [text.clone(), {key: text}]});
        let printed = value_to_yaml(&value);
        prop_assert_eq!(tree::parse(&printed).map(|node| node.to_value()), Ok(value), "{}", printed);
    }
}

#[test]
fn what_is_printed_reads_back_the_same() {
    // Strategies of nested steps are deep values: a test thread's stack is too small for them.
    let work = || {
        let mut runner =
            TestRunner::new(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() });
        let verdict = runner.run(&generated::workflow(), |workflow| {
            let printed = to_yaml(&workflow);
            let again = read(&printed);
            prop_assert_eq!(&again, &workflow, "{}", printed);
            prop_assert_eq!(to_yaml(&again), printed);
            Ok(())
        });
        verdict.map_err(|failure| failure.to_string())
    };
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(work).unwrap();
    if let Err(failure) = thread.join().unwrap() {
        panic!("{failure}");
    }
}
