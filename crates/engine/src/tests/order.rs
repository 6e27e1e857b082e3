//! Lists: sequence, graph, parallel, switch, finally, and what skipping and failing mean in them.

use serde_json::json;
use skep_model::error::Kind;

use super::kit::{Harness, flow};

/// Runs to the end, with these steps failing.
fn run(yaml: &str, failing: &[&str]) -> Harness {
    failing.iter().fold(flow(yaml), |flow, path| flow.fails(path, Kind::Invalid)).run()
}

fn check(yaml: &str, failing: &[&str], expect: &str) {
    let harness = run(yaml, failing);
    assert_eq!(harness.summary(), expect, "{yaml}\n{}", harness.trace());
}

const THREE: &str = "steps: [{id: a, uses: noop}, {id: b, uses: noop}, {id: c, uses: noop}]";

#[test]
fn a_sequence_runs_one_after_another_and_ends_with_its_first_failure() {
    check(THREE, &[], "completed: a=completed b=completed c=completed");
    check(THREE, &["b"], "failed: a=completed b=failed");
    let harness = run(THREE, &["b"]);
    assert_eq!((harness.order().as_str(), harness.failure_message().as_str()), ("a b", "failed on purpose: invalid"));
}

#[test]
fn conditions_and_handled_failures_in_a_sequence() {
    let with = |b: &str, c: &str| {
        format!("steps: [{{id: a, uses: noop}}, {{id: b, uses: noop{b}}}, {{id: c, uses: noop{c}}}]")
    };
    check(&with(", if: '${{ false }}'", ""), &[], "completed: a=completed b=skipped(condition) c=completed");
    check(&with(", on_error: skip", ""), &["b"], "completed: a=completed b=skipped(on_error) c=completed");
    check(&with("", ", if: '${{ always() }}'"), &["a"], "failed: a=failed c=completed");
    check(&with("", ", if: '${{ failure() }}'"), &["a"], "failed: a=failed c=completed");
    check(&with("", ", if: '${{ failure() }}'"), &[], "completed: a=completed b=completed c=skipped(condition)");
    check(&with(", if: '${{ steps.a.outputs.x == 1 }}'", ""), &[], "failed: a=completed b=failed");
}

#[test]
fn a_graph_starts_what_is_free_and_skips_what_depends_on_a_failure() {
    let graph = |b: &str| {
        format!(
            "order: graph\nsteps: [{{id: a, uses: noop}}, {{id: b, uses: noop{b}}}, {{id: c, uses: noop, depends_on: [a, b]}}, \
             {{id: d, uses: noop, depends_on: [a]}}]"
        )
    };
    check(&graph(""), &[], "completed: a=completed b=completed c=completed d=completed");
    check(&graph(""), &["b"], "failed: a=completed b=failed c=skipped(dependency) d=completed");
    check(
        &graph(", if: '${{ false }}'"),
        &[],
        "completed: b=skipped(condition) a=completed c=skipped(dependency) d=completed",
    );
    check(&graph(", on_error: skip"), &["b"], "completed: a=completed b=skipped(on_error) c=completed d=completed");
    assert_eq!(flow(&graph("")).start().runs(), "a b");
}

#[test]
fn a_graph_step_may_ask_for_the_status_of_its_dependencies() {
    let graph = "order: graph\nsteps: [{id: a, uses: noop}, {id: b, uses: noop}, \
        {id: c, uses: noop, depends_on: [a], if: '${{ failure() }}'}, \
        {id: d, uses: noop, depends_on: [b], if: '${{ failure() }}'}, {id: e, uses: noop, depends_on: [a], if: '${{ always() }}'}]";
    check(graph, &["a"], "failed: a=failed b=completed d=skipped(condition) c=completed e=completed");
}

fn parallel(rest: &str) -> String {
    format!(
        "steps: [{{id: p, {rest} parallel: {{l: [{{id: a, uses: noop}}], r: [{{id: b, uses: noop}}, {{id: c, uses: noop}}]}}}}, {{id: z, uses: noop}}]"
    )
}

#[test]
fn a_parallel_is_joined_by_all_any_or_a_number() {
    check(&parallel(""), &[], "completed: a=completed b=completed c=completed p=completed z=completed");
    check(&parallel("join: any,"), &[], "completed: a=completed b=cancelled p=completed z=completed");
    check(&parallel("join: 1,"), &["a"], "completed: a=failed b=completed c=completed p=completed z=completed");
    check(&parallel("join: 2,"), &["a"], "failed: a=failed b=cancelled p=failed");
    check(&parallel(""), &["a"], "failed: a=failed b=cancelled p=failed");
    check(&parallel("fail_fast: false,"), &["a"], "failed: a=failed b=completed c=completed p=failed");
    check(&parallel("join: any,"), &["a", "b"], "failed: a=failed b=failed p=failed");
}

#[test]
fn the_late_success_of_a_loser_is_recorded() {
    let mut harness = flow(&parallel("join: any,")).start();
    harness.succeed("a", json!({}));
    assert_eq!(harness.stopping.keys().map(|path| &**path).collect::<Vec<_>>(), ["b"]);
    harness.succeed("b", json!({}));
    harness.settle();
    assert_eq!(harness.summary(), "completed: a=completed b=completed p=completed z=completed");
}

#[test]
fn a_switch_takes_the_first_case_that_holds() {
    let switch = |first: bool, second: bool, default: &str| {
        format!(
            "steps: [{{id: s, switch: {{cases: [{{when: '${{{{ {first} }}}}', steps: [{{id: a, uses: noop}}]}}, \
             {{when: '${{{{ {second} }}}}', steps: [{{id: b, uses: noop}}]}}]{default}}}}}, {{id: z, uses: noop}}]"
        )
    };
    let default = ", default: [{id: d, uses: noop}]";
    check(&switch(true, true, default), &[], "completed: a=completed s=completed z=completed");
    check(&switch(false, true, default), &[], "completed: b=completed s=completed z=completed");
    check(&switch(false, false, default), &[], "completed: d=completed s=completed z=completed");
    check(&switch(false, false, ""), &[], "completed: s=completed z=completed");
    check(&switch(true, true, ""), &["a"], "failed: a=failed s=failed");
}

#[test]
fn finally_runs_after_every_end() {
    let yaml = "steps: [{id: a, uses: noop}]\nfinally: [{id: f, uses: noop, with: {s: '${{ execution.status }}'}}, {id: g, uses: noop}]";
    let said = |failing: &[&str], expect: &str, status: &str| {
        let harness = run(yaml, failing);
        assert_eq!(harness.summary(), expect, "{}", harness.trace());
        assert_eq!(harness.with("f"), json!({"s": status}));
    };
    said(&[], "completed: a=completed f=completed g=completed", "completed");
    said(&["a"], "failed: a=failed f=completed g=completed", "failed");
    said(&["f"], "failed: a=completed f=failed g=completed", "completed");
    let both = run(yaml, &["a", "f"]);
    assert_eq!(both.state.failure.as_ref().and_then(|failure| failure.step.as_deref()), Some("a"));
}
