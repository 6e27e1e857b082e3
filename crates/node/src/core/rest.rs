//! Executions that only wait leave the memory, the one that was touched least lately first; what stays of them is
//! when they wake. They come back through the fold, like after a restart.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt};
use skep_model::ids::{ExecutionId, LocalId};
use skep_model::limits;
use skep_model::time::Timestamp;
use skep_store::{IdleChange, IdleRow};

use super::{Core, Live};

/// Evicted executions whose timers are due at one look: a burst must not bring all of them into memory at once.
const DUE_EVICTED_MAX: usize = 256;

/// What the core remembers for eviction.
pub(super) struct Rest {
    /// Taken on, and not in memory, with their wakes.
    evicted: HashMap<LocalId, Option<Timestamp>>,
    /// Idle ones in memory that may go, by when they were touched last.
    order: BTreeSet<(u64, LocalId)>,
    touches: u64,
    idle_max: usize,
}

impl Default for Rest {
    fn default() -> Self {
        Self { evicted: HashMap::new(), order: BTreeSet::new(), touches: 0, idle_max: limits::IDLE_IN_MEMORY_MAX }
    }
}

impl Core {
    /// Takes on an execution that only waits without bringing it into memory. Nothing happens if it is there.
    pub(crate) fn take_idle(&mut self, row: IdleRow) -> bool {
        if self.live.contains_key(&row.local) || self.rest.evicted.contains_key(&row.local) {
            return false;
        }
        self.rest.evicted.insert(row.local, row.next_wake);
        self.wakes.extend(row.next_wake.map(|at| (at, row.local)));
        true
    }

    /// Another bound than the usual one: for small machines, and for tests.
    pub fn keep_idle(&mut self, idle_max: usize) {
        self.rest.idle_max = idle_max;
    }

    /// True if this owner has the execution, but not in memory.
    pub(crate) fn is_evicted(&self, local: LocalId) -> bool {
        self.rest.evicted.contains_key(&local)
    }

    /// The evicted execution is in memory again, as its row says it is, or is given up.
    pub(super) fn unrest(&mut self, local: LocalId) {
        if let Some(Some(at)) = self.rest.evicted.remove(&local) {
            self.wakes.remove(&(at, local));
        }
    }

    /// The evicted execution is not woken by a timer before it was brought back.
    pub(crate) fn postpone(&mut self, local: LocalId) {
        if let Some(wake) = self.rest.evicted.get_mut(&local)
            && let Some(at) = wake.take()
        {
            self.wakes.remove(&(at, local));
        }
    }

    /// Executions with a timer that is due at `now`, not all of the evicted ones at once.
    pub fn due(&self, now: Timestamp) -> Vec<LocalId> {
        let due = self.wakes.iter().take_while(|(at, _)| *at <= now).map(|(_, local)| *local);
        let mut evicted = 0;
        let fits = |local: &LocalId| {
            evicted += usize::from(self.is_evicted(*local));
            evicted <= DUE_EVICTED_MAX
        };
        due.take_while(fits).collect()
    }

    /// A turn of the execution is on its way: until it has landed the journal does not have all of the state.
    pub(crate) fn launched(&mut self, local: LocalId) {
        if let Some(live) = self.live.get_mut(&local) {
            live.aloft += 1;
        }
    }

    /// The turn has landed.
    pub(crate) fn landed(&mut self, local: LocalId) {
        if let Some(live) = self.live.get_mut(&local) {
            live.aloft = live.aloft.saturating_sub(1);
        }
    }

    /// Nothing more follows from its last message: it may be evicted if it only waits.
    pub(crate) fn let_rest(&mut self, local: LocalId) {
        let Some(live) = self.live.get_mut(&local) else { return };
        if live.aloft > 0 || !live.is_idle() {
            return;
        }
        if live.touched > 0 {
            self.rest.order.remove(&(live.touched, local));
        }
        self.rest.touches += 1;
        live.touched = self.rest.touches;
        self.rest.order.insert((live.touched, local));
    }

    /// The execution is used: it is not evicted before it rests again.
    pub(super) fn touch(&mut self, local: LocalId) {
        if let Some(live) = self.live.get_mut(&local)
            && live.touched > 0
        {
            self.rest.order.remove(&(live.touched, local));
            live.touched = 0;
        }
    }

    /// Evicts one execution if more than the limit rest; gives its id.
    pub(crate) fn evict(&mut self) -> Option<ExecutionId> {
        if self.rest.order.len() <= self.rest.idle_max {
            return None;
        }
        let (_, local) = self.rest.order.pop_first()?;
        let live = self.live.remove(&local)?;
        // Its place among the wakes stays.
        self.rest.evicted.insert(local, live.wake);
        Some(live.state.execution())
    }
}

impl Live {
    fn is_idle(&self) -> bool {
        self.state.is_idle() && !self.cut
    }

    /// The change of its row, if the row says something else.
    pub(super) fn idle_change(&mut self) -> Option<IdleChange> {
        let idle = self.is_idle();
        let change = IdleChange {
            local: self.local,
            idle,
            next_wake: self.state.next_wake_when_folded().filter(|_| idle),
            for_people: idle && self.state.waits_for_people(),
        };
        if self.recorded.as_ref() == Some(&change) {
            return None;
        }
        self.recorded = Some(change.clone());
        Some(change)
    }

    /// A new execution, whose row will be created as one that does not wait.
    pub(crate) fn created(mut self) -> Self {
        self.recorded = Some(IdleChange { local: self.local, idle: false, next_wake: None, for_people: false });
        self
    }
}
