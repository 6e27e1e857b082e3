//! Every definition of the corpus through the binary, the bad ones under hard limits of processor and memory,
//! and every example.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::answer::{Answer, Running};
use crate::support::place::{Place, SKEP};
use crate::support::repository;

mod generated;

/// What a hostile definition may cost: a second of processor time, 200 MB of address space.
const LIMITS: &[&str] = &["--cpu=1", "--as=200000000"];

fn validate_within_limits(place: &Place, file: &Path) -> Answer {
    let mut command = Command::new("prlimit");
    place.prepare(&mut command);
    command.args(LIMITS).arg(SKEP).arg("validate").arg(file).args(["--format", "json"]);
    Running::start(command).end()
}

/// One row of the manifest, and what does not fit it.
fn mismatch(place: &Place, row: &str) -> Option<String> {
    let columns: Vec<&str> = row.split('\t').collect();
    let [name, code, line, fragment] = columns.as_slice() else { return Some(format!("not four columns: {row}")) };
    let file = match name.strip_prefix("gen:") {
        Some(name) => place.write(&format!("{name}.yaml"), generated::generated(name)),
        None => repository::path("tests/corpus/bad").join(name),
    };
    let answer = validate_within_limits(place, &file);
    if answer.code != Some(2) {
        return Some(format!("{name}: {answer}"));
    }
    let answer = answer.value();
    let list = |key: &str| answer[key].as_array().expect("problems are a list").clone();
    let problems = [list("errors"), list("warnings")].concat();
    let fits = |error: &Value| {
        let found_line = error["line"].as_u64().map_or_else(|| "-".to_owned(), |line| line.to_string());
        error["code"] == *code
            && (*line == "-" || found_line == *line)
            && (*fragment == "?" || error["message"].as_str().is_some_and(|message| message.contains(fragment)))
    };
    let has_it = answer["valid"] == false && problems.iter().any(fits);
    (!has_it).then(|| format!("{name}: no {code} on line {line} with {fragment:?} in {:#?}", problems.iter().take(3)))
}

#[test]
fn every_bad_definition_is_refused_with_its_reason_within_the_limits() {
    let place = Place::new();
    let manifest = fs::read_to_string(repository::path("tests/corpus/bad/manifest.tsv")).unwrap();
    let rows = manifest.lines().filter(|row| !row.starts_with('#') && !row.is_empty());
    let mismatches: Vec<String> = rows.filter_map(|row| mismatch(&place, row)).collect();
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n\n"));
}

fn good_ones() -> Vec<PathBuf> {
    let folders = ["tests/corpus/good", "examples"];
    folders.iter().flat_map(|folder| repository::definitions_below(&repository::path(folder))).collect()
}

#[test]
fn the_tests_of_the_examples_pass() {
    let place = Place::new();
    let examples = repository::path("examples").to_string_lossy().into_owned();
    let answer = place.json(&["test", &examples], 0);
    assert_eq!(answer["failed"], 0, "{answer:#}");
    assert!(answer["passed"].as_u64() >= Some(10), "{answer:#}");
}

#[test]
fn a_failing_test_shows_the_difference_and_what_happened() {
    let place = Place::new();
    let saga = repository::path("examples/saga.yaml");
    place.write("saga.yaml", fs::read_to_string(saga).unwrap());
    place.write("saga.test.yaml", "tests: [{name: well, expect: {status: completed, rollback: []}}]");
    let answer = place.skep(&["test", "saga.yaml"]).exits(0);
    assert!(answer.out.contains("1 passed"), "{answer}");
    place
        .write("saga.test.yaml", "tests: [{name: well, outcomes: {car: {exit_code: 1}}, expect: {status: completed}}]");
    let answer = place.skep(&["test", "saga.yaml"]).exits(1);
    for line in ["- completed", "+ rolled_back", "hotel is undone", "1 failed"] {
        assert!(answer.out.contains(line), "{line}: {answer}");
    }
    place.write("saga.test.yaml", "tests: [{name: well, outcomes: {cra: {}}, expect: {status: completed}}]");
    let answer = place.skep(&["test", "."]).exits(2);
    assert!(answer.err.contains("the workflow has no step `cra`"), "{answer}");
    assert!(place.skep(&["list", "--format", "json"]).exits(0).out.contains("[]"), "nothing was executed");
}

#[test]
fn every_good_definition_and_example_is_valid() {
    let place = Place::new();
    for file in good_ones() {
        let answer = place.json(&["validate", &file.to_string_lossy()], 0);
        assert_eq!(answer["valid"], true, "{}: {answer:#}", file.display());
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(0), "{}: {answer:#}", file.display());
    }
}

#[test]
fn every_example_converts_and_its_conversion_converts_to_itself() {
    let place = Place::new();
    for file in repository::definitions_below(&repository::path("examples")) {
        let name = file.display();
        let once = place.skep(&["convert", &file.to_string_lossy()]).exits(0).out;
        let written = place.write("converted.yaml", &once);
        let written = written.to_string_lossy().into_owned();
        assert_eq!(place.skep(&["convert", &written]).exits(0).out, once, "{name}");
        assert_eq!(place.json(&["validate", &written], 0)["valid"], true, "{name}");
    }
}

#[test]
fn every_example_is_drawn_in_three_ways() {
    let place = Place::new();
    for file in repository::definitions_below(&repository::path("examples")) {
        for (form, beginning) in [("text", ""), ("mermaid", "flowchart"), ("dot", "digraph")] {
            let drawing = place.skep(&["graph", &file.to_string_lossy(), "--as", form]).exits(0).out;
            assert!(drawing.lines().count() > 1, "{} as {form}: {drawing}", file.display());
            assert!(drawing.contains(beginning), "{} as {form}: {drawing}", file.display());
        }
    }
}

/// Runs an example in a place of its own and gives its answer.
fn run(example: &str, arguments: &[&str], code: i32) -> (Place, Value) {
    let place = Place::new();
    let file = repository::path("examples").join(example);
    let file = file.to_string_lossy().into_owned();
    let mut all = vec!["run", &file];
    all.extend(arguments);
    let answer = place.json(&all, code);
    (place, answer)
}

#[test]
fn examples_that_need_nobody_run() {
    for (example, arguments) in [
        ("hello.yaml", &[][..]),
        ("loops.yaml", &[]),
        ("retry.yaml", &[]),
        ("graph.yaml", &[]),
        ("checked.yaml", &[]),
        ("limits.yaml", &[]),
        ("saga.yaml", &["--car=true"]),
        ("library/automation/infrastructure/health_monitoring.yaml", &[]),
        ("library/automation/code_maintenance/daily_review.yaml", &["--directory=."]),
        ("library/automation/code_maintenance/daily_review.yaml", &["--directory=/nowhere"]),
        ("library/pipelines/cicd/build_pipeline.yaml", &["--branch=next"]),
        ("library/pipelines/cicd/build_pipeline.yaml", &["--fail_at=test"]),
        ("library/orchestration/deployment_orchestration/blue_green.yaml", &["--env=production"]),
        ("library/orchestration/deployment_orchestration/blue_green.yaml", &["--healthy=false"]),
    ] {
        let (_, answer) = run(example, arguments, 0);
        assert_eq!(answer["status"], "completed", "{example} {arguments:?}: {answer:#}");
    }
}

#[test]
fn examples_say_what_they_found() {
    let (_, answer) = run("graph.yaml", &[], 0);
    assert_eq!(answer["outputs"]["line"], "sum 5050 even 50", "{answer:#}");
    let (_, answer) = run("retry.yaml", &[], 0);
    assert_eq!(answer["outputs"]["attempts"], 3, "{answer:#}");
    assert_eq!(answer["outputs"]["handled"], "it failed with 3", "{answer:#}");
    let (_, answer) = run("loops.yaml", &["-i", "words=[\"bee\"]"], 0);
    assert_eq!(answer["outputs"]["lengths"][0]["outputs"]["length"]["length"], 3, "{answer:#}");
    let (_, answer) = run("library/pipelines/cicd/build_pipeline.yaml", &["--fail_at=test"], 0);
    assert_eq!(answer["steps"]["publish"]["status"], "skipped", "{answer:#}");
    assert_eq!(answer["steps"]["clean_up"]["status"], "completed", "{answer:#}");
}

#[test]
fn a_saga_that_fails_undoes_what_it_did() {
    let (_, answer) = run("saga.yaml", &[], 3);
    assert_eq!(answer["status"], "rolled_back", "{answer:#}");
    assert_eq!(answer["rollback"]["undone"], 3, "{answer:#}");
    assert_eq!(answer["steps"]["hotel"]["status"], "rolled_back", "{answer:#}");
    assert_eq!(answer["error"]["step"], "car", "{answer:#}");
}

#[test]
fn a_person_lets_a_failed_step_try_again() {
    let (place, answer) = run("escalate.yaml", &[], 4);
    assert_eq!((&answer["status"], &answer["waiting"][0]["for"]), (&"held".into(), &"answer".into()), "{answer:#}");
    place.write("migrate.ok", "");
    place.json(&["approve", "@latest", "--step", "migrate"], 0);
    let answer = place.json(&["status", "@latest"], 0);
    assert_eq!(answer["status"], "completed", "{answer:#}");
}

#[test]
fn the_disk_report_reports() {
    let place = Place::new();
    let folder = place.work().join("files");
    fs::create_dir(&folder).unwrap();
    for (name, size) in [("large.txt", 5_000), ("small.conf", 10), ("with blank.txt", 300)] {
        fs::write(folder.join(name), "x\n".repeat(size)).unwrap();
    }
    let file = repository::path("examples/disk-report.yaml").to_string_lossy().into_owned();
    let directory = format!("--directory={}", folder.display());
    let answer = place.json(&["run", &file, &directory, "--largest", "2"], 0);
    assert_eq!(answer["status"], "completed", "{answer:#}");
    assert!(answer["steps"]["settle"]["attempts"].as_u64() >= Some(2), "{answer:#}");
    let report = place.read("disk-report.txt");
    assert!(report.contains("large.txt") && !report.contains("small.conf"), "{report}");
}
