use serde_json::json;
use skep_model::plan::{Join, OnReject, RetryOn};

use crate::load::load;
use crate::workflow::{Kind, OnError, Step, Wait, Workflow};

/// The problems of a text as `code line:column message (hint)`.
fn problems(text: &str) -> String {
    let lines: Vec<String> = load(text)
        .problems
        .iter()
        .map(|problem| {
            let place = problem.place.expect("every problem of a text has a place");
            let hint = problem.hint.as_deref().expect("every problem has a remedy");
            format!("{} {}:{} {}\n    {hint}", problem.code, place.line, place.column, problem.message)
        })
        .collect();
    lines.join("\n")
}

/// A workflow without errors.
fn good(text: &str) -> Workflow {
    let loaded = load(text);
    assert!(loaded.is_usable(), "{}", problems(text));
    loaded.workflow.unwrap()
}

/// The only step of a workflow, written in brackets or lines.
fn step(text: &str) -> Step {
    let step = text.replace('\n', "\n    ");
    good(&format!("name: x\ndescription: y\nsteps:\n  - {step}\n")).steps.remove(0)
}

/// The problems of a workflow with this one step.
fn step_problems(text: &str) -> String {
    problems(&format!("name: x\ndescription: y\nsteps:\n  - {text}\n"))
}

#[test]
fn short_and_long_forms_are_the_same() {
    for (short, long) in [
        ("{id: a, wait: 10m}", "{id: a, wait: {for: 10m}}"),
        ("{id: a, run: x, timeout_seconds: 90}", "{id: a, run: x, timeout: 1m30s}"),
        ("{id: a, run: x, retries: 2}", "{id: a, run: x, retry: {max_attempts: 3}}"),
        ("{id: a, run: x, retry: {max_retries: 2}}", "{id: a, run: x, retry: {max_attempts: 3}}"),
        ("{id: a, run: x, on_error: skip}", "{id: a, run: x, on_error: {strategy: skip}}"),
        ("{id: a, run: x, on_error: retry}", "{id: a, run: x, retry: {}}"),
        ("{id: a, run: x, approve: before}", "{id: a, run: x, approve: {when: before}}"),
        (
            "{id: a, run: x, approve: after, on_reject: continue}",
            "{id: a, run: x, approve: {when: after, on_reject: continue}}",
        ),
        ("{id: a, approval: Go?}", "{id: a, approval: {message: Go?}}"),
        ("{id: a, approval: }", "{id: a, approval: {}}"),
        ("{id: a, agent: web-1}", "{id: a, agent: {name: web-1}}"),
        ("{id: a, agent: web-1, with: {n: 1}}", "{id: a, agent: {name: web-1, with: {n: 1}}}"),
        ("{id: a, ai: Why?}", "{id: a, ai: {prompt: Why?}}"),
        ("{id: a, workflow: other}", "{id: a, workflow: {name: other}}"),
        ("{id: a, run: x, rollback: ./undo.sh}", "{id: a, run: x, rollback: {run: ./undo.sh}}"),
        ("{id: a, run: x, success_criteria: y}", "{id: a, run: x, success_criteria: y, retry: }"),
        ("{id: a, repeat: 3, steps: [{id: b, run: x}]}", "{id: a, repeat: {times: 3}, steps: [{id: b, run: x}]}"),
        (
            "{id: a, parallel: {l: [{id: b, run: x}]}}",
            "{id: a, parallel: {l: {order: sequence, steps: [{id: b, run: x}]}}}",
        ),
    ] {
        assert_eq!(step(short), step(long), "{short}");
    }
}

#[test]
fn values_become_what_the_language_says() {
    assert_eq!(step("{name: Roll out, run: x}").id, "roll-out");
    assert_eq!(step("{id: a, run: true, if: true}").condition.as_deref(), Some("true"));
    assert_eq!(
        step("{id: a, run: x, env: {A: 1, B: no, C: true, D: }}").env.into_iter().collect::<Vec<_>>(),
        [
            ("A".to_owned(), "1".to_owned()),
            ("B".to_owned(), "no".to_owned()),
            ("C".to_owned(), "true".to_owned()),
            ("D".to_owned(), String::new()),
        ]
    );
    let retry = step("{id: a, run: x, retry: {on: [transient, exit, 3, 503]}}").retry.unwrap();
    assert_eq!(retry.on.len(), 4);
    assert_eq!(retry.on[2..], [RetryOn::ExitCode(3), RetryOn::HttpStatus(503)]);
    let compensate = step("{id: a, run: x, on_error: {strategy: compensate, compensation_step: b}}");
    assert_eq!(compensate.on_error, Some(OnError::Compensate { step: Some("b".to_owned()) }));
    let wait = step("{id: a, wait: {condition: \"${{ inputs.x }}\", every: 10s, timeout: 1h}}").kind;
    let expect = Wait::Condition {
        condition: "${{ inputs.x }}".to_owned(),
        every_ms: Some(10_000),
        timeout_ms: Some(3_600_000),
    };
    assert_eq!(wait, Kind::Wait(expect));
    let Kind::Parallel { join, .. } = step("{id: a, parallel: {l: [{id: b, run: x}]}, join: 1}").kind else { panic!() };
    assert_eq!(join, Some(Join::Count(1)));
    let Kind::Approval(approval) = step("{id: a, approval: {message: m}, on_reject: continue, timeout: 1d}").kind
    else {
        panic!()
    };
    assert_eq!(approval.on_reject, Some(OnReject::Continue));
    let notes = step("{id: a, run: x, icon: rocket, annotations: {owner: b}}").annotations;
    assert_eq!((&notes["icon"], &notes["owner"], notes.len()), (&json!("rocket"), &json!("b"), 2));
}

#[test]
fn a_version_keeps_its_text() {
    let loaded = load("name: x\ndescription: y\nversion: 1.10\nsteps: [{id: a, run: x}]\n");
    assert_eq!(loaded.workflow.as_ref().unwrap().version.as_deref(), Some("1.10"));
    assert!(loaded.is_usable());
    assert_eq!(loaded.problems.len(), 1);
    assert_eq!((loaded.problems[0].code, loaded.problems[0].place.unwrap().line), ("SKEP-D036", 3));
}

#[test]
fn every_pointer_has_its_place() {
    let text = "name: x\nsteps:\n  - id: a\n    foreach: ${{ inputs.hosts }}\n    steps:\n      - {id: b, run: echo}\ninputs:\n  hosts: {type: array, default: [web]}\n";
    let places = good(text).places;
    for (pointer, line, column, source) in [
        ("/name", 1, 7, "x"),
        ("/steps/0/foreach", 4, 14, "${{ inputs.hosts }}"),
        ("/steps/0/steps/0/run", 6, 22, "echo"),
        ("/inputs/hosts/default/0", 8, 34, "web"),
        ("/steps/0/steps/0/no/such", 6, 9, "{id: b, run: echo}"),
    ] {
        let place = places.find(pointer).unwrap();
        assert_eq!((place.line, place.column, &text[place.start..place.end]), (line, column, source), "{pointer}");
    }
}

#[test]
fn all_problems_are_listed_at_once() {
    insta::assert_snapshot!(problems("\
nmae: x
description: broken in many ways
tiemout: 3
timeout: 10
max_parallel: 0
defaults: {retry: {max_attempts: 3, max_retries: 2}}
steps:
  - id: a b
    run: x
    uses: y
  - id: c
  - {id: d, run: x, depend_on: [c], depends_on: [c], with: {}}
  - {id: d, run: [x], timeout: soon, retry: {on: [netwrk], backoff: expo}}
  - name: D
    run: x
  - {run: x}
  - just text
  - {id: e, foreach: inputs.hosts, steps: []}
  - {id: f, parallel: {l: [{id: g, run: x}], r: {steps: [{id: g, run: x}]}}, join: 3}
  - {id: h, switch: {cases: [{when: x}]}}
  - {id: i, approval: {timeout: 1h, escalate: [{after: 1h, to: boss}]}, timeout: 2h}
  - {id: j, wait: {for: 1m, signal: x}}
  - {id: k, wait: {until: tomorrow}}
  - {id: l, run: x, on_error: {strategy: skip, compensation_step: d}}
  - {id: m, while: x}
  - {id: n, repeat: {}, steps: [{id: o, run: x}]}
  - {id: p, run: x, env: {A: [1]}, read_only: yes, priority: {}, concurrency: {limit: 0, grup: x}}
finally: []
"), @r#"
SKEP-D020 1:1 a workflow has no key `nmae`
    did you mean `name`?
SKEP-D020 3:1 a workflow has no key `tiemout`
    did you mean `timeout`?
SKEP-D026 4:10 `timeout` is a length of time with its unit, this is the number 10
    write the unit: `timeout: 10s` for seconds, `timeout: 10ms` for milliseconds; `timeout_seconds: 10` is seconds, too
SKEP-D034 5:15 `max_parallel` is a whole number from 1 to 10000, this is 0
    for example `max_parallel: 3`
SKEP-D028 6:37 `max_attempts` and `max_retries` both count the attempts
    keep `max_attempts`, which counts the first one, too
SKEP-D024 8:9 the id `a b` is not allowed: letters, digits, `_` and `-`, at most 64, no digit first
    for example `id: a-b`
SKEP-D023 10:5 a step does one thing, this one has `run` and `uses`
    make a step of each
SKEP-D023 11:5 this step says nowhere what it does
    add one of `run`, `uses`, `agent`, `ai`, `approval`, `input`, `wait`, `switch`, `parallel`, `foreach`, `while`, `repeat`, `workflow`
SKEP-D020 12:21 a step has no key `depend_on`
    did you mean `depends_on`?
SKEP-D029 12:37 `depends_on` stands in a list whose steps run one after another
    write `order: graph` beside `steps:`; then only `depends_on` decides what waits for what
SKEP-D037 12:54 `with` does nothing on a step with `run`
    it belongs to steps with `uses`, `agent`; remove it here
SKEP-D025 13:10 the id `d` is taken by the step at line 12, column 10
    ids are unique in the whole workflow; give one of the two another `id`
SKEP-D021 13:18 `run` is a text, this is a list
    for example `run: make test`
SKEP-D026 13:32 `timeout` is a length of time with its unit, this is the text "soon"
    write a number and its unit: `timeout: 10s`, `5m`, `8h`, `3d`, `1h30m`
SKEP-D027 13:51 `retry.on` does not know the text "netwrk"
    did you mean `network`?
SKEP-D027 13:69 `backoff` is one of `fixed`, `linear`, `exponential`, this is the text "expo"
    did you mean `exponential`?
SKEP-D025 14:11 the id `d` (from its `name`) is taken by the step at line 12, column 10
    ids are unique in the whole workflow; give one of the two another `id`
SKEP-D024 16:6 this step has neither `id` nor `name`
    add `id: build`, for example
SKEP-D021 17:5 a step is a mapping, this is the text "just text"
    write it as `{id: build, ..}`
SKEP-D021 18:22 `foreach` is a list, or an expression that gives one; this text is neither
    for an expression: `foreach: ${{ inputs.hosts }}`; for a list of one: `foreach: [inputs.hosts]`
SKEP-D030 18:43 this list of steps is empty
    add a step, or leave the list out
SKEP-D025 19:63 the id `g` is taken by the step at line 19, column 33
    ids are unique in the whole workflow; give one of the two another `id`
SKEP-D034 19:84 `join: 3` can never be reached: there are 2 branches
    write `join: all`, or a number from 1 to 2
SKEP-D022 20:30 a case needs `steps`
    add `steps: [{id: big, run: ./big.sh}]`
SKEP-D033 21:48 boss would be told after 1h, when the wait has ended (after 1h)
    both count from the start of the wait: make `after` shorter, or `timeout` longer
SKEP-D028 21:73 the end of the wait is said twice: on the step and inside
    keep one; the inner one would win
SKEP-D028 22:29 one `wait` waits for one thing, not `for` and `signal`
    make two steps, or a `parallel` with `join: any`
SKEP-D021 23:27 `until` is a moment with its offset, this is the text "tomorrow"
    for example `until: 2026-12-01T08:00:00+01:00`
SKEP-D028 24:48 `compensation_step` belongs to `strategy: compensate`
    change the strategy, or remove the key
SKEP-D022 25:13 `while` needs `steps`, which it repeats
    add `steps:` beside it, with at least one step
SKEP-D028 26:13 `repeat` has either `times` or `until`
    write `repeat: {times: 3}`, or `repeat: {until: ${{ .. }}}`
SKEP-D021 27:30 `A` in `env` is a text, this is a list
    pass structured values as JSON: "${{ inputs.x | tojson }}"
SKEP-D021 27:47 `read_only` is `true` or `false`, this is the text "yes"
    for example `read_only: true`
SKEP-D021 27:62 `priority` is a text, this is a mapping
    for example `priority: high`
SKEP-D021 27:87 `limit` is a whole number from 1 to 10000, this is the number 0
    for example `limit: 1`
SKEP-D020 27:90 `concurrency` has no key `grup`
    did you mean `group`?
SKEP-D030 28:10 this list of steps is empty
    add a step, or leave the list out
"#);
}

#[test]
fn limits_end_in_one_error_each() {
    let nested = |depth: usize| {
        let mut text = "{id: s, run: x}".to_owned();
        for level in 0..depth {
            text = format!("{{id: l{level}, repeat: 2, steps: [{text}]}}");
        }
        text
    };
    assert_eq!(step_problems(&nested(31)), "");
    assert!(step_problems(&nested(32)).starts_with("SKEP-D032"), "{}", step_problems(&nested(32)));
    let steps: String = (0..10_002).map(|n| format!("  - {{id: s{n}, run: x}}\n")).collect();
    let found = problems(&format!("name: x\ndescription: y\nsteps:\n{steps}"));
    assert!(found.starts_with("SKEP-D031 10004:5") && found.lines().count() == 2, "{found}");
}

#[test]
fn an_order_is_needed_for_dependencies() {
    let steps = "steps: [{id: a, run: x}, {id: b, run: x, depends_on: a}]";
    assert!(problems(&format!("name: x\ndescription: y\n{steps}\n")).starts_with("SKEP-D029 3:42"));
    let graph = good(&format!("name: x\norder: graph\n{steps}\n"));
    assert_eq!(graph.steps[1].depends_on, ["a"]);
}

/// Texts of the largest size that are fine as YAML: reading them stays bounded, too.
#[test]
fn large_and_wrong_documents_end() {
    let size = skep_model::limits::DEFINITION_BYTES_MAX;
    let keys: String = (0..60_000).map(|n| format!("k{n}: 1\n")).collect();
    let nothing: String = "- {}\n".repeat(20_000);
    let long = "x".repeat(size - 100);
    for text in [
        keys,
        format!("name: x\nsteps:\n{nothing}"),
        format!("name: x\nsteps:\n  - id: a\n    run: \"{long}\"\n"),
        format!("name: x\nsteps:\n  - id: \"{long}\"\n    run: x\n"),
        format!("name: x\nsteps: [{{id: a, run: x, on_error: \"{long}\"}}]\n"),
        format!("name: x\nsteps: [{{id: a, run: x, timeout: \"{}\"}}]\n", "1".repeat(size - 100)),
        format!("name: x\ninputs: {{? \"{long}\" : {{typ: x}}}}\n"),
    ] {
        let loaded = load(&text);
        let shown: usize = loaded.problems.iter().map(|problem| problem.message.len()).sum();
        assert!(loaded.problems.len() < 2_010 && shown < 300_000, "{} problems, {shown} bytes", loaded.problems.len());
        crate::diagnostic::render(&loaded.problems, &text, "f", false);
    }
}

#[test]
fn what_is_not_listed_is_counted() {
    let keys: String = (0..60).map(|n| format!("zzz{n}: 1\n")).collect();
    let loaded = load(&format!("name: x\ndescription: y\n{keys}steps: [{{id: a, run: x}}]\n"));
    assert_eq!(loaded.problems.len(), 51);
    assert!(loaded.problems.iter().any(|problem| problem.message == "10 more problems are not listed"));
    assert!(!loaded.is_usable());
}
