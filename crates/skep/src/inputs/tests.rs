//! The splitting of arguments, as a table.

use serde_json::json;

use super::*;
use crate::cli;

fn check(line: &str, own: &str, inputs: &[(&str, &str)]) {
    let split = split(&cli::command(), &cli::STARTING_VERBS, line.split_whitespace().map(OsString::from).collect());
    let kept: Vec<String> = split.own.iter().map(|text| text.to_string_lossy().into_owned()).collect();
    assert_eq!(kept.join(" "), own, "{line}");
    let expect: Vec<(String, String)> = inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    assert_eq!(split.inputs, expect, "{line}");
}

#[test]
fn unknown_long_options_after_the_workflow_are_inputs() {
    check("skep run a.yaml --env production", "skep run a.yaml", &[("env", "production")]);
    check("skep run a.yaml --env=production", "skep run a.yaml", &[("env", "production")]);
    check("skep run a.yaml --verbose", "skep run a.yaml", &[("verbose", "true")]);
    check("skep run a.yaml --verbose --n 3", "skep run a.yaml", &[("verbose", "true"), ("n", "3")]);
    check("skep run a.yaml --n -3 --text -", "skep run a.yaml", &[("n", "-3"), ("text", "-")]);
    check("skep run a.yaml --a=b=c --empty=", "skep run a.yaml", &[("a", "b=c"), ("empty", "")]);
    check("skep pipeline deploy --host x", "skep pipeline deploy", &[("host", "x")]);
    check("skep execute deploy --host x", "skep execute deploy", &[("host", "x")]);
}

#[test]
fn what_is_skeps_stays_skeps() {
    check("skep run a.yaml --format json --wait", "skep run a.yaml --format json --wait", &[]);
    check("skep run a.yaml --format=json", "skep run a.yaml --format=json", &[]);
    check("skep --data-dir d run a.yaml --x 1", "skep --data-dir d run a.yaml", &[("x", "1")]);
    check("skep run -i a=b a.yaml -i c=d --x 1 -ie=f", "skep run -i a=b a.yaml -i c=d -ie=f", &[("x", "1")]);
    check("skep run a.yaml --workdir /srv --x", "skep run a.yaml --workdir /srv", &[("x", "true")]);
    check("skep run a.yaml --help", "skep run a.yaml --help", &[]);
    check("skep run - --x 1", "skep run -", &[("x", "1")]);
}

#[test]
fn before_the_workflow_and_for_other_verbs_nothing_is_an_input() {
    check("skep run --env production a.yaml", "skep run --env production a.yaml", &[]);
    check("skep status --env production", "skep status --env production", &[]);
    check("skep run a.yaml -- --env x", "skep run a.yaml -- --env x", &[]);
    check("skep", "skep", &[]);
    check("skep run", "skep run", &[]);
}

#[test]
fn given_inputs_are_text_or_files() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("in.json");
    std::fs::write(&file, r#"{"n": 3, "deep": {"a": [1]}}"#).unwrap();
    let given = read_given(&[format!("@{}", file.display()), "env=a=b".into()]).unwrap();
    assert_eq!(given.values.get("deep"), Some(&json!({"a": [1]})));
    assert_eq!(given.arguments, [("env".to_owned(), "a=b".to_owned())]);
    let error = read_given(&["env".into()]).unwrap_err();
    assert_eq!(error.message, "`-i env` is neither KEY=VALUE nor @FILE");
    std::fs::write(&file, "[1]").unwrap();
    assert!(read_given(&[format!("@{}", file.display())]).unwrap_err().message.contains("is no JSON object"));
}

#[test]
fn payloads_are_json() {
    assert_eq!(read_payload(None).unwrap(), Value::Null);
    assert_eq!(read_payload(Some(r#"{"a": 1}"#)).unwrap(), json!({"a": 1}));
    assert!(read_payload(Some("text")).unwrap_err().hint.unwrap().contains("quote text"));
}
