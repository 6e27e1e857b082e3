//! Files and functions stay short: a ratchet over `tidy-exceptions.txt`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::exceptions::{self, Exceptions};
use super::functions::{self, Measured};
use crate::repository::File;

/// Lines of a file without its tests. Longer ones are several subjects.
const FILE_LINES_MAX: usize = 600;
/// Lines of a function. Longer ones do not fit a screen.
const FUNCTION_LINES_MAX: usize = 60;
/// Lines of the function in the middle when all are sorted by length.
const FUNCTION_LINES_MEDIAN_MAX: usize = 10;

/// What was found.
pub struct Lengths {
    /// One line for people.
    pub summary: String,
    /// One line each.
    pub findings: Vec<String>,
}

/// Something that has a length, and its limit.
struct Subject {
    name: String,
    lines: usize,
    limit: usize,
}

/// Measures every Rust file that is no test.
///
/// # Errors
/// A file does not parse, or the list of exceptions is wrong.
pub fn check(files: &[File]) -> Result<Lengths> {
    let listed = files.iter().find(|file| file.path == exceptions::PATH).and_then(File::text).unwrap_or_default();
    let exceptions = exceptions::read(listed)?;
    let measured = measure(files)?;
    let mut subjects = Vec::new();
    let mut lengths = Vec::new();
    for (path, measured) in measured.iter().filter(|(path, _)| !is_test(path, &measured)) {
        lengths.extend(measured.functions.iter().map(|function| function.lines));
        subjects.extend(subjects_of(path, measured));
    }
    let mut findings = compare(&subjects, &exceptions);
    let median = median(&mut lengths);
    if median > FUNCTION_LINES_MEDIAN_MAX {
        findings
            .push(format!("the median function has {median} lines, at most {FUNCTION_LINES_MEDIAN_MAX} are allowed"));
    }
    Ok(Lengths { summary: format!("{} functions, the median one has {median} lines", lengths.len()), findings })
}

/// Path to what it measures, of every Rust file.
fn measure(files: &[File]) -> Result<BTreeMap<&str, Measured>> {
    let rust = files.iter().filter(|file| file.is_rust());
    rust.map(|file| {
        let text = file.text().with_context(|| format!("{} is not UTF-8", file.path))?;
        let measured = functions::measure(text).with_context(|| format!("reading {}", file.path))?;
        Ok((file.path.as_str(), measured))
    })
    .collect()
}

/// True for a file that holds nothing but tests: by its name, or because it belongs to a module under
/// `#[cfg(test)]` of another file.
fn is_test(path: &str, measured: &BTreeMap<&str, Measured>) -> bool {
    let named = path.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "benches");
    named
        || measured.iter().any(|(parent, of_parent)| {
            let folder = module_folder(parent);
            let belongs = |name: &String| path.strip_prefix(&folder).is_some_and(|rest| is_module(rest, name));
            of_parent.test_modules.iter().any(belongs)
        })
}

/// The folder of the modules that a file declares, with a final `/`.
fn module_folder(path: &str) -> String {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let folder = ["/mod", "/lib", "/main"].iter().find_map(|root| stem.strip_suffix(root)).unwrap_or(stem);
    format!("{folder}/")
}

/// True if the path, seen from the folder of its parent module, is `NAME.rs` or lies in `NAME/`.
fn is_module(path: &str, name: &str) -> bool {
    path.strip_prefix(name).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn subjects_of(path: &str, measured: &Measured) -> Vec<Subject> {
    let mut subjects = vec![Subject { name: path.to_owned(), lines: measured.lines, limit: FILE_LINES_MAX }];
    for function in &measured.functions {
        let name = format!("{path}::{}", function.name);
        // Two `impl` blocks may have a function of the same name: the longest counts.
        match subjects.iter_mut().find(|subject| subject.name == name) {
            Some(known) => known.lines = known.lines.max(function.lines),
            None => subjects.push(Subject { name, lines: function.lines, limit: FUNCTION_LINES_MAX }),
        }
    }
    subjects
}

fn compare(subjects: &[Subject], exceptions: &Exceptions) -> Vec<String> {
    let mut findings: Vec<String> =
        subjects.iter().filter_map(|subject| verdict(subject, exceptions.get(&subject.name).copied())).collect();
    for name in exceptions.keys().filter(|name| !subjects.iter().any(|subject| subject.name == **name)) {
        findings.push(format!("{name} is gone: take it out of {}", exceptions::PATH));
    }
    findings
}

fn verdict(Subject { name, lines, limit }: &Subject, allowed: Option<usize>) -> Option<String> {
    match allowed {
        None if lines > limit => Some(format!("{name} has {lines} lines, at most {limit} are allowed: split it")),
        None => None,
        Some(_) if lines <= limit => Some(format!("{name} is short now: take it out of {}", exceptions::PATH)),
        Some(allowed) if *lines > allowed => {
            Some(format!("{name} has grown to {lines} lines, its exception allows {allowed}: split it"))
        }
        Some(_) => None,
    }
}

/// The length in the middle, 0 of nothing.
fn median(lengths: &mut [usize]) -> usize {
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: usize, allowed: Option<usize>, expected: Option<&str>) {
        let subject = Subject { name: "a.rs".into(), lines, limit: 600 };
        assert_eq!(verdict(&subject, allowed).as_deref(), expected);
    }

    #[test]
    fn the_ratchet_only_tightens() {
        check(600, None, None);
        check(601, None, Some("a.rs has 601 lines, at most 600 are allowed: split it"));
        check(700, Some(700), None);
        check(701, Some(700), Some("a.rs has grown to 701 lines, its exception allows 700: split it"));
        check(600, Some(700), Some("a.rs is short now: take it out of xtask/tidy-exceptions.txt"));
    }

    #[test]
    fn an_exception_for_nothing_is_a_finding() {
        let exceptions = Exceptions::from([("gone.rs".to_owned(), 700)]);
        assert_eq!(compare(&[], &exceptions), ["gone.rs is gone: take it out of xtask/tidy-exceptions.txt"]);
    }

    #[test]
    fn tests_are_known_by_their_path_and_by_who_declares_them() {
        let parent = |name: &str| Measured { test_modules: vec![name.to_owned()], ..Measured::default() };
        let measured = BTreeMap::from([("a/src/lib.rs", parent("contract")), ("a/src/b.rs", parent("generated"))]);
        for path in ["tests/cli.rs", "a/src/b/tests.rs", "a/src/tests/c.rs", "a/benches/d.rs"] {
            assert!(is_test(path, &measured), "{path}");
        }
        for path in ["a/src/contract/mod.rs", "a/src/contract.rs", "a/src/b/generated.rs"] {
            assert!(is_test(path, &measured), "{path}");
        }
        for path in ["a/src/contests.rs", "a/src/contracts.rs", "a/src/generated.rs", "a/src/b.rs"] {
            assert!(!is_test(path, &measured), "{path}");
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut [9, 1, 5]), 5);
        assert_eq!(median(&mut []), 0);
    }
}
