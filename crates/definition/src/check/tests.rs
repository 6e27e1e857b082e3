use serde_json::json;
use skep_model::catalogue::{Catalogue, Feature};
use skep_model::plan::{Join, Order};
use skep_model::problem::{Place, Severity};

use super::{Level, Part, check, not_built};
use crate::samples::{
    after, catalogue, foreach, graph, map, parallel, rich, run, step, switch, uses, when, while_, workflow,
};
use crate::workflow::{Approval, Gate, Kind, OnError, Retry, Step, Wait, Workflow};

/// All problems at a level as lines: code, `!` for errors, message, hint.
fn lines(workflow: &Workflow, level: Level) -> Vec<String> {
    let problems = check(workflow, &catalogue(), level);
    let line = |problem: skep_model::problem::Problem| {
        let mark = if problem.severity == Severity::Error { "!" } else { "" };
        format!("{}{mark} {} ({})", problem.code, problem.message, problem.hint.as_deref().unwrap_or("-"))
    };
    problems.into_iter().map(line).collect()
}

fn basic(workflow: &Workflow) -> String {
    lines(workflow, Level::Basic).join("\n")
}

fn standard(workflow: &Workflow) -> String {
    lines(workflow, Level::Standard).join("\n")
}

/// The codes at level basic of a workflow that ends with a step that speaks `expression`.
fn spoken_last(mut steps: Vec<Step>, expression: &str) -> String {
    steps.push(uses("speaker", "set", json!({"value": format!("${{{{ {expression} }}}}")})));
    codes(&workflow(steps))
}

fn codes(workflow: &Workflow) -> String {
    let problems = check(workflow, &catalogue(), Level::Basic);
    problems.iter().map(|problem| problem.code).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_good_workflow_has_no_problem_but_what_is_not_built() {
    insta::assert_snapshot!(standard(&rich()), @"SKEP-C040 `escalate` is not built yet (-)");
}

#[test]
fn dependencies_must_exist_beside_the_step() {
    let wrong = graph(vec![
        run("build", "true"),
        after(run("test", "true"), &["biuld"]),
        after(run("lint", "true"), &["nowhere-near"]),
        parallel("both", vec![("left", vec![run("inner", "true")])]),
        after(run("late", "true"), &["inner"]),
    ]);
    insta::assert_snapshot!(basic(&wrong), @r#"
    SKEP-C001! `test` depends on `biuld`, and no step has this id (did you mean `build`?)
    SKEP-C001! `lint` depends on `nowhere-near`, and no step has this id (the other steps of this list: `build`, `test`, `both`, `late`)
    SKEP-C003! `late` depends on `inner`, which stands in another list of steps (`inner` is inside `both`: depend on `both`)
    "#);
    let mut inner_graph = foreach("each", json!([1]), vec![run("a", "true"), after(run("b", "true"), &["before"])]);
    if let Kind::Foreach { order, .. } = &mut inner_graph.kind {
        *order = Order::Graph;
    }
    insta::assert_snapshot!(basic(&graph(vec![run("before", "true"), inner_graph])), @"SKEP-C003! `b` depends on `before`, which stands in another list of steps (write `depends_on: [before]` on `each`, which encloses `b`)");
}

#[test]
fn dependencies_in_a_sequence_are_refused_once() {
    let wrong = workflow(vec![run("a", "true"), after(run("b", "true"), &["a"]), after(run("c", "true"), &["nobody"])]);
    insta::assert_snapshot!(basic(&wrong), @"SKEP-C004! `b` has `depends_on`, but its list runs one step after another (say `order: graph` beside the list, or remove `depends_on` if the order of the text is meant)");
}

#[test]
fn cycles_are_named_in_order() {
    let wrong = graph(vec![
        after(run("a", "true"), &["c"]),
        after(run("b", "true"), &["a"]),
        after(run("c", "true"), &["b"]),
        after(run("behind", "true"), &["a"]),
        after(run("self", "true"), &["self"]),
        after(run("x", "true"), &["y"]),
        after(run("y", "true"), &["x"]),
    ]);
    insta::assert_snapshot!(basic(&wrong), @r#"
    SKEP-C002! these steps wait for each other: `a` waits for `c` waits for `b` waits for `a` (remove one of these dependencies; what repeats is a loop (`while`, `repeat`, `foreach`))
    SKEP-C002! `self` depends on itself (remove it from its own `depends_on`)
    SKEP-C002! these steps wait for each other: `x` waits for `y` waits for `x` (remove one of these dependencies; what repeats is a loop (`while`, `repeat`, `foreach`))
    "#);
}

#[test]
fn names_must_exist() {
    let mut sample = workflow(vec![
        run("build-image", "true"),
        uses("fetch", "http", json!({"url": "https://example.org"})),
        uses("open", "set", json!({"any": 1})),
        uses(
            "speaker",
            "set",
            json!({"all": [
                "${{ inputs.hots }}",
                "${{ steps.biuld.outputs.stdout }}",
                "${{ steps.fetch.outputs.bdoy }}",
                "${{ steps.fetch.outputs.stdout }}",
                "${{ steps.open.outputs.whatever }}",
                "${{ steps.fetch.body }}",
                "${{ steps.fetch.stauts }}",
                "${{ execution.state }}",
                "${{ vars.regstry }}",
                "${{ stdout }}",
                "${{ host }}",
                "${{ fetch }}",
                "${{ stpes.fetch }}",
                "${{ production }}",
                "${{ item }}",
                "${{ env.HOME }} ${{ errors }} ${{ event }} ${{ execution.started_at }} ${{ vars.registry }}",
            ]}),
        ),
    ]);
    sample.inputs = map(json!({"host": "string"}));
    sample.vars = map(json!({"registry": "example.org"}));
    insta::assert_snapshot!(basic(&sample), @r#"
    SKEP-C006! there is no input `hots` (did you mean `host`?)
    SKEP-C007! there is no step `biuld` (the steps: `build-image`, `fetch`, `open`, `speaker`)
    SKEP-C010! the step `fetch` has no output `bdoy` (did you mean `body`?)
    SKEP-C010! the step `fetch` has no output `stdout` (`fetch` has `status`, `headers`, `body`, `json`; `outputs: {stdout: "${{ json.stdout }}"}` on it would add this one)
    SKEP-C011! `steps.fetch` has no field `body` (did you mean `steps.fetch.outputs.body`?)
    SKEP-C011! `steps.fetch` has no field `stauts` (did you mean `status`?)
    SKEP-C011! `execution` has no field `state` (did you mean `status`?)
    SKEP-C014! there is no variable `regstry` (did you mean `registry`?)
    SKEP-C013! `stdout` is known only in the `outputs` of a step (write `steps.ID.outputs.stdout` to name the output of an earlier step)
    SKEP-C015! there is no name `host` (did you mean `inputs.host`?)
    SKEP-C015! there is no name `fetch` (did you mean `steps.fetch.outputs`?)
    SKEP-C015! there is no name `stpes` (did you mean `steps`?)
    SKEP-C015! there is no name `production` (known here (text needs quotes): `inputs`, `steps`, `item`, `index`, `event`, `execution`, `errors`, `secrets`, `vars`, `env`)
    SKEP-C012! `item` is known only inside a loop (put the step into the `steps` of a `foreach`)
    "#);
}

#[test]
fn a_sequence_sees_what_stands_above() {
    let a = || run("a", "true");
    assert_eq!(spoken_last(vec![a()], "steps.a.outputs.stdout"), "");
    assert_eq!(codes(&workflow(vec![run("b", "echo ${{ steps.a.status }}"), a()])), "SKEP-C009");
    assert_eq!(codes(&workflow(vec![run("a", "echo ${{ steps.a.status }}")])), "SKEP-C009");
    let inside = vec![foreach("each", json!([1]), vec![a()])];
    assert_eq!(spoken_last(inside.clone(), "steps.a.outputs.stdout"), "SKEP-C008");
    assert_eq!(spoken_last(inside.clone(), "steps.each.outputs.results"), "");
    assert_eq!(spoken_last(inside, "steps.each.outputs.stdout"), "SKEP-C010");
    let branches = vec![parallel(
        "p",
        vec![("l", vec![a()]), ("r", vec![switch("s", vec![("true", vec![run("b", "true")])], None)])],
    )];
    assert_eq!(spoken_last(branches, "steps.b.outputs.stdout == steps.a.outputs.stdout"), "");
}

#[test]
fn nested_lists_see_what_encloses_them() {
    let speak = |id: &str| run("speaker", &format!("echo \"${{{{ steps.{id}.status }}}}\""));
    let each = |steps: Vec<Step>| foreach("each", json!([1]), steps);
    for (steps, expected) in [
        (vec![run("a", "true"), each(vec![speak("a")])], ""),
        (vec![each(vec![run("a", "true"), speak("a")])], ""),
        (vec![each(vec![speak("a")]), run("a", "true")], "SKEP-C009"),
        (vec![each(vec![speak("each")])], "SKEP-C009"),
        (vec![foreach("o", json!([1]), vec![run("a", "true"), each(vec![speak("a")])])], ""),
        (vec![foreach("o", json!([1]), vec![run("a", "true")]), each(vec![speak("a")])], "SKEP-C008"),
        (vec![parallel("p", vec![("l", vec![run("a", "true")]), ("r", vec![speak("a")])])], "SKEP-C008"),
        (vec![switch("s", vec![("true", vec![run("a", "true")])], Some(vec![speak("a")]))], "SKEP-C008"),
    ] {
        assert_eq!(codes(&workflow(steps.clone())), expected, "{steps:?}");
    }
}

#[test]
fn a_graph_sees_what_surely_ended() {
    let speak = |names: &[&str]| after(run("speaker", "echo \"${{ steps.a.status }}\""), names);
    for (steps, expected) in [
        (vec![run("a", "true"), speak(&["a"])], ""),
        (vec![speak(&["b"]), after(run("b", "true"), &["a"]), run("a", "true")], ""),
        (vec![run("a", "true"), speak(&[])], "SKEP-C009"),
        (vec![after(run("a", "true"), &["speaker"]), speak(&[])], "SKEP-C009"),
    ] {
        assert_eq!(codes(&graph(steps.clone())), expected, "{steps:?}");
    }
    let unordered = graph(vec![run("a", "true"), run("b", "true"), speak(&["b"])]);
    insta::assert_snapshot!(basic(&unordered), @"SKEP-C009! `a` may not have ended yet: nothing says that `speaker` runs after it (add it: `depends_on: [b, a]` on `speaker`)");
}

#[test]
fn finally_sees_everything_and_is_seen_by_nobody() {
    let mut sample = workflow(vec![run("a", "true")]);
    sample.finally = vec![run("end", "echo \"${{ steps.a.status }} ${{ errors }}\"")];
    assert_eq!(codes(&sample), "");
    sample.steps.push(run("b", "echo \"${{ steps.end.status }}\""));
    assert_eq!(codes(&sample), "SKEP-C009");
    sample.steps.pop();
    sample.outputs = map(json!({"x": "${{ steps.end.outputs.stdout }}${{ steps.a.outputs.exit_code }}"}));
    assert_eq!(codes(&sample), "");
}

#[test]
fn loops_know_item_index_and_their_last_round() {
    let probe = || run("probe", "echo \"${{ index }}\"");
    assert_eq!(
        codes(&workflow(vec![while_("w", "steps.probe.outputs.exit_code != 0 and index < 3", vec![probe()])])),
        ""
    );
    assert_eq!(codes(&workflow(vec![while_("w", "true", vec![run("a", "echo \"${{ item }}\"")])])), "SKEP-C012");
    assert_eq!(spoken_last(vec![], "index"), "SKEP-C012");
    let nested =
        foreach("f", json!(["${{ item }}"]), vec![while_("w", "index < 2", vec![run("a", "echo \"${{ item }}\"")])]);
    assert_eq!(codes(&workflow(vec![nested])), "SKEP-C012", "the loop's own items are not inside it");
}

#[test]
fn a_step_speaks_of_itself_in_its_outputs() {
    let with = |mut step: Step, outputs: serde_json::Value| {
        step.outputs = Some(map(outputs));
        codes(&workflow(vec![step]))
    };
    assert_eq!(with(run("a", "true"), json!({"x": "${{ json.image }}", "code": "${{ exit_code }}"})), "");
    assert_eq!(with(uses("a", "http", json!({"url": "https://x"})), json!({"x": "${{ body }} ${{ status }}"})), "");
    assert_eq!(with(uses("a", "http", json!({"url": "https://x"})), json!({"x": "${{ stdout }}"})), "SKEP-C013");
    assert_eq!(with(uses("a", "set", json!({})), json!({"x": "${{ anything }}"})), "");
    let both = parallel("both", vec![("l", vec![run("inner", "true")])]);
    assert_eq!(with(both, json!({"x": "${{ steps.inner.outputs.stdout }}"})), "");
    let each = foreach("each", json!([1]), vec![run("inner", "true")]);
    assert_eq!(with(each, json!({"x": "${{ steps.inner.outputs.stdout }}"})), "SKEP-C008");
}

#[test]
fn vars_and_env_know_no_steps() {
    let mut sample = workflow(vec![run("a", "true")]);
    sample.vars = map(json!({"name": "${{ inputs.x }}-${{ steps.a.outputs.stdout }}"}));
    sample.inputs = map(json!({"x": "string"}));
    insta::assert_snapshot!(basic(&sample), @"SKEP-C015! `steps` is not known here (known here: `inputs`, `event`, `execution`, `secrets`, `vars`, `env`)");
}

#[test]
fn declarations_are_checked() {
    let mut sample = workflow(vec![run("a", "echo \"${{ inputs }}\"")]);
    sample.inputs = map(json!({
        "port": {"type": "integer", "default": "22", "required": true},
        "host": {"type": "string", "patern": "x"},
    }));
    insta::assert_snapshot!(basic(&sample), @r#"
    SKEP-C017! the default does not fit its own declaration: the input `port`: "22" is a string, not an integer (-)
    SKEP-C018 the input `port` is required and has a default, so it is never missing (remove `required` or `default`)
    SKEP-C016! the input `host`: `patern` is not a keyword of an input (did you mean `pattern`?)
    "#);
}

#[test]
fn shapes_and_numbers_are_checked() {
    let mut join = parallel("join", vec![("l", vec![run("l", "true")])]);
    if let Kind::Parallel { join, .. } = &mut join.kind {
        *join = Some(Join::Count(2));
    }
    join.retry = Some(Retry::default());
    let mut each = foreach("each", json!("hosts"), vec![]);
    if let Kind::Foreach { max_parallel, max_iterations, .. } = &mut each.kind {
        (*max_parallel, *max_iterations) = (Some(0), Some(1_000_000));
    }
    each.approve = Some(Gate { before: true, approval: Approval::default() });
    let late = vec![(10, "boss".to_owned())];
    let mut asked =
        step("asked", Kind::Approval(Approval { timeout_ms: Some(10), escalate: late, ..Approval::default() }));
    asked.timeout_ms = Some(20);
    let repeat = Kind::Repeat {
        times: None,
        until: None,
        max_iterations: None,
        order: Order::Sequence,
        steps: vec![run("r", "true")],
    };
    let sample = workflow(vec![
        join,
        each,
        asked,
        step("repeat", repeat),
        step("pause", Kind::Wait(Wait::Duration("10".to_owned()))),
        step("moment", Kind::Wait(Wait::Moment("tomorrow".to_owned()))),
        run("pause", "true"),
    ]);
    insta::assert_snapshot!(basic(&sample), @r#"
    SKEP-C023! the loop has no steps (-)
    SKEP-C020! `retry` has no meaning on `join`: a group of branches has no attempts (put it on the steps that do the work)
    SKEP-C019! `join: 2` cannot be reached with 1 branches (write a number from 1 to 1, `all` or `any`)
    SKEP-C020! `approve` has no meaning on `each`: a loop does no work (put a step with `approval` before it, or `approve` on the steps inside)
    SKEP-C021! a loop runs at least one round at a time (write 1 for one after another)
    SKEP-C025! `foreach` needs a list, and "hosts" is none (write a list `[a, b]`, or an expression such as `${{ inputs.hosts }}`)
    SKEP-C021! `max_iterations: 1000000` is not possible (write a number from 1 to 100000)
    SKEP-C022! `asked` has two timeouts for one wait (remove one of them)
    SKEP-C022! the escalation to `boss` could never happen: the wait has ended by then (let it come earlier, or let the `timeout` be longer)
    SKEP-C021! `repeat` has either `times` or `until` (write `repeat: {times: 3}` or `repeat: {until: CONDITION}`)
    SKEP-C025! `10` is not a duration such as `10m` or `1h30m` (-)
    SKEP-C025! `tomorrow` is not a moment such as `2026-12-01T08:00:00Z` (-)
    SKEP-C005! another step has the id `pause`, too (ids are unique in the whole workflow)
    SKEP-C040 `escalate` is not built yet (-)
    "#);
    assert_eq!(codes(&workflow(vec![])), "SKEP-C023");
}

#[test]
fn standard_looks_at_what_is_probably_not_meant() {
    let mut slow = run("slow", "true");
    slow.timeout_ms = Some(300);
    slow.retry = Some(Retry { max_attempts: Some(30), ..Retry::default() });
    let mut never = when(run("never", "true"), "${{ false }}");
    never.timeout_ms = Some(0);
    never.retry = Some(Retry { max_attempts: Some(0), ..Retry::default() });
    let endless = while_("endless", "true", vec![run("b", "true")]);
    let cases = vec![("true", vec![run("c", "true")]), ("${{ 1 > 0 }}", vec![run("d", "true")])];
    let mut sample = workflow(vec![slow, never, endless, switch("s", cases, Some(vec![run("e", "true")]))]);
    sample.inputs = map(json!({"unused": "string", "later": "string"}));
    sample.steps[0].later = map(json!({"success_criteria": ["inputs.later == 'x'"]}));
    insta::assert_snapshot!(standard(&sample), @r#"
    SKEP-C033 `slow` has an unusual timeout of 300ms, under 10 seconds (-)
    SKEP-C035 30 attempts are unusually many (to wait for something, use `wait` or `repeat: {until: ..}`)
    SKEP-C032! `never` has a timeout of zero (remove it for no limit, or write a duration such as `10m`)
    SKEP-C034! `max_attempts: 0` means that it never runs (the first attempt counts, too: 1 is "no retry")
    SKEP-C036 `never` never runs (-)
    SKEP-C036 `endless` never ends by itself (name a limit: `max_iterations: 100`)
    SKEP-C038 this case can never be reached (case 1 is always taken if none before it is)
    SKEP-C038 `default` can never be reached (case 1 is always taken if none before it is)
    SKEP-C037 nothing uses the input `unused` (use it, or remove it)
    SKEP-C040 `success_criteria` is not built yet (-)
    "#);
}

#[test]
fn arguments_are_checked_as_far_as_they_are_written() {
    let sample = workflow(vec![
        uses("good", "http", json!({"url": "${{ env.URL }}", "method": "POST", "timeout": "${{ 1 + 1 }}"})),
        uses("bad", "http", json!({"methd": "POST", "method": "PUT", "timeout": 0, "headers": []})),
        uses("unknown", "htpp", json!({"anything": 1})),
    ]);
    insta::assert_snapshot!(standard(&sample), @r#"
    SKEP-C031! the argument `method` of `http`: "PUT" is none of `GET`, `POST` (-)
    SKEP-C031! the argument `timeout` of `http`: 0 is less than 1 (-)
    SKEP-C031! the argument `headers` of `http`: [] is an array, not an object (-)
    SKEP-C031! `http` has no argument `methd` (did you mean `method`?)
    SKEP-C031! the arguments of `http`: `url` is missing (-)
    SKEP-C030 this node has no action `htpp` (did you mean `http`?)
    "#);
}

#[test]
fn what_is_not_built_is_listed_completely() {
    let mut all = run("all", "echo ${{ secrets.TOKEN }}");
    all.rollback = Some(json!({"run": "undo"}));
    all.on_error = Some(OnError::Compensate { step: None });
    all.policy = Some("standard".to_owned());
    all.irreversible = true;
    all.checkpoint = true;
    all.later = map(json!({"priority": "high", "network": ["github.com:443"], "image": null, "success_criteria": []}));
    let fields = map(json!({"key": {"type": "secret"}}));
    let mut sample = workflow(vec![
        all,
        step("agent", Kind::Agent(json!({"name": "x"}))),
        step("ask", Kind::Input { fields, message: None, assignee: None }),
        uses("mail", "email", json!({})),
    ]);
    sample.policy = Some("none".to_owned());
    sample.concurrency = Some(json!({"group": "x"}));
    sample.triggers = vec![json!({"type": "schedule"})];
    sample.rollback = Some(json!({"enabled": true}));
    let found = not_built(&sample, &catalogue());
    let listed: Vec<String> = found
        .iter()
        .map(|missing| match &missing.part {
            Part::Feature(feature) => format!("{feature:?}: {}", missing.problem.message),
            Part::Action(action) => format!("action {action}: {}", missing.problem.message),
        })
        .collect();
    insta::assert_snapshot!(listed.join("\n"), @r#"
    Concurrency: `concurrency` is not built yet
    Rollback: `rollback` of a step is not built yet
    Compensate: `on_error: compensate` is not built yet
    Irreversible: `irreversible` is not built yet
    Checkpoint: `checkpoint` is not built yet
    Policy: the sandbox policy `standard` is not built yet
    Priority: `priority` is not built yet
    Network: `network` is not built yet
    Agent: a step for an `agent` is not built yet
    Secrets: a field of type `secret` is not built yet
    action email: this node has no action `email`
    Secrets: `secrets.TOKEN` is not built yet
    "#);
    assert!(found.into_iter().all(|missing| missing.into_error().severity == Severity::Error));
    let everything = [
        Feature::Agent,
        Feature::Rollback,
        Feature::Compensate,
        Feature::Policy,
        Feature::Irreversible,
        Feature::Checkpoint,
        Feature::Priority,
        Feature::Network,
        Feature::Secrets,
        Feature::Concurrency,
    ];
    let able = Catalogue { features: everything.into_iter().collect(), ..catalogue() };
    let left: Vec<Part> = not_built(&sample, &able).into_iter().map(|missing| missing.part).collect();
    assert_eq!(left, [Part::Action("email".to_owned())]);
}

#[test]
fn notes_stop_nothing() {
    let mut sample = workflow(vec![run("a", "true")]);
    sample.rollback = Some(json!({"enabled": true}));
    sample.triggers = vec![json!({"type": "schedule", "config": {"cron": "0 3 * * *"}})];
    sample.annotations = map(json!({"monitoring": {"metrics": ["x"]}}));
    sample.steps[0].later = map(json!({"ai_assisted": true}));
    assert_eq!(codes(&sample), "SKEP-C041 SKEP-C041 SKEP-C041 SKEP-C041");
    assert_eq!(not_built(&sample, &catalogue()), []);
    sample.steps[0].rollback = Some(json!({"run": "undo"}));
    assert_eq!(codes(&sample), "SKEP-C041 SKEP-C041 SKEP-C041 SKEP-C040", "with a compensation it is more than a note");
}

#[test]
fn problems_come_in_the_order_of_the_text_and_point_into_it() {
    let text = "echo \"${{ inputs.x }}\"";
    let mut sample = workflow(vec![run("a", "${{ inputs.y }}"), run("b", text)]);
    let place = |line: u32, start: usize, length: usize| Place { line, column: 8, start, end: start + length };
    sample.places.0.insert("/steps/1/run".to_owned(), place(3, 20, text.len()));
    sample.places.0.insert("/steps/0".to_owned(), place(9, 90, 40));
    let places: Vec<Option<Place>> =
        check(&sample, &catalogue(), Level::Basic).into_iter().map(|problem| problem.place).collect();
    let exact = Place { line: 3, column: 18, start: 30, end: 38 };
    assert!(places.contains(&Some(exact)), "{places:?}");
    assert!(places.contains(&Some(place(9, 90, 40))), "the nearest thing around it: {places:?}");
    assert!(places.is_sorted_by_key(|place| place.map(|place| place.start)));
}

#[test]
fn a_wide_workflow_is_checked_without_squares() {
    // A chain of 5,000 steps, each naming its neighbour and the first: the work is edges times words.
    let count = 5_000;
    let mut steps = vec![run("s0", "true")];
    for number in 1..count {
        let script = format!("echo \"${{{{ steps.s{}.status }}}} ${{{{ steps.s0.status }}}}\"", number - 1);
        steps.push(after(run(&format!("s{number}"), &script), &[&format!("s{}", number - 1)]));
    }
    assert_eq!(codes(&graph(steps)), "");
}

#[test]
fn a_value_that_a_script_cannot_take_is_refused_where_it_stands() {
    let text = "echo '${{ inputs.x }}'";
    let mut sample = workflow(vec![run("a", text)]);
    sample.inputs = map(json!({"x": "string"}));
    let start = 100;
    sample.places.0.insert("/steps/0/run".to_owned(), Place { line: 5, column: 7, start, end: start + text.len() });
    let problems = check(&sample, &catalogue(), Level::Basic);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].code.starts_with("SKEP-S") && problems[0].hint.is_some(), "{problems:?}");
    assert_eq!(problems[0].place.map(|place| (place.line, place.column)), Some((5, 13)));
    assert!(crate::plan::plan(&sample, &catalogue()).is_err());
}
