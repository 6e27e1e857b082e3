//! Work that this program does in a process of its own, so that something else can count around it. Not for people.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::instructions::Part;
use crate::{instructions, rows};

/// `commits-of IN_FLIGHT EXECUTIONS FOLDER`: a load of row (a); says how often it committed.
pub const COMMITS: &str = "commits-of";
/// `recover FOLDER`: takes on what is open in a store; says how long it took and how much memory.
pub const RECOVER: &str = "recover";
/// `instructions-of PART EXECUTIONS FOLDER`: turns the pure part by hand.
pub const INSTRUCTIONS: &str = "instructions-of";

/// Does the task if it is one of these; its answer is one line of JSON.
pub fn run(task: &str, rest: &[String]) -> Option<Result<()>> {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let answer = match (task, rest.as_slice()) {
        (COMMITS, [in_flight, executions, folder]) => number(in_flight)
            .and_then(|in_flight| rows::durability::load(in_flight, number(executions)?, Path::new(folder))),
        (RECOVER, [folder]) => rows::restart::recover(Path::new(folder)),
        (INSTRUCTIONS, [part, executions, folder]) => {
            Part::parse(part).and_then(|part| instructions::work(part, number(executions)?, Path::new(folder)))
        }
        _ => return None,
    };
    Some(answer.map(|answer| println!("{answer}")))
}

/// What such a process says.
///
/// # Errors
/// It fails, or says something else.
pub fn answer(command: &mut Command) -> Result<Value> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("starting a process")?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", output.status);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("reading what {command:?} says"))
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("{text} is no number"))
}
