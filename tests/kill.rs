//! Durability under kills: owners die by SIGKILL at random moments, hundreds of times, while their steps write
//! down in a file outside what they do. After every death the journal is read and compared with that file:
//!
//! - a step that was completed never acts again;
//! - nothing acts before its start is in the journal: every line's token belongs to a recorded delivery;
//! - a delivery acts at most once, one that no death interrupted exactly once;
//! - no process of a dead owner acts after its step was performed again: per step, deliveries in the file
//!   never go backwards;
//! - in the end everything is completed.
//!
//! Each lane has a data directory of its own, and an owner after the other: `skep run` starts an execution,
//! `skep resume` and `skep serve` go on with it. `SKEP_SEED` repeats the random choices of a run, though not the
//! moments at which the machine's scheduler lets the kills hit.

use crate::support::random;
use lane::{Lane, Tally};

mod lane;
mod ledger;

/// Kills in all; a kill that hits nothing counts too.
const KILLS: usize = 300;
/// Data directories at the same time.
const LANES: usize = 4;
/// Of a hundred kills, so many have to hit a running step or an outcome that is not recorded yet.
const HITS_PERCENT_MIN: usize = 80;

#[test]
fn three_hundred_kills_lose_nothing_and_repeat_nothing() {
    let seed = random::seed();
    println!("SKEP_SEED={seed}");
    let run = |lane: usize| move || Lane::new(seed.wrapping_add(lane as u64), KILLS / LANES).run();
    let threads: Vec<_> = (0..LANES).map(|lane| std::thread::spawn(run(lane))).collect();
    // All of them end before the test does, so that none leaves an owner behind.
    let ended: Vec<_> = threads.into_iter().map(std::thread::JoinHandle::join).collect();
    let mut tally = Tally::default();
    for lane in ended {
        tally.add(&lane.unwrap_or_else(|_| panic!("a lane failed; repeat it with SKEP_SEED={seed}")));
    }
    println!("{tally}");
    assert!(tally.kills >= KILLS, "{tally}");
    assert!((tally.on_child + tally.in_flight) * 100 >= tally.kills * HITS_PERCENT_MIN, "{tally}");
    assert!(tally.on_child > 0 && tally.on_serve > 0 && tally.on_resume > 0 && tally.with_helper > 0, "{tally}");
    // Only a debug build can be made to wait between its decision and the commit.
    assert!(tally.in_flight > 0 || !cfg!(debug_assertions), "{tally}");
}
