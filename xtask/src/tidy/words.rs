//! What must not stay behind in files: unfinished work, paths of one machine, blanks at ends of lines, large files.

use crate::repository::File;

/// Larger files belong elsewhere, in bytes.
const FILE_BYTES_MAX: usize = 500 * 1024;
/// A line with this in it, and a reason after it, is left alone.
const MARKER: &str = "tidy: allow";
/// Macros that a finished program does not have; written in parts so that this file does not find itself.
const UNFINISHED: [&str; 3] = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
/// A word for unfinished work.
const MEND: &str = concat!("FIX", "ME");
/// First folders of absolute paths that exist on one machine only.
const MACHINE_FOLDERS: [&str; 3] = ["work", "root", "Users"];
/// Endings of files that people write by hand and whose blanks at ends of lines mean nothing.
const NO_TRAILING_BLANKS: [&str; 9] = [".md", ".toml", ".yaml", ".yml", ".json", ".txt", ".sql", ".sh", ".ci/run"];

/// Looks at every file.
pub fn check(files: &[File]) -> Vec<String> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<String> {
    let mut findings = Vec::new();
    if file.bytes.len() > FILE_BYTES_MAX {
        findings.push(format!("{} has {} bytes, at most {FILE_BYTES_MAX} are allowed", file.path, file.bytes.len()));
    }
    for (index, line) in file.text().unwrap_or_default().lines().enumerate() {
        if let Some(problem) = problem(&file.path, line) {
            findings.push(format!("{}:{}: {problem}", file.path, index + 1));
        }
    }
    findings
}

fn problem(path: &str, line: &str) -> Option<String> {
    if line.contains(MARKER) {
        return None;
    }
    let unfinished = UNFINISHED.iter().find(|word| path.ends_with(".rs") && line.contains(**word)).copied();
    if let Some(word) = unfinished.or_else(|| line.contains(MEND).then_some(MEND)) {
        return Some(format!("`{word}` is unfinished work"));
    }
    if let Some(folder) = machine_folder(line) {
        return Some(format!("`/{folder}/` is a path of one machine"));
    }
    let hand_written = NO_TRAILING_BLANKS.iter().any(|ending| path.ends_with(ending)) && !is_fixture(path);
    (hand_written && line.ends_with([' ', '\t'])).then(|| "blanks at the end of the line".to_owned())
}

/// The machine's folder that an absolute path in the line begins with.
fn machine_folder(line: &str) -> Option<&'static str> {
    MACHINE_FOLDERS.into_iter().find(|folder| {
        let wanted = format!("/{folder}/");
        line.match_indices(&wanted).any(|(at, _)| begins_path(&line[..at]))
    })
}

/// True if a path that begins after `before` is absolute: not the middle of another path, URL or expression.
fn begins_path(before: &str) -> bool {
    !before.ends_with(|last: char| last.is_alphanumeric() || "_-.~/$}*]".contains(last))
}

/// Inputs and expected outputs of tests keep every byte.
fn is_fixture(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "fixtures")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, line: &str, found: bool) {
        assert_eq!(problem(path, line).is_some(), found, "{path}: {line}");
    }

    #[test]
    fn leftovers_are_found() {
        check("a.rs", concat!("    todo", "!()"), true);
        check("a.rs", concat!("let x = dbg", "!(y);"), true);
        check("a.yaml", concat!("# FIX", "ME: later"), true);
        check("a.md", concat!("see /wo", "rk/main"), true);
        check("a.rs", concat!("\"/ro", "ot/x\""), true);
        check("a.md", "two blanks  ", true);
    }

    #[test]
    fn what_looks_alike_is_not() {
        check("a.md", concat!("never write todo", "!()"), false);
        check("a.rs", concat!("https://example.org/wo", "rk/1 and crates/wo", "rk/x"), false);
        check("a.rs", concat!("data/wo", "rk/x and $HOME/wo", "rk/y"), false);
        check("a.rs", "a raw text may end in blanks  ", false);
        check("tests/x.txt", "expected  ", false);
        check("a.rs", concat!("\"/ro", "ot/x\" // tidy: allow, nobody may read it"), false);
    }

    #[test]
    fn large_files_are_found() {
        let file = |bytes| File { path: "a.bin".into(), bytes: vec![0xff; bytes] };
        assert_eq!(check_file(&file(FILE_BYTES_MAX)).len(), 0);
        assert_eq!(check_file(&file(FILE_BYTES_MAX + 1)).len(), 1);
    }
}
