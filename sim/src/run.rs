//! Many worlds, on several threads: each thread has its own worlds, and no world knows of another.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use skep_model::catalogue::Catalogue;

use crate::check::Violation;
use crate::report::Report;
use crate::world::{self, Scenario};

/// What became of many worlds.
pub struct Summary {
    /// What they covered in all.
    pub report: Report,
    /// The failing world with the lowest seed among those that ran.
    pub failure: Option<(u64, Violation)>,
}

/// Runs the worlds of `count` seeds from `first` on `jobs` threads; stops soon after a failure.
pub fn seeds(first: u64, count: u64, jobs: usize, catalogue: &Catalogue) -> Summary {
    let next = AtomicU64::new(first);
    let stop = AtomicBool::new(false);
    let summary = Mutex::new(Summary { report: Report::default(), failure: None });
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                let mut report = Report::default();
                let mut failure = None;
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    let ended = world::run(&Scenario::draw(seed, catalogue), catalogue);
                    report.add(&ended.report);
                    if let Err(violation) = ended.verdict {
                        failure = Some((seed, violation));
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                let mut all = summary.lock().expect("no thread panics: a world's panic is a violation");
                all.report.add(&report);
                if failure.as_ref().is_some_and(|(seed, _)| all.failure.as_ref().is_none_or(|(old, _)| seed < old)) {
                    all.failure = failure;
                }
            });
        }
    });
    summary.into_inner().expect("no thread panics: a world's panic is a violation")
}
