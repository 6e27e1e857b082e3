use proptest::prelude::*;
use skep_model::decision::{Action, Pattern, Range, Rule, Weight, When};
use skep_model::error::{Class, Kind};
use skep_model::plan::{Asking, Backoff, Escalation, OnSilence, Retry};

use super::*;

fn errors(text: &str) -> String {
    let problems = read(text).expect_err(text);
    let line = |problem: &Problem| {
        let place = problem.place.map(|place| format!("{}:{}", place.line, place.column)).unwrap_or_default();
        format!("{place} {} {} ({})", problem.code, problem.message, problem.hint.as_deref().unwrap_or("-"))
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_built_in_table_is_seed_004s() {
    let rules = builtin();
    let rows: Vec<String> = rules.rules.iter().map(|rule| format!("{} -> {}", rule.name, rule.then.as_str())).collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    critical-step -> abort
    unsafe -> abort
    important -> retry
    nearly-done -> skip
    may-pass -> retry
    poor-health -> skip
    medium -> continue
    ask -> escalate
    ");
    assert_eq!(rules.rules[3].when.progress, Some(Range { above: Some(0.7), below: None }));
    assert_eq!(rules.rules[5].when.health, Some(Range { above: None, below: Some(0.5) }));
    assert_eq!(rules.retry.as_ref().map(|retry| (retry.max_attempts, retry.delay_ms)), Some((3, 1_000)));
}

#[test]
fn a_table_of_ones_own_extends_the_errors_and_replaces_the_rest() {
    let own = read(
        "errors: [{kind: unavailable, text: proxy, statuses: [409]}]
escalation: {escalation_target: ops, escalate: [{after: 1h, to: boss}], timeout: 8h, on_timeout: retry}",
    )
    .unwrap();
    assert_eq!(own.errors.len(), builtin().errors.len() + 1);
    assert_eq!(own.errors[0].statuses, [409]);
    assert_eq!(own.rules, builtin().rules);
    let asking = Asking {
        to: "ops".to_owned(),
        escalate: vec![Escalation { after_ms: 3_600_000, to: "boss".to_owned() }],
        timeout_ms: Some(28_800_000),
        on_timeout: OnSilence::Retry,
    };
    assert_eq!(own.escalation, asking);
    let own = read("rules: [{name: never, when: {class: system}, then: abort}]").unwrap();
    assert_eq!((own.rules.len(), own.errors.len()), (1, builtin().errors.len()));
    assert_eq!(read("{}").unwrap(), *builtin());
}

#[test]
fn everything_that_is_wrong_is_said_with_its_place() {
    insta::assert_snapshot!(errors(
        "errors:
  - {kind: netwrok, text: x}
  - {kind: network}
  - {kind: network, text: '(', exit_codes: [300], statuses: 5}
rules:
  - {name: a, then: giveup}
  - {name: b, when: {priority: urgent, progress: {above: 2}, health: {above: 0.6, below: 0.4}, helth: 1}, then: skip}
  - {name: c, then: skip}
  - {name: c, then: retry}
retry: {on: network}
escalation: {escalation_target: \"${{ inputs.boss }}\", on_timeout: fail}
extra: 1"
    ), @r#"
    2:12 SKEP-D027 `kind` does not know the text "netwrok" (did you mean `network`?)
    3:5 SKEP-D022 this entry fits nothing (add `text`, `exit_codes` or `statuses`)
    4:27 SKEP-D021 `text` is no regular expression: error: unclosed group (for example `text: "(?i)connection refused"`)
    4:45 SKEP-D034 `exit_codes` holds whole numbers from 0 to 255, this is the number 300 (for example `exit_codes: [75]`)
    4:61 SKEP-D021 `statuses` is a list, this is the number 5 (for example `statuses: [409]`)
    6:21 SKEP-D027 `then` is one of `continue`, `retry`, `skip`, `abort`, `escalate`, this is the text "giveup" (for example `then: continue`)
    7:32 SKEP-D027 `priority` does not know the text "urgent" (one of `critical`, `high`, `medium`, `low`)
    7:58 SKEP-D034 `above` is a share from 0 to 1, this is 2 (for example `above: 0.7`)
    7:70 SKEP-D028 no `health` is above 0.6 and below 0.4 (`above` is the smaller one)
    7:96 SKEP-D020 `when` has no key `helth` (did you mean `health`?)
    9:5 SKEP-D028 two rules are called `c` (each decision names its rule: give one of them another name)
    10:13 SKEP-D028 the rules say what is tried again, not `retry` (write a rule: `{name: mine, when: {kind: network}, then: retry}`)
    11:13 SKEP-D021 the table of decisions has no expressions: it holds for all workflows (write the address itself)
    11:55 SKEP-D028 `on_timeout` says what the end of the wait means, and the wait has no end (add `timeout: 8h`, or remove the key)
    12:1 SKEP-D020 the table of decisions has no key `extra` (its keys are errors, rules, retry, escalation)
    "#);
}

fn rules() -> impl Strategy<Value = Rules> {
    let kind = || prop::sample::select(Kind::ALL.to_vec());
    let pattern = (kind(), prop::option::of("[a-z :#'\"]{1,12}"), prop::collection::vec(0..=255_i32, 1..3))
        .prop_map(|(kind, text, exit_codes)| Pattern { kind, text, exit_codes, statuses: vec![503] });
    let share = || prop::option::of((0_u32..=4).prop_map(|share| f64::from(share) / 16.0));
    let range = || prop::option::of((share()).prop_map(|above| Range { above, below: Some(0.75) }));
    let flag = || prop::option::of(any::<bool>());
    let when = (
        prop::collection::vec(prop::sample::select(Weight::ALL.to_vec()), 0..3),
        prop::collection::vec(prop::sample::select(Class::ALL.to_vec()), 0..2),
        prop::collection::vec(kind(), 0..3),
        (flag(), flag(), flag(), flag()),
        (range(), range()),
    );
    let when = when.prop_map(|(priority, class, kind, (a, b, c, d), (progress, health))| When {
        priority,
        class,
        kind,
        attempts_left: a,
        critical: b,
        read_only: c,
        irreversible: d,
        progress,
        health,
    });
    let row = (when, prop::sample::select(Action::ALL.to_vec()));
    let retry = Retry {
        max_attempts: 4,
        delay_ms: 5,
        max_delay_ms: 60_000,
        backoff: Backoff::Linear,
        jitter: false,
        on: Vec::new(),
    };
    let asking = Asking { to: "ops: all".to_owned(), timeout_ms: Some(1_000), ..Asking::default() };
    (prop::collection::vec(pattern, 0..3), prop::collection::vec(row, 1..5), any::<(bool, bool)>()).prop_map(
        move |(errors, rows, (retries, asks))| Rules {
            errors,
            rules: rows
                .into_iter()
                .enumerate()
                .map(|(index, (when, then))| Rule { name: format!("rule {index}"), when, then })
                .collect(),
            retry: retries.then(|| retry.clone()),
            escalation: if asks { asking.clone() } else { Asking::default() },
        },
    )
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(rules in rules()) {
        let text = yaml(&rules);
        prop_assert_eq!(super::read::read(&text, &Rules::default()).map_err(|problems| format!("{problems:?}\n{text}")), Ok(rules));
    }
}
