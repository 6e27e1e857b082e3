//! One command per task: `cargo xtask TASK`. CI calls the same ones.
//!
//! One file per task; `process`, `repository`, `binary` and `tools` are what they share. Tasks are thin: they
//! call the tools that everybody knows (cargo, rustfmt, clippy, nextest) and must not hold product logic.
//! Nothing imports this crate.

mod bench;
mod binary;
mod check;
mod demo;
mod docs;
mod fuzz;
mod predict;
mod process;
mod repository;
mod sim;
mod tally;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage: cargo xtask TASK [OPTIONS]

Tasks:
  demo  [--release]  build everything, start a server on a fresh store, run a workflow, say where to look
  test  [--quick]    check, then all tests; installs what they need (--quick: without check)
  check              formatting, clippy, tidy, fuzz targets (if there is a nightly toolchain)
  tidy               what a program can check about the sources: lengths, layers, links, leftovers
  bench [OPTIONS]    what Skep takes beside the floor of the machine, into docs/benchmarks.md (--quick, --help)
  endurance          a million events in one execution, a hundred thousand that wait: memory and restart
  sim   [OPTIONS]    simulated worlds with faults, real engine and store (--seeds N, --seed S, --mutants, --help)
  predict [--seed S] simulated executions against real ones: 300 random workflows, 200 durations
  fuzz  [--seconds N] every fuzz target, 60 s each, if there is a nightly toolchain with cargo-fuzz
  docs  [--check]    write the generated pages (--check: fail if they are not current)";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["demo"] => demo::run(binary::Profile::Dev)?,
        ["demo", "--release"] => demo::run(binary::Profile::Release)?,
        ["test"] => return Ok(code(test::run(test::Extent::Everything))),
        ["test", "--quick"] => return Ok(code(test::run(test::Extent::TestsOnly))),
        ["check"] => check::run()?,
        ["tidy"] => tidy::run()?,
        ["bench", options @ ..] => bench::run(options)?,
        ["endurance"] => bench::endurance()?,
        ["sim", options @ ..] => sim::run(options)?,
        ["predict"] => predict::run("1")?,
        ["predict", "--seed", seed] => predict::run(seed)?,
        ["docs"] => docs::write()?,
        ["docs", "--check"] => docs::check()?,
        ["fuzz"] => fuzz::run(fuzz::SECONDS_DEFAULT)?,
        ["fuzz", "--seconds", seconds] => fuzz::run(fuzz::seconds(seconds)?)?,
        [] | ["help" | "--help" | "-h"] => println!("{USAGE}"),
        other => bail!("`{}` is no task\n\n{USAGE}", other.join(" ")),
    }
    Ok(ExitCode::SUCCESS)
}

/// A test run has said everything itself: its closing line stays the last one.
fn code(succeeded: bool) -> ExitCode {
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
