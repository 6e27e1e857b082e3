use serde_json::{Value, json};
use skep_model::{Map, plan};

use super::*;

fn declared(entry: Value) -> plan::Input {
    declare(&entry).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn all(entries: Value) -> Map<plan::Input> {
    crate::samples::map(entries).into_iter().map(|(name, entry)| (name, declared(entry))).collect()
}

#[test]
fn form_types_become_schemas() {
    for (entry, schema) in [
        (json!("string"), json!({"type": "string"})),
        (json!(null), json!({})),
        (json!({"type": "text", "pattern": "^a"}), json!({"type": "string", "pattern": "^a"})),
        (json!({"type": "secret"}), json!({"type": "string"})),
        (json!({"type": "date"}), json!({"type": "string", "format": "date"})),
        (json!({"type": "email"}), json!({"type": "string", "format": "email"})),
        (json!({"type": "hostname"}), json!({"type": "string", "format": "hostname"})),
        (json!({"type": "url"}), json!({"type": "string", "format": "uri"})),
        (json!({"type": "choice", "choices": ["a", 1]}), json!({"enum": ["a", 1]})),
        (json!({"type": "object", "required": ["a"]}), json!({"type": "object", "required": ["a"]})),
        (json!({"type": ["string", "null"], "label": "x"}), json!({"type": ["string", "null"]})),
    ] {
        assert_eq!(declared(entry.clone()).schema, schema, "{entry}");
    }
}

#[test]
fn faulty_entries_say_what_and_how() {
    let lines = |entry: Value| -> String {
        let faults = declare(&entry).expect_err("the entry is faulty");
        faults
            .iter()
            .map(|fault| format!("{}: {} ({})\n", fault.key, fault.message, fault.hint.as_deref().unwrap_or("-")))
            .collect()
    };
    insta::assert_snapshot!(lines(json!({"type": "strin", "requird": true})), @r#"
    requird: `requird` is not a keyword of an input (did you mean `required`?)
    type: `strin` is not a type of an input (did you mean `string`?)
    "#);
    insta::assert_snapshot!(lines(json!({"type": "int"})), @"type: `int` is not a type of an input (did you mean `integer`?)");
    insta::assert_snapshot!(lines(json!({"type": "choice"})), @"type: an input of type `choice` has no choices (write `choices: [first, second]`)");
    insta::assert_snapshot!(lines(json!({"type": "choice", "choices": []})), @"choices: `choices` is a list of at least one value (-)");
    insta::assert_snapshot!(lines(json!({"required": "yes"})), @"required: `required` is `true` or `false` (-)");
    insta::assert_snapshot!(lines(json!({"type": "string", "minLength": "3"})), @r#"minLength: this is not a valid JSON Schema: "3" is not of type "integer" (-)"#);
    insta::assert_snapshot!(lines(json!(["string"])), @": an input is declared by a mapping such as `{type: string, required: true}` (-)");
    let look_ahead = lines(json!({"type": "string", "pattern": "^(?=a)b"}));
    assert!(look_ahead.starts_with("pattern: the pattern cannot be used"), "{look_ahead}");
    let huge = lines(json!({"type": "string", "pattern": "((a{1000}){1000}){1000}"}));
    assert!(huge.starts_with("pattern: the pattern cannot be used"), "{huge}");
}

#[test]
fn a_hostile_pattern_answers_at_once() {
    let input = declared(json!({"type": "string", "pattern": "^(a+)+$"}));
    let text = format!("{}!", "a".repeat(50_000));
    assert!(parse_argument(&input, &text).is_err());
}

#[test]
fn arguments_are_typed_by_their_declaration() {
    let ok = |entry: Value, text: &str, expected: Value| {
        assert_eq!(parse_argument(&declared(entry), text), Ok(expected), "{text}");
    };
    ok(json!("integer"), "3", json!(3));
    ok(json!("integer"), " -7 ", json!(-7));
    ok(json!("integer"), "1e3", json!(1000));
    ok(json!("number"), "0.5", json!(0.5));
    ok(json!("number"), "2", json!(2));
    ok(json!("boolean"), "true", json!(true));
    ok(json!("string"), "true", json!("true"));
    ok(json!("string"), " 1 ", json!(" 1 "));
    ok(json!("array"), "a,b", json!(["a", "b"]));
    ok(json!("array"), "", json!([]));
    ok(json!({"type": "array", "items": {"type": "integer"}}), "1, 2", json!([1, 2]));
    ok(json!("array"), "[1, \"x\"]", json!([1, "x"]));
    ok(json!("object"), "{\"a\": 1}", json!({"a": 1}));
    ok(json!(null), "[1]", json!([1]));
    ok(json!(null), "main", json!("main"));
    ok(json!({"type": "choice", "choices": ["1", 2]}), "1", json!("1"));
    ok(json!({"type": "choice", "choices": ["1", 2]}), "2", json!(2));
    ok(json!({"type": "date"}), "2026-12-01", json!("2026-12-01"));
}

#[test]
fn wrong_arguments_say_why() {
    let wrong = |entry: Value, text: &str| -> String {
        let problem = parse_argument(&declared(entry), text).expect_err("the argument is wrong");
        format!("{} ({})", problem.message, problem.hint.as_deref().unwrap_or("-"))
    };
    let answers = [
        wrong(json!("integer"), "3.5"),
        wrong(json!("integer"), "NaN"),
        wrong(json!("boolean"), "yes"),
        wrong(json!({"type": "string", "enum": ["staging", "production"]}), "prodution"),
        wrong(json!({"type": "string", "pattern": "^[a-z]+$"}), "A1"),
        wrong(json!({"type": "integer", "minimum": 1}), "0"),
        wrong(json!({"type": "email"}), "nobody"),
        wrong(json!({"type": "hostname"}), "a b"),
        wrong(json!({"type": "array", "items": {"type": "integer"}}), "1,x"),
        wrong(json!({"type": "array", "items": {"type": "integer"}}), "[1, \"x\"]"),
        wrong(json!("object"), "[1]"),
        wrong(json!({"type": "secret", "minLength": 8}), "hunter2"),
    ];
    insta::assert_snapshot!(answers.join("\n"), @r#"
    "3.5" is not an integer (-)
    "NaN" is not an integer (-)
    "yes" is not a boolean (write `true` or `false`)
    "prodution" is none of `staging`, `production` (did you mean `production`?)
    "A1" does not match the pattern `^[a-z]+$` (-)
    0 is less than 1 (-)
    "nobody" is not an email address (-)
    "a b" is not a host name (-)
    "x" is not an integer (-)
    at `/1`: "x" is a string, not an integer (-)
    [1] is not an object (write JSON: `{"key": 1}`)
    does not match its declaration (-)
    "#);
}

#[test]
fn given_values_are_checked_and_filled_up() {
    let inputs = all(json!({
        "host": {"type": "string", "required": true, "description": "where"},
        "port": {"type": "integer", "default": 22},
        "note": {"type": "string"},
        "maybe": {"type": ["string", "null"], "default": "x"},
    }));
    let resolved = resolve(&inputs, &crate::samples::map(json!({"host": "web-1", "maybe": null}))).unwrap();
    assert_eq!(json!(resolved), json!({"host": "web-1", "port": 22, "note": null, "maybe": null}));
    let problems = resolve(&inputs, &crate::samples::map(json!({"hots": "web-1", "port": "22"}))).unwrap_err();
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{} {} ({})", problem.code, problem.message, problem.hint.as_deref().unwrap_or("-")))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    SKEP-C051 there is no input `hots` (did you mean `host`?)
    SKEP-C050 the input `host` is required and was not given (give it with `-i host=VALUE` (where))
    SKEP-C052 the input `port`: "22" is a string, not an integer (-)
    "#);
}
