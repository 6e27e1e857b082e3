//! `cargo xtask check`: formatting, clippy, tidy.

use anyhow::Result;

use crate::{process, tidy, tools};

/// Runs all three; the first that fails ends it.
///
/// # Errors
/// One of them found something.
pub fn run() -> Result<()> {
    tools::components()?;
    process::run(process::cargo().args(["fmt", "--all", "--check"]))?;
    process::run(process::cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    tidy::run()
}
