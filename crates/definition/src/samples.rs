//! Workflows for the tests of this crate, written briefly.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::catalogue::{Action, Catalogue};
use skep_model::plan::{Join, Order};

use crate::workflow::{Approval, Branch, Case, Defaults, Gate, Kind, OnError, Retry, Step, Wait, Workflow};

pub(crate) fn step(id: &str, kind: Kind) -> Step {
    Step { id: id.to_owned(), kind, ..Step::default() }
}

pub(crate) fn run(id: &str, script: &str) -> Step {
    step(id, Kind::Run { script: script.to_owned(), shell: None })
}

pub(crate) fn uses(id: &str, action: &str, with: Value) -> Step {
    step(id, Kind::Uses { action: action.to_owned(), with: map(with) })
}

pub(crate) fn after(mut step: Step, names: &[&str]) -> Step {
    step.depends_on = names.iter().map(|name| (*name).to_owned()).collect();
    step
}

pub(crate) fn when(mut step: Step, condition: &str) -> Step {
    step.condition = Some(condition.to_owned());
    step
}

pub(crate) fn foreach(id: &str, items: Value, steps: Vec<Step>) -> Step {
    let (order, max_parallel, fail_fast, max_iterations) = (Order::Sequence, None, None, None);
    step(id, Kind::Foreach { items, max_parallel, fail_fast, max_iterations, order, steps })
}

pub(crate) fn while_(id: &str, condition: &str, steps: Vec<Step>) -> Step {
    let condition = condition.to_owned();
    step(id, Kind::While { condition, max_iterations: None, order: Order::Sequence, steps })
}

pub(crate) fn parallel(id: &str, branches: Vec<(&str, Vec<Step>)>) -> Step {
    let branches = branches.into_iter();
    let branches =
        branches.map(|(name, steps)| Branch { name: name.to_owned(), order: Order::Sequence, steps }).collect();
    step(id, Kind::Parallel { branches, join: None, fail_fast: None })
}

pub(crate) fn switch(id: &str, cases: Vec<(&str, Vec<Step>)>, default: Option<Vec<Step>>) -> Step {
    let cases = cases.into_iter();
    let cases = cases.map(|(when, steps)| Case { when: when.to_owned(), order: Order::Sequence, steps }).collect();
    step(id, Kind::Switch { cases, default })
}

pub(crate) fn map(object: Value) -> Map<Value> {
    match object {
        Value::Object(map) => map.into_iter().collect(),
        other => panic!("the test meant an object, not {other}"),
    }
}

pub(crate) fn workflow(steps: Vec<Step>) -> Workflow {
    Workflow { name: "sample".to_owned(), steps, ..Workflow::default() }
}

pub(crate) fn graph(steps: Vec<Step>) -> Workflow {
    Workflow { order: Order::Graph, ..workflow(steps) }
}

/// `http`, `set` and `noop`, and no feature.
pub(crate) fn catalogue() -> Catalogue {
    let action = |schema: Value, outputs: &[&str], read_only: bool| Action {
        summary: String::new(),
        schema,
        outputs: outputs.iter().map(|name| (*name).to_owned()).collect(),
        read_only,
    };
    let http = json!({"type": "object", "required": ["url"], "additionalProperties": false, "properties": {
        "method": {"enum": ["GET", "POST"]}, "url": {"type": "string", "pattern": "^https?://"},
        "json": true, "timeout": {"type": "integer", "minimum": 1}, "headers": {"type": "object"}}});
    let open = json!({"type": "object"});
    let actions = [
        ("http", action(http, &["status", "headers", "body", "json"], false)),
        ("set", action(open.clone(), &[], true)),
        ("noop", action(open, &[], true)),
    ];
    let actions = actions.into_iter().map(|(name, action)| (name.to_owned(), action)).collect();
    Catalogue { actions, ..Catalogue::default() }
}

/// One of everything that is drawn, planned and checked.
pub(crate) fn rich() -> Workflow {
    let mut build = run("build", "set -e\n# the image\n./build.sh \"${{ inputs.repository }}\"\necho done\n");
    build.outputs = Some(map(json!({"image": "${{ json.image }}"})));
    build.retry = Some(Retry { max_attempts: Some(5), ..Retry::default() });
    let mut notify =
        uses("notify", "http", json!({"url": "https://example.org", "json": "${{ steps.build.outputs.image }}"}));
    notify.on_error = Some(OnError::Skip);
    let ask = Approval {
        message: Some("Ship \"${{ steps.build.outputs.image }}\" <now>?".to_owned()),
        assignee: Some("manager@example.org".to_owned()),
        timeout_ms: Some(86_400_000),
        escalate: vec![(28_800_000, "director@example.org".to_owned()), (3_600_000, "lead@example.org".to_owned())],
        ..Approval::default()
    };
    let gate = when(step("gate", Kind::Approval(ask)), "${{ inputs.environment == 'production' }}");
    let mut deploy = run("deploy", "./deploy.sh \"${{ item }}\"");
    deploy.approve = Some(Gate { before: true, approval: Approval::default() });
    let mut rollout =
        foreach("rollout", json!("${{ inputs.hosts }}"), vec![deploy, run("probe", "./probe.sh ${{ index }}")]);
    if let Kind::Foreach { max_parallel, .. } = &mut rollout.kind {
        *max_parallel = Some(2);
    }
    let mut both = parallel(
        "both",
        vec![("left", vec![run("l", "./l.sh")]), ("right", vec![run("r1", "./r.sh"), run("r2", "./r.sh")])],
    );
    if let Kind::Parallel { join, .. } = &mut both.kind {
        *join = Some(Join::Any);
    }
    let choose = switch(
        "choose",
        vec![("${{ steps.l.status == 'completed' }}", vec![uses("note", "noop", json!({}))])],
        Some(vec![step("pause", Kind::Wait(Wait::Duration("10m".to_owned())))]),
    );
    Workflow {
        name: "release".to_owned(),
        description: "Build, ask, roll out.".to_owned(),
        version: Some("1.2.0".to_owned()),
        inputs: map(json!({
            "repository": {"type": "string", "required": true},
            "environment": {"type": "string", "enum": ["staging", "production"], "default": "staging"},
            "hosts": {"type": "array", "items": {"type": "string"}, "default": ["web-1"]},
        })),
        defaults: Defaults {
            timeout_ms: Some(600_000),
            retry: Some(Retry { delay_ms: Some(2_000), ..Retry::default() }),
            ..Defaults::default()
        },
        finally: vec![when(run("report", "./report.sh \"${{ execution.status }}\""), "always()")],
        ..workflow(vec![build, notify, gate, rollout, both, choose])
    }
}
