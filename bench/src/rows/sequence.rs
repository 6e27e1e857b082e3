//! (a) Ten no-op steps in sequence, so many executions in flight.

use std::time::Duration;

use anyhow::{Context, Result};
use skep_bench::pure::{SEQUENCE, STEPS, TURNS};

use crate::Plan;
use crate::disk::Scratch;
use crate::figures::{Figure, median, ratio, thousands};
use crate::floor::Sample;
use crate::load::{Loaded, Until};

/// The bare writer is steady after a few checkpoints.
const FLOOR: Duration = Duration::from_secs(20);

/// Executions in flight, and the steps a second to reach.
const LOADS: [(u64, Option<f64>); 4] = [(1, None), (10, None), (100, Some(100_000.0)), (1_000, Some(200_000.0))];

/// Measures it at each load.
///
/// # Errors
/// An execution does not complete, or the store does not have what was counted.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    LOADS.into_iter().map(|(in_flight, target)| at(plan, in_flight, target)).collect()
}

/// Measures it at one load.
///
/// # Errors
/// As [`measure`], and if `in_flight` is no number.
pub fn measure_at(plan: &Plan, in_flight: &str) -> Result<Vec<Figure>> {
    let in_flight = in_flight.parse().with_context(|| format!("{in_flight} is no number of executions"))?;
    Ok(vec![at(plan, in_flight, None)?])
}

fn at(plan: &Plan, in_flight: u64, target: Option<f64>) -> Result<Figure> {
    let (time, repeats) = if plan.quick { (Duration::from_secs(4), 1) } else { (Duration::from_secs(60), 3) };
    let (mut steps, mut floors, mut ratios, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut processor = String::new();
    for _ in 0..repeats {
        let folder = Scratch::new(&plan.folder, "sequence")?;
        let mut loaded = Loaded::open(folder.path())?;
        let before = crate::processor::by_thread();
        let stretch = loaded.run(SEQUENCE, in_flight, Until::Time(time))?;
        processor = crate::processor::shares(&before, stretch.stats.turns);
        loaded.close(TURNS)?;
        let sample = Sample::of(folder.path())?;
        drop(folder);
        let folder = Scratch::new(&plan.folder, "floor")?;
        let rows = sample.rows_per_second(folder.path(), stretch.turns_per_commit(), time.min(FLOOR))?;
        // A step of the floor takes as many rows as one of ours.
        let floor = rows * STEPS as f64 / TURNS as f64;
        let rate = stretch.executions_per_second() * STEPS as f64;
        println!(
            "sequence, {in_flight} in flight: {} steps/s; floor {}; {:.1} turns a commit, {:.0} bytes a turn; {processor}",
            thousands(rate),
            thousands(floor),
            stretch.turns_per_commit(),
            sample.bytes_per_row()
        );
        steps.push(rate);
        floors.push(floor);
        ratios.push(rate / floor);
        groups.push(stretch.turns_per_commit());
    }
    let target = target.map(|steps| format!("{} and ", thousands(steps))).unwrap_or_default();
    Ok(Figure {
        work: format!("(a) 10 no-op steps in sequence, {in_flight} in flight ({:.1} turns a commit)", median(&groups)),
        measured: format!("{} steps/s (processor time a turn: {processor} µs)", thousands(median(&steps))),
        floor: format!("{} steps/s", thousands(median(&floors))),
        ratio: ratio(median(&ratios)),
        target: format!("{target}0.5 of the floor"),
        repeats,
    })
}
