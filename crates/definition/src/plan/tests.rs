mod effects;

use serde_json::json;
use skep_model::limits::{ITERATIONS_DEFAULT, ITERATIONS_MAX, RETRY_DELAY_MS_MAX};
use skep_model::plan::{Backoff, Kind, Plan};

use super::plan;
use crate::samples::{after, catalogue, foreach, graph, parallel, rich, run, step, uses, when, while_, workflow};
use crate::workflow::{self, Approval, Retry, Wait, Workflow};

fn planned(workflow: &Workflow) -> Plan {
    plan(workflow, &catalogue()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn planned_step(step: workflow::Step) -> skep_model::plan::Step {
    planned(&workflow(vec![step])).steps.remove(0)
}

#[test]
fn blocks_and_steps_are_flat_and_in_the_order_of_the_text() {
    let plan = planned(&rich());
    let blocks: Vec<String> = plan
        .blocks
        .iter()
        .map(|block| {
            let ids: Vec<&str> = block.steps.iter().map(|step| plan.steps[*step as usize].id.as_str()).collect();
            let owner = block.owner.map_or("-", |owner| plan.steps[owner as usize].id.as_str());
            format!("{owner}: {}", ids.join(" "))
        })
        .collect();
    assert_eq!(
        blocks,
        [
            "-: build notify gate rollout both choose",
            "rollout: deploy probe",
            "both: l",
            "both: r1 r2",
            "choose: note",
            "choose: pause",
            "-: report"
        ]
    );
    assert_eq!((plan.root, plan.finally), (0, Some(6)));
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    let expected = "build notify gate rollout deploy probe both l r1 r2 choose note pause report";
    assert_eq!(ids.join(" "), expected);
    for (index, block) in plan.blocks.iter().enumerate() {
        assert!(block.steps.iter().all(|step| plan.steps[*step as usize].block == index as u32));
    }
    let back: Plan = serde_json::from_slice(&plan.to_bytes()).unwrap();
    assert_eq!(back, plan);
}

#[test]
fn defaults_go_to_steps_that_do_work() {
    let plan = planned(&rich());
    let by_id = |id: &str| &plan.steps[plan.step_by_id(id).unwrap() as usize];
    assert_eq!(by_id("build").timeout_ms, Some(600_000));
    assert_eq!(by_id("gate").timeout_ms, None);
    assert_eq!(by_id("rollout").timeout_ms, None);
    assert_eq!(by_id("rollout").retry, None);
    let retry = by_id("build").retry.as_ref().unwrap();
    assert_eq!((retry.max_attempts, retry.delay_ms), (5, 2_000), "both keys, each from where it is written");
    assert_eq!((retry.max_delay_ms, retry.backoff, retry.jitter), (RETRY_DELAY_MS_MAX, Backoff::Exponential, true));
    assert_eq!(by_id("notify").retry.as_ref().unwrap().max_attempts, 3);
}

#[test]
fn without_retry_there_is_one_attempt() {
    assert_eq!(planned_step(run("a", "true")).retry, None);
    let mut step = run("a", "true");
    step.retry = Some(Retry { max_delay_ms: Some(1), delay_ms: Some(500), ..Retry::default() });
    let retry = planned_step(step).retry.unwrap();
    assert_eq!((retry.max_attempts, retry.delay_ms, retry.max_delay_ms), (3, 500, 500));
}

#[test]
fn conditions_are_wrapped_and_know_if_they_ask_for_the_status() {
    let plan = planned(&rich());
    let condition = |id: &str| plan.steps[plan.step_by_id(id).unwrap() as usize].condition.clone().unwrap();
    assert_eq!(condition("report").expression, "${{ always() }}");
    assert!(condition("report").status_aware);
    assert_eq!(condition("gate").expression, "${{ inputs.environment == 'production' }}");
    assert!(!condition("gate").status_aware);
    let Kind::While { condition, max_iterations, .. } =
        planned_step(while_("w", "steps.x.outputs.exit_code == 0", vec![run("x", "true")])).kind
    else {
        panic!("not a while");
    };
    assert_eq!(condition, "${{ steps.x.outputs.exit_code == 0 }}");
    assert_eq!(max_iterations, ITERATIONS_DEFAULT);
}

#[test]
fn values_of_a_script_become_variables() {
    let Kind::Run { shell, script, values } = planned(&rich()).steps.remove(4).kind else { panic!("not a script") };
    assert_eq!(shell, "bash");
    assert_eq!(values.values().collect::<Vec<_>>(), ["${{ item }}"]);
    assert!(!script.contains("${{"), "{script}");
}

#[test]
fn every_kind_names_its_outputs() {
    let approval = step("a", workflow::Kind::Approval(Approval::default()));
    let form = step(
        "a",
        workflow::Kind::Input {
            fields: crate::samples::map(json!({"branch": {"type": "choice", "choices": ["main"]}})),
            message: None,
            assignee: None,
        },
    );
    let signal = step("a", workflow::Kind::Wait(Wait::Signal { name: "go".to_owned(), timeout_ms: Some(5) }));
    let pause = step("a", workflow::Kind::Wait(Wait::Duration("5s".to_owned())));
    for (step, expected) in [
        (run("a", "true"), "stdout stderr exit_code json"),
        (uses("a", "http", json!({"url": "https://x"})), "status headers body json"),
        (uses("a", "set", json!({})), ""),
        (approval, "approved by comment"),
        (form, "branch"),
        (signal, "payload by"),
        (pause, ""),
        (foreach("a", json!([1]), vec![run("b", "true")]), "results"),
        (parallel("a", vec![("x", vec![run("b", "true")])]), ""),
    ] {
        assert_eq!(planned_step(step).output_names.join(" "), expected);
    }
}

#[test]
fn waits_carry_one_end() {
    let mut asked = step("a", workflow::Kind::Approval(Approval::default()));
    asked.timeout_ms = Some(7);
    let planned_approval = planned_step(asked);
    assert_eq!(planned_approval.timeout_ms, None);
    let Kind::Approval(approval) = planned_approval.kind else { panic!("not an approval") };
    assert_eq!(approval.timeout_ms, Some(7));
    let mut signal = step("a", workflow::Kind::Wait(Wait::Signal { name: "go".to_owned(), timeout_ms: None }));
    signal.timeout_ms = Some(9);
    let Kind::Wait(skep_model::plan::Wait::Signal { timeout_ms, .. }) = planned_step(signal).kind else {
        panic!("not a signal");
    };
    assert_eq!(timeout_ms, Some(9));
    let Kind::Approval(approval) = planned(&rich()).steps.remove(2).kind else { panic!("not an approval") };
    let after: Vec<u64> = approval.escalate.iter().map(|escalation| escalation.after_ms).collect();
    assert_eq!(after, [3_600_000, 28_800_000]);
}

#[test]
fn edges_of_a_graph_are_indices() {
    let plan = planned(&graph(vec![
        run("a", "true"),
        parallel("p", vec![("x", vec![run("inner", "true")])]),
        after(run("b", "true"), &["p", "a"]),
    ]));
    assert_eq!(plan.steps[3].depends_on, [1, 0]);
}

#[test]
fn a_counted_loop_has_the_high_limit() {
    let kind = workflow::Kind::Repeat {
        times: Some(json!(2_000)),
        until: None,
        max_iterations: None,
        order: Default::default(),
        steps: vec![run("b", "true")],
    };
    let Kind::Repeat { max_iterations, .. } = planned_step(step("a", kind)).kind else { panic!("not a repeat") };
    assert_eq!(max_iterations, ITERATIONS_MAX);
}

#[test]
fn what_basic_calls_an_error_is_refused() {
    let wrong = workflow(vec![when(run("a", "true"), "${{ inputs.nobody }}"), run("a", "true")]);
    let codes: Vec<&str> = plan(&wrong, &catalogue()).unwrap_err().iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["SKEP-C005", "SKEP-C006"]);
}
