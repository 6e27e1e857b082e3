//! Hunting targets until nothing of them is left.
//!
//! | phase | what a look does | next |
//! |---|---|---|
//! | ask | SIGTERM to each process when it is first seen | freeze after `KILL_GRACE_MS`, or at once if many new ones appear |
//! | freeze | SIGSTOP to whole groups and to each new process, look again at once | kill when a look finds nothing new |
//! | kill | SIGKILL to whole groups and to each process | freeze again, until none is left or patience ends |
//!
//! In every phase a look that finds nobody ends the hunt.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use skep_model::limits::KILL_GRACE_MS;

use super::processes::{self, Key, Process};
use super::target::{Surroundings, Target};

/// Looks in a row that may find new processes before those found so far are killed anyway: a fork bomb that
/// outruns SIGSTOP for so long is weakened by killing what is caught.
const FREEZE_LOOKS_MAX: u32 = 50;
/// New processes after the first look that end the grace: what was asked to end and multiplies is a fork bomb.
const GROWTH_MAX: usize = 64;
/// Processes that outlive SIGKILL for so long, with no new ones among them, sit in the kernel (a dead disk or
/// network mount).
const PATIENCE: Duration = Duration::from_secs(10);
/// First and longest pause between two looks; it doubles, because polite processes end at once.
const PAUSE_MIN: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(25);

/// One target being hunted.
pub(crate) struct Hunt {
    target: Target,
    phase: Phase,
    seen: HashSet<Key>,
    pause: Duration,
}

enum Phase {
    Ask { until: Instant, growth: Option<usize> },
    Freeze { looks: u32, until: Instant },
}

/// What a look led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Step {
    /// Look again after so long.
    Again(Duration),
    /// Nobody is left.
    Clean,
    /// So many processes do not die.
    GaveUp(usize),
}

impl Hunt {
    /// Asks first, kills after the grace.
    pub fn polite(target: Target) -> Self {
        let until = Instant::now() + Duration::from_millis(KILL_GRACE_MS);
        Self { target, phase: Phase::Ask { until, growth: None }, seen: HashSet::new(), pause: PAUSE_MIN }
    }

    /// Kills at once.
    pub fn immediate(target: Target) -> Self {
        let phase = Phase::Freeze { looks: 0, until: Instant::now() + PATIENCE };
        Self { target, phase, seen: HashSet::new(), pause: PAUSE_MIN }
    }

    /// Acts on one look at all processes.
    pub fn step(&mut self, processes: &[Process], around: &Surroundings) -> Step {
        let members = self.target.members(processes, around);
        if members.is_empty() {
            return Step::Clean;
        }
        let now = Instant::now();
        match self.phase {
            Phase::Ask { until, growth } if now < until && growth.is_none_or(|growth| growth <= GROWTH_MAX) => {
                self.ask(&members, until - now)
            }
            Phase::Ask { .. } => {
                self.seen.clear();
                self.phase = Phase::Freeze { looks: 0, until: now + PATIENCE };
                self.freeze(&members, processes)
            }
            Phase::Freeze { .. } => self.freeze(&members, processes),
        }
    }

    fn ask(&mut self, members: &[Key], left: Duration) -> Step {
        let before = self.seen.len();
        for member in members {
            if self.seen.insert(*member) {
                processes::send(*member, Signal::TERM);
            }
        }
        if let Phase::Ask { growth, .. } = &mut self.phase {
            *growth = Some(growth.map_or(0, |growth| growth + self.seen.len() - before));
        }
        self.rest(left)
    }

    fn freeze(&mut self, members: &[Key], processes: &[Process]) -> Step {
        let groups = whole_groups(members, processes);
        let new: Vec<Key> = members.iter().copied().filter(|member| self.seen.insert(*member)).collect();
        if !new.is_empty() {
            groups.iter().for_each(|group| processes::send_to_group(*group, Signal::STOP));
            new.iter().for_each(|member| processes::send(*member, Signal::STOP));
        }
        if let Phase::Freeze { looks, until } = &mut self.phase {
            if new.is_empty() {
                *looks = 0;
                if Instant::now() > *until {
                    return Step::GaveUp(members.len());
                }
            } else {
                *looks += 1;
                *until = Instant::now() + PATIENCE;
                if *looks < FREEZE_LOOKS_MAX {
                    return Step::Again(Duration::ZERO);
                }
            }
        }
        groups.iter().for_each(|group| processes::send_to_group(*group, Signal::KILL));
        members.iter().for_each(|member| processes::send(*member, Signal::KILL));
        self.pause = PAUSE_MIN;
        self.rest(PAUSE_MAX)
    }

    fn rest(&mut self, longest: Duration) -> Step {
        let pause = self.pause;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Step::Again(pause.min(longest))
    }

    /// What it hunts, for a message.
    pub fn token(&self) -> &str {
        self.target.token()
    }
}

/// The process groups that consist of members only.
fn whole_groups(members: &[Key], processes: &[Process]) -> HashSet<u32> {
    let members: HashSet<&Key> = members.iter().collect();
    let (own, foreign): (Vec<&Process>, Vec<&Process>) =
        processes.iter().partition(|process| members.contains(&process.key));
    let mut groups: HashSet<u32> = own.iter().map(|process| process.group).collect();
    for process in foreign {
        groups.remove(&process.group);
    }
    groups
}

/// Hunts all of them in the calling thread until nothing is left; warns of what does not die.
pub(crate) fn hunt_all(mut hunts: Vec<Hunt>, around: &Surroundings, mut between: impl FnMut()) {
    while !hunts.is_empty() {
        let processes = processes::scan();
        let mut pause = PAUSE_MAX;
        hunts.retain_mut(|hunt| match hunt.step(&processes, around) {
            Step::Again(rest) => {
                pause = pause.min(rest);
                true
            }
            Step::Clean => false,
            Step::GaveUp(count) => {
                warn(hunt.token(), count);
                false
            }
        });
        between();
        if !hunts.is_empty() {
            thread::sleep(pause);
        }
    }
}

/// Kills everything below `root`, but not itself. `between` runs after every look (the spawner reaps there).
pub(crate) fn everything_below(root: u32, mut between: impl FnMut()) {
    between();
    let around = Surroundings { protected: [root].into(), ..Surroundings::default() };
    hunt_all(vec![Hunt::immediate(Target::below(root))], &around, between);
}

/// Says that processes outlived SIGKILL.
pub(crate) fn warn(token: &str, count: usize) {
    tracing::warn!(
        token,
        count,
        "processes of a step do not die even by SIGKILL; look for state D in `ps` (a hanging disk or network mount)"
    );
}

/// This process and those above it.
pub(crate) fn self_and_ancestors() -> HashSet<u32> {
    let mut pids = HashSet::new();
    let mut next = Some(std::process::id());
    while let Some(pid) = next.filter(|pid| *pid != 0 && pids.insert(*pid)) {
        next = processes::parent(pid);
    }
    pids
}
