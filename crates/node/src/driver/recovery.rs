//! Executions that are taken on but not ready: their `Recovered` is not durable, or they could not be folded again
//! after a commit failed. Nothing else is decided of them before that is made good.
//!
//! A `Recovered` that comes again later, after other messages, would deliver work anew that this owner performs.

use std::sync::Arc;

use foldhash::HashSet;
use skep_model::effect::Effect;
use skep_model::ids::LocalId;
use skep_model::message::Message;

use super::flight::Flight;
use super::{Driver, Input};
use crate::error::Error;

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
        self.fold_if_quiet(local);
        if self.unready.unrecovered.contains(&local) && !self.unready.is_unfolded(local) {
            self.decide(local, Message::Recovered, None);
        }
        !self.unready.unrecovered.contains(&local) && !self.unready.is_unfolded(local)
    }

    /// After a turn that was lost or could not be stored the execution is folded again. Turns that were decided on it and are with the writer may still
    /// be committed (the lost one may have had no events), so it is not folded before the last of them is answered.
    pub(super) fn refold_when_quiet(&mut self, local: LocalId) {
        self.core.forget(local);
        self.unready.lost_state(local);
        self.fold_if_quiet(local);
    }

    /// Folds what is to be folded again, if nothing of it is with the writer.
    pub(super) fn fold_if_quiet(&mut self, local: LocalId) {
        if !self.unready.is_unfolded(local) {
            return;
        }
        if skep_model::mutant!("folded-too-soon") || self.is_quiet(local) {
            self.refold(local);
        }
    }

    /// True if no turn of the execution is on its way to the disk: what is in memory is durable.
    pub(super) fn is_quiet(&self, local: LocalId) -> bool {
        !self.in_flight().any(|flight| flight.local == local && flight.has_summary())
    }

    /// What was decided and not answered yet, in that order.
    pub(super) fn in_flight(&self) -> impl DoubleEndedIterator<Item = &Flight> {
        self.flights.iter().chain(self.pending.iter().map(Box::as_ref))
    }

    /// Effects that follow from turns before the one that was lost.
    pub(super) fn ask_again(&self, local: LocalId, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::StartChild(child) => self.mailbox.send_later(Input::StartChild(child.clone())),
                Effect::CancelChild { path, child } => {
                    self.mailbox.send_later(Input::CancelChild(local, path.clone(), child.clone()));
                }
                Effect::AskPermit { .. } => self.mailbox.send_later(Input::AskPermit(local, Box::new(effect.clone()))),
                // These come with an event of their own.
                Effect::Perform(_) | Effect::Abort { .. } | Effect::ReleasePermit { .. } => {}
            }
        }
    }

    /// Turns that were decided after the lost one, in this pass: they follow from what is not there.
    pub(super) fn give_up_pending(&mut self, local: LocalId, error: &Arc<skep_store::Error>) {
        let of_it = |flight: &mut Box<Flight>| flight.local == local && flight.has_summary();
        for flight in self.pending.extract_if(.., of_it).collect::<Vec<_>>() {
            if flight.retry == Some(Message::Recovered) {
                self.unready.lost_recovery(local);
            }
            self.child_lost(local);
            self.restore_breakers(&flight);
            self.try_again(local, flight.retry);
            if let Some(reply) = flight.reply {
                drop(reply.send(Err(Error::Commit(Arc::clone(error)))));
            }
        }
    }

    /// A `Recovered` that was lost comes again: it counts only if nothing has brought it about meanwhile. While turns
    /// that were decided after the lost one are with the writer it is too early for it.
    pub(super) fn recover_again(&mut self, local: LocalId) {
        if self.unready.unrecovered.contains(&local) && !self.make_ready(local) {
            self.try_again(local, Some(Message::Recovered));
        }
    }
}
