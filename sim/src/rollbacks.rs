//! Rollbacks whose owner is killed: each drawn execution is undone once in peace, then once for each commit of its
//! rollback and each moment of that, with the power and without, and the world has to be what the rollback promises.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use skep_model::catalogue::Catalogue;
use skep_model::rollback::Strategy;

use crate::check::{Invariant, Violation};
use crate::generate;
use crate::random::Random;
use crate::report::Report;
use crate::world::{Fates, Kill, May, Moment, Scenario, Undoing, Way, run_kill};

/// Owners that die in a row, and the commits that each of them makes, in the runs that kill again and again.
const AGAIN: [(u32, u32); 2] = [(12, 2), (8, 3)];
/// Operations of the disk into a commit after which the owner dies.
const WITHIN: [u32; 3] = [0, 2, 5];

/// What many of them came to.
#[derive(Default)]
pub struct Summary {
    /// Owners that were killed.
    pub kills: u64,
    /// Rollbacks in all.
    pub rollbacks: u64,
    /// Drawn executions that were undone.
    pub executions: u64,
    /// How the rollbacks ended: the way, the strategy, the end.
    pub ends: BTreeMap<String, u64>,
    /// What it covered.
    pub report: Report,
    /// The failing one with the lowest seed among those that ran, and what was done.
    pub failure: Option<(u64, String, Violation)>,
}

/// The execution of a seed, and how it is undone. `wrong`: one compensation in it takes back something else.
pub fn draw(seed: u64, wrong: bool, catalogue: &Catalogue) -> (Scenario, Undoing) {
    let mut random = Random::of(seed, "rollbacks");
    let kinds = random.between(1, 3) as usize;
    let workflows: Vec<_> = (0..kinds)
        .map(|number| {
            let drawn = generate::workflow(&mut random, number, catalogue);
            generate::undoable(drawn, &mut random, wrong && number + 1 == kinds)
        })
        .collect();
    let way = match random.below(3) {
        0 => Way::Failure,
        1 => Way::Completed,
        _ => Way::Running(random.between(2, 20)),
    };
    let strategy = random.pick(&[Strategy::Immediate, Strategy::Graceful, Strategy::Checkpoint]);
    let fails_from = (way == Way::Failure).then(|| random.between(2, 8) as u32);
    let fates = Fates { fails_from, doomed: !wrong && random.percent(20) };
    let may = May {
        processes_die: false,
        power_fail: false,
        disks_fail: false,
        blobs_fail: false,
        clocks_jump: false,
        people_act: false,
    };
    let scenario = Scenario { seed, workflows, starts: vec![(0, kinds - 1)], moves: 0, may };
    (scenario, Undoing { way, strategy, fates })
}

/// Kills owners until `wanted` of them are dead, beginning with the execution of seed `first`.
pub fn kill_many(first: u64, wanted: u64, jobs: usize, catalogue: &Catalogue) -> Summary {
    let (next, killed, stop) = (AtomicU64::new(first), AtomicU64::new(0), AtomicBool::new(false));
    let all = Mutex::new(Summary::default());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) && killed.load(Ordering::Relaxed) < wanted {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let left = wanted.saturating_sub(killed.load(Ordering::Relaxed));
                    let one = kill_all_of(seed, left, catalogue);
                    killed.fetch_add(one.kills, Ordering::Relaxed);
                    stop.fetch_or(one.failure.is_some(), Ordering::Relaxed);
                    all.lock().expect("no thread panics: a world's panic is a violation").add(one);
                }
            });
        }
    });
    all.into_inner().expect("no thread panics: a world's panic is a violation")
}

/// Undoes the execution of a seed once in peace, and once for each kill, until so many owners are dead. It stops at the
/// first that fails.
pub fn kill_all_of(seed: u64, most: u64, catalogue: &Catalogue) -> Summary {
    let (scenario, undoing) = draw(seed, false, catalogue);
    let mut summary = Summary::default();
    let Some((first, last)) = summary.run(&scenario, &undoing, None, catalogue) else { return summary };
    summary.executions = 1;
    for kill in kills(first, last) {
        summary.run(&scenario, &undoing, Some(kill), catalogue);
        if summary.failure.is_some() || summary.kills >= most {
            break;
        }
    }
    summary
}

/// Each commit from `first` to `last`, in each moment of it, with the power and without; and some that kill again.
fn kills(first: u32, last: u32) -> Vec<Kill> {
    let moments = [Moment::Before, Moment::After].into_iter().chain(WITHIN.map(Moment::Within));
    let mut kills = Vec::new();
    for moment in moments {
        for power in [false, true] {
            kills.extend((first..=last).map(|at| Kill { at, moment, power, again: (0, 0) }));
        }
    }
    kills.extend(AGAIN.map(|again| Kill { at: first, moment: Moment::After, power: false, again }));
    kills
}

impl Summary {
    /// One rollback; gives the first and the last commit of it.
    fn run(
        &mut self,
        scenario: &Scenario,
        undoing: &Undoing,
        kill: Option<Kill>,
        catalogue: &Catalogue,
    ) -> Option<(u32, u32)> {
        let killed = run_kill(scenario, undoing, kill, catalogue);
        let report = killed.ended.report;
        self.kills += report.crashes();
        self.report.add(&report);
        if let Err(violation) = killed.ended.verdict {
            let what = format!("{undoing:?}, {kill:?}");
            self.failure = Some((scenario.seed, what, violation));
            return None;
        }
        let status = killed.status?;
        self.rollbacks += 1;
        let way = match undoing.way {
            Way::Failure => "a failure".to_owned(),
            Way::Completed => format!("asked after the end, {}", undoing.strategy.as_str()),
            Way::Running(_) => format!("asked on the way, {}", undoing.strategy.as_str()),
        };
        *self.ends.entry(format!("{way}: {}", status.as_str())).or_default() += 1;
        killed.commits
    }

    fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.rollbacks += other.rollbacks;
        self.executions += other.executions;
        self.report.add(&other.report);
        other.ends.into_iter().for_each(|(end, count)| *self.ends.entry(end).or_default() += count);
        let seed = |failure: &Option<(u64, String, Violation)>| failure.as_ref().map(|(seed, ..)| *seed);
        let is_first = seed(&self.failure).is_none_or(|known| seed(&other.failure).is_some_and(|new| new < known));
        if other.failure.is_some() && is_first {
            self.failure = other.failure;
        }
    }

    /// What a rollback has to come to at least once: each way and strategy.
    pub fn missing(&self) -> Vec<String> {
        let mut wanted = vec!["a failure: rolled_back".to_owned()];
        for when in ["after the end", "on the way"] {
            for (strategy, end) in [("immediate", "rolled_back"), ("graceful", "rolled_back"), ("checkpoint", "held")] {
                wanted.push(format!("asked {when}, {strategy}: {end}"));
            }
        }
        wanted.retain(|end| !self.ends.contains_key(end));
        if !self.ends.keys().any(|end| end.ends_with("rollback_failed")) {
            wanted.push("rollback_failed".to_owned());
        }
        wanted
    }
}

/// Whether a run failed because the world is not what it was.
pub fn is_caught(summary: &Summary) -> bool {
    let rules = [Invariant::UndoneIsGone, Invariant::CompensationOrder];
    summary.failure.as_ref().is_some_and(|(_, _, violation)| rules.contains(&violation.invariant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_die_in_rollbacks_and_the_world_is_what_it_was() {
        let catalogue = skep_node::catalogue::build();
        let summary = kill_many(1, 100, 2, &catalogue);
        if let Some((seed, what, violation)) = summary.failure {
            panic!("seed {seed}, {what}: {:?}: {}", violation.invariant, violation.what);
        }
        assert!(summary.kills >= 100 && summary.executions > 1, "{:?}", summary.ends);
    }

    #[test]
    fn a_wrong_compensation_is_caught() {
        let catalogue = skep_node::catalogue::build();
        let mut caught = 0;
        for seed in 1..=20 {
            let right = kill_in_peace(seed, false, &catalogue);
            assert!(right.failure.is_none(), "seed {seed}: {:?}", right.failure);
            let wrong = kill_in_peace(seed, true, &catalogue);
            assert!(wrong.failure.is_none() || is_caught(&wrong), "seed {seed}: {:?}", wrong.failure);
            caught += u32::from(is_caught(&wrong));
        }
        assert!(caught >= 5, "only {caught} of 20 wrong compensations were caught");
    }

    fn kill_in_peace(seed: u64, wrong: bool, catalogue: &Catalogue) -> Summary {
        let (scenario, undoing) = draw(seed, wrong, catalogue);
        let mut summary = Summary::default();
        summary.run(&scenario, &undoing, None, catalogue);
        summary
    }
}
