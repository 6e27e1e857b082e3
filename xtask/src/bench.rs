//! `cargo xtask bench` and `cargo xtask endurance`: builds what is measured and what measures, and runs it.

use std::process::Command;

use anyhow::Result;

use crate::{binary, process, repository, tools};

/// Everything but what develops it.
const RELEASE: [&str; 7] = ["build", "--release", "--workspace", "--exclude", "xtask", "--exclude", "skep-sim"];

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
    process::run(&mut bench(words)?)
}

fn instructions(words: &[&str]) -> Result<()> {
    tools::valgrind()?;
    process::run(&mut bench(words)?)
}

/// Builds what is measured together with what measures, so that both are made of the same code.
fn bench(words: &[&str]) -> Result<Command> {
    process::run(process::cargo().args(RELEASE))?;
    let target = binary::target_directory()?;
    let mut command = Command::new(target.join("release/skep-bench"));
    command.args(words).current_dir(repository::root());
    command.arg("--folder").arg(target.join("bench")).arg("--skep").arg(target.join("release/skep"));
    Ok(command)
}
