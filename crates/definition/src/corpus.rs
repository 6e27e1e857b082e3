//! The definitions under `tests/corpus` and `examples`: the bad ones have the problems that the manifest
//! names, the good ones and the examples have none.

use std::fs;
use std::path::{Path, PathBuf};

use skep_model::problem::{Problem, Severity};

use crate::check::{self, Level};
use crate::load::load_bytes;
use crate::print;
use crate::samples::catalogue;
use generated::generated;

#[path = "../../../tests/corpus/generated.rs"]
mod generated;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a row of the manifest says about a file.
fn mismatch(row: &str) -> Option<String> {
    let columns: Vec<&str> = row.split('\t').collect();
    let [file, code, line, fragment] = columns.as_slice() else { return Some(format!("not four columns: {row}")) };
    let bytes = match file.strip_prefix("gen:") {
        Some(name) => generated(name).into_bytes(),
        None => fs::read(root().join("tests/corpus/bad").join(file)).expect("the manifest names files that exist"),
    };
    let problems = problems_of(&bytes);
    let fits = |problem: &Problem| {
        let found_line = problem.place.map_or_else(|| "-".to_owned(), |place| place.line.to_string());
        problem.code == *code
            && (*line == "-" || found_line == *line)
            && (*fragment == "?" || problem.message.contains(fragment))
    };
    let shown: Vec<String> = problems.iter().take(5).map(show).collect();
    (!problems.iter().any(fits)).then(|| format!("{file}: no {code} on line {line} with {fragment:?} in {shown:#?}"))
}

/// What reading and checking say, as `skep validate` puts them together.
fn problems_of(bytes: &[u8]) -> Vec<Problem> {
    let loaded = load_bytes(bytes);
    let mut problems = loaded.problems;
    if let Some(workflow) = loaded.workflow {
        let checked = check::check(&workflow, &catalogue(), Level::Standard);
        let checked = check::without_repeats(&problems, checked);
        problems.extend(checked);
    }
    problems
}

fn show(problem: &Problem) -> String {
    format!("{} {} {}", problem.code, problem.place.map_or(0, |place| place.line), problem.message)
}

#[test]
fn every_bad_definition_has_the_problem_that_the_manifest_names() {
    let manifest = fs::read_to_string(root().join("tests/corpus/bad/manifest.tsv")).expect("the manifest exists");
    let rows = manifest.lines().filter(|row| !row.starts_with('#'));
    let mismatches: Vec<String> = rows.filter_map(mismatch).collect();
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

#[test]
fn the_manifest_names_every_file() {
    let manifest = fs::read_to_string(root().join("tests/corpus/bad/manifest.tsv")).expect("the manifest exists");
    for path in files_below(&root().join("tests/corpus/bad")) {
        let name = path.file_name().expect("it is a file").to_string_lossy().into_owned();
        let is_named = manifest.lines().any(|row| row.split('\t').next() == Some(name.as_str()));
        assert!(is_named || name == "manifest.tsv", "{name} is not in the manifest");
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder exists") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    // Tests of workflows stand beside them.
    files.retain(|path| !path.to_string_lossy().contains(".test."));
    files.sort();
    files
}

#[test]
fn good_definitions_and_examples_have_no_errors() {
    let mut shown = Vec::new();
    for folder in ["tests/corpus/good", "examples"] {
        for path in files_below(&root().join(folder)) {
            let bytes = fs::read(&path).expect("it can be read");
            let errors = load_bytes(&bytes).problems.into_iter().filter(|problem| problem.severity == Severity::Error);
            shown.extend(errors.map(|problem| format!("{}: {}", path.display(), show(&problem))));
        }
    }
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

#[test]
fn good_definitions_and_examples_print_and_read_back_the_same() {
    for folder in ["tests/corpus/good", "examples"] {
        for path in files_below(&root().join(folder)) {
            let bytes = fs::read(&path).expect("it can be read");
            let workflow = load_bytes(&bytes).workflow.expect("it has no errors");
            let printed = print::to_yaml(&workflow);
            let again = load_bytes(printed.as_bytes());
            assert_eq!(again.workflow.as_ref(), Some(&workflow), "{}:\n{printed}", path.display());
        }
    }
}

/// What the guide shows is planned by a node that has what the guide says, with nothing left out.
#[test]
fn workflows_of_the_guide_are_planned_in_full() {
    use skep_model::catalogue::Feature::*;
    let mut catalogue = catalogue();
    for name in ["file", "log", "sql", "email"] {
        catalogue.actions.insert(name.to_owned(), catalogue.actions["set"].clone());
    }
    catalogue.features.extend([Rollback, Compensate, Escalate, CancelRollback, Unknown, Irreversible, WaitCondition]);
    catalogue.features.extend([Concurrency, CircuitBreaker, Priority, MaxParallel, OutputSchema, SuccessCriteria]);
    catalogue.features.extend([Idempotency, ChildWorkflow, Escalation]);
    let page = fs::read_to_string(root().join("docs/guide/definition.md")).expect("the guide can be read");
    let blocks: Vec<&str> = page.split("```yaml workflow\n").skip(1).collect();
    assert!(blocks.len() > 15, "the guide has workflows");
    for block in blocks {
        let text = block.split("\n```").next().expect("a split has a first part");
        let loaded = load_bytes(text.as_bytes());
        assert!(loaded.is_usable(), "{text}\n{:#?}", loaded.problems);
        let workflow = loaded.workflow.expect("a usable text has a workflow");
        assert_eq!(check::not_built(&workflow, &catalogue), Vec::new(), "{text}");
        let (problems, plan) = crate::plan::check_and_plan(&workflow, &catalogue, Level::Standard);
        assert!(plan.is_some(), "{text}\n{problems:#?}");
    }
}
