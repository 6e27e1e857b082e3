//! (g) Steps with outputs of 1 KiB, 16 KiB and 1 MiB: a `file` step that reads as much.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;
use skep_model::limits::INLINE_OUTPUT_BYTES_MAX;

use crate::Plan;
use crate::disk::Scratch;
use crate::figures::{Figure, median, ratio, thousands};
use crate::floor::{Bare, Sample};
use crate::load::{Loaded, Stretch, Until, request};

const WORKFLOW: &str = "\
name: payload
description: A step with an output.
inputs:
  path: {type: string}
steps:
  - {id: read, uses: file, with: {operation: read, path: \"${{ inputs.path }}\"}}
";
const IN_FLIGHT: u64 = 4;
/// The start, and the outcome.
const TURNS: u64 = 2;
/// 16 KiB with its quotes is one of the values that just stay in the journal.
const SIZES: [(&str, usize); 3] = [("1 KiB", 1_024), ("16 KiB", INLINE_OUTPUT_BYTES_MAX - 2), ("1 MiB", 1_024 * 1_024)];

/// Measures each size.
///
/// # Errors
/// An execution does not complete, or the store does not have what was counted.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    SIZES.into_iter().map(|(name, bytes)| of_size(plan, name, bytes)).collect()
}

fn of_size(plan: &Plan, name: &str, bytes: usize) -> Result<Figure> {
    let repeats = plan.or_quick(5, 1);
    // As many as keep the machine busy for some seconds; large ones are all different, or they would be stored once.
    let large = bytes > INLINE_OUTPUT_BYTES_MAX;
    let executions = if large { plan.or_quick(400, 40) } else { plan.or_quick(20_000, 1_000) };
    let inputs = Scratch::new(&plan.folder, "payload-inputs")?;
    let files = files(inputs.path(), bytes, if large { executions } else { 1 })?;
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..repeats {
        let folder = Scratch::new(&plan.folder, "payload")?;
        let stretch = run(folder.path(), &files, executions)?;
        let sample = Sample::of(folder.path())?;
        drop(folder);
        let folder = Scratch::new(&plan.folder, "floor")?;
        let group = stretch.turns_per_commit();
        let floor = if large {
            with_files(&sample, folder.path(), &files)?
        } else {
            TURNS as f64 / sample.rows_per_second(folder.path(), group, stretch.took.min(Duration::from_secs(10)))?
        };
        ours.push(stretch.took.as_secs_f64() / executions as f64 * 1e6);
        floors.push(floor * 1e6);
    }
    let (us, floor, kib) = (median(&ours), median(&floors), bytes as f64 / 1_024.0);
    println!("payload, {name}: {us:.0} us a step, floor {floor:.0} us");
    Ok(Figure {
        work: format!("(g) a step with an output of {name}, {IN_FLIGHT} in flight"),
        measured: format!("{} us, {:.1} us/KiB", thousands(us), us / kib),
        floor: format!("{} us, {:.1} us/KiB", thousands(floor), floor / kib),
        ratio: ratio(us / floor),
        target: "flat per byte".to_owned(),
        repeats,
    })
}

fn run(folder: &Path, files: &[PathBuf], executions: u64) -> Result<Stretch> {
    let mut loaded = Loaded::open(folder)?;
    let stretch = loaded.run_each(IN_FLIGHT, Until::Executions(executions), |number| {
        let mut request = request(WORKFLOW);
        let path = files[number as usize % files.len()].to_string_lossy().into_owned();
        request.inputs.insert("path".to_owned(), Value::String(path));
        request
    })?;
    loaded.close(TURNS)?;
    Ok(stretch)
}

/// Seconds for each of `files`: written beside its place, synced, renamed, its folder synced, its rows committed.
fn with_files(sample: &Sample, folder: &Path, files: &[PathBuf]) -> Result<f64> {
    let contents = files.iter().map(fs::read).collect::<Result<Vec<_>, _>>().context("reading a prepared file")?;
    let mut bare = Bare::open(folder)?;
    let begun = Instant::now();
    for (number, content) in contents.iter().enumerate() {
        let beside = folder.join("unfinished");
        let mut file = File::create(&beside).context("creating a file")?;
        file.write_all(content).and_then(|()| file.sync_all()).context("writing a file")?;
        fs::rename(&beside, folder.join(number.to_string())).context("renaming a file")?;
        File::open(folder).and_then(|folder| folder.sync_all()).context("syncing a folder")?;
        bare.commit(sample, TURNS as usize)?;
    }
    Ok(begun.elapsed().as_secs_f64() / contents.len() as f64)
}

/// Files of so many bytes of text, all different.
fn files(folder: &Path, bytes: usize, count: u64) -> Result<Vec<PathBuf>> {
    let folder = fs::canonicalize(folder).context("looking for the folder of prepared files")?;
    let make = |number: u64| {
        let path = folder.join(format!("{number}.txt"));
        let line = format!("{number:06} the quick brown fox jumps over the lazy dog and goes on\n");
        let text: String = line.chars().cycle().take(bytes).collect();
        fs::write(&path, text).context("preparing a file").map(|()| path)
    };
    (0..count).map(make).collect()
}
