//! (j) What the audit takes of the throughput of (a).

use std::time::Duration;

use anyhow::{Context, Result};
use skep_bench::pure::{SEQUENCE, STEPS, TURNS};
use skep_node::config::Config;

use crate::Plan;
use crate::disk::Scratch;
use crate::figures::{Figure, median, ratio, thousands};
use crate::load::{Loaded, Until};

const IN_FLIGHT: u64 = 100;

/// Stretches with the audit and without it, in turn, each on a store of its own.
///
/// # Errors
/// An execution does not complete, or a store does not have what was counted.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let (pairs, time) = plan.or_quick((7, Duration::from_secs(15)), (5, Duration::from_secs(3)));
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..pairs {
        // Whoever comes second finds a warmer or a busier machine: the order changes.
        let (on, off) = if pair % 2 == 0 {
            let on = stretch(plan, true, time)?;
            (on, stretch(plan, false, time)?)
        } else {
            let off = stretch(plan, false, time)?;
            (stretch(plan, true, time)?, off)
        };
        println!("audit: {} steps/s; without {}", thousands(on), thousands(off));
        with.push(on);
        without.push(off);
        ratios.push(on / off);
    }
    Ok(vec![Figure {
        work: format!("(j) (a) with {IN_FLIGHT} in flight and the audit, which is on by default"),
        measured: format!("{} steps/s", thousands(median(&with))),
        floor: format!("{} steps/s (the audit switched off)", thousands(median(&without))),
        ratio: ratio(median(&ratios)),
        target: "0.95 of the throughput without it".to_owned(),
        repeats: pairs,
    }])
}

fn stretch(plan: &Plan, audit: bool, time: Duration) -> Result<f64> {
    let folder = Scratch::new(&plan.folder, "audit")?;
    std::fs::write(Config::path(folder.path()), format!("[audit]\nenabled = {audit}\n")).context("writing a config")?;
    let mut loaded = Loaded::open_with(folder.path(), Config::load(folder.path())?)?;
    let rate = loaded.run(SEQUENCE, IN_FLIGHT, Until::Time(time))?.executions_per_second() * STEPS as f64;
    loaded.close(TURNS)?;
    Ok(rate)
}
