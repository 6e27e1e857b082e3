//! What surrounds a step's work, from text to plan.

use serde_json::{Value, json};
use skep_model::catalogue::{Catalogue, Feature};
use skep_model::plan::{Asking, Breaker, Concurrency, Kind, OnError, OnUnknown, Plan, Priority, Side, Step, WhenFull};
use skep_model::problem::Severity;

use crate::check::{self, Level};
use crate::load::load;
use crate::plan::check_and_plan;
use crate::samples::catalogue;

fn planned(text: &str) -> Plan {
    let loaded = load(text);
    assert!(loaded.is_usable(), "{text}\n{:#?}", loaded.problems);
    let (problems, plan) = check_and_plan(&loaded.workflow.unwrap(), &catalogue(), Level::Standard);
    plan.unwrap_or_else(|| panic!("{text}\n{problems:#?}"))
}

/// The plan of a workflow with these lines at its top and these steps.
fn whole(top: &str, steps: &str) -> Plan {
    planned(&format!(
        "name: sample\ndescription: A sample.\ninputs: {{n: {{type: integer, default: 1}}}}\n{top}\nsteps:\n{steps}"
    ))
}

/// A `run` step with these keys, in flow style.
fn step(keys: &str) -> Step {
    whole("", &format!("  - {{id: a, run: ./a.sh, {keys}}}\n")).steps.remove(0)
}

/// What a node with `features` lacks of a workflow.
fn missing(text: &str, features: &[Feature]) -> Vec<String> {
    let workflow = load(text).workflow.unwrap();
    let catalogue = Catalogue { features: features.iter().copied().collect(), ..catalogue() };
    check::not_built(&workflow, &catalogue).into_iter().map(|missing| missing.problem.message).collect()
}

fn script_of(side: &Side) -> (&str, &str, Vec<&str>) {
    let Kind::Run { shell, script, values } = &side.kind else { panic!("not a script: {side:?}") };
    (shell, script, values.values().map(String::as_str).collect())
}

#[test]
fn a_text_is_the_script_of_a_compensation() {
    let step = step("rollback: './undo.sh \"${{ inputs.n }}\" ${{ json.id }} \"${{ steps.a.outputs.stdout }}\"'");
    let compensation = step.compensation.unwrap();
    let (shell, script, values) = script_of(&compensation.work);
    assert_eq!(shell, "bash");
    assert_eq!(script, "./undo.sh \"${SKEP_V1}\" \"${SKEP_V2}\" \"${SKEP_V3}\"");
    assert_eq!(values, ["${{ inputs.n }}", "${{ json.id }}", "${{ steps.a.outputs.stdout }}"]);
    assert_eq!(compensation.verify, None);
}

#[test]
fn a_compensation_has_what_its_step_has_unless_it_says_otherwise() {
    let defaults = "defaults: {timeout: 10m, retry: {max_attempts: 4}, shell: sh}\n";
    let plan = whole(
        defaults,
        "  - id: a
    run: ./a.sh
    env: {HOST: web-1, PORT: '80'}
    working_dir: src
    rollback:
      run: ./undo.sh
      env: {PORT: '81'}
      timeout: 1m
      retry: {delay: 5s}
      verify: {run: './gone.sh \"${{ stdout }}\"', shell: bash}
",
    );
    let compensation = plan.steps[0].compensation.clone().unwrap();
    let work = &compensation.work;
    assert_eq!(
        work.env.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>(),
        ["HOST=web-1", "PORT=81"]
    );
    assert_eq!((work.working_dir.as_deref(), work.timeout_ms), (Some("src"), Some(60_000)));
    let retry = work.retry.as_ref().unwrap();
    assert_eq!((retry.max_attempts, retry.delay_ms), (4, 5_000));
    assert_eq!(script_of(work).0, "sh");
    let verify = compensation.verify.as_ref().unwrap();
    assert_eq!(script_of(verify), ("bash", "./gone.sh \"${SKEP_V1}\"", vec!["${{ stdout }}"]));
    assert_eq!((verify.timeout_ms, &verify.retry), (Some(600_000), &None), "an answer is not repeated by default");
}

#[test]
fn an_action_can_undo_and_verify() {
    let plan = whole(
        "",
        "  - id: each
    foreach: [a, b]
    steps:
      - id: add
        uses: http
        with: {url: 'https://example.org/${{ item }}'}
        verify: {uses: http, with: {url: 'https://example.org/${{ item }}/${{ index }}'}}
        rollback: {uses: http, with: {url: 'https://example.org/${{ body }}/${{ item }}'}}
",
    );
    let step = &plan.steps[1];
    let with = |side: &Side| match &side.kind {
        Kind::Uses { action, with } => (action.clone(), with.clone()),
        other => panic!("not an action: {other:?}"),
    };
    let undo = with(&step.compensation.as_ref().unwrap().work);
    assert_eq!(undo, ("http".into(), json!({"url": "https://example.org/${{ body }}/${{ item }}"})));
    assert_eq!(&*with(step.verify.as_ref().unwrap()).0, "http");
    assert_eq!(step.on_unknown(), OnUnknown::Verify);
}

#[test]
fn the_arguments_of_a_compensation_are_checked_against_its_action() {
    let text =
        "name: x\ndescription: x.\nsteps:\n  - id: a\n    run: ./a.sh\n    rollback: {uses: http, with: {ulr: x}}\n";
    let problems = check::check(&load(text).workflow.unwrap(), &catalogue(), Level::Standard);
    let found: Vec<(&str, u32)> = problems.iter().map(|problem| (problem.code, problem.place.unwrap().line)).collect();
    assert!(found.contains(&("SKEP-C031", 6)), "{problems:#?}");
}

#[test]
fn whether_a_failure_undoes_by_itself() {
    for (rollback, expected) in [
        ("", false),
        ("rollback: true\n", false),
        ("rollback: false\n", true),
        ("rollback: {enabled: false}\n", true),
        ("rollback: {auto: false}\n", true),
        ("rollback: {enabled: true, auto: true, strategy: graceful}\n", false),
    ] {
        assert_eq!(whole(rollback, "  - {id: a, run: x}\n").keeps_effects, expected, "{rollback}");
    }
}

#[test]
fn what_undoes_in_another_way_stays_refused() {
    use Feature::{Rollback, RollbackStrategy};
    let text = |rollback: &str, step: &str| {
        format!("name: x\ndescription: x.\nrollback: {rollback}\nsteps:\n  - {{id: a, run: x, {step}}}\n")
    };
    for (rollback, step, features, expected) in [
        ("{strategy: graceful}", "rollback: y", &[Rollback][..], &[][..]),
        ("{strategy: immediate}", "rollback: y", &[Rollback], &["the rollback strategy `immediate` is not built yet"]),
        ("{checkpoint_interval: 3}", "rollback: y", &[Rollback], &["`checkpoint_interval` is not built yet"]),
        ("{strategy: manual}", "rollback: y", &[Rollback, RollbackStrategy], &[]),
        ("{strategy: manual}", "read_only: true", &[], &[]),
        ("true", "rollback: y, checkpoint: true", &[Rollback], &["`checkpoint` is not built yet"]),
        (
            "true",
            "rollback: {agent: undo}",
            &[Rollback, Feature::Agent],
            &["an `agent` beside a step is not built yet"],
        ),
        ("true", "verify: {ai: was it done}", &[Feature::Unknown], &["an `ai` turn beside a step is not built yet"]),
        ("true", "rollback: {uses: htpp}", &[Rollback], &["this node has no action `htpp`"]),
        ("true", "rollback: {run: y, policy: hard}", &[Rollback], &["the sandbox policy `hard` is not built yet"]),
        ("true", "idempotency: k", &[Feature::Idempotency], &["`idempotency` is not built yet"]),
        ("true", "circuit_breaker: {enabled: false}", &[], &[]),
    ] {
        assert_eq!(missing(&text(rollback, step), features), expected, "{rollback} {step}");
    }
}

#[test]
fn a_step_that_only_compensates_is_marked_and_named() {
    let plan = whole(
        "",
        "  - {id: first, run: ./first.sh}
  - id: a
    run: ./a.sh
    on_error: {strategy: compensate, compensation_step: back}
  - {id: back, run: './back.sh \"${{ steps.first.outputs.stdout }}\" \"${{ steps.a.status }}\"'}
  - {id: b, run: ./b.sh, on_error: compensate}
  - {id: c, run: ./c.sh, on_error: {strategy: escalate, escalation_target: 'ops-${{ inputs.n }}'}}
  - {id: d, run: ./d.sh, on_error: escalate}
",
    );
    let marked: Vec<&str> =
        plan.steps.iter().filter(|step| step.compensation_only).map(|step| step.id.as_str()).collect();
    assert_eq!(marked, ["back"]);
    let on_error: Vec<OnError> = plan.steps.iter().map(|step| step.on_error.clone()).collect();
    assert_eq!(
        on_error[1..],
        [
            OnError::Compensate { step: Some(2) },
            OnError::Fail,
            OnError::Compensate { step: None },
            OnError::Escalate(Asking { to: "ops-${{ inputs.n }}".to_owned(), ..Asking::default() }),
            OnError::Escalate(Asking::default()),
        ]
    );
}

#[test]
fn a_compensation_step_of_a_graph_sees_what_its_failing_step_sees() {
    let plan = whole(
        "order: graph",
        "  - {id: first, run: ./first.sh}
  - {id: a, run: ./a.sh, depends_on: [first], on_error: {strategy: compensate, compensation_step: back}}
  - {id: back, run: './back.sh \"${{ steps.first.outputs.stdout }}\"'}
",
    );
    assert!(plan.steps[2].compensation_only && plan.steps[2].depends_on.is_empty());
}

#[test]
fn limits_have_their_defaults() {
    let plan = whole(
        "max_parallel: 3\nconcurrency: {}\nidempotency: 'order-${{ inputs.n }}'",
        "  - {id: a, run: x, circuit_breaker: true, concurrency: {group: 'db-${{ inputs.n }}'}}
  - {id: b, run: x, circuit_breaker: {name: hub, failures: 9, threshold: 0.5, window: 10m, reset: 5s}}
  - {id: c, run: x, circuit_breaker: {enabled: false}, concurrency: {group: 7, limit: 2, when_full: fail}}
",
    );
    let group = |group: &str, limit, when_full| Some(Concurrency { group: group.to_owned(), limit, when_full });
    assert_eq!(plan.max_parallel, Some(3));
    assert_eq!(plan.concurrency, group("sample", 1, WhenFull::Queue));
    assert_eq!(plan.idempotency_key.as_deref(), Some("order-${{ inputs.n }}"));
    assert_eq!(plan.steps[0].concurrency, group("db-${{ inputs.n }}", 1, WhenFull::Queue));
    assert_eq!(plan.steps[2].concurrency, group("7", 2, WhenFull::Fail));
    let breaker = |name: &str, failures, threshold, window_ms, reset_ms| {
        Some(Breaker { name: name.to_owned(), failures, threshold, window_ms, reset_ms })
    };
    assert_eq!(plan.steps[0].circuit_breaker, breaker("sample/a", 5, None, None, 60_000));
    assert_eq!(plan.steps[1].circuit_breaker, breaker("hub", 9, Some(0.5), Some(600_000), 5_000));
    assert_eq!(plan.steps[2].circuit_breaker, None);
    let keyed = whole("idempotency: {key: x}\nconcurrency: {when_full: cancel_old}", "  - {id: a, run: x}\n");
    assert_eq!(keyed.idempotency_key.as_deref(), Some("x"));
    assert_eq!(keyed.concurrency, group("sample", 1, WhenFull::CancelOld));
}

#[test]
fn priorities_are_words_or_numbers() {
    for (written, expected) in
        [("critical", 100), ("high", 75), ("medium", 50), ("low", 25), ("60", 60), ("-5", -5), ("'90'", 90)]
    {
        assert_eq!(step(&format!("priority: {written}")).priority, Priority(expected), "{written}");
    }
    assert_eq!(step("timeout: 1m").priority, Priority::default());
}

#[test]
fn results_are_checked_by_conditions_and_a_schema() {
    let step = step(
        "output_schema: {type: object, required: [stdout]}, irreversible: true, on_unknown: ask, \
         success_criteria: ['json.n > 0', '${{ exit_code == 0 and inputs.n == 1 }}', status_received]",
    );
    assert_eq!(step.success_criteria, ["${{ json.n > 0 }}", "${{ exit_code == 0 and inputs.n == 1 }}"]);
    assert_eq!(step.output_schema, Some(json!({"type": "object", "required": ["stdout"]})));
    assert_eq!((step.irreversible, step.on_unknown), (true, Some(OnUnknown::Ask)));
    assert_eq!(self::step("output_schema: true, success_criteria: 'true'").output_schema, None);
}

#[test]
fn a_check_that_is_only_named_is_never_silently_passed() {
    let all = [Feature::SuccessCriteria, Feature::ValidationChecks];
    let text = |criteria: &str| {
        format!("name: x\ndescription: x.\nsteps:\n  - {{id: a, run: x, success_criteria: {criteria}}}\n")
    };
    for (criteria, expected) in [
        ("status_received", 1),
        ("[status_received, agents responsive]", 2),
        ("['${{ exit_code == 0 }}']", 0),
        ("['not (exit_code == 1)']", 0),
        ("['']", 1),
    ] {
        assert_eq!(missing(&text(criteria), &all).len(), expected, "{criteria}");
    }
    let template = r#"{"name": "t", "description": "d.", "steps": [{"id": "a", "command": "noop",
        "success_criteria": ["status_received"], "validation_checks": ["agent_count > 0"]}]}"#;
    let loaded = load(template);
    assert!(loaded.is_usable());
    let problems = check::check(loaded.workflow.as_ref().unwrap(), &catalogue(), Level::Standard);
    assert!(problems.iter().all(|problem| problem.severity != Severity::Error), "{problems:#?}");
    assert_eq!(
        missing(template, &[Feature::SuccessCriteria]),
        ["the named check `status_received` is not built yet", "`validation_checks` is not built yet"]
    );
}

#[test]
fn a_template_undoes_with_its_rollback_command() {
    let plan = planned(
        r#"{"name": "t", "description": "d.", "rollback_enabled": false, "steps": [{"id": "a", "command": "set",
        "parameters": {"x": 1}, "rollback_command": "set", "rollback_parameters": {"restore": true}}]}"#,
    );
    let step = &plan.steps[0];
    let work = &step.compensation.as_ref().unwrap().work;
    assert_eq!(work.kind, Kind::Uses { action: "set".into(), with: json!({"restore": true}) });
    assert_eq!((work.timeout_ms, work.retry.as_ref().unwrap().max_attempts), (Some(300_000), 4));
    assert!(plan.keeps_effects);
}

#[test]
fn a_child_keeps_its_version_as_written_and_its_outputs_may_have_any_name() {
    let plan = whole(
        "",
        "  - {id: child, workflow: {name: lib/other, version: 1.10, inputs: {n: '${{ inputs.n }}'}}}
  - {id: use, run: 'echo \"${{ steps.child.outputs.whatever }}\"'}
",
    );
    let expected = Kind::Workflow {
        name: "lib/other".to_owned(),
        version: Some("1.10".to_owned()),
        inputs: json!({"n": "${{ inputs.n }}"}),
    };
    assert_eq!(plan.steps[0].kind, expected);
    let bare = whole("", "  - {id: child, workflow: other}\n");
    let Kind::Workflow { name, version, inputs } = &bare.steps[0].kind else { panic!("no child") };
    assert_eq!((name.as_str(), version, inputs), ("other", &None, &Value::Object(Default::default())));
}

#[test]
fn what_a_workflow_built_in_code_gets_wrong_is_an_error_too() {
    let mut workflow = crate::samples::workflow(vec![crate::samples::run("a", "true")]);
    workflow.concurrency = Some(json!({"limit": "many"}));
    workflow.steps[0].rollback = Some(json!({"run": "x", "retry": {"max_attempts": 0}}));
    workflow.steps[0].later.insert("priority".to_owned(), json!("urgent"));
    let problems = crate::plan::plan(&workflow, &catalogue()).unwrap_err();
    let found: Vec<(&str, bool)> = problems.iter().map(|problem| (problem.code, problem.place.is_none())).collect();
    assert_eq!(found, [("SKEP-D021", true), ("SKEP-D034", true), ("SKEP-D027", true)]);
}
