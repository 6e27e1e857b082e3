//! Whole files of the two spellings, and what is refused.

use serde_json::{Value, json};

use super::*;
use crate::tree;

const MAINTENANCE: &str = include_str!("../../../../examples/database-maintenance.json");

/// The canonical form as JSON, its spelling, and `CODE line message` of each problem.
fn rewrite(text: &str) -> (Value, Spelling, Vec<String>) {
    let node = tree::parse(text).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"));
    let (node, spelling, problems) = to_canonical(node);
    let line = |problem: &skep_model::problem::Problem| problem.place.map_or(0, |place| place.line);
    let shown = problems.iter().map(|problem| format!("{} {} {}", problem.code, line(problem), problem.message));
    (node.to_value(), spelling, shown.collect())
}

fn check(text: &str, expect: Value) {
    let (value, _, problems) = rewrite(text);
    assert_eq!(problems, [""; 0], "{text}");
    assert_eq!(value, expect, "{text}");
}

/// `steps` of a template or library file with these steps.
fn check_steps(text: &str, expect: Value) {
    let (value, _, problems) = rewrite(text);
    assert_eq!(problems, [""; 0], "{text}");
    assert_eq!(value["steps"], expect, "{text}");
}

#[test]
fn the_shape_tells_the_spelling() {
    use Spelling::{Canonical, LibraryYaml, TemplateJson};
    for (text, expect) in [
        ("just text", Canonical),
        ("{name: x, steps: [{run: 'true'}]}", Canonical),
        ("{name: x, steps: [{run: 'true', timeout_seconds: 5}]}", Canonical),
        ("{name: x, monitoring: {}, steps: []}", Canonical),
        ("{name: x, steps: [{id: a, command: hv-status}]}", TemplateJson),
        ("{name: x, steps: [{id: a, command: c}, {run: b}]}", TemplateJson),
        ("{name: x, steps: [{id: a, command: c}, {run: b}, {run: b}]}", Canonical),
        ("{name: x, steps: [{id: a}], rollback_enabled: true}", TemplateJson),
        ("{name: x, steps: [{id: a, parameters: {}}]}", TemplateJson),
        ("{metadata: {name: x}, steps: []}", LibraryYaml),
        ("{metadata: {name: x}, steps: [{command: hv-status}]}", LibraryYaml),
        ("{steps: [{name: a, type: action, config: {run: 'true'}}]}", LibraryYaml),
        ("{steps: [{name: a, conditions: {}}]}", LibraryYaml),
    ] {
        assert_eq!(rewrite(text).1, expect, "{text}");
    }
}

#[test]
fn a_canonical_tree_is_not_touched() {
    let text = "{name: x, steps: [{run: 'true', nonsense: 1}]}";
    let node = tree::parse(text).expect("it is YAML");
    assert_eq!(to_canonical(node.clone()), (node, Spelling::Canonical, Vec::new()));
}

#[test]
fn the_template_of_the_seed_becomes_a_graph_behind_an_approval() {
    let own = |literal: &str, key: &str| format!("${{{{ inputs.{key} if inputs.{key} != null else '{literal}' }}}}");
    let delegate = |id: &str, about: &str, task: &str, priority: &str, after: &str, timeout: &str| {
        json!({"id": id, "description": about, "depends_on": [after], "uses": "hv-delegate",
            "with": {"task": own(task, "task"), "priority": own(priority, "priority")}, "timeout": timeout})
    };
    check(
        MAINTENANCE,
        json!({
            "name": "Database Maintenance",
            "description": "Comprehensive database maintenance routine",
            "category": "maintenance",
            "tags": ["database", "maintenance", "optimization"],
            "inputs": {
                "task": {"description": "Overlays the parameter of backup_db, optimize_tables, update_stats"},
                "priority": {"description": "Overlays the parameter of backup_db, optimize_tables, update_stats"},
                "category": {"type": "string", "default": "infrastructure",
                    "description": "Overlays the parameter of document_results"},
            },
            "defaults": {"retry": {"max_attempts": 4, "delay": "1s", "backoff": "exponential", "jitter": false}},
            "rollback": {"enabled": true},
            "estimated_duration": "2h",
            "order": "graph",
            "steps": [
                {"id": "approve_start",
                 "description": "The template says approval_required: true, so nothing runs before a person has approved.",
                 "approval": {"message": "Start Database Maintenance?"}},
                delegate("backup_db", "Create database backup", "backup database", "high", "approve_start", "30m"),
                delegate("optimize_tables", "Optimize database tables", "optimize tables", "medium", "backup_db", "1h"),
                delegate("update_stats", "Update table statistics", "update statistics", "low", "optimize_tables", "15m"),
                {"id": "document_results", "description": "Document maintenance results", "depends_on": ["update_stats"],
                 "uses": "remember", "with": {"category": "${{ inputs.category }}"}, "timeout": "5m"},
            ],
        }),
    );
}

#[test]
fn every_key_of_a_template_is_rewritten_or_kept() {
    check(
        "
id: t
name: T
version: 2.0.0
author: me
category: c
tags: [x]
created_at: 2026-01-01
success_rate: 0.5
usage_count: 3
last_used: null
trigger_conditions: {keywords: [down]}
prerequisites: [p]
environment_requirements: {os: linux}
notification_settings: {on: failure}
estimated_duration: 90.5
rollback_enabled: false
approval_required: false
parameters: {severity: critical, note: null, who: {type: string, required: true}}
steps:
  - id: a
    command: hv-broadcast
    parameters: {severity: critical, note: hello, mixed: '${{ inputs.who }}!', list: [1, {k: it's}], 'bad key': 1}
    required_capabilities: [c]
    timeout_seconds: '2.5'
    retry_count: 0
    max_retries: 0
    parallel_group: g
    rollback_command: hv-sync
    rollback_parameters: {restore: true}
    validation_checks: [agent_count > 0]
    success_criteria: [ok]
    status: pending
    start_time: null
    result: {}
",
        json!({
            "id": "t", "name": "T", "version": "2.0.0", "category": "c", "author": "me", "tags": ["x"],
            "inputs": {
                "severity": {"type": "string", "default": "critical"},
                "note": {},
                "who": {"type": "string", "required": true},
                "list": {"type": "array", "default": [1, {"k": "it's"}], "description": "Overlays the parameter of a"},
            },
            "rollback": {"enabled": false},
            "estimated_duration": "1m30s500ms",
            "trigger_conditions": {"keywords": ["down"]},
            "notification_settings": {"on": "failure"},
            "prerequisites": ["p"],
            "environment_requirements": {"os": "linux"},
            "created_at": "2026-01-01", "success_rate": 0.5, "usage_count": 3,
            "order": "graph",
            "steps": [{
                "id": "a", "uses": "hv-broadcast",
                "with": {
                    "severity": "${{ inputs.severity }}",
                    "note": "${{ inputs.note if inputs.note != null else 'hello' }}",
                    "mixed": "${{ inputs.who }}!", "list": "${{ inputs.list }}", "bad key": 1,
                },
                "timeout": "2s500ms",
                "retry": {"max_attempts": 1},
                "rollback": {"uses": "hv-sync", "with": {"restore": true}},
                "required_capabilities": ["c"],
                "validation_checks": ["agent_count > 0"],
                "success_criteria": ["ok"],
                "parallel_group": "g", "retry_count": 0, "status": "pending", "result": {},
            }],
        }),
    );
}

#[test]
fn defaults_of_the_template_spelling_are_written_down_once() {
    let (value, _, _) = rewrite("{name: x, steps: [{id: a, command: hv-status}]}");
    let retry = json!({"max_attempts": 4, "delay": "1s", "backoff": "exponential", "jitter": false});
    assert_eq!(value["defaults"], json!({"timeout": "5m", "retry": retry}));
    let (value, _, _) = rewrite("{name: x, steps: [{id: a, command: c, timeout_seconds: 9, max_retries: 2}]}");
    assert_eq!(value.get("defaults"), None);
    assert_eq!(value["steps"][0]["retry"]["max_attempts"], 3);
}

#[test]
fn literals_survive_inside_expressions() {
    let with = |a: &str, b: &str| {
        let text = format!(
            "{{steps: [{{id: a, command: c, parameters: {{k: {a}}}}}, {{id: b, command: c, parameters: {{k: {b}}}}}]}}"
        );
        rewrite(&text).0["steps"][0]["with"]["k"].clone()
    };
    let expect = |literal: &str| json!(format!("${{{{ inputs.k if inputs.k != null else {literal} }}}}"));
    for (yaml, literal) in [
        ("1", "1"),
        ("1.5", "1.5"),
        ("true", "true"),
        ("null", "null"),
        ("\"it's \\\\ a\\nline\"", "'it\\'s \\\\ a\\nline'"),
        ("[a, {b: {c: 1}}]", "['a', {'b': {'c': 1 } }]"),
    ] {
        assert_eq!(with(yaml, "other"), expect(literal), "{yaml}");
    }
    assert_eq!(with("'a }} b'", "other"), json!("a }} b"), "an expression would end there");
    assert_eq!(with("'${{ inputs.z }}'", "other"), json!("${{ inputs.z }}"));
}

/// A library file with these steps.
fn library(steps: &str) -> String {
    format!("metadata: {{name: x}}\nsteps:\n{steps}")
}

#[test]
fn every_key_of_a_library_file_is_rewritten_or_kept() {
    check(
        "
metadata: {name: X, description: d, version: 1.0.0, category: 'automation|orchestration', tags: [t]}
ai_config: {agent: a, persona: p, capabilities: [c]}
triggers: [{type: schedule, config: {cron: '0 3 * * *'}}]
inputs: {environment: {default: staging}}
steps:
  - {name: Build it, type: action, ai_assisted: false, config: {run: make, timeout: 5m}}
error_handling:
  retry_strategy: {max_attempts: 3, backoff: exponential}
  fallback_actions: [{action: fallback_step}]
monitoring: {metrics: [execution_time], alerts: [{condition: failure_rate > 10%, action: send_alert}]}
finally:
  - {name: last, config: {run: 'true'}}
",
        json!({
            "name": "X", "description": "d", "version": "1.0.0", "category": "automation|orchestration", "tags": ["t"],
            "ai_config": {"agent": "a", "persona": "p", "capabilities": ["c"]},
            "triggers": [{"type": "schedule", "config": {"cron": "0 3 * * *"}}],
            "inputs": {"environment": {"default": "staging"}},
            "defaults": {"retry": {"max_attempts": 3, "backoff": "exponential"}},
            "fallback_actions": [{"action": "fallback_step"}],
            "monitoring": {"metrics": ["execution_time"], "alerts": [{"condition": "failure_rate > 10%", "action": "send_alert"}]},
            "steps": [{"id": "build-it", "name": "Build it", "run": "make", "timeout": "5m", "ai_assisted": false}],
            "finally": [{"id": "last", "run": "true"}],
        }),
    );
}

#[test]
fn transitions_become_conditions_on_their_targets() {
    check_steps(
        &library(
            "
  - {name: test, type: action, config: {run: make test}, conditions: {success: next_step, failure: report}}
  - {name: deploy, type: action, config: {if: '${{ inputs.go }}', run: make deploy}}
  - {name: report, type: action, config: {run: ./report.sh}}
",
        ),
        json!([
            {"id": "test", "on_error": {"strategy": "skip"}, "run": "make test"},
            {"id": "deploy", "if": "${{ (steps.test.status == 'completed') and (inputs.go) }}", "run": "make deploy"},
            {"id": "report", "if": "${{ steps.test.error != null }}", "run": "./report.sh"},
        ]),
    );
}

#[test]
fn a_failure_may_lead_to_a_fallback_action() {
    let text = "
metadata: {name: x}
steps: [{name: a, config: {run: 'true'}, conditions: {success: next_step, failure: error_handler}}]
error_handling: {fallback_actions: [{action: error_handler}]}
";
    check_steps(text, json!([{"id": "a", "run": "true"}]));
}

#[test]
fn structured_steps_become_switches_branches_and_loops() {
    let inner = "[{name: n, config: {run: x}}]";
    let expect = json!([{"id": "n", "run": "x"}]);
    let step = |kind: &str, config: &str, entries: Value| {
        let text = library(&format!("  - {{name: s, type: {kind}, config: {{{config}}}}}"));
        let mut step = json!({"id": "s"});
        step.as_object_mut().expect("it is one").extend(entries.as_object().expect("it is one").clone());
        check_steps(&text, json!([step]));
    };
    step(
        "decision",
        &format!("condition: 'inputs.n > 2', then: {inner}, else: {inner}, timeout: 5m"),
        json!({"switch": {"cases": [{"when": "inputs.n > 2", "steps": expect}], "default": expect}, "timeout": "5m"}),
    );
    step(
        "decision",
        &format!("condition: '${{{{ inputs.n > 2 }}}}', else: {inner}"),
        json!({"switch": {"cases": [{"when": "${{ not (inputs.n > 2) }}", "steps": expect}]}}),
    );
    step(
        "decision",
        &format!("value: '${{{{ inputs.e }}}}', cases: {{a'b: {inner}, 3: {inner}}}, default: {inner}"),
        json!({"switch": {"cases": [
            {"when": "${{ (inputs.e) == 'a\\'b' }}", "steps": expect},
            {"when": "${{ (inputs.e) == '3' or (inputs.e) == 3 }}", "steps": expect}], "default": expect}}),
    );
    step(
        "parallel",
        &format!("branches: [{{name: l, steps: {inner}}}, {{steps: []}}], max_parallel: 2, join: any"),
        json!({"parallel": {"l": expect, "branch-2": []}, "join": "any"}),
    );
    step(
        "loop",
        &format!("over: [1], steps: {inner}, max_parallel: 2"),
        json!({"foreach": [1], "max_parallel": 2, "steps": expect}),
    );
    step("loop", &format!("items: [1], steps: {inner}"), json!({"foreach": [1], "steps": expect}));
    step("loop", &format!("while: 'a', steps: {inner}"), json!({"while": "a", "steps": expect}));
    step("loop", &format!("times: 3, steps: {inner}"), json!({"repeat": {"times": 3}, "steps": expect}));
}

#[test]
fn a_decision_may_leave_its_ways_to_transitions() {
    check_steps(
        &library(
            "
  - {name: ask, type: decision, config: {condition: inputs.big}, conditions: {success: large, failure: small}}
  - {name: large, config: {run: a}}
  - {name: small, config: {run: b}}
",
        ),
        json!([
            {"id": "ask", "uses": "set", "with": {"decision": "${{ inputs.big }}"}},
            {"id": "large", "if": "${{ steps.ask.outputs.decision == true }}", "run": "a"},
            {"id": "small", "if": "${{ steps.ask.outputs.decision == false }}", "run": "b"},
        ]),
    );
}

#[test]
fn mistakes_are_located() {
    let step = |step: &str| library(&format!("  - {step}"));
    let template = |step: &str| format!("name: x\nsteps:\n  - {{id: a, command: c, {step}}}");
    for (text, expect) in [
        (template("timeout_secs: 1"), "SKEP-D101 3 a template's step has no key `timeout_secs`"),
        (template("run: x"), "SKEP-D102 3 `run` belongs to the canonical spelling"),
        (template("config: {}"), "SKEP-D102 3 `config` belongs to the library spelling"),
        (template("timeout_seconds: soon"), "SKEP-D103 3 `timeout_seconds` is a number of seconds above 0"),
        (template("timeout_seconds: 0"), "SKEP-D103 3 `timeout_seconds` is a number"),
        (template("max_retries: -1"), "SKEP-D103 3 `max_retries` is a whole number from 0"),
        (template("rollback_parameters: {a: 1}"), "SKEP-D106 3 `rollback_parameters` without"),
        (
            "approval_required: yes\nsteps: [{command: c}]".to_owned(),
            "SKEP-D103 1 `approval_required` is true or false",
        ),
        ("parameters: {k: 1}\nsteps:\n  - {command: c, parameters: {k: 2}}".to_owned(), "SKEP-D108 3 the value of `k`"),
        ("rollback_enabled: true\nsteps: [{id: a}]".to_owned(), "SKEP-D103 2 a template's step has no `command`"),
        ("usage_cuont: 1\nsteps: [{command: c}]".to_owned(), "SKEP-D101 1 a template has no key `usage_cuont`"),
        (
            "approval_required: true\nsteps: [{run: x}]".to_owned(),
            "SKEP-D102 1 `approval_required` belongs to the template",
        ),
        ("steps: [{run: x}]\nparameters: {}".to_owned(), "SKEP-D102 2 `parameters` belongs to the template"),
        ("steps: [{name: a, type: action, config: {}}]".to_owned(), "SKEP-D103 1 a library file has no `metadata`"),
        (
            "metadata: {name: x}\nversion: 1\nsteps: []".to_owned(),
            "SKEP-D102 2 `version` of a library file stands inside",
        ),
        ("metadata: {nmae: x}\nsteps: []".to_owned(), "SKEP-D101 1 `metadata` has no key `nmae`"),
        (
            "metadata: {name: x}\nmonitorin: x\nsteps: []".to_owned(),
            "SKEP-D101 2 a library file has no key `monitorin`",
        ),
        (step("{name: a, typ: action}"), "SKEP-D101 3 a library step has no key `typ`"),
        (step("{name: a, command: c}"), "SKEP-D102 3 `command` belongs to the template spelling"),
        (step("{name: a, run: c}"), "SKEP-D102 3 `run` belongs to the canonical spelling"),
        (step("{name: a, type: acton, config: {run: x}}"), "SKEP-D103 3 there is no step type `acton`"),
        (step("{type: action, config: {run: x}}"), "SKEP-D103 3 a library step has no `name`"),
        (step("{name: a, config: [x]}"), "SKEP-D103 3 `config` is a mapping"),
        (step("{name: a, conditions: {success: [b]}}"), "SKEP-D103 3 `conditions.success` is the name"),
        (step("{name: a, conditions: {sucess: b}}"), "SKEP-D101 3 `conditions` has no key `sucess`"),
        (step("{name: a, conditions: {success: a}}"), "SKEP-D104 3 the transition from `a` to `a` leads to itself"),
        (step("{name: a, conditions: {failure: error_handler}}"), "SKEP-D105 3 the transition from `a` leads to"),
        (step("{name: a, config: {name: b, run: x}}"), "SKEP-D106 3 `config` of step `a` has a `name`"),
        (
            step("{name: a, config: {run: x, on_error: {strategy: fail}}, conditions: {failure: next_step}}"),
            "SKEP-D106 3",
        ),
        (step("{name: a, type: decision, config: {condition: c}}"), "SKEP-D107 3 this decision decides nothing"),
        (step("{name: a, type: decision}"), "SKEP-D107 3 a decision has neither"),
        (
            step("{name: a, type: decision, config: {condition: c, value: v}}"),
            "SKEP-D106 3 a decision has a `condition` and",
        ),
        (
            step("{name: a, type: decision, config: {value: 'x${{ y }}', cases: {}}}"),
            "SKEP-D107 3 `value` of a decision",
        ),
        (step("{name: a, type: parallel, config: {}}"), "SKEP-D107 3 a parallel step has no `branches`"),
        (
            step("{name: a, type: parallel, config: {branches: {a: [], b: []}, max_parallel: 1}}"),
            "SKEP-D107 3 `max_parallel`",
        ),
        (
            step("{name: a, type: decision, config: {value: v, cases: {}}}"),
            "SKEP-D107 3 a decision with a `value` has no",
        ),
        (step("{name: a, type: loop, config: {steps: []}}"), "SKEP-D107 3 a loop does not say"),
        (
            step("{name: a, type: loop, config: {over: [], times: 3, steps: []}}"),
            "SKEP-D106 3 a loop has over and times",
        ),
        (
            step("{name: a, type: loop, config: {over: [], step: []}}"),
            "SKEP-D101 3 `config` of a loop has no key `step`",
        ),
    ] {
        let problems = rewrite(&text).2;
        assert!(problems.iter().any(|problem| problem.starts_with(expect)), "{text}\n{expect}\n{problems:#?}");
    }
}

#[test]
fn every_code_has_a_page() {
    for code in CODES {
        assert!(code.id.starts_with("SKEP-D1") && code.page.len() > 100, "{}", code.id);
    }
}
