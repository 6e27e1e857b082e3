//! `cargo xtask sim`: builds the simulator and runs it; `--mutants` builds it with planted bugs.

use std::process::Command;

use anyhow::Result;

use crate::{binary, process};

/// Worlds of the fixed set in `cargo xtask test`: about a minute, and enough that everything occurs.
const FIXED_SEEDS: &str = "800";

/// Owners that it kills in rollbacks: half a minute at most.
const FIXED_KILLS: &str = "300";

/// Runs the simulator with these options.
///
/// # Errors
/// An invariant did not hold, or it could not be built.
pub fn run(options: &[&str]) -> Result<()> {
    let mut command = command(options.contains(&"--mutants"));
    command.args(options);
    process::run(&mut command)
}

/// Runs the fixed set: every kind of fault, crash, deed and step has to occur in it. The tests have compiled all that it
/// is made of, so it takes their build, which is slower to run and saves minutes of building.
///
/// # Errors
/// As [`run`].
pub fn fixed_set() -> Result<()> {
    process::run(process::cargo().args(["build", "--workspace", "--bin", "skep-sim"]))?;
    let mut simulator = Command::new(binary::target_directory()?.join("debug/skep-sim"));
    process::run(simulator.args(["--seeds", FIXED_SEEDS, "--complete"]))?;
    process::run(Command::new(simulator.get_program()).args(["--rollbacks", "--kills", FIXED_KILLS]))
}

fn command(mutants: bool) -> Command {
    let mut command = process::cargo();
    command.args(["run", "--quiet", "--profile", "sim", "--package", "skep-sim"]);
    if mutants {
        command.args(["--features", "mutants"]);
    }
    command.arg("--");
    command
}
