//! Links between Markdown pages lead somewhere, down to the heading, and so do the paths that pages name.

use std::collections::BTreeSet;

use crate::repository::File;

/// Folders of the repository: a text in backticks that begins with one is a path.
const FOLDERS: [&str; 3] = ["crates/", "xtask/", "examples/"];
/// Pages about the past may name what is gone.
const HISTORY: [&str; 2] = ["CHANGELOG.md", "docs/adr/"];

/// Checks every relative link of every Markdown page. Links to other hosts are not followed.
pub fn check(files: &[File]) -> Vec<String> {
    let mut paths = BTreeSet::new();
    for file in files {
        let mut path = file.path.as_str();
        paths.insert(path);
        while let Some((folder, _)) = path.rsplit_once('/') {
            paths.insert(folder);
            path = folder;
        }
    }
    let pages = files.iter().filter(|file| file.path.ends_with(".md"));
    pages.flat_map(|page| check_page(page, files, &paths)).collect()
}

fn check_page(page: &File, files: &[File], paths: &BTreeSet<&str>) -> Vec<String> {
    let mut findings = named_paths(page, paths);
    for link in links(page.text().unwrap_or_default()) {
        let (target, heading) = link.split_once('#').unwrap_or((link, ""));
        let path = if target.is_empty() { page.path.clone() } else { resolve(&page.path, target) };
        if !paths.contains(path.as_str()) {
            findings.push(format!("{}: the link `{link}` leads nowhere ({path})", page.path));
            continue;
        }
        let text = files.iter().find(|file| file.path == path).and_then(File::text).unwrap_or_default();
        if !heading.is_empty() && path.ends_with(".md") && !anchors(text).contains(heading) {
            findings.push(format!("{}: {path} has no heading `#{heading}`", page.path));
        }
    }
    findings
}

/// Paths in backticks that do not exist. One with a capital letter stands for many: `steps/KIND.rs`.
fn named_paths(page: &File, paths: &BTreeSet<&str>) -> Vec<String> {
    if HISTORY.iter().any(|past| page.path.starts_with(past)) {
        return Vec::new();
    }
    let inside = prose(page.text().unwrap_or_default()).flat_map(|line| line.split('`').skip(1).step_by(2));
    let named = inside.filter(|text| FOLDERS.iter().any(|folder| text.starts_with(folder)));
    let wanted = named.filter(|text| !text.contains(|letter: char| letter.is_uppercase() || "*<: ".contains(letter)));
    let missing = wanted.filter(|path| !paths.contains(path.trim_end_matches('/')));
    missing.map(|path| format!("{}: `{path}` does not exist", page.path)).collect()
}

/// Targets of `[text](target)` that stay in the repository; code is left out.
fn links(text: &str) -> Vec<&str> {
    prose(text).flat_map(links_of_line).filter(|link| !link.contains("://") && !link.starts_with("mailto:")).collect()
}

fn links_of_line(line: &str) -> Vec<&str> {
    // Every second part of a line lies between backticks.
    let outside = line.split('`').step_by(2);
    let parts = outside.flat_map(|text| text.split("](").skip(1));
    parts.filter_map(|part| part.split([')', ' ']).next()).collect()
}

/// The lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// `target` as seen from the page at `from`, both from the root.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Anchors of the headings, as hosts of Markdown derive them: lower case, blanks to `-`, punctuation dropped.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.into(), bytes: text.into() };
        let code = file("crates/a/src/b.rs", "");
        check(&[file("docs/guide/a.md", text), file("docs/b.md", "# One two\n"), file("README.md", ""), code])
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        for text in [
            "[b](../b.md)",
            "[b](../b.md#one-two) and [r](../../README.md)",
            "[folder](../guide)",
            "# Here\n[up](#here)",
            "[far](https://example.org/x)",
            "in `crates/a/src/b.rs`, `crates/a/src` and `crates/a/src/KIND.rs`",
            "`[code](nowhere.md)`",
            "```\n[code](nowhere.md)\n```",
        ] {
            assert_eq!(findings(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for text in ["[b](b.md)", "[b](../b.md#three)", "[up](#here)", "see `crates/a/src/c.rs`"] {
            assert_eq!(findings(text).len(), 1, "{text}");
        }
    }
}
