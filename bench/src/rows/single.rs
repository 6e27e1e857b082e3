//! (c) One execution of ten steps through the socket, nothing else in flight: what a person waits for.

use std::time::Instant;

use anyhow::Result;
use skep_bench::pure::{SEQUENCE, STEPS, TURNS};

use crate::Plan;
use crate::disk::Scratch;
use crate::figures::{Figure, median, milliseconds, quantile, ratio};
use crate::floor::{Bare, Sample};
use crate::server::Server;

/// Executions before anything is measured: the definition is checked once, and files have been made.
const WARM_UP: usize = 20;

/// Executions and rows of eleven bare commits, in turn.
///
/// # Errors
/// The server does not answer, or an execution does not complete.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let repeats = plan.or_quick(1_000, 100);
    let folder = Scratch::new(&plan.folder, "single")?;
    let server = Server::start(plan.skep()?, folder.path())?;
    let mut socket = server.connect()?;
    for _ in 0..WARM_UP {
        socket.run(SEQUENCE)?;
    }
    let sample = Sample::of(folder.path())?;
    let floor_folder = Scratch::new(&plan.folder, "floor")?;
    let mut bare = Bare::open(floor_folder.path())?;
    let (mut seconds, mut floors) = (Vec::with_capacity(repeats), Vec::with_capacity(repeats));
    for _ in 0..repeats {
        let begun = Instant::now();
        socket.run(SEQUENCE)?;
        seconds.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        for _ in 0..TURNS {
            bare.commit(&sample, 1)?;
        }
        floors.push(begun.elapsed().as_secs_f64());
    }
    let both = |values: &[f64]| {
        format!("p50 {}, p99 {}", milliseconds(quantile(values, 0.5)), milliseconds(quantile(values, 0.99)))
    };
    println!("single: {}; floor {}", both(&seconds), both(&floors));
    Ok(vec![Figure {
        work: format!("(c) one execution of {STEPS} steps through the socket, one in flight"),
        measured: both(&seconds),
        floor: format!("{} ({TURNS} bare commits)", both(&floors)),
        ratio: ratio(median(&seconds) / median(&floors)),
        target: "p50 at most 2 x floor and under 3 ms".to_owned(),
        repeats,
    }])
}
