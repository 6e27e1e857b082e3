use super::*;
use crate::print::{generated, to_value};
use crate::tree;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// What is wrong with a document by the schema, as pointers.
fn verdict(validator: &jsonschema::Validator, document: &Value) -> Vec<String> {
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&workflow()).expect("the schema is one")
}

#[test]
fn the_schema_is_a_valid_schema() {
    jsonschema::draft202012::meta::validate(&workflow()).unwrap();
}

#[test]
fn examples_of_every_key_fit_their_own_schema() {
    let schema = workflow();
    for (name, table) in TABLES.iter().copied().chain([("", keys::WORKFLOW)]) {
        for key in table {
            let Some(example) = example(key) else { continue };
            let pointer = if name.is_empty() { "/properties".to_owned() } else { format!("/$defs/{name}/properties") };
            let mut of_key = schema.pointer(&pointer).unwrap()[key.name].clone();
            of_key["$defs"] = schema["$defs"].clone();
            let validator = jsonschema::draft202012::new(&of_key).unwrap();
            assert_eq!(verdict(&validator, &example), Vec::<String>::new(), "{}", key.example);
        }
    }
}

#[test]
fn valid_documents_are_accepted() {
    let validator = validator();
    for text in [
        include_str!("../print/release.yaml"),
        "name: x\nsteps: [{id: a, approval: }]\n",
        "name: x\nsteps: [{name: A b, run: true, env: {A: 1, B: }}]\n",
        "name: x\nsteps: [{id: a, wait: 10m}, {id: b, wait: {signal: s, timeout: 1h30m}}]\n",
        "name: x\nsteps: [{id: a, retry: {retries: 2, on: [network, 3, 503]}, on_error: skip, uses: http}]\n",
        "name: x\nsteps: [{id: a, parallel: {l: [{id: b, run: x}], r: {order: graph, steps: [{id: c, run: x}]}}, join: 1}]\n",
        "name: x\nconcurrency: {limit: \"${{ inputs.n }}\"}\nsteps: [{id: a, repeat: {times: 3}, steps: [{id: b, run: x}]}]\n",
    ] {
        let document = tree::parse(text).unwrap();
        let (_, problems) = crate::lower::workflow(&document);
        assert!(
            problems.iter().all(|problem| problem.severity != skep_model::problem::Severity::Error),
            "{problems:?}"
        );
        assert_eq!(verdict(&validator, &document.to_value()), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn generated_documents_are_accepted() {
    let work = || {
        let validator = validator();
        let mut runner =
            TestRunner::new(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() });
        let outcome = runner.run(&generated::workflow(), |workflow| {
            prop_assert_eq!(verdict(&validator, &to_value(&workflow)), Vec::<String>::new());
            Ok(())
        });
        outcome.map_err(|failure| failure.to_string())
    };
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(work).unwrap();
    if let Err(failure) = thread.join().unwrap() {
        panic!("{failure}");
    }
}

#[test]
fn bad_documents_are_refused() {
    let validator = validator();
    for text in [
        "steps: [{id: a, run: x}]",
        "name: x",
        "name: x\nsteps: []",
        "name: x\nsteps: [{run: x}]",
        "name: x\nsteps: [{id: a}]",
        "name: x\nsteps: [{id: a, run: x, uses: y}]",
        "name: x\nsteps: [{id: a, run: x, depend_on: [b]}]",
        "name: x\nsteps: [{id: a, run: x, timeout: 10}]",
        "name: x\nsteps: [{id: a, run: x, join: all}]",
        "name: x\nsteps: [{id: a, foreach: [1]}]",
        "name: x\nsteps: [{id: a, wait: {for: 1m, signal: x}}]",
        "name: x\nsteps: [{id: a, run: x, on_error: ignore}]",
        "name: x\nsteps: [{id: a, run: x, retry: {max_attempts: 0}}]",
        "name: x\nsteps: [{id: a, parallel: {}}]",
        "name: x\nsteps: [{id: a, switch: {default: [{id: b, run: x}]}}]",
        "name: x\nmax_parallel: many\nsteps: [{id: a, run: x}]",
        "name: x\ninputs: {a: {typ: string}}\nsteps: [{id: a, run: x}]",
    ] {
        let document = tree::parse(text).unwrap();
        assert_ne!(verdict(&validator, &document.to_value()), Vec::<String>::new(), "{text}");
        let (_, problems) = crate::lower::workflow(&document);
        assert!(problems.iter().any(|problem| problem.severity == skep_model::problem::Severity::Error), "{text}");
    }
}
