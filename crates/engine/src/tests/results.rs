//! `success_criteria` and `output_schema`.

use serde_json::{Value, json};

use super::kit::{Harness, cancel, flow_with};

fn checked(rest: &str, criteria: &[&str], schema: Option<Value>) -> Harness {
    flow_with(&format!("steps: [{{id: a, uses: noop{rest}}}]"), |plan| {
        plan.steps[0].success_criteria = criteria.iter().map(|text| (*text).to_owned()).collect();
        plan.steps[0].output_schema = schema;
    })
}

fn failure(harness: &Harness) -> (String, String) {
    let failure = harness.state.failure.clone().expect("it failed");
    (failure.kind.as_str().to_owned(), failure.message.clone())
}

#[test]
fn all_criteria_must_hold_over_the_raw_outputs() {
    let criteria = ["${{ exit_code == 0 }}", "${{ json.ready }}"];
    let good = checked("", &criteria, None).gives("a", json!({"exit_code": 0, "json": {"ready": true}})).run();
    assert_eq!(good.summary(), "completed: a=completed");
    let bad = checked("", &criteria, None).gives("a", json!({"exit_code": 0, "json": {"ready": false}})).run();
    assert_eq!(
        failure(&bad),
        ("criterion".into(), "step `a` did its work, but `${{ json.ready }}` does not hold".into())
    );
    let wrong = checked("", &criteria, None).gives("a", json!({"exit_code": 0, "json": {}})).run();
    assert_eq!(failure(&wrong).0, "criterion");
    assert!(failure(&wrong).1.contains("`success_criteria` of step `a`"), "{}", failure(&wrong).1);
}

#[test]
fn the_outputs_must_fit_the_schema() {
    let schema = json!({"required": ["n"], "properties": {"n": {"type": "integer"}}});
    let run = |outputs: Value| checked("", &[], Some(schema.clone())).gives("a", outputs).run();
    assert_eq!(run(json!({"n": 1})).summary(), "completed: a=completed");
    let said = failure(&run(json!({"n": "x".repeat(9_000)})));
    assert_eq!(said.0, "output_schema");
    assert!(said.1.starts_with("the outputs of step `a` do not fit its `output_schema`: `/n`: \"xxx"), "{}", said.1);
    assert!(said.1.len() < 1_000, "{}", said.1.len());
    assert!(failure(&run(json!({}))).1.ends_with("the outputs: `n` is missing"));
}

#[test]
fn named_outputs_are_what_the_schema_sees_and_what_is_kept() {
    let named = ", outputs: {n: '${{ json.n }}'}";
    let harness = checked(named, &[], Some(json!({"properties": {"n": {"minimum": 2}}})))
        .gives("a", json!({"json": {"n": 1}}))
        .run();
    assert_eq!(failure(&harness).0, "output_schema");
    let kept = harness.journal.iter().flat_map(|turn| &turn.events).find_map(|event| match event {
        skep_model::event::Event::Failed { outputs, .. } => Some(json!(outputs)),
        _ => None,
    });
    assert_eq!(kept, Some(json!({"n": {"v": 1}})));
}

#[test]
fn they_are_repeated_only_if_the_step_says_so() {
    let criteria = ["${{ n == 2 }}"];
    let run = |retry: &str| {
        let harness = checked(retry, &criteria, None).gives("a", json!({"n": 1})).gives("a", json!({"n": 2}));
        let mut harness = harness.run();
        harness.pass_ms(60_000);
        harness.summary()
    };
    assert_eq!(run(", retry: {max_attempts: 3, delay: 1s}"), "failed: a=failed");
    assert_eq!(run(", retry: {max_attempts: 3, delay: 1s, on: [criterion]}"), "completed: a=completed");
    assert_eq!(run(", retry: {max_attempts: 3, delay: 1s, on: [business]}"), "completed: a=completed");
}

#[test]
fn what_does_not_fit_is_not_proposed_and_a_stopped_step_is_cancelled() {
    let asked = checked(", approve: after", &["${{ n == 2 }}"], None).gives("a", json!({"n": 1})).run();
    assert_eq!(asked.summary(), "failed: a=failed");
    let mut stopped = checked("", &["${{ n == 2 }}"], None).start();
    stopped.tell(&cancel());
    stopped.succeed("a", json!({"n": 1}));
    assert_eq!(stopped.summary(), "cancelled: a=cancelled");
}

/// The one table of errors: what a bare `retry` repeats, kind by kind.
#[test]
fn the_table_of_errors_holds() {
    use skep_model::error::{Class, Kind};
    for kind in Kind::ALL {
        let yaml = "steps: [{id: a, uses: noop, retry: {max_attempts: 4, delay: 1s, jitter: false}}]";
        let mut harness = (0..4).fold(super::kit::flow(yaml), |flow, _| flow.fails("a", kind)).run();
        for _ in 0..8 {
            harness.pass_ms(60_000);
        }
        let attempts = match kind.class() {
            Class::Transient => 4,
            Class::System => 2,
            Class::Permanent | Class::Business => 1,
        };
        assert_eq!(harness.performed.len(), attempts, "{}", kind.as_str());
    }
}
