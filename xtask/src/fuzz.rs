//! `cargo xtask fuzz`: every fuzz target, one after the other, for a while each.
//!
//! The targets lie in `fuzz/`, outside of the workspace, because they need a nightly toolchain. What is found lies
//! under `fuzz/artifacts/TARGET`; mend it and keep it as a test. What is learnt on the way stays in `fuzz/target`.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{process, repository};

/// How long each target runs where nothing else is said.
pub const SECONDS_DEFAULT: u64 = 60;
/// By the names of their files in `fuzz/fuzz_targets`.
const TARGETS: [&str; 4] = ["definition", "expression", "shell_lexer", "journal"];
/// Bounds of one input: a second is what a hostile definition may cost, and the fuzzer's own build is several times
/// slower; memory is that of the whole fuzzer.
const BOUNDS: [&str; 3] = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=4096"];

/// Runs all targets for `seconds` each; says so if this machine cannot.
///
/// # Errors
/// A target does not build, or found something.
pub fn run(seconds: u64) -> Result<()> {
    if !process::succeeds(&mut nightly(&["fuzz", "--version"])) {
        println!("not run: fuzzing needs `rustup toolchain install nightly` and `cargo install cargo-fuzz`");
        return Ok(());
    }
    let mut found = Vec::new();
    for target in TARGETS {
        println!("{target}, {seconds} s");
        if let Err(error) = fuzz(target, seconds) {
            eprintln!("{error:#}");
            found.push(target);
        }
    }
    if !found.is_empty() {
        bail!("{} found something or did not build; inputs lie in fuzz/artifacts", found.join(", "));
    }
    Ok(())
}

/// Whether the targets still build; nothing to do without a nightly toolchain.
///
/// # Errors
/// They do not.
pub fn check() -> Result<()> {
    if !process::succeeds(&mut nightly(&["--version"])) {
        println!("fuzz targets: not checked, there is no nightly toolchain");
        return Ok(());
    }
    process::run(&mut nightly(&["check", "--quiet", "--manifest-path", "fuzz/Cargo.toml"]))
}

fn fuzz(target: &str, seconds: u64) -> Result<()> {
    // New inputs go to the first folder; the seeds of the repository are only read.
    let learnt = format!("fuzz/target/corpus/{target}");
    std::fs::create_dir_all(repository::root().join(&learnt)).with_context(|| format!("creating {learnt}"))?;
    let seeds = format!("fuzz/corpus/{target}");
    let duration = format!("-max_total_time={seconds}");
    let mut words = vec!["fuzz", "run", target, &learnt, &seeds, "--", &duration];
    words.extend(BOUNDS);
    process::run(&mut nightly(&words))
}

/// `cargo` of the nightly toolchain, in the root of the repository.
fn nightly(words: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).args(words).current_dir(repository::root());
    // The toolchain that runs this task must not choose that of the targets.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    command
}

/// The seconds of `--seconds N`.
///
/// # Errors
/// It is no whole number over zero.
pub fn seconds(text: &str) -> Result<u64> {
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        Ok(_) | Err(_) => bail!("`--seconds` takes a whole number over zero, not `{text}`"),
    }
}
