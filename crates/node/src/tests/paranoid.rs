//! Level paranoid on a whole node: what it learns from executions, what it blocks, what it keeps.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use skep_definition::check::Level;
use skep_model::problem::Severity;
use skep_model::surroundings::{Fixed, Load};

use super::{open_with, request, settle};
use crate::Node;
use crate::config::Config;
use crate::service::{Look, Validation, validate_closely};

fn look(arguments: &[(&str, &str)]) -> Look {
    let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Look { level: Level::Paranoid, strict_mode: false, path: None, arguments }
}

fn validate(text: &str, arguments: &[(&str, &str)], machine: &Fixed) -> Validation {
    validate_closely(text, &look(arguments), &crate::catalogue::build(), None, machine)
}

fn found(validation: &Validation, code: &str) -> Vec<(Severity, Option<u32>)> {
    let of_code = validation.problems.iter().filter(|problem| problem.code == code);
    of_code.map(|problem| (problem.severity, problem.place.map(|place| place.line))).collect()
}

const DIVIDED: &str = "name: divided
description: Divides.
inputs:
  share: {type: integer, default: 4}
steps:
  - {id: part, uses: set, with: {each: '${{ 100 // inputs.share }}'}}
  - {id: tell, uses: log, with: {message: '${{ steps.part.outputs.each }}'}}
";

#[test]
fn given_inputs_are_simulated_and_checked() {
    let machine = Fixed::default();
    let usual = validate(DIVIDED, &[], &machine);
    assert_eq!(found(&usual, "SKEP-C107"), [(Severity::Suggestion, Some(6))], "0 fits the declaration");
    let zero = validate(DIVIDED, &[("share", "0")], &machine);
    assert_eq!(found(&zero, "SKEP-C107"), [(Severity::Warning, Some(6))]);
    assert_eq!(found(&validate(DIVIDED, &[("share", "5")], &machine), "SKEP-C107"), []);
    let wrong = validate(DIVIDED, &[("share", "many"), ("shaer", "1")], &machine);
    assert!(!wrong.valid && wrong.count(Severity::Error) == 2, "{:?}", wrong.problems);
    assert_eq!(wrong.metadata["simulation"], Value::Null);
    assert_eq!(usual.metadata["simulation"]["paths"][0]["steps"], json!(["part", "tell"]));
}

#[test]
fn a_machine_that_is_busy_for_long_or_full_of_processes_is_told() {
    let fine = Load {
        load_average: Some([9.0, 4.0, 0.0]),
        processors: Some(4),
        tasks: Some(800),
        tasks_max: Some(1_000),
        ..Load::default()
    };
    for (load, expect) in [
        (fine, None),
        (Load::default(), None),
        (Load { load_average: Some([0.0, 4.1, 0.0]), ..fine }, Some("SKEP-C101")),
        (Load { tasks: Some(801), ..fine }, Some("SKEP-C102")),
    ] {
        let machine = Fixed { load, ..Fixed::default() };
        let codes: Vec<&str> =
            validate(DIVIDED, &[("share", "5")], &machine).problems.iter().map(|it| it.code).collect();
        assert_eq!(codes, expect.into_iter().collect::<Vec<_>>(), "{load:?}");
    }
}

#[test]
fn only_hosts_that_cannot_be_reached_are_told() {
    let text = "name: hosts\ndescription: Talks.\nsteps:\n  - {id: a, uses: http, with: {url: 'https://up.example.org/'}}\n  - {id: b, uses: http, with: {url: 'http://down.example.org:81/'}}\n";
    let machine = Fixed { unreachable: BTreeSet::from(["down.example.org".to_owned()]), ..Fixed::default() };
    let validation = validate(text, &[], &machine);
    assert_eq!(found(&validation, "SKEP-C100"), [(Severity::Warning, Some(5))]);
    assert_eq!(validation.metadata["machine"]["unreachable"], json!(["down.example.org:81"]));
    assert_eq!(validation.metadata["machine"]["hosts"], json!(["down.example.org:81", "up.example.org:443"]));
}

/// Fails if `share` is 0; the same plan otherwise.
fn run(node: &Node, text: &str, share: i64) {
    let mut request = request(text);
    request.inputs.insert("share".to_owned(), json!(share));
    let execution = node.start(request).unwrap().execution;
    settle(node, &execution);
}

#[test]
fn a_step_is_judged_by_the_executions_of_its_workflow() {
    let directory = tempfile::tempdir().unwrap();
    let node = open_with(directory.path(), Config::default());
    for share in [0, 5, 0, 0, 5, 0] {
        run(&node, DIVIDED, share);
    }
    let of = |text: &str| {
        let machine = Fixed::default();
        let arguments = look(&[("share", "5")]);
        validate_closely(text, &arguments, &crate::catalogue::build(), Some(&node.reading()), &machine)
    };
    let validation = of(DIVIDED);
    assert_eq!(found(&validation, "SKEP-C103"), [(Severity::Warning, Some(6))]);
    assert_eq!(validation.metadata["simulation"]["history"], 6);
    let changed = DIVIDED.replace("100 //", "200 //");
    assert_eq!(found(&of(&changed), "SKEP-C103"), [], "a step that was changed has no history");
    node.close();
}

#[test]
fn a_start_at_this_level_is_simulated_with_its_own_inputs() {
    let directory = tempfile::tempdir().unwrap();
    let config = "[validation]\nlevel = 'paranoid'\nstrict_mode = true";
    std::fs::write(directory.path().join("config.toml"), config).unwrap();
    let node = open_with(directory.path(), Config::load(directory.path()).unwrap());
    let start = |share: i64| {
        let mut request = request(DIVIDED);
        request.inputs.insert("share".to_owned(), json!(share));
        node.start(request)
    };
    let Err(crate::Error::InvalidDefinition { problems, .. }) = start(0) else { panic!("it fails for certain") };
    let codes: Vec<&str> =
        problems.iter().filter(|problem| problem.code.starts_with("SKEP-C107")).map(|it| it.code).collect();
    assert_eq!(codes, ["SKEP-C107"]);
    node.close();
}

#[test]
fn what_was_simulated_is_kept_in_short() {
    let directory = tempfile::tempdir().unwrap();
    let node = open_with(directory.path(), Config::default());
    node.add_workflow(DIVIDED.to_owned(), None, Some("divided".to_owned()), super::ada()).unwrap();
    let arguments = vec![("share".to_owned(), "0".to_owned())];
    let found = node.validate_workflow("divided", None, (Some(Level::Paranoid), None), None, arguments).unwrap();
    assert_eq!(
        found.validation.count(Severity::Warning) - machine_warnings(&found.validation),
        1,
        "{:#?}",
        found.validation.problems
    );
    let (_, _, kept) = node.reading().validations("divided", None).unwrap();
    assert_eq!((&kept[0]["level"], &kept[0]["simulation"]["paths"]), (&json!("paranoid"), &json!(1)));
    assert!(kept[0]["simulation"]["duration"].is_string() || kept[0]["simulation"]["duration"].is_null());
    node.close();
}

/// What this machine itself is warned of.
fn machine_warnings(validation: &Validation) -> usize {
    let of_machine = ["SKEP-C093", "SKEP-C094", "SKEP-C095", "SKEP-C101", "SKEP-C102"];
    validation.problems.iter().filter(|problem| of_machine.contains(&problem.code)).count()
}
