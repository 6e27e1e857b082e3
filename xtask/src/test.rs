//! `cargo xtask test`: check, every test, and one closing line that says how it went.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::tally::{Runner, Tally};
use crate::{check, docs, process, sim, tools};

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// `check` first, then the tests, the simulator's fixed set and the generated pages.
    Everything,
    /// The tests.
    TestsOnly,
}

/// Runs everything to its end, whatever fails on the way, and prints the closing line
/// `N passed, N failed, N skipped` last. A part that breaks before it can count is one failure, and so is a run
/// without any test. Gives true if nothing failed.
pub fn run(extent: Extent) -> bool {
    let mut report = Report::default();
    report.part("tools", tools::programs());
    if extent == Extent::Everything {
        report.part("check", check::run());
    }
    for (runner, command) in runners() {
        report.tests(runner, command);
    }
    if extent == Extent::Everything {
        report.part("sim", sim::fixed_set());
        report.part("docs", docs::check());
    }
    if report.total.passed == 0 {
        report.part("tests", Err(anyhow!("no test ran and succeeded")));
    }
    report.print();
    report.total.failed == 0
}

/// How it went so far.
#[derive(Default)]
struct Report {
    total: Tally,
    /// What broke before it could count: said again at the end, where people look.
    broken: Vec<String>,
}

impl Report {
    /// A part that is no test: it counts only if it fails.
    fn part(&mut self, name: &str, result: Result<()>) {
        if let Err(error) = result {
            self.total += Tally::BROKEN;
            self.broken.push(format!("{name}: {error:#}"));
        }
    }

    fn tests(&mut self, runner: Runner, command: Command) {
        let name = process::show(&command);
        match count(runner, command) {
            Ok((tally, status)) if status.success() || tally.failed > 0 => self.total += tally,
            Ok((tally, status)) => {
                self.total += tally;
                self.part(&name, Err(anyhow!("it ended before it could count a failure: {status}")));
            }
            Err(error) => self.part(&name, Err(error)),
        }
    }

    fn print(&self) {
        for broken in &self.broken {
            eprintln!("error: {broken}");
        }
        println!("{}", self.total);
    }
}

/// Everything with plain cargo; where nextest is there, it runs the tests and cargo only the examples in doc
/// comments, which nextest does not know.
fn runners() -> Vec<(Runner, Command)> {
    let run = |words: &[&str]| {
        let mut command = process::cargo();
        command.args(words).args(["--workspace", "--no-fail-fast"]);
        command
    };
    if tools::has_nextest() {
        vec![(Runner::Nextest, run(&["nextest", "run"])), (Runner::Cargo, run(&["test", "--doc"]))]
    } else {
        vec![(Runner::Cargo, run(&["test"]))]
    }
}

/// Runs a test runner, shows its output as it comes and counts its tests.
fn count(runner: Runner, mut command: Command) -> Result<(Tally, ExitStatus)> {
    let shown = process::show(&command);
    if io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    if std::env::var_os("INSTA_UPDATE").is_none() {
        // A test run reports; it leaves nothing behind in the sources.
        command.env("INSTA_UPDATE", "no");
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting `{shown}`"))?;
    let errors = child.stderr.take().expect("standard error was piped");
    let output = child.stdout.take().expect("standard output was piped");
    let follower = thread::spawn(move || follow(runner, errors, io::stderr()));
    let mut tally = follow(runner, output, io::stdout());
    tally += follower.join().expect("following a stream does not panic");
    let status = child.wait().with_context(|| format!("waiting for `{shown}`"))?;
    Ok((tally, status))
}

/// Copies a stream line by line and counts on the way. A line that is not UTF-8 is copied as it is.
fn follow(runner: Runner, stream: impl Read, mut target: impl Write) -> Tally {
    let mut tally = Tally::default();
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        // A closed terminal must not end the count.
        let _ = target.write_all(&line);
        if let Some(counts) = Tally::read(&String::from_utf8_lossy(&line), runner) {
            tally += counts;
        }
        line.clear();
    }
    let _ = target.flush();
    tally
}
