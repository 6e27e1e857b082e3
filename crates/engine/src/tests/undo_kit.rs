//! Plans with compensations: the kit's plans, edited.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::plan::{Compensation, Kind, OnUnknown, Plan, Retry, Side, Step};

use super::kit::{Harness, flow_with};

pub(super) fn noop(with: Value) -> Side {
    Side {
        kind: Kind::Uses { action: "noop".into(), with },
        env: Map::new(),
        working_dir: None,
        timeout_ms: None,
        retry: None,
    }
}

pub(super) fn step<'p>(plan: &'p mut Plan, id: &str) -> &'p mut Step {
    let index = plan.step_by_id(id).unwrap_or_else(|| panic!("the plan has no step {id}"));
    &mut plan.steps[index as usize]
}

/// Steps with these ids get a compensation that names the step.
pub(super) fn undoable(plan: &mut Plan, ids: &str) {
    for id in ids.split_whitespace() {
        let work = noop(json!({"undo": id}));
        step(plan, id).compensation = Some(Box::new(Compensation { work, verify: None }));
    }
}

/// Every step called `u..` can be undone.
pub(super) fn undoing(yaml: &str) -> Harness {
    flow_with(yaml, undo_all)
}

pub(super) fn undo_all(plan: &mut Plan) {
    let ids: Vec<String> = plan.steps.iter().map(|step| step.id.clone()).filter(|id| id.starts_with('u')).collect();
    undoable(plan, &ids.join(" "));
}

/// The step is looked at with `verify` when nobody knows whether it was done.
pub(super) fn verified(plan: &mut Plan, id: &str) {
    step(plan, id).verify = Some(Box::new(noop(json!({"verify": id}))));
}

pub(super) fn asks(plan: &mut Plan, id: &str) {
    step(plan, id).on_unknown = Some(OnUnknown::Ask);
}

pub(super) fn retry(max_attempts: u32) -> Retry {
    Retry {
        max_attempts,
        delay_ms: 1_000,
        max_delay_ms: 1_000,
        backoff: skep_model::plan::Backoff::Fixed,
        jitter: false,
        on: Vec::new(),
    }
}
