//! Loops: rounds, results, bounds, and paths in nested ones.

use serde_json::json;
use skep_model::error::Kind;

use super::kit::{Harness, flow};

fn foreach(rest: &str, items: &str) -> String {
    format!(
        "steps: [{{id: l, foreach: '{items}', {rest} steps: [{{id: x, uses: noop, with: {{v: '${{{{ item }}}}', i: '${{{{ index }}}}'}}}}]}}]\noutputs: {{r: '${{{{ steps.l.outputs.results }}}}'}}"
    )
}

fn each(rest: &str) -> Harness {
    flow(&foreach(rest, "${{ [\"a\", \"b\", \"c\"] }}"))
}

#[test]
fn foreach_runs_as_many_as_allowed_and_keeps_the_order_of_the_items() {
    assert_eq!(each("").start().runs(), "l[0].x");
    let mut harness = each("max_parallel: 2,").start();
    assert_eq!(harness.runs(), "l[0].x l[1].x");
    harness.succeed("l[1].x", json!({"n": 1}));
    assert_eq!(harness.runs(), "l[0].x l[2].x");
    harness.succeed("l[2].x", json!({"n": 2}));
    harness.succeed("l[0].x", json!({"n": 0}));
    assert_eq!(harness.with("l[1].x"), json!({"v": "b", "i": 1}));
    let result = |n: u32| json!({"status": "completed", "outputs": {"x": {"n": n}}});
    assert_eq!(harness.outputs(), json!({"r": [result(0), result(1), result(2)]}));
}

#[test]
fn a_failing_item_cancels_the_others_unless_told_otherwise() {
    let check = |rest: &str, expect: &str| {
        let harness = each(rest).fails("l[0].x", Kind::Invalid).run();
        assert_eq!(harness.summary(), expect, "{}", harness.trace());
    };
    check("", "failed: l[0].x=failed l=failed");
    check("max_parallel: 2,", "failed: l[0].x=failed l[1].x=cancelled l=failed");
    check("fail_fast: false,", "failed: l[0].x=failed l[1].x=completed l[2].x=completed l=failed");
}

#[test]
fn a_loop_fails_on_what_is_no_list_or_too_long_and_makes_no_round_of_nothing() {
    let check = |rest: &str, items: &str, expect: &str, code: &str| {
        let harness = flow(&foreach(rest, items)).run();
        let found = harness.state.failure.as_ref().map_or("", |failure| &failure.code);
        assert_eq!((harness.summary().as_str(), found), (expect, code));
    };
    check("", "${{ [] }}", "completed: l=completed", "");
    check("", "${{ \"text\" }}", "failed: l=failed", "SKEP-X006");
    check("max_iterations: 1,", "${{ [1, 2] }}", "failed: l=failed", "SKEP-X007");
}

#[test]
fn repeat_and_while_count_and_ask() {
    let check = |head: &str, expect: &str| {
        let yaml = format!("steps: [{{id: l, {head} steps: [{{id: x, uses: set}}]}}]");
        let given =
            |harness: Harness, n: u32| harness.gives("l[0].x", json!({ "n": n })).gives("l[1].x", json!({"n": 9}));
        let harness = given(flow(&yaml), 1).run();
        assert_eq!(harness.summary(), expect, "{head}\n{}", harness.trace());
    };
    check("repeat: {times: 2},", "completed: l[0].x=completed l[1].x=completed l=completed");
    check("repeat: {times: 0},", "completed: l=completed");
    check(
        "repeat: {until: '${{ steps.x.outputs.n == 9 }}'},",
        "completed: l[0].x=completed l[1].x=completed l=completed",
    );
    check("while: '${{ index < 1 and steps.x.outputs.n != 9 }}',", "completed: l[0].x=completed l=completed");
    check("while: '${{ true }}', max_iterations: 2,", "failed: l[0].x=completed l[1].x=completed l=failed");
}

#[test]
fn nested_loops_name_every_round_in_paths_and_keys() {
    let yaml = "steps: [{id: outer, foreach: '${{ [1, 2] }}', steps: [{id: inner, repeat: {times: 2}, \
        steps: [{id: x, uses: noop, with: {v: '${{ item }}', i: '${{ index }}'}}]}]}]";
    let harness = flow(yaml).run();
    assert_eq!(harness.order(), "outer[0].inner[0].x outer[0].inner[1].x outer[1].inner[0].x outer[1].inner[1].x");
    assert_eq!(harness.performed[2].idempotency_key(), "e1/outer[1].inner[0].x/g1");
    assert_eq!(harness.with("outer[1].inner[0].x"), json!({"v": 2, "i": 0}));
}

#[test]
fn a_long_turn_is_cut_and_goes_on() {
    let yaml = "steps: [{id: l, repeat: {times: 1000}, max_iterations: 1000, steps: [{id: x, uses: noop, if: '${{ false }}'}]}]";
    let mut harness = flow(yaml).start();
    assert!(harness.more);
    let first = harness.journal[0].events.len();
    assert!((crate::EVENTS_PER_TURN..crate::EVENTS_PER_TURN + 10).contains(&first), "{first}");
    harness.crash();
    harness.settle();
    assert_eq!(harness.status().as_str(), "completed");
    assert!(harness.journal.len() >= 3);
}
