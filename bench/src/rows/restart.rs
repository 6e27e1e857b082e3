//! (e) A restart with a hundred thousand open executions: those that were at work, and those that wait.
//!
//! The store is built as a crash leaves it, with the rows that a node would have committed; nothing has run before.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use skep_bench::pure::{Loop, Prepared, SEQUENCE};
use skep_store::{DataDir, Journal, SqliteJournal, Write};

use crate::Plan;
use crate::children;
use crate::disk::{self, Scratch};
use crate::figures::{Figure, median, ratio, thousands};
use crate::load::Loaded;

const WAITING: &str = "\
name: waiting
description: Waits for a signal, then one step.
steps:
  - {id: go, wait: {signal: go}}
  - {id: last, uses: noop}
";
/// Starts of a commit while the store is built.
const GROUP: usize = 1_000;

/// Both kinds of open executions.
///
/// # Errors
/// The store cannot be built, or not every execution is taken on.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let executions = plan.or_quick(100_000, 20_000);
    [("at work", SEQUENCE), ("waiting for a signal", WAITING)]
        .into_iter()
        .map(|(kind, text)| of_kind(plan, executions, kind, text))
        .collect()
}

fn of_kind(plan: &Plan, executions: u32, kind: &str, text: &str) -> Result<Figure> {
    let repeats = plan.or_quick(5, 1);
    let built = Scratch::new(&plan.folder, "restart-built")?;
    build(text, executions, built.path())?;
    let (mut seconds, mut floors, mut peaks, mut turns) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repeats {
        let folder = Scratch::new(&plan.folder, "restart")?;
        let file = DataDir::create(folder.path())?.database();
        fs::copy(DataDir::at(built.path()).database(), &file).context("copying the store")?;
        disk::forget(&file)?;
        floors.push(disk::read_seconds(&file)?);
        disk::forget(&file)?;
        let mut command = Command::new(std::env::current_exe().context("looking for this program")?);
        let said = children::answer(command.arg(children::RECOVER).arg(folder.path()))?;
        if said["executions"] != json!(executions) {
            bail!("{} of {executions} executions were taken on", said["executions"]);
        }
        let number = |name: &str| said[name].as_f64().with_context(|| format!("a restart without `{name}`"));
        seconds.push(number("seconds")?);
        peaks.push(number("peak_mb")?);
        turns.push(number("turns")?);
    }
    let (took, floor, peak) = (median(&seconds), median(&floors), median(&peaks));
    let turns = thousands(median(&turns));
    println!("restart, {kind}: {took:.2} s, {turns} turns, peak {peak:.0} MB; reading the file {floor:.3} s");
    Ok(Figure {
        work: format!("(e) restart with {} open executions, {kind}", thousands(f64::from(executions))),
        measured: format!("{took:.2} s, {turns} turns committed meanwhile, peak memory {peak:.0} MB"),
        floor: format!("{floor:.3} s (reading the file)"),
        ratio: ratio(took / floor),
        target: "under 10 s".to_owned(),
        repeats,
    })
}

/// A store with so many executions of `text` whose start was committed and nothing after it.
fn build(text: &str, executions: u32, folder: &Path) -> Result<()> {
    let prepared = Prepared::new(text)?;
    let directory = DataDir::create(folder)?;
    let mut journal = SqliteJournal::open(&directory)?;
    let mut node = Loop::default();
    let mut group: Vec<Write> = Vec::with_capacity(GROUP);
    for number in 0..executions {
        group.push(node.begin(&prepared, number)?);
        if group.len() == GROUP || number + 1 == executions {
            journal.commit(&group)?;
            group.clear();
            node.crash();
        }
    }
    Ok(())
}

/// Takes on what is open in the store of `folder`; the time is from nothing until all of it is taken on.
///
/// # Errors
/// Trouble with the store.
pub fn recover(folder: &Path) -> Result<Value> {
    let begun = Instant::now();
    let loaded = Loaded::open(folder)?;
    let executions = loaded.node().recover_all().context("taking on what is open")?;
    let seconds = begun.elapsed().as_secs_f64();
    let peak_mb = crate::server::memory_mb(std::process::id())?.1;
    // Those that were taken on first have gone on meanwhile.
    let turns = loaded.node().stats().turns;
    Ok(json!({"executions": executions, "seconds": seconds, "turns": turns, "peak_mb": peak_mb}))
}

#[cfg(test)]
mod tests {
    use skep_store::{Reader, SqliteReader};

    use super::*;

    #[test]
    fn a_store_is_as_a_crash_left_it() {
        for (text, busy, idle) in [(SEQUENCE, 5, 0), (WAITING, 0, 5)] {
            let folder =
                Scratch::new(&std::env::temp_dir(), &format!("skep-bench-{busy}-{}", std::process::id())).unwrap();
            build(text, 5, folder.path()).unwrap();
            let reader = SqliteReader::open(&DataDir::at(folder.path())).unwrap();
            assert_eq!(reader.busy_executions(None, 10).unwrap().len(), busy);
            assert_eq!(reader.idle_executions(None, 10).unwrap().len(), idle);
            assert_eq!(reader.last_position().unwrap().0, 5);
        }
    }
}
