//! `cargo xtask check`: formatting, clippy, tidy, and that the fuzz targets build where they can be built.

use anyhow::{Result, anyhow};

use crate::{fuzz, process, tidy, tools};

/// Runs all of them to their end, so that one run shows everything.
///
/// # Errors
/// One of them found something.
pub fn run() -> Result<()> {
    tools::components()?;
    let results = [
        process::run(process::cargo().args(["fmt", "--all", "--check"])),
        process::run(process::cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])),
        tidy::run(),
        fuzz::check(),
    ];
    let failed: Vec<String> = results.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    if failed.is_empty() { Ok(()) } else { Err(anyhow!("{}", failed.join("; "))) }
}
