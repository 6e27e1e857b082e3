//! A turn between its decision and its acknowledgement.

use std::collections::{HashMap, HashSet};

use skep_engine::State;
use skep_model::effect::{Effect, Task};
use skep_model::error::Failure;
use skep_model::ids::LocalId;
use skep_model::message::Message;
use skep_model::payload::NewBlob;
use skep_model::status::Execution as Status;
use skep_runner::Identity;
use skep_store::writer::{Submission, Ticket};
use skep_store::{BreakerRow, ChildRow, Row, Write};

use super::stored::Hashes;
use super::{NO_EXECUTION, Performer, Reply};
use crate::watch::Summary;

/// A turn on its way to the disk.
pub(super) struct Flight {
    pub local: LocalId,
    pub write: Write,
    pub effects: Vec<Effect>,
    /// Children by the index of their effect: parked under the task's token, or why there is none.
    pub children: HashMap<usize, Result<(), Box<Failure>>>,
    pub reply: Option<Reply>,
    /// The message, if it must not be lost when the commit fails (nobody else would send it again).
    pub retry: Option<Message>,
    pub summary: Summary,
    /// Number of its execution's last turn.
    pub seq: u64,
    pub more: bool,
    /// Effects whose script has no slot yet.
    pub deferred: HashSet<usize>,
    /// It only carries the child of a script that waited for a slot.
    pub from_backlog: bool,
    /// Values to be durable before the turn.
    pub blobs: Vec<NewBlob>,
    /// The state after the turn, if a snapshot of it is due.
    pub snapshot: Option<Box<State>>,
    /// It has events: if it is lost, so is what follows from them.
    pub has_turn: bool,
    /// The plan and the text that the store has once it has landed.
    pub stores: Option<Hashes>,
    /// The rows of breakers in it, once its rows are with the writer.
    pub sent_breakers: Vec<BreakerRow>,
}

/// On its way it goes from list to list; a pointer is cheaper to move than all that it carries.
pub(super) type Boxed = Box<Flight>;

impl Flight {
    /// A flight that only carries rows.
    pub fn of_rows(rows: Vec<Row>) -> Self {
        Self {
            local: NO_EXECUTION,
            write: Write { turn: None, rows },
            effects: Vec::new(),
            children: HashMap::new(),
            reply: None,
            retry: None,
            summary: Summary { status: Status::Pending, waits_for_people: true },
            seq: 0,
            more: false,
            deferred: HashSet::new(),
            from_backlog: false,
            blobs: Vec::new(),
            snapshot: None,
            has_turn: false,
            stores: None,
            sent_breakers: Vec::new(),
        }
    }

    /// A flight that only carries the child of a script that waited for a slot.
    pub fn of_backlog(local: LocalId, task: Task) -> Self {
        let effects = vec![Effect::Perform(Box::new(task))];
        Self { local, effects, from_backlog: true, ..Self::of_rows(Vec::new()) }
    }

    /// True if it carries a turn of an execution, and so says how that stands after it.
    pub fn has_summary(&self) -> bool {
        self.local != NO_EXECUTION && !self.from_backlog
    }

    /// The state in which its execution ends with it, if that is so.
    pub fn ended(&self) -> Option<Status> {
        (self.has_turn && self.summary.status.is_terminal()).then_some(self.summary.status)
    }

    /// The effects that need a child forked before the commit.
    pub fn wants(&self, at: usize, performer: &dyn Performer) -> Vec<(usize, usize)> {
        let needs = |effect: &Effect| matches!(effect, Effect::Perform(task) if performer.needs_child(task));
        let wanted = self.effects.iter().enumerate().filter(|(_, effect)| needs(effect));
        wanted.map(|(effect, _)| (at, effect)).collect()
    }

    pub fn task(&self, effect: usize) -> Option<&Task> {
        match &self.effects[effect] {
            Effect::Perform(task) => Some(task),
            Effect::Abort { .. }
            | Effect::StartChild(_)
            | Effect::CancelChild { .. }
            | Effect::AskPermit { .. }
            | Effect::ReleasePermit { .. } => None,
        }
    }

    /// Records a parked child beside the turn that schedules it.
    pub fn keep_child(&mut self, effect: usize, prepared: Result<Identity, Failure>) {
        if let (Ok(identity), Some(task)) = (&prepared, self.task(effect)) {
            let row = ChildRow {
                execution: self.local,
                path: task.path.clone(),
                token: task.token.clone(),
                pid: i32::try_from(identity.pid).unwrap_or(0),
                started_ticks: identity.started_ticks,
                boot_id: identity.boot_id.clone(),
                cgroup: None,
            };
            if !skep_model::mutant!("child-not-recorded") {
                self.write.rows.push(Row::Child(row));
            }
        }
        self.children.insert(effect, prepared.map(drop).map_err(Box::new));
    }

    /// The tokens of its parked children.
    pub fn parked(&self) -> Vec<skep_model::ids::Token> {
        let parked = self.children.iter().filter(|(_, child)| child.is_ok());
        parked.filter_map(|(effect, _)| self.task(*effect)).map(|task| task.token.clone()).collect()
    }

    /// What breakers are once it is committed.
    pub fn breakers(&self) -> impl Iterator<Item = &BreakerRow> {
        self.sent_breakers.iter().chain(breaker_rows(&self.write))
    }

    pub fn submission(&mut self, ticket: u64) -> Submission {
        self.sent_breakers = breaker_rows(&self.write).cloned().collect();
        Submission { ticket: Ticket(ticket), write: std::mem::take(&mut self.write) }
    }
}

fn breaker_rows(write: &Write) -> impl Iterator<Item = &BreakerRow> {
    write.rows.iter().filter_map(|row| match row {
        Row::Breaker(row) => Some(row),
        _ => None,
    })
}
