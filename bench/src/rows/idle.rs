//! (h) A server that has nothing to do: its memory, and how soon it answers.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::Plan;
use crate::disk::Scratch;
use crate::figures::{Figure, median, milliseconds};
use crate::server::Server;

/// After it answers: what it still does then is over.
const REST: Duration = Duration::from_secs(1);

/// Starts a server on a fresh data directory, again and again.
///
/// # Errors
/// It does not start.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let repeats = plan.or_quick(20, 5);
    let (mut ready, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..repeats {
        let folder = Scratch::new(&plan.folder, "idle")?;
        let server = Server::start(plan.skep()?, folder.path())?;
        thread::sleep(REST);
        ready.push(server.ready_after.as_secs_f64());
        resident.push(server.memory_mb()?.0 as f64);
    }
    let (ready, resident) = (milliseconds(median(&ready)), median(&resident));
    println!("idle: ready after {ready}, {resident:.0} MB");
    let figure = |work: &str, measured: String, target: &str| Figure {
        work: work.to_owned(),
        measured,
        floor: String::new(),
        ratio: String::new(),
        target: target.to_owned(),
        repeats,
    };
    Ok(vec![
        figure("(h) memory of an idle server (resident)", format!("{resident:.0} MB"), "40 MB"),
        figure("(h) cold start on a fresh data directory until it answers", ready, "100 ms"),
    ])
}
