//! Executions that are taken on but not ready: their `Recovered` is not durable, or they could not be folded again
//! after a commit failed. Nothing else is decided of them before that is made good.
//!
//! A `Recovered` that comes again later, after other messages, would deliver work anew that this owner performs.

use std::collections::HashSet;

use skep_model::ids::LocalId;
use skep_model::message::Message;

use super::Driver;

/// Executions that are not ready.
#[derive(Default)]
pub(super) struct Unready {
    /// Their `Recovered` was lost.
    unrecovered: HashSet<LocalId>,
    /// The store could not be read when they were to be folded again. This owner performs their work all the same.
    unfolded: HashSet<LocalId>,
}

impl Unready {
    pub fn lost_recovery(&mut self, local: LocalId) {
        self.unrecovered.insert(local);
    }

    pub fn recovers(&mut self, local: LocalId) {
        self.unrecovered.remove(&local);
    }

    pub fn lost_state(&mut self, local: LocalId) {
        self.unfolded.insert(local);
    }

    pub fn has_state(&mut self, local: LocalId) {
        self.unfolded.remove(&local);
    }

    pub fn is_unfolded(&self, local: LocalId) -> bool {
        self.unfolded.contains(&local)
    }

    pub fn forget(&mut self, local: LocalId) {
        self.unrecovered.remove(&local);
        self.unfolded.remove(&local);
    }
}

impl Driver {
    /// Makes an execution ready for a message, if it is not; false if that cannot be done now.
    pub(super) fn make_ready(&mut self, local: LocalId) -> bool {
        if self.unready.unfolded.contains(&local) {
            self.refold(local);
        }
        if self.unready.unrecovered.contains(&local) && !self.unready.is_unfolded(local) {
            self.decide(local, &Message::Recovered, None);
        }
        !self.unready.unrecovered.contains(&local) && !self.unready.is_unfolded(local)
    }

    /// A `Recovered` that was lost comes again: it counts only if nothing has brought it about meanwhile.
    pub(super) fn recover_again(&mut self, local: LocalId) {
        if self.unready.unrecovered.contains(&local) {
            self.make_ready(local);
        }
    }
}
