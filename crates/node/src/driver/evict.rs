//! Executions that only wait are not kept in memory for ever, and not brought into it by a restart.

use skep_model::ids::LocalId;
use skep_model::message::Message;
use skep_model::status::Execution as Status;

use super::{Driver, Reply};
use crate::error::Error;
use crate::watch::Summary;

/// Rows that one look at the store fetches.
const IDLE_PER_PAGE: usize = 10_000;

impl Driver {
    /// Takes on every execution that only waits: their wakes are enough. Gives their number.
    pub(super) fn take_idle(&mut self) -> Result<usize, Error> {
        let (mut after, mut count) = (None, 0);
        loop {
            let page = self.reader.idle_executions(after, IDLE_PER_PAGE)?;
            let Some(last) = page.last() else { return Ok(count) };
            after = Some(last.local);
            let mut summaries = Vec::with_capacity(page.len());
            for row in page {
                if !self.is_left(row.local) && self.core.take_idle(row) {
                    summaries.push((row.local, Summary { status: row.status, waits_for_people: row.for_people }));
                }
            }
            count += summaries.len();
            self.watcher.publish(summaries);
        }
    }

    /// Nothing follows from the last message any more: the execution may rest, and others that rest may go.
    pub(super) fn let_rest(&mut self, local: LocalId) {
        self.core.let_rest(local);
        while let Some(execution) = self.core.evict() {
            self.locals.remove(&execution);
            self.performer.execution_ended(&execution);
        }
    }

    /// True if this owner has taken the execution on, in memory or not.
    pub(super) fn has(&self, local: LocalId) -> bool {
        self.core.get(local).is_some() || self.core.is_evicted(local) || self.unready.is_unfolded(local)
    }

    /// Brings the execution into memory if it was evicted, and takes it on if this owner does not have it.
    pub(super) fn have(&mut self, local: LocalId) -> Result<(), Error> {
        if self.core.is_evicted(local) {
            return self.bring(local);
        }
        if !self.has(local) {
            self.bring(local)?;
            self.decide(local, Message::Recovered, None);
        }
        self.fold_if_quiet(local);
        Ok(())
    }

    /// Brings the execution back if it was evicted. `false` if it cannot be: then the message is answered here.
    pub(super) fn is_at_hand(&mut self, local: LocalId, message: &Message, reply: &mut Option<Reply>) -> bool {
        if !self.core.is_evicted(local) {
            return true;
        }
        let Err(error) = self.bring(local) else { return true };
        tracing::error!(local = local.0, "a waiting execution cannot be brought back: {error}");
        match error {
            // It is as good as not taken on; `skep resume` folds it again.
            Error::Damaged { .. }
            | Error::NewerFormat { .. }
            | Error::NoSuchExecution { .. }
            | Error::Store(skep_store::Error::DamagedTurn(_)) => {
                self.core.forget(local);
                self.park(local, &error);
                self.watcher.publish([(local, Summary { status: Status::Held, waits_for_people: true })]);
            }
            // The disk may be better later; until then its timer is not due again.
            _ if reply.is_none() => {
                self.core.postpone(local);
                // Whoever grants a permit that is not taken gives it to another; its own timer may be due then.
                let is_permit = matches!(message, Message::Permit { .. });
                self.try_again(local, Some(if is_permit { Message::TimerFired } else { message.clone() }));
            }
            _ => {}
        }
        if let Some(reply) = reply.take() {
            drop(reply.send(Err(error)));
        }
        false
    }
}
