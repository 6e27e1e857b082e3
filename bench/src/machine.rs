//! What the figures were taken on.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::disk::Scratch;
use crate::figures::{median, milliseconds};

/// Appends that are timed: enough for a median.
const APPENDS: usize = 200;
const APPEND_BYTES: usize = 4_096;

/// The machine, the tools, the date and the command as a Markdown list.
///
/// # Errors
/// The folder cannot be written.
pub fn describe(folder: &Path) -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let lines = [
        format!("machine: {}, {cores} cores, {}", cpu(), memory()),
        format!("system: Linux {}, {} on {}", read("/proc/sys/kernel/osrelease"), file_system(folder), device(folder)),
        format!("fsync of an append of 4 KiB: {} (median of {APPENDS})", milliseconds(fsync_seconds(folder)?)),
        format!("built with {}, at {}", said("rustc", &["--version"]), commit()),
        format!("date: {}", said("date", &["-u", "+%Y-%m-%d"])),
        format!("command: `{}`", command(std::env::args().skip(1))),
    ];
    Ok(lines.map(|line| format!("- {line}\n")).concat())
}

fn cpu() -> String {
    let text = read("/proc/cpuinfo");
    let line = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    line.trim_start_matches([' ', '\t', ':']).to_owned()
}

fn memory() -> String {
    let text = read("/proc/meminfo");
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    kib.map_or_else(String::new, |kib: f64| format!("{:.0} GiB", kib / 1024.0 / 1024.0))
}

fn file_system(folder: &Path) -> String {
    of_df("fstype", folder)
}

fn device(folder: &Path) -> String {
    of_df("source", folder)
}

fn of_df(column: &str, folder: &Path) -> String {
    let text = said("df", &[&format!("--output={column}"), &folder.to_string_lossy()]);
    text.lines().last().unwrap_or_default().to_owned()
}

fn commit() -> String {
    let head = said("git", &["-c", "safe.directory=*", "rev-parse", "--short", "HEAD"]);
    let changed = !said("git", &["-c", "safe.directory=*", "status", "--porcelain", "--untracked-files=no"]).is_empty();
    if changed { format!("{head} with changes") } else { head }
}

/// The command as people type it: without the paths that `cargo xtask` adds.
fn command(mut words: impl Iterator<Item = String>) -> String {
    let mut shown = String::from("cargo xtask bench");
    while let Some(word) = words.next() {
        if ["--folder", "--skep", "--write"].contains(&word.as_str()) {
            drop(words.next());
            continue;
        }
        shown.push(' ');
        shown.push_str(&word);
    }
    shown
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// What a program prints; empty if there is none.
fn said(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn fsync_seconds(folder: &Path) -> Result<f64> {
    let scratch = Scratch::new(folder, "fsync")?;
    let mut file = File::create(scratch.path().join("file")).context("creating a file to sync")?;
    let mut seconds = Vec::with_capacity(APPENDS);
    for _ in 0..APPENDS {
        file.write_all(&[7; APPEND_BYTES]).context("appending to a file")?;
        let begun = Instant::now();
        file.sync_data().context("syncing a file")?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    Ok(median(&seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_shown_as_it_is_typed() {
        let words = "--folder a --skep b --quick fan-out --write c".split(' ').map(str::to_owned);
        assert_eq!(command(words), "cargo xtask bench --quick fan-out");
    }
}
