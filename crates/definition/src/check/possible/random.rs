//! What is said of random conditions against what they really give, for every value that their inputs can have.
//! `PROPTEST_CASES=20000` tries more of them.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::check::{Level, check};
use crate::expr::{Names, Reference, Scope, ScopeError, StatusFlags, Template};
use crate::samples::{catalogue, map, run, when, while_, workflow};
use crate::workflow::Workflow;

/// The inputs with all their values; `maybe` need not be given.
const MAYBE: [Option<i64>; 4] = [None, Some(0), Some(2), Some(5)];

struct Given {
    env: &'static str,
    n: i64,
    maybe: Option<i64>,
    on: bool,
}

impl Scope for Given {
    fn resolve(&mut self, reference: &Reference) -> Result<Value, ScopeError> {
        Ok(match reference.path[1].as_str() {
            "env" => json!(self.env),
            "n" => json!(self.n),
            "maybe" => json!(self.maybe),
            "on" => json!(self.on),
            other => panic!("the test has no input {other}"),
        })
    }

    fn status(&self) -> StatusFlags {
        StatusFlags::default()
    }
}

fn all_given() -> impl Iterator<Item = Given> {
    let environments = ["staging", "production"].into_iter();
    environments.flat_map(|env| {
        (1..=4).flat_map(move |n| {
            MAYBE.into_iter().flat_map(move |maybe| [true, false].map(|on| Given { env, n, maybe, on }))
        })
    })
}

fn declared(steps: Vec<crate::workflow::Step>) -> Workflow {
    let inputs = map(json!({
        "env": {"type": "string", "enum": ["staging", "production"], "required": true},
        "n": {"type": "integer", "minimum": 1, "maximum": 4, "required": true},
        "maybe": {"type": "integer"},
        "on": {"type": "boolean", "required": true},
    }));
    Workflow { inputs, ..workflow(steps) }
}

fn comparison() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["inputs.env", "inputs.n", "inputs.maybe", "inputs.on", "inputs.n + 1"]);
    let sign = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let other = prop::sample::select(vec![
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "2.5",
        "'staging'",
        "'production'",
        "'qa'",
        "true",
        "null",
        "inputs.n",
        "inputs.maybe",
    ]);
    let list =
        prop::sample::select(vec!["[1, 2]", "['staging']", "['staging', 'production']", "['qa']", "[null, 5]", "[]"]);
    let within = prop::sample::select(vec!["in", "not in"]);
    prop_oneof![
        5 => (name.clone(), sign.clone(), other.clone()).prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
        2 => (name.clone(), sign, other).prop_map(|(left, sign, right)| format!("{right} {sign} {left}")),
        2 => (name.clone(), within, list).prop_map(|(name, within, list)| format!("{name} {within} {list}")),
        1 => name.prop_map(|name| format!("{name} is none")),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => comparison(),
        1 => prop::sample::select(vec!["inputs.on", "true", "false", "always()", "inputs.maybe"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            3 => two.clone().prop_map(|(left, right)| format!("({left} and {right})")),
            3 => two.clone().prop_map(|(left, right)| format!("({left} or {right})")),
            2 => inner.clone().prop_map(|inner| format!("(not ({inner}))")),
            1 => (inner, two).prop_map(|(condition, (yes, no))| format!("({yes} if {condition} else {no})")),
        ]
    })
}

/// What is said of the condition of a step and of a loop.
fn said(condition: &str) -> String {
    let sample = declared(vec![when(run("a", "true"), condition), while_("b", condition, vec![run("c", "true")])]);
    let problems = check(&sample, &catalogue(), Level::Standard);
    problems.iter().map(|problem| format!("{} {}\n", problem.code, problem.message)).collect()
}

/// What the condition gives: true, false, or an error.
fn outcomes(condition: &str) -> Vec<Option<bool>> {
    let template = Template::compile_condition(condition, &Names::default()).expect("the condition is well formed");
    all_given().map(|mut given| template.evaluate(&mut given).ok().and_then(|value| value.as_bool())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_and_always_are_certain(condition in condition()) {
        let (said, outcomes) = (said(&condition), outcomes(&condition));
        if said.contains("`a` never runs") {
            prop_assert!(!outcomes.contains(&Some(true)), "{}: {}", condition, said);
        }
        if said.contains("`b` never ends") {
            prop_assert!(!outcomes.contains(&Some(false)), "{}: {}", condition, said);
        }
        if said.contains("this condition is") {
            prop_assert!(outcomes.iter().all(Option::is_none), "{}: {}", condition, said);
        }
    }

    #[test]
    fn a_decided_comparison_is_decided(comparison in comparison()) {
        let (said, outcomes) = (said(&comparison), outcomes(&comparison));
        if said.contains("never holds") {
            prop_assert!(!outcomes.contains(&Some(true)), "{}: {}", comparison, said);
        }
        if said.contains("always holds") {
            prop_assert!(!outcomes.contains(&Some(false)), "{}: {}", comparison, said);
        }
        if said.contains("SKEP-C070") {
            prop_assert!(outcomes.iter().all(Option::is_none), "{}: {}", comparison, said);
        }
    }
}

#[test]
fn the_conditions_are_of_all_sorts() {
    for (condition, expect) in [
        ("inputs.n > 4", "never"),
        ("inputs.n >= 1", "always"),
        ("inputs.n > 2", "open"),
        ("inputs.env == 'qa' or inputs.on and not inputs.on", "never"),
        ("inputs.env in ['staging', 'production']", "always"),
    ] {
        let (said, outcomes) = (said(condition), outcomes(condition));
        let word = match (said.contains("`a` never runs"), said.contains("`b` never ends")) {
            (true, _) => "never",
            (_, true) => "always",
            (false, false) => "open",
        };
        assert_eq!(word, expect, "{condition}: {said}");
        assert_eq!(outcomes.contains(&Some(true)), expect != "never", "{condition}");
    }
}
