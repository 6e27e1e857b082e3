//! The reading port. Readers never write and never wait for the writer.
//!
//! Every list is bounded by rows and by bytes; where a list can go on, an empty page is its end.

use skep_model::ids::{ExecutionId, Hash, LocalId, Position};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::access::{KeyRow, UserRow};
use crate::error::Error;
use crate::idle::IdleRow;
use crate::retire::{ArchivedRow, AsideRow};
use crate::rows::{ActRow, BreakerRow, ChildRow, ExecutionRow, PermitRow, StartKeyRow, ValidationRow, WorkflowVersion};
use crate::snapshot::StoredSnapshot;

/// Rows of one page, whatever limit was asked for: recovery wants large pages, and 10,000 turns of the
/// usual 200 bytes are 2 MB.
pub const PAGE_ROWS_MAX: usize = 10_000;
/// A page of turns ends after the row that takes it over this many bytes of events: turns may be large.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Workflows, or versions of one, listed at once. A library is written by people.
pub const LIBRARY_ROWS_MAX: usize = 10_000;
/// Keys, or users, that one call gives.
pub const ACCESS_ROWS_MAX: usize = 10_000;
/// Executions named when an id prefix fits several: enough to choose from, few enough to read.
pub const PREFIX_CANDIDATES_MAX: usize = 10;

/// Which executions to list. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these; empty: any.
    pub statuses: Vec<Status>,
    /// Only of this workflow, by its id or its library path.
    pub workflow: Option<String>,
    /// Only those accepted at or after this instant.
    pub started_since: Option<Timestamp>,
    /// Only those that somebody else than this actor (its label) started.
    pub not_by: Option<String>,
}

impl Filter {
    /// True if `row` is asked for.
    pub fn admits(&self, row: &ExecutionRow) -> bool {
        let status = self.statuses.is_empty() || self.statuses.contains(&row.status);
        let workflow = self.workflow.as_deref();
        let named = workflow.is_none_or(|name| row.workflow == name || row.workflow_path.as_deref() == Some(name));
        let by_others = self.not_by.as_ref().is_none_or(|actor| row.actor != *actor);
        by_others && status && named && self.started_since.is_none_or(|since| row.started_at >= since)
    }
}

/// A part of the list of executions, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    /// At most as many as asked for.
    pub rows: Vec<ExecutionRow>,
    /// Pass it as `before` to go on; `None` at the end.
    pub next: Option<LocalId>,
}

impl ListPage {
    /// A page of `limit` rows from up to one more.
    pub(crate) fn cut(mut rows: Vec<ExecutionRow>, limit: usize) -> Self {
        let goes_on = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| goes_on).map(|row| row.local);
        Self { rows, next }
    }
}

/// What an id prefix names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No execution.
    None,
    /// Exactly one.
    One(Box<ExecutionRow>),
    /// Several: the first [`PREFIX_CANDIDATES_MAX`] in the order of their ids.
    Several(Vec<ExecutionId>),
}

/// A turn as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTurn {
    /// Its place in the whole journal.
    pub position: Position,
    /// Whose.
    pub execution: LocalId,
    /// Its number within the execution, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// A JSON array of events.
    pub events: String,
}

/// A turn with the public id of its execution, for followers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// The public id.
    pub id: ExecutionId,
    /// The turn.
    pub turn: StoredTurn,
}

/// A plan's bytes with their format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPlan {
    /// Which format the bytes have.
    pub format: u32,
    /// Opaque here.
    pub bytes: Vec<u8>,
}

/// How many executions are in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCount {
    /// The state.
    pub status: Status,
    /// How many.
    pub executions: u64,
}

/// Reads what was committed. Each call sees one consistent state, the newest at the time of the call.
///
/// Every call fails with the [`Error`] variants of the disk (`Locked`, `Corrupt`, `Io` ..), no other.
#[allow(clippy::missing_errors_doc, reason = "the trait's own text says it once for all of them")]
pub trait Reader: Send {
    /// The execution with this id.
    fn execution(&self, id: &ExecutionId) -> Result<Option<ExecutionRow>, Error>;
    /// The execution with this local number.
    fn execution_by_local(&self, local: LocalId) -> Result<Option<ExecutionRow>, Error>;
    /// The execution whose id begins with `prefix`, if it is the only one.
    fn execution_by_prefix(&self, prefix: &str) -> Result<Found, Error>;
    /// The execution that was created last.
    fn newest_execution(&self) -> Result<Option<ExecutionRow>, Error>;
    /// Executions that are not terminal, oldest first, after the local number `after`: for recovery.
    fn open_executions(&self, after: Option<LocalId>, limit: usize) -> Result<Vec<ExecutionRow>, Error>;
    /// Executions that `filter` admits, newest first, older than `before`. A filter by status or workflow
    /// costs what it returns; one by time alone looks at every execution until the page is full.
    fn list(&self, filter: &Filter, before: Option<LocalId>, limit: usize) -> Result<ListPage, Error>;
    /// Turns of one execution in order, from sequence number `from_seq`.
    fn turns(&self, execution: LocalId, from_seq: u64, limit: usize) -> Result<Vec<StoredTurn>, Error>;
    /// Turns of all executions in the order of the journal, from position `from`.
    fn journal(&self, from: Position, limit: usize) -> Result<Vec<JournalRow>, Error>;
    /// A plan.
    fn plan(&self, hash: Hash) -> Result<Option<StoredPlan>, Error>;
    /// A definition's source text.
    fn definition(&self, hash: Hash) -> Result<Option<Vec<u8>>, Error>;
    /// The newest version of each listed workflow, by path; at most [`LIBRARY_ROWS_MAX`].
    fn workflows(&self) -> Result<Vec<WorkflowVersion>, Error>;
    /// All versions at a listed path, newest first; at most [`LIBRARY_ROWS_MAX`].
    fn workflow_versions(&self, path: &str) -> Result<Vec<WorkflowVersion>, Error>;
    /// One version at a listed path, the newest if none is named.
    fn workflow(&self, path: &str, number: Option<u32>) -> Result<Option<WorkflowVersion>, Error>;
    /// Local processes on record, by token; as many as the node had slots.
    fn children(&self) -> Result<Vec<ChildRow>, Error>;
    /// Places in groups: by group, first those that are taken, then those in line in the order in which they are
    /// served.
    fn permits(&self) -> Result<Vec<PermitRow>, Error>;
    /// The places of one group in the same order.
    fn permits_of(&self, resource: &str) -> Result<Vec<PermitRow>, Error>;
    /// Circuit breakers, by name.
    fn breakers(&self) -> Result<Vec<BreakerRow>, Error>;
    /// The execution that a key of a start stands for.
    fn start_key(&self, workflow: &str, key: &str) -> Result<Option<StartKeyRow>, Error>;
    /// What was found when a definition was checked, newest first; a bounded number is kept.
    fn validations(&self, definition: Hash) -> Result<Vec<ValidationRow>, Error>;
    /// When the newest turn of the journal was decided.
    fn last_at(&self) -> Result<Option<Timestamp>, Error>;
    /// The position of the newest turn ever committed, 0 if there was none.
    fn last_position(&self) -> Result<Position, Error>;
    /// A local number that no execution has or had. The owner counts on from it by itself.
    fn next_local_id(&self) -> Result<LocalId, Error>;
    /// How many executions are in each state, in the order of [`Status::ALL`], zeros included.
    fn counts(&self) -> Result<Vec<StatusCount>, Error>;
    /// The newest snapshot of an execution that has not ended, if it has one.
    fn snapshot(&self, execution: LocalId) -> Result<Option<StoredSnapshot>, Error>;
    /// Executions that wait, oldest first, after the local number `after`. Reads one index and nothing else.
    fn idle_executions(&self, after: Option<LocalId>, limit: usize) -> Result<Vec<IdleRow>, Error>;
    /// Executions that are neither terminal nor idle, oldest first, after the local number `after`.
    fn busy_executions(&self, after: Option<LocalId>, limit: usize) -> Result<Vec<LocalId>, Error>;
    /// Executions that ended before `before`, oldest first, at most `limit`.
    fn finished_before(&self, before: Timestamp, limit: usize) -> Result<Vec<ExecutionRow>, Error>;
    /// Archived executions whose id begins with `prefix`, at most [`PREFIX_CANDIDATES_MAX`].
    fn archived(&self, prefix: &str) -> Result<Vec<ArchivedRow>, Error>;
    /// Archived executions that ended before `before`, at most `limit`.
    fn archived_before(&self, before: Timestamp, limit: usize) -> Result<Vec<ArchivedRow>, Error>;
    /// Archived executions that still have turns in the journal, at most `limit`.
    fn leaving(&self, limit: usize) -> Result<Vec<ArchivedRow>, Error>;
    /// Acts after number `after`, oldest first, at most `limit`.
    fn acts(&self, after: i64, limit: usize) -> Result<Vec<ActRow>, Error>;
    /// Keys, revoked ones included, by name; at most [`ACCESS_ROWS_MAX`].
    fn keys(&self) -> Result<Vec<KeyRow>, Error>;
    /// The key of this name.
    fn key(&self, name: &str) -> Result<Option<KeyRow>, Error>;
    /// The key whose secret has this hash. Reads one index and one row.
    fn key_by_hash(&self, hash: Hash) -> Result<Option<KeyRow>, Error>;
    /// Users, disabled ones included, by name; at most [`ACCESS_ROWS_MAX`].
    fn users(&self) -> Result<Vec<UserRow>, Error>;
    /// The user of this name.
    fn user(&self, name: &str) -> Result<Option<UserRow>, Error>;
    /// Why an execution was set aside by a repair, if it was.
    fn aside(&self, execution: LocalId) -> Result<Option<AsideRow>, Error>;
}
