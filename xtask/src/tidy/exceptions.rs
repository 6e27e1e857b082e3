//! `xtask/tidy-exceptions.txt`: what may be longer than the rule, and why.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// Where the exceptions stand, from the root.
pub const PATH: &str = "xtask/tidy-exceptions.txt";

/// What may be longer: a path, or `path::function`, to the lines it may have.
pub type Exceptions = BTreeMap<String, usize>;

/// Reads lines of the form `SUBJECT LINES REASON`; empty lines and those that begin with `#` are comments.
///
/// # Errors
/// A line has another form, gives no reason, or names something twice.
pub fn read(text: &str) -> Result<Exceptions> {
    let mut exceptions = Exceptions::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (subject, lines) =
            entry(line).with_context(|| format!("{PATH}: {line:?} is not `SUBJECT LINES REASON`"))?;
        if exceptions.insert(subject.to_owned(), lines).is_some() {
            bail!("{PATH}: {subject} stands there twice");
        }
    }
    Ok(exceptions)
}

fn entry(line: &str) -> Option<(&str, usize)> {
    let mut words = line.splitn(3, char::is_whitespace);
    let (subject, lines, reason) = (words.next()?, words.next()?, words.next()?);
    (!reason.trim().is_empty()).then_some((subject, lines.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_comments_are_not() {
        let read = read("# why\n\na/b.rs 700 one table, read as a whole\na/b.rs::T::f 70 it is a list\n").unwrap();
        assert_eq!(read.into_iter().collect::<Vec<_>>(), [("a/b.rs".into(), 700), ("a/b.rs::T::f".into(), 70)]);
    }

    #[test]
    fn a_line_without_a_reason_is_an_error() {
        for text in ["a/b.rs", "a/b.rs 700", "a/b.rs 700 ", "a/b.rs many reasons", "a.rs 1 x\na.rs 2 y"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
