//! Calls of fsync per commit, counted by strace around a node of its own process.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::Plan;
use crate::children;
use crate::disk::Scratch;
use crate::figures::Figure;

/// Executions in flight, and how many come to their end.
const LOADS: [(u64, u64); 2] = [(1, 200), (100, 4_000)];

/// Counts at each load; says so if there is no strace.
///
/// # Errors
/// The load fails.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let there = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        println!("durability: there is no strace on this machine");
        return Ok(vec![figure(1, "not counted: there is no strace on this machine".to_owned())]);
    }
    LOADS.into_iter().map(|(in_flight, executions)| count(plan, in_flight, executions)).collect()
}

fn count(plan: &Plan, in_flight: u64, executions: u64) -> Result<Figure> {
    let executions = plan.or_quick(executions, executions / 4);
    let (syncs_of_none, _) = run(plan, in_flight, 0)?;
    let (syncs, commits) = run(plan, in_flight, executions)?;
    let (syncs, commits) = (syncs.saturating_sub(syncs_of_none) as f64, commits as f64);
    let measured = format!("{:.3} ({syncs:.0} of {commits:.0} commits)", syncs / commits);
    println!("durability, {in_flight} in flight: {measured}");
    Ok(figure(in_flight, measured))
}

fn figure(in_flight: u64, measured: String) -> Figure {
    Figure {
        work: format!("calls of fsync per commit, {in_flight} in flight"),
        measured,
        floor: "1".to_owned(),
        ratio: String::new(),
        target: "at least 1".to_owned(),
        repeats: 1,
    }
}

/// Syncs and commits of a node that does so much; what opening and closing takes is in it.
fn run(plan: &Plan, in_flight: u64, executions: u64) -> Result<(u64, u64)> {
    let folder = Scratch::new(&plan.folder, "durability")?;
    let summary = folder.path().join("strace.txt");
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-e", "trace=fsync,fdatasync", "-o"]).arg(&summary);
    command.arg(std::env::current_exe().context("looking for this program")?).arg(children::COMMITS);
    command.args([in_flight.to_string(), executions.to_string()]).arg(folder.path().join("data"));
    let said = children::answer(&mut command)?;
    let commits = said["commits"].as_u64().context("a load without commits")?;
    Ok((syncs(&summary)?, commits))
}

fn syncs(summary: &Path) -> Result<u64> {
    let text = fs::read_to_string(summary).context("reading the summary of strace")?;
    match calls(&text) {
        0 => bail!("strace counted nothing: {text}"),
        calls => Ok(calls),
    }
}

/// Calls of fsync and fdatasync in a table of `strace -c`: `% time, seconds, usecs/call, calls, [errors,] syscall`.
fn calls(summary: &str) -> u64 {
    let of_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = words.last().copied().unwrap_or_default();
        let counts = ["fsync", "fdatasync"].contains(&name);
        counts.then(|| words.get(3).and_then(|calls| calls.parse::<u64>().ok())).flatten()
    };
    summary.lines().filter_map(of_line).sum()
}

/// What a load of [`children::COMMITS`] has committed.
///
/// # Errors
/// An execution does not complete.
pub fn load(in_flight: u64, executions: u64, folder: &Path) -> Result<Value> {
    use crate::load::{Loaded, Until};
    let mut loaded = Loaded::open(folder)?;
    let commits = match executions {
        0 => 0,
        all => loaded.run(skep_bench::pure::SEQUENCE, in_flight, Until::Executions(all))?.stats.commits,
    };
    loaded.close(skep_bench::pure::TURNS)?;
    Ok(serde_json::json!({"commits": commits}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_a_summary_are_added_up() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 98.76    0.123456         112      1102           fdatasync
  1.24    0.001549         154        10         2 fsync
------ ----------- ----------- --------- --------- ----------------
100.00    0.125005         112      1112         2 total
";
        assert_eq!(calls(summary), 1_112);
        assert_eq!(calls("strace: attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted\n"), 0);
    }
}
