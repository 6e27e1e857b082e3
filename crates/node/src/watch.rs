//! Who follows an execution is woken after each commit and then reads what is new: nothing is sent twice,
//! nothing is missed, and a slow follower holds nobody up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::{HashMap, HashSet};
use skep_model::ids::{ExecutionId, LocalId, StepPath};
use skep_model::status::Execution as Status;
use tokio::sync::watch;

/// What an owner knows of an execution that it has in memory, as of the last commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its state.
    pub status: Status,
    /// Only a person or a signal can move it.
    pub waits_for_people: bool,
}

impl Summary {
    /// True if nothing will happen by itself any more.
    pub fn is_settled(self) -> bool {
        self.status.is_terminal() || self.waits_for_people
    }
}

/// Which steps wait for a slot, for people who ask; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    waiting: Arc<Mutex<HashMap<ExecutionId, BTreeSet<StepPath>>>>,
}

impl Slots {
    pub(crate) fn wait(&self, execution: &ExecutionId, path: &StepPath) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entry(execution.clone()).or_default().insert(path.clone());
    }

    pub(crate) fn leave(&self, execution: &ExecutionId, path: &StepPath) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(paths) = waiting.get_mut(execution) {
            paths.remove(path);
            if paths.is_empty() {
                waiting.remove(execution);
            }
        }
    }

    /// The steps of an execution whose scripts wait for a slot, by path.
    pub fn of(&self, execution: &ExecutionId) -> Vec<StepPath> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(execution).map_or_else(Vec::new, |paths| paths.iter().cloned().collect())
    }
}

/// Wakes followers; cheap to clone.
#[derive(Clone)]
pub struct Watcher {
    slots: Slots,
    summaries: Arc<Mutex<Summaries>>,
    beat: Arc<watch::Sender<u64>>,
}

/// What is known of the executions that are not over: their rows say all there is to say of the others.
#[derive(Default)]
struct Summaries {
    open: HashMap<LocalId, Progress>,
    /// How many of them are not settled.
    unsettled: usize,
    /// Left alone by this owner.
    left: HashSet<LocalId>,
    ended: Ended,
}

/// How an execution that is not over stands, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// See [`Summary`].
    pub summary: Summary,
    /// Number of its last turn that has landed in this owner's time; 0 if none has.
    pub seq: u64,
}

/// How many executions have ended since this owner began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Completed ones.
    pub completed: u64,
    /// All others.
    pub otherwise: u64,
}

impl Summaries {
    fn note(&mut self, local: LocalId, summary: Summary, seq: Option<u64>) {
        let old = self.open.get(&local).copied();
        if summary.status.is_terminal() {
            self.open.remove(&local);
        } else {
            let seq = seq.or(old.map(|old| old.seq)).unwrap_or(0);
            self.open.insert(local, Progress { summary, seq });
        }
        self.unsettled -= usize::from(old.is_some_and(|old| !old.summary.is_settled()));
        self.unsettled += usize::from(!summary.is_settled());
    }

    fn count(&mut self, ended: Status) {
        match ended {
            Status::Completed => self.ended.completed += 1,
            _ => self.ended.otherwise += 1,
        }
    }
}

impl Default for Watcher {
    fn default() -> Self {
        Self { slots: Slots::default(), summaries: Arc::default(), beat: Arc::new(watch::Sender::new(0)) }
    }
}

impl Watcher {
    fn summaries(&self) -> MutexGuard<'_, Summaries> {
        self.summaries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn publish(&self, changes: impl IntoIterator<Item = (LocalId, Summary)>) {
        let mut summaries = self.summaries();
        changes.into_iter().for_each(|(local, summary)| summaries.note(local, summary, None));
        drop(summaries);
        self.beat();
    }

    /// Turns have landed, the last of each execution with this number; some executions have ended with them.
    pub(crate) fn publish_turns(
        &self,
        turns: impl IntoIterator<Item = (LocalId, Summary, u64)>,
        ended: impl IntoIterator<Item = Status>,
    ) {
        let mut summaries = self.summaries();
        turns.into_iter().for_each(|(local, summary, seq)| summaries.note(local, summary, Some(seq)));
        ended.into_iter().for_each(|status| summaries.count(status));
        drop(summaries);
        self.beat();
    }

    /// Scripts that wait for a slot.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(crate) fn beat(&self) {
        self.beat.send_modify(|beat| *beat += 1);
    }

    /// The summary of an execution that this owner has taken on and that is not over, in memory or not.
    pub fn summary(&self, local: LocalId) -> Option<Summary> {
        self.progress(local).map(|progress| progress.summary)
    }

    /// The same with how far it is: without a look at the store it says whether there is something to look at.
    pub fn progress(&self, local: LocalId) -> Option<Progress> {
        self.summaries().open.get(&local).copied()
    }

    /// True if every execution that this owner has taken on is terminal or waits for people.
    pub fn all_settled(&self) -> bool {
        self.summaries().unsettled == 0
    }

    /// Executions that have durably ended since this owner began; one that is run again counts again.
    pub fn ended(&self) -> Ended {
        self.summaries().ended
    }

    pub(crate) fn leave(&self, local: LocalId) {
        self.summaries().left.insert(local);
    }

    pub(crate) fn take_on(&self, local: LocalId) {
        self.summaries().left.remove(&local);
    }

    /// True if this owner leaves the execution alone until somebody wants it to go on.
    pub fn is_left(&self, local: LocalId) -> bool {
        self.summaries().left.contains(&local)
    }

    /// Changes whenever something was committed or logged.
    pub fn beats(&self) -> watch::Receiver<u64> {
        self.beat.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_forgotten_and_what_moves_is_counted() {
        let watcher = Watcher::default();
        let of = |status, waits_for_people| Summary { status, waits_for_people };
        let (one, two) = (LocalId(1), LocalId(2));
        assert!(watcher.all_settled());
        watcher.publish([(one, of(Status::Running, false)), (two, of(Status::Running, false))]);
        watcher.publish([(one, of(Status::Running, true)), (one, of(Status::Running, true))]);
        assert_eq!((watcher.summary(one), watcher.all_settled()), (Some(of(Status::Running, true)), false));
        watcher.publish([(two, of(Status::Completed, false))]);
        assert_eq!((watcher.summary(two), watcher.all_settled()), (None, true));
        watcher.publish([(one, of(Status::Running, false)), (two, of(Status::Failed, false))]);
        assert!(!watcher.all_settled());
        watcher.publish([(one, of(Status::Cancelled, false))]);
        assert!(watcher.all_settled() && watcher.summaries().open.is_empty());
        assert_eq!(watcher.ended(), Ended::default());
        watcher.publish_turns([(one, of(Status::Running, false), 7)], []);
        watcher.publish([(one, of(Status::Paused, true))]);
        assert_eq!(watcher.progress(one), Some(Progress { summary: of(Status::Paused, true), seq: 7 }));
        watcher.publish_turns([], [Status::Completed, Status::Failed, Status::Cancelled]);
        assert_eq!(watcher.ended(), Ended { completed: 1, otherwise: 2 });
    }
}
