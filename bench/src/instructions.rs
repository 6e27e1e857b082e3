//! Instructions per step under callgrind: a count that hardly changes on a noisy machine, kept in a file so that a
//! regression shows.
//!
//! What is counted is the difference of two runs of this program, so that what a process takes to begin and to end is
//! not in it. Each part does all that the part before it does, and one thing more.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use skep_bench::pure::{Loop, Prepared, Run, SEQUENCE, STEPS};
use skep_engine::{State, apply_turn};
use skep_model::event::Turn;
use skep_store::{DataDir, Journal, SqliteJournal, Write};

use crate::children;
use crate::disk::Scratch;

const FILE: &str = "bench/instructions.txt";
const HEAD: &str = "\
# Instructions per step of ten no-op steps in sequence, counted by callgrind in the release build:
#   decide  the engine decides a turn
#   loop    the node's loop without threads: the turn as JSON, the rows beside it, timers
#   store   its share of a commit of 100 writes into SQLite
#   fold    a turn is read from JSON and folded, as after a restart
# `cargo xtask bench --instructions` fails if a count is more than 3 % above this; `--update` writes it anew.
";
/// A count that is higher by more than this share is a regression.
const TOLERANCE: f64 = 0.03;
/// Executions in lockstep: their turns share a commit.
const IN_FLIGHT: u64 = 100;
/// Executions of the two runs.
const FEW: u64 = 100;
const MANY: u64 = 500;

/// What is done for each turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Decided.
    Decide,
    /// Decided by the node's loop, with the turn's text and rows.
    Loop,
    /// The same, and committed.
    Commit,
    /// Decided, written as JSON, read again and folded.
    Fold,
    /// Decided and written as JSON: what [`Part::Fold`] begins with.
    Encode,
}

impl Part {
    /// The part that `word` names.
    ///
    /// # Errors
    /// None.
    pub fn parse(word: &str) -> Result<Self> {
        let all = [Self::Decide, Self::Loop, Self::Commit, Self::Fold, Self::Encode];
        all.into_iter().find(|part| part.word() == word).with_context(|| format!("{word} is no part"))
    }

    fn word(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Loop => "loop",
            Self::Commit => "commit",
            Self::Fold => "fold",
            Self::Encode => "encode",
        }
    }
}

/// Does one part for so many executions.
///
/// # Errors
/// An execution does not come to its end, or trouble with the store.
pub fn work(part: Part, executions: u64, folder: &Path) -> Result<Value> {
    let prepared = Prepared::new(SEQUENCE)?;
    let executions = u32::try_from(executions).context("that many executions")?;
    let turns = match part {
        Part::Decide | Part::Encode | Part::Fold => decided(part, &prepared, executions)?,
        Part::Loop | Part::Commit => looped(part, &prepared, executions, folder)?,
    };
    Ok(json!({"turns": turns}))
}

fn decided(part: Part, prepared: &Prepared, executions: u32) -> Result<usize> {
    let mut turns = 0;
    for number in 0..executions {
        let (mut run, mut state) = (Run::new(prepared, number), State::default());
        while let Some(turn) = run.turn()? {
            turns += 1;
            if part == Part::Decide {
                continue;
            }
            let text = serde_json::to_string(&turn.events).context("writing a turn")?;
            if part == Part::Fold {
                let events = serde_json::from_str(&text).context("reading a turn")?;
                apply_turn(&mut state, prepared.program(), &Turn { seq: turn.seq, at: turn.at, events })?;
            } else {
                std::hint::black_box(&text);
            }
        }
    }
    Ok(turns)
}

fn looped(part: Part, prepared: &Prepared, executions: u32, folder: &Path) -> Result<usize> {
    let mut journal = SqliteJournal::open(&DataDir::create(folder)?)?;
    let mut node = Loop::default();
    let mut turns = 0;
    let mut commit = |group: Vec<Write>| -> Result<()> {
        turns += group.len();
        if part == Part::Commit {
            journal.commit(&group)?;
        } else {
            std::hint::black_box(&group);
        }
        Ok(())
    };
    let numbers: Vec<u32> = (0..executions).collect();
    for batch in numbers.chunks(IN_FLIGHT as usize) {
        commit(batch.iter().map(|number| node.begin(prepared, *number)).collect::<Result<_>>()?)?;
        loop {
            let group = node.answer_all()?;
            if group.is_empty() {
                break;
            }
            commit(group)?;
        }
    }
    Ok(turns)
}

/// Counts, and compares with the file.
///
/// # Errors
/// A count is higher than it may be; there is no valgrind, or no file.
pub fn compare(folder: &Path) -> Result<()> {
    let kept = fs::read_to_string(FILE).with_context(|| format!("reading {FILE}"))?;
    let counted = count(folder)?;
    let regressions = regressions(&counted, &kept)?;
    if !regressions.is_empty() {
        bail!("instructions per step: {}", regressions.join("; "));
    }
    println!("no count is more than {:.0} % above {FILE}", TOLERANCE * 100.0);
    Ok(())
}

/// Counts, and writes the file.
///
/// # Errors
/// There is no valgrind, or the file cannot be written.
pub fn update(folder: &Path) -> Result<()> {
    let mut text = String::from(HEAD);
    for (name, instructions) in count(folder)? {
        writeln!(text, "{name} {instructions}").expect("a String takes everything");
    }
    fs::write(FILE, text).with_context(|| format!("writing {FILE}"))
}

/// Instructions per step, by part.
fn count(folder: &Path) -> Result<Vec<(&'static str, u64)>> {
    let of = |part| per_step(part, folder);
    let (decide, looped, commit) = (of(Part::Decide)?, of(Part::Loop)?, of(Part::Commit)?);
    let fold = of(Part::Fold)?.saturating_sub(of(Part::Encode)?);
    let (rest, store) = (looped.saturating_sub(decide), commit.saturating_sub(looped));
    let counted = vec![("decide", decide), ("loop", rest), ("store", store), ("fold", fold)];
    for (name, instructions) in &counted {
        println!("{name}: {instructions} instructions per step");
    }
    Ok(counted)
}

fn per_step(part: Part, folder: &Path) -> Result<u64> {
    let (few, many) = (run(part, FEW, folder)?, run(part, MANY, folder)?);
    Ok(many.saturating_sub(few) / ((MANY - FEW) * STEPS))
}

fn run(part: Part, executions: u64, folder: &Path) -> Result<u64> {
    let scratch = Scratch::new(folder, "instructions")?;
    let out: PathBuf = scratch.path().join("callgrind.out");
    let mut file_option = std::ffi::OsString::from("--callgrind-out-file=");
    file_option.push(&out);
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind"]).arg(file_option);
    command.arg(std::env::current_exe().context("looking for this program")?).arg(children::INSTRUCTIONS);
    command.args([part.word(), &executions.to_string()]).arg(scratch.path().join("data"));
    children::answer(&mut command).context("counting with valgrind")?;
    let text = fs::read_to_string(&out).context("reading what callgrind has counted")?;
    total(&text).context("callgrind has counted nothing")
}

/// The total of a file of callgrind's.
fn total(text: &str) -> Option<u64> {
    let of = |name: &str| text.lines().rev().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    of("totals:").or_else(|| of("summary:"))
}

/// What is higher than it may be, in words.
fn regressions(counted: &[(&str, u64)], kept: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (name, now) in counted {
        let line = kept.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let before = line.with_context(|| format!("{FILE} has no line `{name}`"))?;
        let before: u64 = before.trim().parse().with_context(|| format!("{FILE}: `{before}` is no number"))?;
        let share = *now as f64 / before.max(1) as f64 - 1.0;
        if share > TOLERANCE {
            found.push(format!("{name} takes {now}, {:.1} % more than {before}", share * 100.0));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_callgrind_is_found() {
        let text = "# callgrind format\nevents: Ir\nsummary: 12345\n\nfn=(1) main\n16 400\ntotals: 12346\n";
        assert_eq!(total(text), Some(12_346));
        assert_eq!(total("events: Ir\nsummary: 7\n"), Some(7));
        assert_eq!(total("events: Ir\nsummary: none\n"), None);
    }

    #[test]
    fn only_more_than_the_tolerance_is_a_regression() {
        let kept = format!("{HEAD}decide 1000\nstore 2000\n");
        assert!(regressions(&[("decide", 1_029), ("store", 100)], &kept).unwrap().is_empty());
        let found = regressions(&[("decide", 1_000), ("store", 2_061)], &kept).unwrap();
        assert!(found.len() == 1 && found[0].starts_with("store takes 2061"), "{found:?}");
        assert!(regressions(&[("fold", 1)], &kept).is_err());
    }

    #[test]
    fn every_part_does_all_turns() {
        let folder = Scratch::new(&std::env::temp_dir(), &format!("skep-bench-parts-{}", std::process::id())).unwrap();
        for part in [Part::Decide, Part::Encode, Part::Fold, Part::Loop, Part::Commit] {
            let data = folder.path().join(part.word());
            assert_eq!(work(part, 3, &data).unwrap(), json!({"turns": 33}), "{part:?}");
            assert_eq!(Part::parse(part.word()).unwrap(), part);
        }
    }
}
