//! What the fuzz targets share: a node that can do everything, and a plan with every kind of step.
//!
//! The targets assert what must hold for any input; that nothing panics, hangs or eats memory the fuzzer sees itself.

use serde_json::json;
use skep_model::catalogue::{Action, Catalogue};

/// A few actions and every feature of the language, so that nothing is left out of a plan.
pub fn catalogue() -> Catalogue {
    let open = json!({"type": "object"});
    let strict = json!({"type": "object", "required": ["url"], "additionalProperties": false,
        "properties": {"url": {"type": "string"}, "json": true}});
    let action = |schema, outputs: &[&str], read_only| Action {
        summary: String::new(),
        schema,
        outputs: outputs.iter().map(|name| (*name).to_owned()).collect(),
        read_only,
    };
    let actions = [
        ("noop", action(open.clone(), &[], true)),
        ("set", action(open.clone(), &[], true)),
        ("log", action(open, &["message"], true)),
        ("http", action(strict, &["status", "headers", "body", "json"], false)),
    ];
    let actions = actions.into_iter().map(|(name, action)| (name.to_owned(), action)).collect();
    Catalogue { actions, features: FEATURES.iter().filter_map(|name| serde_json::from_value(json!(name)).ok()).collect(), rules: None }
}

/// By their serialized names, so that a new feature does not break this crate.
const FEATURES: &[&str] = &[
    "agent", "ai", "child_workflow", "wait_condition", "rollback", "compensate", "escalate", "cancel_rollback",
    "concurrency", "max_parallel", "priority", "circuit_breaker", "output_schema", "success_criteria",
    "validation_checks", "capabilities", "unknown", "irreversible", "checkpoint", "policy", "network", "image",
    "artifacts", "secrets", "idempotency", "step_schedule", "ai_assisted", "fallback_actions", "escalation",
    "rollback_strategy", "step_idempotency",
];

/// A workflow with every kind of step that an engine performs.
pub const WORKFLOW: &str = "
name: everything
description: Every kind of step.
inputs: {hosts: {type: array, default: [a, b]}}
steps:
  - {id: work, run: 'echo 1', retry: {max_attempts: 3}, rollback: ./undo.sh}
  - {id: shown, approve: after, uses: set, with: {x: 1}}
  - {id: ask, approval: Go on?}
  - {id: form, input: {branch: {type: choice, choices: [main, next]}}}
  - {id: pause, wait: {for: 5s}}
  - {id: nod, wait: {signal: go}}
  - id: each
    foreach: ${{ inputs.hosts }}
    max_parallel: 2
    steps:
      - {id: inner, run: 'echo \"${{ item }}\"'}
      - {id: twice, repeat: {times: 2}, steps: [{id: deep, uses: noop}]}
  - {id: both, parallel: {l: [{id: left, uses: noop}], r: [{id: right, uses: noop}]}, join: any}
  - {id: choose, switch: {cases: [{when: 'true', steps: [{id: yes, uses: noop}]}], default: [{id: otherwise, uses: noop}]}}
  - {id: loop, while: 'false', steps: [{id: body, uses: noop}]}
finally:
  - {id: report, uses: noop}
";
