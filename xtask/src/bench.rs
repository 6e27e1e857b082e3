//! `cargo xtask bench` and `cargo xtask endurance`: builds what is measured and what measures, and runs it.

use std::process::Command;

use anyhow::Result;

use crate::binary::{self, Binary, Profile};
use crate::{process, tools};

/// The page that holds the figures.
const PAGE: &str = "docs/benchmarks.md";

/// Measures what the options name.
///
/// # Errors
/// The build fails, an option is unknown, something does not do what is measured of it, or takes more than it may.
pub fn run(options: &[&str]) -> Result<()> {
    match options {
        ["--criterion", rest @ ..] => process::run(
            process::cargo().args(["bench", "--package", "skep-bench", "--bench", "core", "--"]).args(rest),
        ),
        ["--help" | "-h"] => process::run(&mut bench(&["--help"])?),
        ["--instructions"] => instructions(&["instructions"]),
        ["--instructions", "--update"] => instructions(&["instructions", "update"]),
        options => {
            // Without strace the row of durability says so.
            if let Err(error) = tools::strace() {
                eprintln!("{error:#}");
            }
            with_skep(&[options, &["--write", PAGE]].concat())
        }
    }
}

/// Measures memory and restarts with a long history and with many executions.
///
/// # Errors
/// The build fails, or an execution does not end as it has to.
pub fn endurance() -> Result<()> {
    println!("Building (the first time takes some minutes) ..");
    with_skep(&["endurance"])
}

fn with_skep(words: &[&str]) -> Result<()> {
    let skep = Binary::build(Profile::Release)?;
    let mut command = bench(words)?;
    process::run(command.arg("--skep").arg(skep.path()))
}

fn instructions(words: &[&str]) -> Result<()> {
    tools::valgrind()?;
    process::run(&mut bench(words)?)
}

fn bench(words: &[&str]) -> Result<Command> {
    let mut command = process::cargo();
    command.args(["run", "--release", "--quiet", "--package", "skep-bench", "--"]).args(words);
    command.arg("--folder").arg(binary::target_directory()?.join("bench"));
    Ok(command)
}
