//! How much has happened since an execution's last snapshot, and when the next one is due.

use skep_engine::State;
use skep_model::ids::LocalId;
use skep_model::limits;
use skep_model::status::Execution as Status;

use super::{Core, Live};

/// What a restart would have to fold of an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Events since the last snapshot.
    pub events: usize,
    /// Their JSON text in bytes.
    pub bytes: usize,
    /// Length of the last snapshot.
    pub snapshot_bytes: usize,
    /// One is being made.
    pub making: bool,
}

impl History {
    /// More has happened.
    pub fn add(&mut self, events: usize, bytes: usize) {
        self.events += events;
        self.bytes += bytes;
    }

    /// A snapshot is worth it: there is much to fold, and at least as much as the last snapshot was long, so that
    /// all snapshots of an execution together cost no more than its journal.
    fn is_due(&self, after_events: usize) -> bool {
        let much = self.events >= after_events || self.bytes >= limits::SNAPSHOT_BYTES;
        much && self.bytes >= self.snapshot_bytes && !self.making
    }
}

impl Live {
    /// What a restart would fold of it.
    pub fn history(&self) -> History {
        self.history
    }
}

impl Core {
    /// Another bound than the usual one: for tests.
    pub fn snapshot_after(&mut self, events: usize) {
        self.snapshot_events = Some(events);
    }

    /// The state to make a snapshot of, if one is due after the turn that was just decided. A copy shares what does
    /// not change, so it costs little.
    pub(crate) fn due_snapshot(&mut self, local: LocalId) -> Option<State> {
        let after_events = self.snapshot_events.unwrap_or(limits::SNAPSHOT_EVENTS);
        let live = self.live.get_mut(&local)?;
        let wanted = live.history.is_due(after_events)
            && live.state.status != Status::Pending
            && !live.state.status.is_terminal();
        if !wanted {
            return None;
        }
        live.history = History { making: true, ..History::default() };
        Some(live.state.clone())
    }

    /// The snapshot was made, so many bytes long.
    pub(crate) fn snapshot_made(&mut self, local: LocalId, bytes: usize) {
        if let Some(live) = self.live.get_mut(&local) {
            live.history.making = false;
            live.history.snapshot_bytes = bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_due_after_many_events_or_bytes_but_not_more_often_than_it_is_long() {
        let of = |events, bytes, snapshot_bytes, making| History { events, bytes, snapshot_bytes, making };
        let table = [
            (of(999, 1_000, 0, false), false),
            (of(1_000, 1_000, 0, false), true),
            (of(1, 1024 * 1024, 0, false), true),
            (of(1_000, 1_000, 1_001, false), false),
            (of(50_000, 5_000_000, 5_000_000, false), true),
            (of(1_000, 1_000, 0, true), false),
        ];
        for (history, expected) in table {
            assert_eq!(history.is_due(limits::SNAPSHOT_EVENTS), expected, "{history:?}");
        }
    }
}
