//! What a forecast finds, case by case; each finding beside a workflow that is alike and has none.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::error::{Failure, Kind};
use skep_model::status::Execution as Status;

use super::*;

fn plan(yaml: &str) -> Plan {
    let text = format!("name: sample\ndescription: A sample.\n{yaml}");
    let loaded = skep_definition::load::load(&text);
    assert!(loaded.is_usable(), "{text}\n{:#?}", loaded.problems);
    let plan = skep_definition::plan::plan(&loaded.workflow.expect("it is usable"), &crate::catalogue::build());
    plan.unwrap_or_else(|found| panic!("{text}\n{found:#?}"))
}

fn of(yaml: &str) -> Forecast {
    with(yaml, json!({}), &History::default())
}

fn with(yaml: &str, inputs: Value, history: &History) -> Forecast {
    let inputs: Map<Value> = inputs.as_object().cloned().unwrap_or_default().into_iter().collect();
    forecast(&plan(yaml), &inputs, &Map::new(), history, Timestamp(1_800_000_000_000_000)).unwrap()
}

/// `code severity message` of everything that is found.
fn findings(forecast: &Forecast) -> Vec<String> {
    let found = problems(forecast, &BTreeMap::new(), &[]);
    found.iter().map(|problem| format!("{} {:?} {}", problem.code, problem.severity, problem.message)).collect()
}

/// `status: a b | undone: b a` of each path.
fn paths(forecast: &Forecast) -> Vec<String> {
    let line = |path: &Path| {
        let undone =
            if path.rolled_back.is_empty() { String::new() } else { format!(" | {}", path.rolled_back.join(" ")) };
        format!("{}: {}{undone}", path.status.as_str(), path.steps.join(" "))
    };
    forecast.found.paths.iter().map(line).collect()
}

fn point<'a>(forecast: &'a Forecast, step: &str, case: &str) -> &'a FailurePoint {
    let is_it = |point: &&FailurePoint| point.step == step && point.case == case;
    let points = &forecast.found.failure_points;
    points.iter().find(is_it).unwrap_or_else(|| panic!("{points:#?}"))
}

#[test]
fn every_value_of_an_enum_and_of_a_boolean_is_tried() {
    let found = of("
inputs: {where: {type: string, enum: [here, there], default: here}, loud: {type: boolean, default: false}}
steps:
  - {id: a, if: \"${{ inputs.where == 'there' }}\", run: x}
  - {id: b, if: '${{ inputs.loud }}', run: x}
  - {id: c, run: x}");
    let completed: Vec<String> = paths(&found).into_iter().filter(|path| path.starts_with("completed")).collect();
    assert_eq!(completed, ["completed: c", "completed: a c", "completed: b c"]);
    assert_eq!(findings(&found), Vec::<String>::new());
}

#[test]
fn a_required_input_gets_a_value_that_fits_or_is_asked_for() {
    let yaml = |pattern: &str| {
        format!(
            "inputs: {{host: {{type: string, required: true, pattern: '{pattern}'}}}}\nsteps: [{{id: a, run: 'echo \"${{{{ inputs.host }}}}\"'}}]"
        )
    };
    assert_eq!(paths(&of(&yaml("^v[0-9]"))), ["completed: a", "failed: a"]);
    let unknown = of(&yaml("^q{7}z$"));
    assert_eq!((unknown.lacking.as_slice(), unknown.found.executions), (["host".to_owned()].as_slice(), 0));
    let given = with(&yaml("^q{7}z$"), json!({"host": "qqqqqqqz"}), &History::default());
    assert_eq!((given.lacking.len(), paths(&given).len()), (0, 2));
}

#[test]
fn results_are_made_up_so_that_conditions_hold_and_do_not() {
    let found = of("
steps:
  - {id: a, run: x, outputs: {state: '${{ json.state }}', n: '${{ stdout | int }}'}}
  - {id: b, if: \"${{ steps.a.outputs.state == 'ready' and steps.a.outputs.n > 10 }}\", run: x}
  - {id: c, if: '${{ steps.a.outputs.n < 3 }}', run: x}
  - {id: d, foreach: '${{ steps.b.outputs.json.hosts }}', if: '${{ steps.b.outputs.json.hosts is defined }}', steps: [{id: e, run: x}]}");
    assert_eq!(findings(&found), Vec::<String>::new(), "{:?}", paths(&found));
    assert!(found.found.unreached.is_empty());
}

#[test]
fn items_have_what_the_steps_in_the_loop_want_of_them() {
    let found = of("
steps:
  - {id: a, run: x, outputs: {hosts: '${{ json }}'}}
  - id: each
    foreach: '${{ steps.a.outputs.hosts }}'
    steps:
      - {id: b, if: '${{ item.port > 1000 }}', run: 'echo \"${{ item.name }}\"'}
      - {id: ports, foreach: '${{ item.extra }}', steps: [{id: c, run: 'echo \"${{ item.n }}\"'}]}");
    assert_eq!(findings(&found), Vec::<String>::new(), "{:?}", paths(&found));
    assert!(found.found.completes && found.found.reached.contains("c") && found.found.reached.contains("b"));
}

#[test]
fn a_loop_over_made_up_results_ends() {
    let found = of("
steps:
  - {id: poll, while: \"${{ index == 0 or steps.look.outputs.json.state != 'done' }}\", max_iterations: 50, steps: [{id: look, run: x}]}
  - {id: after, run: x}");
    assert!(found.found.completes, "{:?}", paths(&found));
    assert_eq!(findings(&found), Vec::<String>::new());
}

#[test]
fn what_can_go_wrong_is_told_with_what_is_undone_then() {
    let found = of("
steps:
  - {id: a, run: x, rollback: {run: undo}}
  - {id: b, run: x}
  - {id: c, run: x, retry: {max_attempts: 2, delay: 1s}, rollback: {run: undo}}
  - {id: d, run: x, timeout: 5m, on_error: skip}");
    let fails = point(&found, "c", "fails");
    assert_eq!((fails.status, fails.rollback.as_slice()), (Status::RolledBack, ["a".to_owned()].as_slice()));
    assert_eq!(json!(fails.cannot_be_undone), json!([{"step": "b", "reason": "no_rollback"}]));
    let once = point(&found, "c", "fails once");
    assert_eq!((once.status, once.recovered, once.rollback.len()), (Status::Completed, true, 0));
    let slow = point(&found, "d", "takes longer than 5m");
    assert_eq!((slow.status, slow.handled), (Status::Completed, true));
    assert_eq!(found.found.failure_points.len(), 6);
}

#[test]
fn people_say_no_or_nothing() {
    let found = of("
steps:
  - {id: gate, approval: {message: Sure?, timeout: 1h}}
  - {id: a, run: x}");
    assert_eq!(paths(&found), ["completed: gate a", "failed: gate", "failed: gate a"]);
    assert_eq!(point(&found, "gate", "is rejected").status, Status::Failed);
    assert_eq!(point(&found, "gate", "is not answered").status, Status::Failed);
    assert_eq!(findings(&found), Vec::<String>::new());
    let boundless = of("steps:\n  - {id: gate, approval: {message: Sure?}}\n  - {id: go, wait: {signal: go}}");
    assert_eq!(
        findings(&boundless),
        ["gate", "go"].map(|id| format!("SKEP-C106 Suggestion `{id}` waits for ever if nobody answers"))
    );
}

#[test]
fn a_wait_that_nothing_ends_is_a_dead_end() {
    let yaml = |condition: &str| {
        format!(
            "
steps:
  - id: both
    parallel:
      fail_fast: false
      left: [{{id: a, run: x, on_error: skip}}]
      right: [{{id: w, wait: {{condition: \"${{{{ {condition} }}}}\"}}}}]"
        )
        .replace("      fail_fast: false\n", "")
    };
    let bad = of(&yaml("steps.a.status == 'completed'"));
    assert_eq!(findings(&bad), ["SKEP-C105 Warning if `a` fails, the execution stands still for ever (condition: w)"]);
    assert_eq!(findings(&of(&yaml("steps.a.status in ['completed', 'skipped']"))), Vec::<String>::new());
}

#[test]
fn a_step_that_no_value_leads_to_is_told() {
    let yaml = |limit: u32| {
        format!(
            "
inputs: {{count: {{type: integer, minimum: 1, maximum: 4, default: 2}}}}
steps:
  - {{id: twice, uses: set, with: {{n: '${{{{ inputs.count * 2 }}}}'}}}}
  - {{id: many, if: '${{{{ steps.twice.outputs.n > {limit} }}}}', run: x}}"
        )
    };
    assert_eq!(findings(&of(&yaml(20))), ["SKEP-C104 Warning no simulated execution reaches `many`"]);
    assert_eq!(findings(&of(&yaml(6))), Vec::<String>::new());
    let guessed = of("
steps:
  - {id: a, run: x}
  - {id: odd, if: \"${{ (steps.a.outputs.stdout | length) > 5000 }}\", run: x}");
    assert_eq!(
        findings(&guessed),
        [
            "SKEP-C104 Suggestion no simulated execution reaches `odd`, as far as the results of other steps can be made up"
        ]
    );
}

#[test]
fn a_failure_that_nobody_caused_names_the_inputs() {
    let yaml = |declared: &str| {
        format!(
            "
inputs: {{share: {{{declared}}}}}
steps:
  - {{id: part, uses: set, with: {{each: '${{{{ 100 // inputs.share }}}}'}}}}"
        )
    };
    let bad = findings(&of(&yaml("type: integer, default: 0")));
    assert!(
        bad.len() == 1
            && bad[0].starts_with("SKEP-C107 Warning `part` fails although nothing goes wrong with share = 0:"),
        "{bad:?}"
    );
    let maybe = findings(&of(&yaml("type: integer, default: 5")));
    assert!(maybe.len() == 1 && maybe[0].starts_with("SKEP-C107 Suggestion"), "{maybe:?}");
    assert_eq!(findings(&of(&yaml("type: integer, minimum: 1, default: 5"))), Vec::<String>::new());
}

#[test]
fn what_made_up_results_do_not_fit_is_no_finding() {
    let found = of("
steps:
  - {id: a, run: x}
  - {id: b, uses: set, with: {port: \"${{ (steps.a.outputs.stdout | split(':'))[3] | int }}\"}}
  - {id: c, run: x}");
    assert_eq!(findings(&found), Vec::<String>::new());
    assert!(found.found.not_foreseen.contains_key("b"), "{:?}", found.found.not_foreseen);
}

#[test]
fn a_loop_without_end_is_left() {
    let yaml = |most: u32| {
        format!(
            "
steps:
  - {{id: on, while: '${{{{ index >= 0 }}}}', max_iterations: {most}, on_error: skip, steps: [{{id: a, uses: noop}}]}}"
        )
    };
    let found = findings(&of(&yaml(90_000)));
    assert!(
        found.len() == 1 && found[0].starts_with("SKEP-C108 Warning a simulated execution did not end"),
        "{found:?}"
    );
    let counted = of("steps: [{id: on, repeat: {times: 60000}, max_iterations: 90000, steps: [{id: a, uses: noop}]}]");
    assert_eq!((findings(&counted), counted.found.not_foreseen.len()), (Vec::new(), 1), "it is only long");
    let bounded = findings(&of(&yaml(100)));
    assert!(bounded.iter().all(|finding| finding.starts_with("SKEP-C107")), "{bounded:?}");
}

fn past(completed: u32, failed: u32) -> Past {
    let failure = Failure::new(Kind::Exit, "SKEP-R010", "no");
    Past {
        completed,
        failed,
        outputs: vec![[("state".to_owned(), json!("late"))].into()],
        successes: (1..=u64::from(completed)).map(|n| Duration::from_millis(100 * n)).collect(),
        failures: vec![(Duration::from_millis(5), failure); failed as usize],
        answers: Vec::new(),
    }
}

fn history(completed: u32, failed: u32) -> History {
    History { executions: (completed + failed) as usize, steps: [("a".to_owned(), past(completed, failed))].into() }
}

#[test]
fn a_step_that_often_failed_is_told_by_its_share() {
    let yaml = "steps: [{id: a, run: x, outputs: {state: '${{ stdout }}'}}]";
    for (completed, failed, expect) in [
        (4, 6, Some("SKEP-C103 Warning `a` failed in 60 % of 10 earlier executions")),
        (7, 3, Some("SKEP-C103 Suggestion `a` failed in 30 % of 10 earlier executions")),
        (5, 5, Some("SKEP-C103 Suggestion `a` failed in 50 % of 10 earlier executions")),
        (8, 2, None),
        (1, 3, None),
    ] {
        let found = findings(&with(yaml, json!({}), &history(completed, failed)));
        assert_eq!(found, expect.into_iter().collect::<Vec<_>>(), "{completed} {failed}");
    }
}

#[test]
fn results_of_earlier_executions_are_taken_for_what_steps_give() {
    let yaml = "
steps:
  - {id: a, run: x, outputs: {state: '${{ stdout }}'}}
  - {id: b, if: \"${{ steps.a.outputs.state == 'ready' }}\", run: x}";
    assert_eq!(findings(&of(yaml)), Vec::<String>::new());
    let known = with(yaml, json!({}), &history(9, 0));
    assert_eq!(findings(&known), ["SKEP-C104 Warning no simulated execution reaches `b`"]);
}

#[test]
fn durations_are_those_of_earlier_executions() {
    let yaml = "steps: [{id: a, run: x, outputs: {state: '${{ stdout }}'}}]";
    let spread = with(yaml, json!({}), &history(100, 0)).spread.unwrap();
    let near = |duration: Duration, ms: u128| duration.as_millis().abs_diff(ms) < 1_000;
    assert!(near(spread.p10, 1_000) && near(spread.p50, 5_000) && near(spread.p90, 9_000), "{spread:?}");
    assert!(spread.guessed.is_empty());
    let guessed = of(yaml).spread.unwrap();
    assert_eq!(guessed.guessed, ["a"]);
    assert!(guessed.p10 < guessed.p50 && guessed.p50 < guessed.p90, "{guessed:?}");
}

#[test]
fn a_moment_in_the_past_is_not_waited_for_and_one_far_away_is_told() {
    let yaml =
        |year: u32| format!("steps: [{{id: w, wait: {{until: '{year}-01-01T00:00:00Z'}}}}, {{id: a, uses: noop}}]");
    assert_eq!(findings(&of(&yaml(2020))), Vec::<String>::new());
    assert_eq!(of(&yaml(2020)).spread.unwrap().p90, Duration::ZERO);
    let far = findings(&of(&yaml(2090)));
    assert!(far.len() == 1 && far[0].starts_with("SKEP-C108"), "{far:?}");
}

#[test]
fn durations_are_told_in_few_digits() {
    for (ms, expect) in
        [(0, "0ms"), (350, "350ms"), (1_456, "1.4s"), (42_900, "42s"), (250_300, "4m10s"), (7_530_000, "2h5m")]
    {
        assert_eq!(super::spread::words(Duration::from_millis(ms)), expect);
    }
}

#[test]
fn the_same_workflow_gives_the_same_forecast() {
    let yaml = "
inputs: {n: {type: integer, default: 3}}
steps:
  - {id: a, run: x, retry: {max_attempts: 3}}
  - {id: each, foreach: '${{ steps.a.outputs.json }}', steps: [{id: b, run: 'echo \"${{ inputs.n }}\"'}]}";
    assert_eq!(to_json(&of(yaml)), to_json(&of(yaml)));
}
