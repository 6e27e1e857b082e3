//! Who follows an execution is woken after each commit and then reads what is new: nothing is sent twice,
//! nothing is missed, and a slow follower holds nobody up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use skep_model::ids::LocalId;
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

/// Wakes followers; cheap to clone.
#[derive(Clone)]
pub struct Watcher {
    summaries: Arc<Mutex<HashMap<LocalId, Summary>>>,
    beat: Arc<watch::Sender<u64>>,
}

impl Default for Watcher {
    fn default() -> Self {
        Self { summaries: Arc::default(), beat: Arc::new(watch::Sender::new(0)) }
    }
}

impl Watcher {
    pub(crate) fn publish(&self, changes: impl IntoIterator<Item = (LocalId, Summary)>) {
        self.summaries.lock().unwrap_or_else(PoisonError::into_inner).extend(changes);
        self.beat();
    }

    pub(crate) fn beat(&self) {
        self.beat.send_modify(|beat| *beat += 1);
    }

    /// The summary of an execution that this owner has performed.
    pub fn summary(&self, local: LocalId) -> Option<Summary> {
        self.summaries.lock().unwrap_or_else(PoisonError::into_inner).get(&local).copied()
    }

    /// True if every execution that this owner has taken on is terminal or waits for people.
    pub fn all_settled(&self) -> bool {
        let summaries = self.summaries.lock().unwrap_or_else(PoisonError::into_inner);
        summaries.values().all(|summary| summary.is_settled())
    }

    /// Changes whenever something was committed or logged.
    pub fn beats(&self) -> watch::Receiver<u64> {
        self.beat.subscribe()
    }
}
