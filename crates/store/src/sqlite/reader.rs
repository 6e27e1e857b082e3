//! The reading port over SQLite.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use skep_model::ids::{ExecutionId, Hash, LocalId, Position};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use tempfile::TempDir;

use super::access::{Access, Opened, open_reader, open_reader_through};
use super::decode::{self, EXECUTION_COLUMNS, VERSION_COLUMNS};
use super::journal::LAST_POSITION;
use super::list;
use super::retire;
use super::trouble::trouble;
use crate::access::{KeyRow, UserRow};
use crate::data_dir::DataDir;
use crate::error::{Committed, Error};
use crate::idle::IdleRow;
use crate::reader::{
    Filter, Found, JournalRow, LIBRARY_ROWS_MAX, ListPage, PAGE_BYTES_MAX, PAGE_ROWS_MAX, PREFIX_CANDIDATES_MAX,
    Reader, StatusCount, StoredPlan, StoredTurn,
};
use crate::retire::{ArchivedRow, AsideRow};
use crate::rows::{ActRow, BreakerRow, ChildRow, ExecutionRow, PermitRow, StartKeyRow, ValidationRow, WorkflowVersion};
use crate::snapshot::StoredSnapshot;

const NEXT_LOCAL: &str =
    "SELECT 1 + max((SELECT value FROM counter WHERE name = 'local'), coalesce((SELECT max(local) FROM execution), 0))";
const TURNS: &str = "SELECT id, execution, seq, at, events, checksum FROM journal \
    WHERE execution = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";
const JOURNAL: &str = "SELECT journal.id, journal.execution, journal.seq, journal.at, journal.events, \
    journal.checksum, execution.id FROM journal CROSS JOIN execution ON execution.local = journal.execution \
    WHERE journal.id >= ?1 ORDER BY journal.id LIMIT ?2";
const CHILDREN: &str = "SELECT execution, path, token, pid, started_ticks, boot_id, cgroup FROM child ORDER BY token";
const PERMITS: &str = "SELECT resource, execution, path, state, priority, since FROM permit";
const PERMIT_ORDER: &str = "ORDER BY resource, state, priority DESC, since, execution, path";
const LISTED: &str = "workflow_version JOIN workflow ON workflow.path = workflow_version.path AND workflow.listed = 1";

/// A connection of its own that never writes. Works beside an owner in another process, without any owner,
/// and on read-only media; [`SqliteReader::access`] tells which.
pub struct SqliteReader {
    pub(super) connection: Connection,
    pub(super) file: PathBuf,
    access: Access,
    /// Dropped after the connection that reads it.
    _copy: Option<TempDir>,
}

type Answer<T> = Result<T, Error>;

impl SqliteReader {
    /// Opens the store of `directory`.
    ///
    /// # Errors
    /// `NotFound` if there is none, `SchemaTooNew`, `SchemaTooOld`, or trouble with the disk.
    pub fn open(directory: &DataDir) -> Result<Self, Error> {
        let file = directory.database();
        let opened = open_reader(&file)?;
        Ok(Self::on(opened, file))
    }

    /// The same on `file` in another file system of SQLite's (a registered VFS): a simulated disk.
    ///
    /// # Errors
    /// As [`SqliteReader::open`].
    pub fn open_through(vfs: &str, file: &Path) -> Result<Self, Error> {
        Ok(Self::on(open_reader_through(vfs, file)?, file.to_owned()))
    }

    pub(super) fn on(opened: Opened, file: PathBuf) -> Self {
        let Opened { connection, access, copy } = opened;
        Self { connection, file, access, _copy: copy }
    }

    /// Whether it sees new commits, and if not, why.
    pub fn access(&self) -> Access {
        self.access
    }

    pub(super) fn answer<T>(&self, attempt: &'static str, found: rusqlite::Result<T>) -> Answer<T> {
        found.map_err(trouble(attempt, &self.file, Committed::NotAWrite))
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        decode: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.connection.prepare_cached(sql)?.query_row(values, decode).optional()
    }

    pub(super) fn many<T>(
        &self,
        sql: &str,
        values: impl Params,
        decode: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.connection.prepare_cached(sql)?.query_map(values, decode)?.collect()
    }

    /// Like [`Self::many`], but ends after the row that takes the page over [`PAGE_BYTES_MAX`].
    fn page<T>(
        &self,
        sql: &str,
        values: impl Params,
        decode: impl Fn(&Row<'_>) -> rusqlite::Result<(usize, T)>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query(values)?;
        let (mut rows, mut size_bytes) = (Vec::new(), 0);
        while let Some(row) = found.next()? {
            let (row_bytes, row) = decode(row)?;
            rows.push(row);
            size_bytes += row_bytes;
            if size_bytes > PAGE_BYTES_MAX {
                break;
            }
        }
        Ok(rows)
    }

    fn execution_where(&self, condition: &str, values: impl Params) -> Answer<Option<ExecutionRow>> {
        let sql = format!("SELECT {EXECUTION_COLUMNS} FROM execution {condition}");
        self.answer("reading an execution", self.one(&sql, values, decode::execution))
    }

    fn versions_where(&self, condition: &str, values: impl Params) -> Answer<Vec<WorkflowVersion>> {
        let sql = format!("SELECT {VERSION_COLUMNS} FROM {LISTED} {condition} LIMIT {LIBRARY_ROWS_MAX}");
        self.answer("reading the library", self.many(&sql, values, decode::version))
    }

    fn archived_where(&self, condition: &str, value: rusqlite::types::Value, limit: usize) -> Answer<Vec<ArchivedRow>> {
        let sql = retire::archived_where(condition);
        self.answer("reading the archive's list", self.many(&sql, params![value, page_rows(limit)], retire::archived))
    }

    /// From here on every call sees the state of now, whatever is committed meanwhile.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn freeze(&self) -> Result<(), Error> {
        let begun = self.connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema");
        self.answer("reading one state of the store", begun)
    }

    /// Several statements that see one state of the store.
    pub(super) fn together<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        if !self.connection.is_autocommit() {
            return read(&self.connection);
        }
        let transaction = self.connection.unchecked_transaction()?;
        read(&transaction)
    }
}

pub(super) fn page_rows(limit: usize) -> i64 {
    i64::try_from(limit.min(PAGE_ROWS_MAX)).unwrap_or(i64::MAX)
}

impl Reader for SqliteReader {
    fn execution(&self, id: &ExecutionId) -> Answer<Option<ExecutionRow>> {
        self.execution_where("WHERE id = ?1", [id.as_str()])
    }

    fn execution_by_local(&self, local: LocalId) -> Answer<Option<ExecutionRow>> {
        self.execution_where("WHERE local = ?1", [local.0])
    }

    fn execution_by_prefix(&self, prefix: &str) -> Answer<Found> {
        let sql =
            format!("SELECT id FROM execution WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT {PREFIX_CANDIDATES_MAX}");
        // The last character that there is comes after every text that begins with the prefix.
        let end = format!("{prefix}{}", char::MAX);
        let ids: Vec<String> = self.answer("reading ids", self.many(&sql, [prefix, &end], |row| row.get(0)))?;
        match ids.as_slice() {
            [] => Ok(Found::None),
            [id] => {
                let row = self.execution(&ExecutionId::new(id.as_str()))?;
                Ok(row.map_or(Found::None, |row| Found::One(Box::new(row))))
            }
            several => Ok(Found::Several(several.iter().map(|id| ExecutionId::new(id.as_str())).collect())),
        }
    }

    fn newest_execution(&self) -> Answer<Option<ExecutionRow>> {
        self.execution_where("ORDER BY local DESC LIMIT 1", [])
    }

    fn open_executions(&self, after: Option<LocalId>, limit: usize) -> Answer<Vec<ExecutionRow>> {
        let limit = limit.min(PAGE_ROWS_MAX);
        let rows = self.together(|connection| list::open(connection, after, limit));
        self.answer("listing open executions", rows)
    }

    fn list(&self, filter: &Filter, before: Option<LocalId>, limit: usize) -> Answer<ListPage> {
        let limit = limit.min(PAGE_ROWS_MAX);
        // One more row tells whether the list goes on.
        let rows = self.together(|connection| list::newest(connection, filter, before, limit + 1));
        Ok(ListPage::cut(self.answer("listing executions", rows)?, limit))
    }

    fn turns(&self, execution: LocalId, from_seq: u64, limit: usize) -> Answer<Vec<StoredTurn>> {
        let values = (execution.0, decode::to_integer(from_seq), page_rows(limit));
        let rows = self.page(TURNS, values, |row| {
            let turn = decode::turn(row)?;
            Ok((turn.events.len(), turn))
        });
        self.answer("reading the turns of an execution", rows)
    }

    fn journal(&self, from: Position, limit: usize) -> Answer<Vec<JournalRow>> {
        let rows = self.page(JOURNAL, (from.0, page_rows(limit)), |row| {
            let turn = decode::turn(row)?;
            let id: String = row.get(6)?;
            Ok((turn.events.len(), JournalRow { id: ExecutionId::new(id), turn }))
        });
        self.answer("reading the journal", rows)
    }

    fn plan(&self, hash: Hash) -> Answer<Option<StoredPlan>> {
        let sql = "SELECT format, bytes FROM plan WHERE hash = ?1";
        let plan = self.one(sql, [hash.to_string()], |row| Ok(StoredPlan { format: row.get(0)?, bytes: row.get(1)? }));
        self.answer("reading a plan", plan)
    }

    fn definition(&self, hash: Hash) -> Answer<Option<Vec<u8>>> {
        let sql = "SELECT text FROM definition WHERE hash = ?1";
        self.answer("reading a definition", self.one(sql, [hash.to_string()], |row| row.get(0)))
    }

    fn workflows(&self) -> Answer<Vec<WorkflowVersion>> {
        self.versions_where("AND number = workflow.newest ORDER BY workflow_version.path", [])
    }

    fn workflow_versions(&self, path: &str) -> Answer<Vec<WorkflowVersion>> {
        self.versions_where("WHERE workflow_version.path = ?1 ORDER BY number DESC", [path])
    }

    fn workflow(&self, path: &str, number: Option<u32>) -> Answer<Option<WorkflowVersion>> {
        let condition = "WHERE workflow_version.path = ?1 AND number = coalesce(?2, workflow.newest)";
        Ok(self.versions_where(condition, params![path, number])?.pop())
    }

    fn children(&self) -> Answer<Vec<ChildRow>> {
        self.answer("reading local processes", self.many(CHILDREN, [], decode::child))
    }

    fn permits(&self) -> Answer<Vec<PermitRow>> {
        let sql = format!("{PERMITS} {PERMIT_ORDER}");
        self.answer("reading places in groups", self.many(&sql, [], decode::permit))
    }

    fn permits_of(&self, resource: &str) -> Answer<Vec<PermitRow>> {
        let sql = format!("{PERMITS} WHERE resource = ?1 {PERMIT_ORDER}");
        self.answer("reading the places of a group", self.many(&sql, [resource], decode::permit))
    }

    fn breakers(&self) -> Answer<Vec<BreakerRow>> {
        let sql = "SELECT name, state FROM breaker ORDER BY name";
        self.answer("reading breakers", self.many(sql, [], decode::breaker))
    }

    fn start_key(&self, workflow: &str, key: &str) -> Answer<Option<StartKeyRow>> {
        let sql = "SELECT workflow, key, execution, digest FROM start_key WHERE workflow = ?1 AND key = ?2";
        self.answer("reading the key of a start", self.one(sql, [workflow, key], decode::start_key))
    }

    fn validations(&self, definition: Hash) -> Answer<Vec<ValidationRow>> {
        let sql = "SELECT definition_hash, at, report FROM validation WHERE definition_hash = ?1 ORDER BY id DESC";
        self.answer("reading validations", self.many(sql, [definition.to_string()], decode::validation))
    }

    fn last_at(&self) -> Answer<Option<Timestamp>> {
        let sql = "SELECT at FROM journal ORDER BY id DESC LIMIT 1";
        self.answer("reading the newest turn", self.one(sql, [], |row| Ok(Timestamp(row.get(0)?))))
    }

    fn last_position(&self) -> Answer<Position> {
        let last = self.one(LAST_POSITION, [], |row| row.get(0));
        Ok(Position(self.answer("reading the last position", last)?.unwrap_or(0)))
    }

    fn next_local_id(&self) -> Answer<LocalId> {
        let next = self.one(NEXT_LOCAL, [], |row| row.get(0));
        Ok(LocalId(self.answer("reading the last local number", next)?.unwrap_or(1)))
    }

    fn counts(&self) -> Answer<Vec<StatusCount>> {
        let sql = "SELECT status, count(*) FROM execution GROUP BY status";
        let found = self.many(sql, [], |row| Ok((decode::status(row, 0)?, decode::count(row, 1)?)));
        let found = self.answer("counting executions", found)?;
        let executions = |status| found.iter().find(|(of, _)| *of == status).map_or(0, |(_, executions)| *executions);
        Ok(Status::ALL.into_iter().map(|status| StatusCount { status, executions: executions(status) }).collect())
    }

    fn snapshot(&self, execution: LocalId) -> Answer<Option<StoredSnapshot>> {
        self.snapshot_of(execution)
    }

    fn idle_executions(&self, after: Option<LocalId>, limit: usize) -> Answer<Vec<IdleRow>> {
        self.idle_after(after, limit.min(PAGE_ROWS_MAX))
    }

    fn busy_executions(&self, after: Option<LocalId>, limit: usize) -> Answer<Vec<LocalId>> {
        self.busy_after(after, limit.min(PAGE_ROWS_MAX))
    }

    fn finished_before(&self, before: Timestamp, limit: usize) -> Answer<Vec<ExecutionRow>> {
        let rows = self.together(|connection| list::finished(connection, before, limit.min(PAGE_ROWS_MAX)));
        self.answer("listing finished executions", rows)
    }

    fn archived(&self, prefix: &str) -> Answer<Vec<ArchivedRow>> {
        let condition = "id >= ?1 AND substr(id, 1, length(?1)) = ?1";
        self.archived_where(condition, rusqlite::types::Value::from(prefix.to_owned()), PREFIX_CANDIDATES_MAX)
    }

    fn archived_before(&self, before: Timestamp, limit: usize) -> Answer<Vec<ArchivedRow>> {
        self.archived_where("ended_at < ?1", rusqlite::types::Value::from(before.0), limit)
    }

    fn leaving(&self, limit: usize) -> Answer<Vec<ArchivedRow>> {
        self.archived_where(retire::LEAVING, rusqlite::types::Value::Null, limit)
    }

    fn acts(&self, after: i64, limit: usize) -> Answer<Vec<ActRow>> {
        let sql = "SELECT id, at, entry FROM audit_act WHERE id > ?1 ORDER BY id LIMIT ?2";
        let rows = self.many(sql, (after, page_rows(limit)), |row| {
            Ok(ActRow { id: row.get(0)?, at: Timestamp(row.get(1)?), entry: row.get(2)? })
        });
        self.answer("reading acts", rows)
    }

    fn keys(&self) -> Answer<Vec<KeyRow>> {
        self.all_keys()
    }

    fn key(&self, name: &str) -> Answer<Option<KeyRow>> {
        self.key_named(name)
    }

    fn key_by_hash(&self, hash: Hash) -> Answer<Option<KeyRow>> {
        self.key_with(hash)
    }

    fn users(&self) -> Answer<Vec<UserRow>> {
        self.all_users()
    }

    fn user(&self, name: &str) -> Answer<Option<UserRow>> {
        self.user_named(name)
    }

    fn aside(&self, execution: LocalId) -> Answer<Option<AsideRow>> {
        self.answer("reading what was set aside", self.one(retire::ASIDE, [execution.0], retire::aside))
    }
}
