//! `cargo xtask predict`: simulated executions against real ones, in full numbers. `cargo xtask test` runs a share.

use anyhow::Result;

use crate::process;

/// Random workflows that are executed and predicted.
const WORKFLOWS: &str = "300";
/// Executions from which durations are learned, and as many that are held out.
const DURATIONS: &str = "200";

/// Runs both comparisons; the seeds begin at `seed`.
///
/// # Errors
/// A prediction did not come true, or it could not be built.
pub fn run(seed: &str) -> Result<()> {
    let mut command = process::cargo();
    // The helper that starts scripts is an example; cargo builds it with the tests only if nothing is chosen.
    command.args(["test", "--package", "skep-node", "--lib", "--examples", "predicted", "--", "--nocapture"]);
    command.args(["--test-threads", "1"]);
    command.env("SKEP_PREDICTIONS", WORKFLOWS).env("SKEP_DURATIONS", DURATIONS).env("SKEP_SEED", seed);
    process::run(&mut command)
}
