//! Executions that this owner leaves alone, because it was started with another recovery than `always`.
//!
//! | what comes | it |
//! |---|---|
//! | Resume, Cancel, Rollback, Rerun | is taken on, as if this owner had not known of it, and told |
//! | Signal | is kept in its journal, and nothing follows from it before it is taken on |
//! | an answer, a pause, a rollback point | is refused |
//! | a timer, a place in a group, the end of a child | comes when it is taken on |
//!
//! It is in memory only while a signal is on its way to its journal, and its timers do not count then.

use foldhash::HashSet;
use skep_engine::Rejection;
use skep_model::ids::{ExecutionId, LocalId};
use skep_model::message::Message;

use super::{Driver, Reply};
use crate::error::Error;
use crate::fold;

/// Executions that are left alone.
pub(super) type Left = HashSet<LocalId>;

impl Driver {
    /// From now on these are left alone, unless this owner has them.
    pub(super) fn leave(&mut self, locals: Vec<LocalId>) {
        for local in locals {
            if !self.has(local) {
                self.left.insert(local);
                self.watcher.leave(local);
            }
        }
    }

    pub(super) fn is_left(&self, local: LocalId) -> bool {
        !self.left.is_empty() && self.left.contains(&local)
    }

    /// It is taken on.
    pub(super) fn no_longer_left(&mut self, local: LocalId) {
        if self.left.remove(&local) {
            self.watcher.take_on(local);
        }
    }

    /// Tells one that is left alone what somebody wants of it.
    pub(super) fn tell_left(&mut self, local: LocalId, message: Message, reply: Reply) {
        match message {
            Message::Signal { name, payload, actor } => {
                if self.core.get(local).is_none()
                    && let Err(error) = self.look_at(local)
                {
                    self.park(local, &error);
                    return drop(reply.send(Err(error)));
                }
                self.decide(local, Message::KeepSignal { name, payload, actor }, Some(reply));
                self.put_away(local);
            }
            Message::Resume { .. } | Message::Cancel { .. } | Message::Rollback { .. } | Message::Rerun { .. } => {
                // What a signal brought into memory is what the journal has, or soon will.
                if let Some(live) = self.core.get(local) {
                    self.locals.insert(live.state.execution(), local);
                } else if let Err(error) = self.bring(local) {
                    self.park(local, &error);
                    return drop(reply.send(Err(error)));
                }
                self.no_longer_left(local);
                self.decide(local, Message::Recovered, None);
                self.tell(local, message, reply);
            }
            Message::Approve(_)
            | Message::Reject(_)
            | Message::Input { .. }
            | Message::Pause { .. }
            | Message::Checkpoint { .. }
            | Message::Undone { .. } => drop(reply.send(Err(self.is_left_alone(local)))),
            Message::Start(_)
            | Message::Outcome(_)
            | Message::Progress(_)
            | Message::TimerFired
            | Message::KeepSignal { .. }
            | Message::Recovered
            | Message::ChildEnded(_)
            | Message::Permit { .. } => drop(reply.send(Err(self.is_left_alone(local)))),
        }
    }

    fn is_left_alone(&self, local: LocalId) -> Error {
        match self.reader.execution_by_local(local) {
            Ok(Some(row)) => {
                let message = format!(
                    "nobody performs it since its owner ended; `skep resume {}` goes on with it, then this can be said",
                    row.id
                );
                Error::Rejected(Rejection::WrongState { status: row.status, message })
            }
            Ok(None) => Error::NoSuchExecution { given: local.0.to_string() },
            Err(error) => error.into(),
        }
    }

    /// Brings it into memory without taking it on.
    fn look_at(&mut self, local: LocalId) -> Result<(), Error> {
        let live = fold::live(&*self.reader, &mut self.programs, local)?;
        self.core.open(live);
        Ok(())
    }

    /// One that is left alone leaves the memory once nothing of it is on its way to the disk.
    pub(super) fn put_away(&mut self, local: LocalId) {
        if self.is_left(local) && self.is_quiet(local) {
            self.core.forget(local);
            self.unready.forget(local);
        }
    }

    /// True if the execution of this id is left alone.
    pub(super) fn is_left_by_id(&self, id: &ExecutionId) -> bool {
        if self.left.is_empty() {
            return false;
        }
        self.reader.execution(id).ok().flatten().is_some_and(|row| self.is_left(row.local))
    }
}
