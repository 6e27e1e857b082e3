//! The writing port: turns and operational rows, in groups that commit together.
//!
//! Must not interpret events. Neighbours: [`crate::writer`] forms the groups, [`crate::sqlite`] and
//! [`crate::memory`] implement the port, [`crate::contract`] says what every implementation must do.

use skep_model::ids::{Hash, LocalId, Position, StepPath, Token};
use skep_model::time::Timestamp;

use crate::access::AccessChange;
use crate::error::Error;
use crate::idle::IdleChange;
use crate::retire::Retire;
use crate::rows::{BreakerRow, ChildRow, ExecutionChange, ExecutionRow, PermitRow, StartKeyRow, ValidationRow};
use crate::snapshot::StoredSnapshot;

/// The events of one message, to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTurn {
    /// Whose. Its list row must exist, or be created by the same [`Write`].
    pub execution: LocalId,
    /// The expected sequence number: one more than the execution's last, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// A JSON array of events; opaque here.
    pub events: String,
}

/// A new definition for the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// `category/name`.
    pub path: String,
    /// Id of the workflow.
    pub workflow: String,
    /// Its name for people.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The version that the definition declares.
    pub version: String,
    /// Hash of its source text, which is stored by a [`Row::Definition`].
    pub definition_hash: Hash,
    /// When.
    pub added_at: Timestamp,
    /// Who, as a label.
    pub actor: String,
}

/// What somebody did that no journal of an execution has: it becomes a record of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAct {
    /// When.
    pub at: Timestamp,
    /// JSON of the node; opaque here.
    pub entry: String,
}

/// An operational row, written in the transaction of its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A new execution. Refused if its local number or its id is taken.
    ExecutionCreated(ExecutionRow),
    /// Its list row changes. Refused if there is no such execution.
    ExecutionChanged(ExecutionChange),
    /// A plan by its hash; nothing happens if it is there.
    Plan {
        /// Of `bytes`.
        hash: Hash,
        /// The format of `bytes`.
        format: u32,
        /// Opaque.
        bytes: Vec<u8>,
    },
    /// A source text by its hash; nothing happens if it is there.
    Definition {
        /// Of `text`.
        hash: Hash,
        /// As people wrote it.
        text: Vec<u8>,
    },
    /// A definition for the library: the next version at its path. If the newest version there has the same
    /// hash, there is no new version. Either way a removed path is listed again.
    WorkflowAdded(NewVersion),
    /// The path is no longer listed. Its versions stay on disk and their numbers taken; nothing happens if
    /// there is no such path.
    WorkflowRemoved {
        /// `category/name`.
        path: String,
    },
    /// A local process; replaces the row of the same token. Refused if there is no such execution.
    Child(ChildRow),
    /// The process is gone and so is what it left behind; nothing happens if there is no such row.
    ChildGone {
        /// The delivery.
        token: Token,
    },
    /// A state as text; replaces the execution's older one. Nothing happens if the execution has ended: then it
    /// has none, and the end takes it away. Refused if there is no such execution.
    Snapshot(StoredSnapshot),
    /// Whether an execution waits, and for how long. Refused if there is no such execution.
    Idle(IdleChange),
    /// A place in a group, taken or waited for; replaces the row of the same place. Refused if there is no such
    /// execution.
    Permit(PermitRow),
    /// The place is given back; nothing happens if there is no such row.
    PermitGone {
        /// Which group.
        resource: String,
        /// Who had it.
        execution: LocalId,
        /// Which step of it; empty: the execution itself.
        path: StepPath,
    },
    /// A circuit breaker as it is now.
    Breaker(BreakerRow),
    /// The key of a start. Refused if there is no such execution; replaces nothing: the first one stays.
    StartKey(StartKeyRow),
    /// What was found when a definition was checked; nothing happens if the definition is not stored. Of each
    /// definition the newest [`VALIDATIONS_KEPT_MAX`](skep_model::limits::VALIDATIONS_KEPT_MAX) stay.
    Validated(ValidationRow),
    /// Something old leaves the store.
    Retire(Retire),
    /// Somebody did something, in the transaction of what they did. Numbers grow by one and are never used twice.
    Act(NewAct),
    /// Something changes about keys and users.
    Access(AccessChange),
}

impl Row {
    /// About how many bytes the row adds to the store: its texts and bytes.
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::ExecutionCreated(row) => {
                let texts = [&row.workflow_path, &row.base_dir, &row.waiting, &row.error];
                let optional: usize = texts.iter().filter_map(|text| text.as_ref()).map(String::len).sum();
                row.id.as_str().len() + row.workflow.len() + row.version.len() + row.actor.len() + optional
            }
            Self::ExecutionChanged(change) => {
                change.waiting.as_ref().map_or(0, String::len) + change.error.as_ref().map_or(0, String::len)
            }
            Self::Plan { bytes, .. } => bytes.len(),
            Self::Definition { text, .. } => text.len(),
            Self::WorkflowAdded(new) => new.path.len() + new.workflow.len() + new.name.len() + new.description.len(),
            Self::WorkflowRemoved { path } => path.len(),
            Self::Child(row) => row.path.len() + row.token.as_str().len() + row.boot_id.len(),
            Self::ChildGone { token } => token.as_str().len(),
            Self::Snapshot(snapshot) => snapshot.bytes.len(),
            Self::Idle(_) => 0,
            Self::Permit(row) => row.resource.len() + row.path.len(),
            Self::PermitGone { resource, path, .. } => resource.len() + path.len(),
            Self::Breaker(row) => row.name.len() + row.state.len(),
            Self::StartKey(row) => row.workflow.len() + row.key.len(),
            Self::Validated(row) => row.report.len(),
            Self::Retire(retire) => retire.size_bytes(),
            Self::Act(act) => act.entry.len(),
            Self::Access(change) => change.size_bytes(),
        }
    }
}

/// What belongs together: all of it is committed or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Write {
    /// At most one turn.
    pub turn: Option<NewTurn>,
    /// Written before the turn, in order.
    pub rows: Vec<Row>,
}

impl Write {
    /// About how many bytes it adds to the store.
    pub fn size_bytes(&self) -> usize {
        self.turn.as_ref().map_or(0, |turn| turn.events.len()) + self.rows.iter().map(Row::size_bytes).sum::<usize>()
    }
}

/// Appends turns and their rows. There is one per shard; the owner of the data directory has it.
pub trait Journal: Send {
    /// Commits `group` in ONE transaction with one fsync, in order: all of it or nothing. The answer has one
    /// entry per write: the position of its turn, or `None` if it has none. Positions are gap-free and never
    /// used twice. When this returns `Ok`, the group survives a loss of power.
    ///
    /// # Errors
    /// A refusal ([`Error::culprit`] names the write) or trouble with the disk ([`Error::committed`] says
    /// what is on it). The journal stays usable: whatever it remembered is read again.
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Option<Position>>, Error>;
}
