//! A turn between its decision and its acknowledgement.

use std::collections::HashMap;

use skep_model::effect::{Effect, Task};
use skep_model::error::Failure;
use skep_model::ids::LocalId;
use skep_model::message::Message;
use skep_runner::{Prepared, Runner};
use skep_store::writer::{Submission, Ticket};
use skep_store::{ChildRow, Row, Write};

use super::Reply;
use crate::watch::Summary;

/// A turn on its way to the disk.
pub(super) struct Flight {
    pub local: LocalId,
    pub write: Write,
    pub effects: Vec<Effect>,
    /// Children by the index of their effect: parked, or why there is none.
    pub children: HashMap<usize, Result<Prepared, Box<Failure>>>,
    pub reply: Option<Reply>,
    /// The message, if it must not be lost when the commit fails (nobody else would send it again).
    pub retry: Option<Message>,
    pub summary: Summary,
    pub more: bool,
}

impl Flight {
    /// The effects that need a child forked before the commit.
    pub fn wants(&self, at: usize) -> Vec<(usize, usize)> {
        let needs = |effect: &Effect| matches!(effect, Effect::Perform(task) if Runner::needs_child(task));
        let wanted = self.effects.iter().enumerate().filter(|(_, effect)| needs(effect));
        wanted.map(|(effect, _)| (at, effect)).collect()
    }

    pub fn task(&self, effect: usize) -> Option<&Task> {
        match &self.effects[effect] {
            Effect::Perform(task) => Some(task),
            Effect::Abort { .. } => None,
        }
    }

    /// Records a parked child beside the turn that schedules it.
    pub fn keep_child(&mut self, effect: usize, prepared: Result<Prepared, Failure>) {
        if let (Ok(prepared), Some(task)) = (&prepared, self.task(effect)) {
            let identity = &prepared.identity;
            let row = ChildRow {
                execution: self.local,
                path: task.path.clone(),
                token: task.token.clone(),
                pid: i32::try_from(identity.pid).unwrap_or(0),
                started_ticks: identity.started_ticks,
                boot_id: identity.boot_id.clone(),
                cgroup: None,
            };
            self.write.rows.push(Row::Child(row));
        }
        self.children.insert(effect, prepared.map_err(Box::new));
    }

    pub fn submission(&mut self, ticket: u64) -> Submission {
        Submission { ticket: Ticket(ticket), write: std::mem::take(&mut self.write) }
    }
}
