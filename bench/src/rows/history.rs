//! (f) What a step costs on a store with a million finished executions, beside an empty one.

use std::time::Duration;

use anyhow::Result;
use skep_bench::pure::{SEQUENCE, STEPS, TURNS};

use crate::Plan;
use crate::disk::Scratch;
use crate::figures::{Figure, median, ratio, thousands};
use crate::load::{Loaded, Until};

const IN_FLIGHT: u64 = 100;
/// While the store is filled: more share a commit.
const IN_FLIGHT_TO_FILL: u64 = 1_000;

/// Fills a store, then measures on it and on an empty one in turn.
///
/// # Errors
/// An execution does not complete, or a store does not have what was counted.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let (executions, pairs, time) =
        plan.or_quick((1_000_000, 7, Duration::from_secs(10)), (5_000, 3, Duration::from_secs(1)));
    let folder = Scratch::new(&plan.folder, "history")?;
    let mut full = Loaded::open(folder.path())?;
    let filled = full.run(SEQUENCE, IN_FLIGHT_TO_FILL, Until::Executions(executions))?;
    println!("history: filled at {} steps/s", thousands(filled.executions_per_second() * STEPS as f64));
    let (mut on_full, mut on_empty) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        // Whoever comes second finds a warmer or a busier machine: the order changes.
        let measured = if pair % 2 == 0 {
            let full = stretch(&mut full, time)?;
            (full, on_an_empty_one(plan, time)?)
        } else {
            let empty = on_an_empty_one(plan, time)?;
            (stretch(&mut full, time)?, empty)
        };
        println!("history: {} steps/s; empty store {}", thousands(measured.0), thousands(measured.1));
        on_full.push(measured.0);
        on_empty.push(measured.1);
    }
    full.close(TURNS)?;
    Ok(vec![Figure {
        work: format!(
            "(f) a step with {} finished executions in the store, {IN_FLIGHT} in flight",
            thousands(executions as f64)
        ),
        measured: format!("{} steps/s", thousands(median(&on_full))),
        floor: format!("{} steps/s (empty store)", thousands(median(&on_empty))),
        ratio: ratio(median(&on_full) / median(&on_empty)),
        target: "within 10 % of the empty store".to_owned(),
        repeats: pairs,
    }])
}

fn on_an_empty_one(plan: &Plan, time: Duration) -> Result<f64> {
    let folder = Scratch::new(&plan.folder, "empty")?;
    let mut empty = Loaded::open(folder.path())?;
    let rate = stretch(&mut empty, time)?;
    empty.close(TURNS)?;
    Ok(rate)
}

fn stretch(loaded: &mut Loaded, time: Duration) -> Result<f64> {
    Ok(loaded.run(SEQUENCE, IN_FLIGHT, Until::Time(time))?.executions_per_second() * STEPS as f64)
}
