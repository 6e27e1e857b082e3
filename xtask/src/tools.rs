//! What tests and measurements need beside Rust, installed if it is missing.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// A program that is started, and the Debian package that brings it.
struct Program {
    name: &'static str,
    package: &'static str,
}

/// Checked with `command -v`, so a program that is there is never installed again.
const PROGRAMS: [Program; 4] = [
    Program { name: "bash", package: "bash" },
    Program { name: "cc", package: "gcc" },
    Program { name: "python3", package: "python3" },
    // Lets tests that must not run as root become an ordinary user.
    Program { name: "setpriv", package: "util-linux" },
];

/// Counts system calls.
const STRACE: Program = Program { name: "strace", package: "strace" };
/// Counts instructions.
const VALGRIND: Program = Program { name: "valgrind", package: "valgrind" };

/// Parts of the toolchain that `check` calls: cargo subcommand and rustup component.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// Installs the programs that tests start and that are missing.
///
/// # Errors
/// Something is missing and cannot be installed; the message names the packages.
pub fn programs() -> Result<()> {
    provide("the tests need", &PROGRAMS)
}

/// Installs strace if it is missing.
///
/// # Errors
/// It cannot be installed.
pub fn strace() -> Result<()> {
    provide("counting system calls needs", &[STRACE])
}

/// Installs valgrind if it is missing.
///
/// # Errors
/// It cannot be installed.
pub fn valgrind() -> Result<()> {
    provide("counting instructions needs", &[VALGRIND])
}

fn provide(need: &str, programs: &[Program]) -> Result<()> {
    let missing: Vec<&Program> = programs.iter().filter(|program| !is_there(program.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    install(&packages).with_context(|| {
        let names: Vec<&str> = missing.iter().map(|program| program.name).collect();
        format!("{need} {}; install: {}", names.join(", "), packages.join(", "))
    })
}

/// Installs the parts of the toolchain that `check` calls and that are missing.
///
/// # Errors
/// One is missing and rustup is not there or fails.
pub fn components() -> Result<()> {
    for (subcommand, component) in COMPONENTS {
        if !process::succeeds(process::cargo().args([subcommand, "--version"])) {
            process::run(Command::new("rustup").args(["component", "add", component]))
                .with_context(|| format!("`cargo {subcommand}` is missing; install {component}"))?;
        }
    }
    Ok(())
}

/// True if `cargo nextest` is installed. It is not installed for you: plain `cargo test` does as well, only slower.
pub fn has_nextest() -> bool {
    process::succeeds(process::cargo().args(["nextest", "--version"]))
}

fn is_there(program: &str) -> bool {
    process::succeeds(Command::new("sh").args(["-c", "command -v \"$1\"", "sh", program]))
}

fn install(packages: &[&str]) -> Result<()> {
    if !is_there("apt-get") {
        bail!("there is no apt-get on this machine");
    }
    let root = process::output(Command::new("id").arg("-u"))?.trim() == "0";
    let apt = |words: &[&str]| {
        let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
        if !root {
            // -n: an automatic run must fail and not wait for a password.
            command.args(["-n", "apt-get"]);
        }
        process::run(command.args(words).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let mut words = vec!["install", "--yes", "--no-install-recommends"];
    words.extend(packages);
    eprintln!("installing {}", packages.join(", "));
    apt(&words).or_else(|_| apt(&["update"]).and_then(|()| apt(&words)))
}
