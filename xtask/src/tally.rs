//! Counting tests from what the runners print.

use std::fmt;
use std::ops::AddAssign;

/// Who runs the tests. Each reads only its own kind of line: nextest shows what a failed test program printed,
/// and that holds a result line of the other kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// `cargo nextest run`.
    Nextest,
    /// `cargo test`.
    Cargo,
}

/// Results of tests, summed over runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that succeeded.
    pub passed: u64,
    /// Tests that failed, in whatever way: an assertion, a time limit, a test program that does not start.
    pub failed: u64,
    /// Tests that exist and were not run.
    pub skipped: u64,
}

impl Tally {
    /// One failure, of a part that ended before it could count.
    pub const BROKEN: Self = Self { passed: 0, failed: 1, skipped: 0 };

    /// Reads a line that `runner` printed, if it is one that counts.
    pub fn read(line: &str, runner: Runner) -> Option<Self> {
        let line = without_colours(line);
        let line = line.trim();
        match runner {
            // `Summary [   1.2s] 5 tests run: 3 passed (1 slow), 1 failed, 1 timed out, 2 skipped`
            Runner::Nextest => {
                let (_, counts) = line.strip_prefix("Summary [")?.split_once(" run: ")?;
                Some(Self::sum(counts.split(',')))
            }
            // `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
            Runner::Cargo => {
                let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
                Some(Self::sum(counts.split(';')))
            }
        }
    }

    fn sum<'a>(parts: impl Iterator<Item = &'a str>) -> Self {
        let mut tally = Self::default();
        for part in parts {
            let Some((number, word)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word.split(" (").next().unwrap_or(word) {
                "passed" => tally.passed += number,
                "failed" | "timed out" | "exec failed" => tally.failed += number,
                "skipped" | "ignored" => tally.skipped += number,
                // Benchmarks that were run as tests, and the rest of a filtered run.
                _ => {}
            }
        }
        tally
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The closing line of a test run.
impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The line without terminal escapes of the form `ESC [ .. LETTER`.
fn without_colours(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| letter.is_ascii_alphabetic()).map_or(part.len(), |at| at + 1);
        plain.push_str(&part[end..]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(runner: Runner, line: &str, expected: Option<(u64, u64, u64)>) {
        let read = Tally::read(line, runner).map(|tally| (tally.passed, tally.failed, tally.skipped));
        assert_eq!(read, expected, "{line}");
    }

    #[test]
    fn lines_of_nextest_are_counted() {
        check(Runner::Nextest, "     Summary [   0.412s] 12 tests run: 12 passed, 0 skipped", Some((12, 0, 0)));
        check(
            Runner::Nextest,
            "     Summary [   9s] 12 tests run: 9 passed (2 slow, 1 flaky), 2 failed, 1 skipped",
            Some((9, 2, 1)),
        );
        check(
            Runner::Nextest,
            "     Summary [ 1s] 4/9 tests run: 1 passed, 1 failed, 1 timed out, 1 exec failed, 5 skipped",
            Some((1, 3, 5)),
        );
        check(
            Runner::Nextest,
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.4s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m passed, 0 skipped",
            Some((1, 0, 0)),
        );
    }

    #[test]
    fn lines_of_plain_test_programs_are_counted() {
        check(
            Runner::Cargo,
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0s",
            Some((3, 0, 1)),
        );
        check(
            Runner::Cargo,
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out",
            Some((3, 2, 0)),
        );
    }

    #[test]
    fn other_lines_are_not() {
        for line in ["", "running 3 tests", "test tally::x ... ok", "Summary of nothing", "3 passed, 4 failed"] {
            check(Runner::Nextest, line, None);
            check(Runner::Cargo, line, None);
        }
        check(Runner::Nextest, "test result: FAILED. 0 passed; 1 failed; 0 ignored", None);
    }

    #[test]
    fn the_closing_line_is_plain() {
        let mut total = Tally { passed: 2, failed: 0, skipped: 1 };
        total += Tally::BROKEN;
        assert_eq!(total.to_string(), "2 passed, 1 failed, 1 skipped");
    }
}
