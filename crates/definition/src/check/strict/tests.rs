use serde_json::json;

use crate::check::{Level, check, needs};
use crate::samples::{catalogue, run, uses, workflow};
use crate::workflow::Workflow;

/// What level strict adds: code, message, hint.
fn said(workflow: &Workflow) -> String {
    let known = check(workflow, &catalogue(), Level::Standard);
    let found = check(workflow, &catalogue(), Level::Strict).into_iter().filter(|problem| !known.contains(problem));
    let lines =
        found.map(|problem| format!("{} {} ({})", problem.code, problem.message, problem.hint.unwrap_or_default()));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_colleague_would_ask() {
    let mut undone = run("undone", "make");
    undone.rollback = Some(json!({"run": "rm -rf /srv/x"}));
    let mut only_read = run("look", "cat file");
    only_read.read_only = true;
    let mut sample = workflow(vec![
        undone,
        run("clean", "rm -rf \"${{ inputs.x }}\""),
        run("disk", "echo x > /dev/sda"),
        uses("db", "sql", json!({"statements": ["drop table a"]})),
        uses("sync", "hv-sync", json!({})),
        only_read,
    ]);
    sample.category = Some("infrastructure".to_owned());
    insta::assert_snapshot!(said(&sample), @r#"
    SKEP-C080 `rm -rf` deletes whole folders without asking (make sure that it can only hit what is meant, ask first (`approve: before`), or name exact paths)
    SKEP-C080 `rm -rf` deletes whole folders without asking (make sure that it can only hit what is meant, ask first (`approve: before`), or name exact paths)
    SKEP-C080 writes to the device /dev/sda (make sure that it can only hit what is meant, ask first (`approve: before`), or name exact paths)
    SKEP-C081 `DROP TABLE` deletes what cannot be undone (ask first (`approve: before`), keep a copy, or say how it is undone in `rollback`)
    SKEP-C082 `hv-sync` changes every agent, and nobody is asked (add `approve: before` to this step)
    SKEP-C083 this workflow has a high impact and asks nobody: its category is `infrastructure` (add a step with `approval`, or `approve: before` to the step that matters most)
    SKEP-C086 1 of 5 steps with side effects can be undone (these cannot: `clean`, `disk`, `db`, `sync`)
    "#);
}

#[test]
fn a_danger_in_a_block_has_its_line() {
    let text = "name: a\ndescription: a\nsteps:\n  - id: a\n    run: |\n      set -e\n\n      cd x; rm -rf build\n\n  - {id: b, run: 'echo a; rm -rf b'}\n  - id: c\n    run: >\n      echo folded\n      rm -rf x;\n      rm -rf y\n";
    let workflow = crate::load::load(text).workflow.unwrap();
    let problems = check(&workflow, &catalogue(), Level::Strict);
    let dangers = problems.iter().filter(|problem| problem.code == "SKEP-C080").filter_map(|problem| problem.place);
    let shown: Vec<(u32, u32, &str)> = dangers.map(|at| (at.line, at.column, &text[at.start..at.end])).collect();
    assert_eq!(shown[..2], [(8, 13, "rm -rf build"), (10, 27, "rm -rf b")]);
    assert_eq!((shown[2].0, shown.len()), (13, 3), "a folded text has no lines of its own");
}

#[test]
fn needs_are_programs_that_are_certainly_called() {
    let sample =
        workflow(vec![run("a", "make && ./own && /opt/tool | jq ."), run("b", "jq . < f; f() { true; }; f; cd /")]);
    let needs = needs(&sample);
    let shown: Vec<String> =
        needs.0.iter().map(|(need, wanted)| format!("{need:?} {} +{}", wanted.step, wanted.others)).collect();
    assert_eq!(
        shown,
        ["Interpreter(\"bash\") a +1", "Command(\"jq\") a +1", "Command(\"make\") a +0", "File(\"/opt/tool\") a +0",]
    );
}
