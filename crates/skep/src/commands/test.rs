//! `skep test`: a workflow's own tests, and `run --dry-run` in other words.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use skep_api::local::{failure_of, report_of};
use skep_api::wire::Failure;
use skep_model::catalogue::Catalogue;
use skep_model::limits::PROBLEMS_MAX;
use skep_model::problem::Problem;
use skep_model::span::print_duration_ms;
use skep_node::config::Config;
use skep_node::testing::{self, Mismatch, Tested, Unusable};

use super::{Outcome, run};
use crate::context::{Context, bad_request};
use crate::launch::{read_definition, read_text};
use crate::output::Paint;
use crate::{exit, output};

/// What a test file ends in, in place of the ending of its definition.
const ENDINGS: [&str; 2] = [".test.yaml", ".test.yml"];
/// What a definition ends in.
const DEFINITIONS: [&str; 3] = ["yaml", "yml", "json"];
/// Test files that are run at most; more of them are no folder of one's own.
const FILES_MAX: usize = 10_000;
/// Folders in folders that are looked into.
const DEPTH_MAX: usize = 32;

/// Run a workflow's own tests on the simulator
///
/// The tests of release.yaml stand in release.test.yaml beside it; of a folder, all such files in it are run. Nothing
/// is executed: outcomes, answers and signals are what the test says, and time is skipped. With --dry-run it is `run
/// --dry-run`.
///
/// Exits 0 if all pass, 1 if one fails, 2 if a file is not in order.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  skep test release.yaml\n  skep test workflows/ --filter rollback\n  skep test release.yaml --dry-run --environment staging"
)]
pub struct Test {
    #[command(flatten)]
    run: run::Arguments,
    /// Only tests whose name has this in it
    #[arg(long, value_name = "TEXT", conflicts_with = "dry_run")]
    filter: Option<String>,
}

/// The tests of one file.
struct File {
    label: String,
    tested: Vec<Tested>,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Test, inputs: Vec<(String, String)>) -> Outcome {
    if arguments.run.dry_run {
        return run::run(context, arguments.run, inputs).await;
    }
    refuse_options_of_run(&arguments.run, &inputs)?;
    let config = Config::load(context.directory.root()).map_err(|error| failure_of(&error))?;
    let catalogue = skep_node::catalogue::with_rules(&config);
    let wanted = |name: &str| arguments.filter.as_deref().is_none_or(|part| name.contains(part));
    let mut files = Vec::new();
    for path in test_files(&arguments.run.workflow)? {
        let tested = run_file(&path, &catalogue, &wanted)?;
        files.push(File { label: path.display().to_string(), tested });
    }
    let all = || files.iter().flat_map(|file| &file.tested);
    let (count, failed) = (all().count(), all().filter(|tested| !tested.mismatches.is_empty()).count());
    if count == 0 {
        return Err(bad_request("no test has that in its name", "`skep test FILE` without --filter runs all of them"));
    }
    context.answer(&answer(&files, count, failed), || text(&files, count, failed));
    Ok(if failed == 0 { exit::OK } else { exit::FAILED })
}

/// A test has inputs of its own.
fn refuse_options_of_run(run: &run::Arguments, inputs: &[(String, String)]) -> Result<(), Failure> {
    let option = match run {
        _ if !run.input.is_empty() => "--input".to_owned(),
        _ if run.wait => "--wait".to_owned(),
        _ if run.detach => "--detach".to_owned(),
        _ if run.workdir.is_some() => "--workdir".to_owned(),
        _ if !run.pass_env.is_empty() => "--pass-env".to_owned(),
        _ if run.idempotency_key.is_some() => "--idempotency-key".to_owned(),
        _ if run.rollback_strategy.is_some() => "--rollback-strategy".to_owned(),
        _ if run.auto_approve => "--auto-approve".to_owned(),
        _ => match inputs.first() {
            Some((name, _)) => format!("--{name}"),
            None => return Ok(()),
        },
    };
    let message = format!("`{option}` does nothing here: tests say themselves what they are given");
    Err(bad_request(&message, "write it into the test, or add --dry-run"))
}

/// The test files that `what` names: one, the one beside a definition, or all in a folder.
fn test_files(what: &str) -> Result<Vec<PathBuf>, Failure> {
    let path = Path::new(what);
    if path.is_dir() {
        let mut found = Vec::new();
        collect(path, 0, &mut found).map_err(|error| {
            bad_request(&format!("the folder {what} cannot be read: {error}"), "name a file, or another folder")
        })?;
        found.sort();
        if found.is_empty() {
            let hint = "tests of release.yaml stand in release.test.yaml beside it";
            return Err(bad_request(&format!("the folder {what} has no test files"), hint));
        }
        return Ok(found);
    }
    if is_test_file(path) {
        return Ok(vec![path.to_owned()]);
    }
    let stem = path.with_extension("");
    let beside = ENDINGS.iter().map(|ending| PathBuf::from(format!("{}{ending}", stem.display())));
    let found = beside.clone().find(|file| file.is_file());
    found.map(|file| vec![file]).ok_or_else(|| {
        let wanted = beside.map(|file| file.display().to_string()).next().unwrap_or_default();
        let hint = format!(
            "write {wanted}, or name a test file or a folder; `skep test {what} --dry-run` shows what would be done"
        );
        bad_request(&format!("{what} has no tests: there is no {wanted}"), &hint)
    })
}

fn is_test_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        // A link may lead anywhere, also back.
        if kind.is_dir() && depth < DEPTH_MAX {
            collect(&path, depth + 1, found)?;
        } else if kind.is_file() && is_test_file(&path) && found.len() < FILES_MAX {
            found.push(path);
        }
    }
    Ok(())
}

fn run_file(path: &Path, catalogue: &Catalogue, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Tested>, Failure> {
    let label = path.display().to_string();
    let text = read_text(&label)?;
    let file = testing::read(&text).map_err(|unusable| refused(&unusable, (&label, &text), (&label, &text)))?;
    let definition = definition_of(path, file.workflow.as_deref())?;
    let definition_label = definition.display().to_string();
    let definition_text = read_definition(&definition_label)?;
    testing::run(&file, &definition_text, catalogue, wanted)
        .map_err(|unusable| refused(&unusable, (&label, &text), (&definition_label, &definition_text)))
}

/// The definition that a test file is about.
fn definition_of(path: &Path, named: Option<&str>) -> Result<PathBuf, Failure> {
    let folder = path.parent().unwrap_or(Path::new(""));
    if let Some(named) = named {
        return Ok(folder.join(named));
    }
    let label = path.display().to_string();
    let stem = ENDINGS.iter().find_map(|ending| label.strip_suffix(ending)).unwrap_or(&label);
    let candidates = DEFINITIONS.map(|ending| PathBuf::from(format!("{stem}.{ending}")));
    candidates.iter().find(|candidate| candidate.is_file()).cloned().ok_or_else(|| {
        let hint = format!("put it beside {} or name it: `workflow: PATH`", candidates[0].display());
        bad_request(&format!("the definition that {label} tests is not there"), &hint)
    })
}

fn refused(unusable: &Unusable, test: (&str, &str), definition: (&str, &str)) -> Failure {
    let (problems, (file, text)): (&[Problem], _) = match unusable {
        Unusable::TestFile(problems) => (problems, test),
        Unusable::Definition(problems) => (problems, definition),
    };
    let problems = &problems[..problems.len().min(PROBLEMS_MAX)];
    let report = report_of(problems, text, Some(file));
    let message = format!("{file} is not in order: no test was run");
    let mut failure = bad_request(&message, "");
    (failure.exit, failure.report) = (exit::INVALID, Some(Box::new(report)));
    failure
}

fn answer(files: &[File], count: usize, failed: usize) -> Value {
    let mismatch = |found: &Mismatch| json!({"what": found.what, "expected": found.expected, "actual": found.actual});
    let test = |file: &File, tested: &Tested| {
        json!({
            "file": file.label,
            "line": tested.place.line,
            "name": tested.name,
            "passed": tested.mismatches.is_empty(),
            "took_ms": tested.took_ms,
            "mismatches": tested.mismatches.iter().map(mismatch).collect::<Vec<_>>(),
            "timeline": tested.timeline,
        })
    };
    let tests: Vec<Value> = files.iter().flat_map(|file| file.tested.iter().map(|tested| test(file, tested))).collect();
    json!({"passed": count - failed, "failed": failed, "tests": tests})
}

fn text(files: &[File], count: usize, failed: usize) -> String {
    let mut blocks = Vec::new();
    for file in files.iter().filter(|file| !file.tested.is_empty()) {
        let mut lines = vec![output::paint(Paint::Strong, &file.label)];
        lines.extend(file.tested.iter().map(line));
        blocks.push(lines.join("\n"));
    }
    let passed = format!("{} passed", count - failed);
    blocks.push(match failed {
        0 => output::paint(Paint::Good, &passed),
        failed => format!("{passed}, {}", output::paint(Paint::Bad, &format!("{failed} failed"))),
    });
    blocks.join("\n\n")
}

fn line(tested: &Tested) -> String {
    let took = output::paint(Paint::Faint, &print_duration_ms(tested.took_ms));
    if tested.mismatches.is_empty() {
        return format!("  {} {}  {took}", output::paint(Paint::Good, "✓"), tested.name);
    }
    let mut lines = vec![format!("  {} {}  {took}", output::paint(Paint::Bad, "✗"), tested.name)];
    for found in &tested.mismatches {
        lines.push(format!("      {}", found.what));
        lines.push(format!("        {}", output::paint(Paint::Good, &format!("- {}", found.expected))));
        lines.push(format!("        {}", output::paint(Paint::Bad, &format!("+ {}", found.actual))));
    }
    lines.push(output::paint(Paint::Faint, "      what happened:"));
    lines.extend(tested.timeline.iter().map(|event| output::paint(Paint::Faint, &format!("        {event}"))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_beside_a_definition_is_found() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str| place.path().join(name);
        std::fs::write(file("a.yaml"), "").unwrap();
        let named = |name: &str| test_files(file(name).to_str().unwrap());
        assert!(named("a.yaml").unwrap_err().message.contains("has no tests"));
        assert!(named("").unwrap_err().message.contains("has no test files"));
        std::fs::create_dir(file("inner")).unwrap();
        for name in ["a.test.yaml", "inner/b.test.yml", "inner/b.json", "inner/c.yaml"] {
            std::fs::write(file(name), "").unwrap();
        }
        assert_eq!(named("a.yaml").unwrap(), [file("a.test.yaml")]);
        assert_eq!(named("a.test.yaml").unwrap(), [file("a.test.yaml")]);
        assert_eq!(named("").unwrap(), [file("a.test.yaml"), file("inner/b.test.yml")]);
        assert_eq!(definition_of(&file("inner/b.test.yml"), None).unwrap(), file("inner/b.json"));
        assert_eq!(definition_of(&file("a.test.yaml"), Some("x.yaml")).unwrap(), file("x.yaml"));
        assert!(definition_of(&file("z.test.yaml"), None).unwrap_err().message.contains("is not there"));
    }
}
