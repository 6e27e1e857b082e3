//! Pages that must exist and what they must hold: decisions, and the docs of every crate.

use crate::repository::File;

const DECISIONS: &str = "docs/adr/";
/// The sections of a decision, in this order.
const SECTIONS: [&str; 4] = ["## Context", "## Choice", "## Rejected", "## When to look again"];

/// Checks decisions and crate docs.
pub fn check(files: &[File]) -> Vec<String> {
    let decisions: Vec<&File> = files.iter().filter(|file| file.path.starts_with(DECISIONS)).collect();
    let mut findings: Vec<String> = decisions.iter().flat_map(|file| sections(file)).collect();
    findings.extend(numbers(&decisions));
    findings.extend(files.iter().filter(|file| is_crate_root(&file.path)).filter_map(crate_docs));
    findings
}

fn sections(file: &File) -> Vec<String> {
    let headings: Vec<&str> =
        file.text().unwrap_or_default().lines().filter(|line| line.starts_with("## ")).map(str::trim_end).collect();
    if headings == SECTIONS {
        return Vec::new();
    }
    vec![format!("{}: the sections are {}, in this order", file.path, SECTIONS.join(", "))]
}

/// Decisions are numbered from 0001 without gaps, so that a number names one for ever.
fn numbers(decisions: &[&File]) -> Vec<String> {
    let wrong = decisions.iter().enumerate().find(|(index, file)| {
        let expected = format!("{DECISIONS}{:04}-", index + 1);
        !file.path.starts_with(&expected) || !file.path.ends_with(".md")
    });
    wrong
        .map(|(index, file)| format!("{}: its name must begin with {:04}-", file.path, index + 1))
        .into_iter()
        .collect()
}

fn is_crate_root(path: &str) -> bool {
    path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs")
}

fn crate_docs(file: &File) -> Option<String> {
    let documented = file.text().is_some_and(|text| text.starts_with("//! "));
    (!documented).then(|| format!("{}: begin with `//!` docs: purpose, what it must not do, neighbours", file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), bytes: text.into() }
    }

    fn count(files: &[File]) -> usize {
        check(files).len()
    }

    #[test]
    fn decisions_have_their_sections_and_numbers() {
        let whole = "# 0001 x\n\n## Context\na\n\n## Choice\nb\n\n## Rejected\nc\n\n## When to look again\nd\n";
        assert_eq!(count(&[file("docs/adr/0001-x.md", whole)]), 0);
        assert_eq!(count(&[file("docs/adr/0001-x.md", "# 0001 x\n\n## Context\n")]), 1);
        assert_eq!(count(&[file("docs/adr/0002-x.md", whole)]), 1);
    }

    #[test]
    fn crates_have_docs() {
        assert_eq!(count(&[file("crates/a/src/lib.rs", "//! What it is.\n")]), 0);
        assert_eq!(count(&[file("crates/a/src/lib.rs", "pub mod b;\n")]), 1);
        assert_eq!(count(&[file("crates/a/src/b.rs", "")]), 0);
    }
}
