//! `cargo xtask tidy`: what a program can check about the sources, so that people need not.
//!
//! One file per subject; each takes the files of the repository and gives findings, one line each. `lengths` is
//! a ratchet: what is too long stands in `xtask/tidy-exceptions.txt` with a reason, and may only become shorter.

mod exceptions;
mod functions;
mod layers;
mod lengths;
mod links;
mod pages;
mod words;

use anyhow::{Result, bail};

use crate::repository;

/// Runs every check and prints all findings at once.
///
/// # Errors
/// There are findings, or the repository cannot be read.
pub fn run() -> Result<()> {
    let files = repository::files()?;
    let lengths = lengths::check(&files)?;
    let mut findings = lengths.findings;
    findings.extend(layers::check(&repository::metadata()?));
    findings.extend(words::check(&files));
    findings.extend(pages::check(&files));
    findings.extend(links::check(&files));
    println!("tidy: {}", lengths.summary);
    if findings.is_empty() {
        return Ok(());
    }
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    bail!("tidy found {} problems", findings.len());
}
