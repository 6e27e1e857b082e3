use serde_json::{Value, json};
use skep_model::problem::Severity;

use crate::check::{Level, check};
use crate::samples::{after, catalogue, foreach, graph, map, run, switch, uses, when, while_, workflow};
use crate::workflow::{Step, Workflow};

fn inputs() -> Value {
    json!({
        "env": {"type": "string", "enum": ["staging", "production"], "default": "staging"},
        "n": {"type": "integer", "default": 3, "minimum": 1, "maximum": 9},
        "maybe": {"type": "integer"},
        "host": {"type": "string", "required": true},
        "on": {"type": "boolean", "default": true},
        "hosts": {"type": "array", "default": []},
        "any": {},
    })
}

/// What `possible` says at level standard: code, `!` for errors, message, hint.
fn said(steps: Vec<Step>) -> String {
    said_of(&workflow(steps))
}

fn said_of(workflow: &Workflow) -> String {
    let workflow = Workflow { inputs: map(inputs()), ..workflow.clone() };
    let ours = ["SKEP-C036", "SKEP-C038", "SKEP-C070", "SKEP-C071"];
    let problems = check(&workflow, &catalogue(), Level::Standard);
    let lines = problems.into_iter().filter(|problem| ours.contains(&problem.code)).map(|problem| {
        let mark = if problem.severity == Severity::Error { "!" } else { "" };
        format!("{}{mark} {} ({})", problem.code, problem.message, problem.hint.as_deref().unwrap_or("-"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The codes for a step with this condition, after a step `a`.
fn of_condition(condition: &str) -> String {
    let said = said(vec![run("a", "true"), when(run("b", "true"), condition)]);
    said.lines().map(|line| line.split(' ').next().unwrap_or_default()).collect::<Vec<_>>().join(" ")
}

#[test]
fn conditions_that_can_never_hold_are_told_from_those_that_may() {
    for (condition, expect) in [
        ("inputs.env == 'staging'", ""),
        ("inputs.env == 'prod'", "SKEP-C036 SKEP-C071"),
        ("inputs.env != 'prod'", "SKEP-C071"),
        ("inputs.env in ['production', 'qa']", ""),
        ("inputs.env in ['qa']", "SKEP-C036 SKEP-C071"),
        ("inputs.env not in ['staging', 'production']", "SKEP-C036"),
        ("inputs.env == 'staging' and inputs.env == 'production'", "SKEP-C036"),
        ("inputs.env == 'staging' or inputs.env == 'production'", ""),
        ("inputs.env != 'staging' and inputs.env != 'production'", "SKEP-C036"),
        ("not (inputs.env == 'staging' or inputs.env == 'production')", "SKEP-C036"),
        ("inputs.n > 5 and inputs.n < 3", "SKEP-C036"),
        ("inputs.n > 5 and inputs.n < 7", ""),
        ("inputs.n > 9", "SKEP-C036"),
        ("inputs.n >= 9", ""),
        ("5 < inputs.n and inputs.n < 3", "SKEP-C036"),
        ("inputs.n == 0", "SKEP-C036 SKEP-C071"),
        ("inputs.on and not inputs.on", "SKEP-C036"),
        ("inputs.on or not inputs.on", ""),
        ("inputs.any and not inputs.any", ""),
        ("inputs.any == 1 and inputs.any == 2", "SKEP-C036"),
        ("inputs.any == 1 and inputs.any != 1", "SKEP-C036"),
        ("inputs.any is string and inputs.any == 'x'", ""),
        ("inputs.maybe == 5", ""),
        ("inputs.maybe is none", ""),
        ("inputs.maybe == null", ""),
        ("inputs.host == 5", "SKEP-C036 SKEP-C071"),
        ("inputs.host == ''", ""),
        ("inputs.hosts | length > 0", ""),
        ("inputs.hosts | length == 'x'", "SKEP-C036 SKEP-C071"),
        ("steps.a.status == 'completed'", ""),
        ("steps.a.status == 'success'", "SKEP-C036 SKEP-C071"),
        ("steps.a.outputs.exit_code == 0", ""),
        ("steps.a.outputs.exit_code == '0'", "SKEP-C036 SKEP-C071"),
        ("steps.a.outputs.json.x == 1 and steps.a.outputs.json.x == 2", "SKEP-C036"),
        ("steps.a.outputs.json.x == 1 and steps.a.outputs.json.y == 2", ""),
        ("execution.status == 'running'", ""),
        ("execution.status == 'done'", "SKEP-C036 SKEP-C071"),
        ("always() and false", "SKEP-C036"),
        ("failure() or success()", ""),
        ("false", "SKEP-C036"),
        ("true", ""),
        ("1 > 2", "SKEP-C036"),
        ("(inputs.n if inputs.on else 'x') == 'x'", ""),
        ("(1 if inputs.on else 2) == 3", "SKEP-C036 SKEP-C071"),
    ] {
        let mut found: Vec<String> = of_condition(condition).split(' ').map(str::to_owned).collect();
        found.sort();
        assert_eq!(found.join(" "), expect, "{condition}");
    }
}

#[test]
fn operands_and_places_of_the_wrong_type_are_refused() {
    let loud = |steps| said(steps);
    insta::assert_snapshot!(loud(vec![
        when(run("a", "true"), "inputs.host"),
        when(run("b", "true"), "inputs.host < 3"),
        run("c", "echo ${{ inputs.n - inputs.host }} ${{ inputs.n + 1 }} ${{ inputs.n ~ inputs.host }}"),
        foreach("d", json!("${{ inputs.env }}"), vec![run("e", "true")]),
        foreach("f", json!("${{ inputs.hosts }}"), vec![run("g", "true")]),
        uses("h", "http", json!({"url": "${{ inputs.n }}", "timeout": "${{ inputs.host }}"})),
        uses("i", "http", json!({"url": "https://${{ inputs.n }}", "method": "${{ inputs.env }}", "timeout": "${{ inputs.n }}"})),
        uses("j", "http", json!({"url": "${{ steps.a.outputs.exit_code }}", "headers": "${{ steps.a.outputs.json }}"})),
    ]), @r#"
    SKEP-C070! `<` cannot order a text and a number (compare two numbers or two texts; `| int` makes a number of a text)
    SKEP-C070! `-` does not fit: `inputs.n` is a number, and `inputs.host` is a text (`~` joins anything as text; `| int` and `| float` make a number of a text)
    SKEP-C070! this condition is a text, not true or false (a condition compares: `.. == 'yes'`, `.. > 0`, `.. is not none`, `.. | length > 0`)
    SKEP-C070! `foreach` needs a list, and this is a text (declare the input as `type: array`, or make a list: `.. | split(',')`, `.. | lines`)
    SKEP-C070! the argument `url` of `http` is a text, and this expression gives a number (make a text of it: `.. | string`, or `.. | tojson`)
    SKEP-C070! the argument `timeout` of `http` is a number, and this expression gives a text (declare the input as `type: integer`, or make a number of it: `.. | int`)
    SKEP-C070! the argument `method` of `http` takes none of what this expression can give (it takes `GET`, `POST`)
    SKEP-C070! the argument `url` of `http` is a text, and this expression gives a number (make a text of it: `.. | string`, or `.. | tojson`)
    "#);
}

#[test]
fn what_never_runs_is_told() {
    let cases = vec![
        ("inputs.env == 'staging'", vec![run("b", "true")]),
        ("'staging' == inputs.env", vec![run("c", "true")]),
        ("inputs.n > 20", vec![run("d", "true")]),
    ];
    insta::assert_snapshot!(said(vec![
        switch("a", cases, Some(vec![run("e", "true")])),
        while_("f", "inputs.n < 0", vec![run("g", "true")]),
        foreach("h", json!([]), vec![run("i", "true")]),
    ]), @r#"
    SKEP-C038 this case can never be reached (a case before it holds whenever this one would)
    SKEP-C036 this case is never taken (its condition can never hold, whatever the inputs are)
    SKEP-C036 `f` never begins (its condition can never hold, whatever the inputs are)
    SKEP-C038 the steps of `h` never run: its list is empty (remove the loop, or give it something to do)
    "#);
    let chain = graph(vec![
        after(run("last", "true"), &["second"]),
        when(run("first", "true"), "inputs.n > 20"),
        after(run("second", "true"), &["first"]),
        after(when(run("anyway", "true"), "always()"), &["first"]),
    ]);
    insta::assert_snapshot!(said_of(&chain), @r#"
    SKEP-C036 `first` never runs (its condition can never hold, whatever the inputs are)
    SKEP-C038 `second` can never run: `first`, which it waits for, never runs (mend the `if` of `first`, or remove both)
    SKEP-C038 `last` can never run: `second`, which it waits for, never runs (mend the `if` of `first`, or remove both)
    "#);
}

#[test]
fn outputs_and_variables_are_followed() {
    let mut counts = run("counts", "true");
    counts.outputs = Some(map(json!({"number": "${{ stdout | int }}", "word": "${{ stdout }}", "fixed": "blue"})));
    let mut sample = workflow(vec![
        counts,
        when(run("a", "true"), "steps.counts.outputs.number == 'x'"),
        when(run("b", "true"), "steps.counts.outputs.fixed == 'red'"),
        when(run("c", "true"), "vars.colour == 'red'"),
        when(run("d", "true"), "steps.counts.outputs.word == 'x' and vars.copied == 3"),
    ]);
    sample.vars = map(json!({"colour": "blue", "copied": "${{ inputs.n }}"}));
    insta::assert_snapshot!(said_of(&sample), @r#"
    SKEP-C071 this comparison never holds: `steps.counts.outputs.number` is a number, and `'x'` is a text (values of unlike kinds are never equal; `| int` and `| string` change the kind)
    SKEP-C071 this comparison never holds: `steps.counts.outputs.fixed` is never 'red' (it is always `blue`)
    SKEP-C071 this comparison never holds: `vars.colour` is never 'red' (it is always `blue`)
    SKEP-C036 `a` never runs (its condition can never hold, whatever the inputs are)
    SKEP-C036 `b` never runs (its condition can never hold, whatever the inputs are)
    SKEP-C036 `c` never runs (its condition can never hold, whatever the inputs are)
    "#);
}

#[test]
fn a_hostile_condition_costs_little() {
    // Each level asks both operands twice.
    let mut condition = "inputs.on".to_owned();
    for _ in 0..15 {
        condition = format!("({condition} and not inputs.on or {condition})");
        if condition.len() > 7_000 {
            break;
        }
    }
    assert_eq!(of_condition(&condition), "", "what costs too much may be anything");
}
