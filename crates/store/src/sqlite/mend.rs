//! Changing single rows of a store that was found damaged. Only for whoever holds the owner's lock, and after the
//! file was copied.

use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use serde_json::json;
use skep_model::ids::{ExecutionId, Hash, LocalId};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use super::connection::prepare;
use super::decode::{self, EXECUTION_COLUMNS, VERSION_COLUMNS, to_integer};
use super::recover::{create, to_json};
use super::rows::write_row;
use super::trouble::trouble;
use crate::checksum;
use crate::data_dir::{self, DataDir};
use crate::error::{Committed, Error, Trouble};
use crate::retire::AsideRow;
use crate::rows::{ExecutionRow, WorkflowVersion};

const PUT_VERSION: &str = "UPDATE workflow_version SET workflow = ?3, name = ?4, description = ?5, version = ?6, \
    checksum = ?7 WHERE path = ?1 AND number = ?2";
const PUT_WORKFLOW: &str = "INSERT OR REPLACE INTO workflow(path, newest, listed, checksum) VALUES (?1, ?2, ?3, ?4)";
const COUNT: &str = "INSERT OR REPLACE INTO counter(name, value) VALUES (?1, ?2)";

/// Mends rows.
pub struct Mender {
    connection: Connection,
    file: PathBuf,
}

type Answer<T> = Result<T, Error>;

impl Mender {
    /// Opens the store for mending, whatever is in it.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn open(directory: &DataDir) -> Answer<Self> {
        let file = directory.database();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&file, flags).and_then(|connection| {
            prepare(&connection)?;
            connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF")?;
            Ok(connection)
        });
        let connection = opened.map_err(trouble("opening the store for mending", &file, Committed::Nothing))?;
        Ok(Self { connection, file })
    }

    fn answer<T>(&self, attempt: &'static str, done: rusqlite::Result<T>) -> Answer<T> {
        done.map_err(trouble(attempt, &self.file, Committed::Nothing))
    }

    /// All of `change` or nothing.
    fn change<T>(&self, attempt: &'static str, change: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Answer<T> {
        let done = self.connection.unchecked_transaction().and_then(|transaction| {
            let value = change(&transaction)?;
            transaction.commit()?;
            Ok(value)
        });
        self.answer(attempt, done)
    }

    /// Builds all indexes anew.
    ///
    /// # Errors
    /// A row is there twice, trouble with the disk.
    pub fn reindex(&self) -> Answer<()> {
        self.answer("building the indexes anew", self.connection.execute_batch("REINDEX"))
    }

    /// Writes every row of an execution to a file, then takes its turns out of the journal (or leaves them, with
    /// `keeps_turns`) and holds it. `root` is the data directory, `folder` lies in it.
    ///
    /// # Errors
    /// Trouble with either file; then nothing changed.
    pub fn set_aside(&self, row: &AsideRow, keeps_turns: bool, root: &Path, folder: &Path) -> Answer<PathBuf> {
        let local = row.execution;
        let path = folder.join(format!("{}.jsonl", self.file_name(local)));
        self.export(local, &path)?;
        let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        let listed = self.readable(local)?;
        self.change("setting an execution aside", |connection| {
            if !keeps_turns {
                let removed = connection.execute("DELETE FROM journal NOT INDEXED WHERE execution = ?1", [local.0])?;
                let sql = "UPDATE counter SET value = value + ?1 WHERE name = 'removed'";
                connection.execute(sql, [to_integer(removed as u64)])?;
            }
            let sql = "INSERT OR REPLACE INTO aside(execution, reason, file, at) VALUES (?1, ?2, ?3, ?4)";
            let file = (!keeps_turns).then_some(relative);
            connection.execute(sql, params![local.0, row.reason, file, row.at.0]).map(drop)
        })?;
        if let Some(mut listed) = listed {
            listed.status = Status::Held;
            listed.ended_at = None;
            listed.waiting = Some(format!("held: {}", row.reason));
            listed.error = Some(row.reason.clone());
            self.put_execution(&listed)?;
        }
        Ok(path)
    }

    /// The id where it can name a file, else the number.
    fn file_name(&self, local: LocalId) -> String {
        let sql = "SELECT id FROM execution WHERE local = ?1";
        let id: Option<String> = self.connection.query_row(sql, [local.0], |row| row.get(0)).ok();
        let id = id.filter(|id| data_dir::folder_name(&ExecutionId::new(id.as_str())).is_ok());
        id.unwrap_or_else(|| format!("execution-{}", local.0))
    }

    fn export(&self, local: LocalId, path: &Path) -> Answer<()> {
        let io = |cause: std::io::Error| {
            let (file, committed) = (path.to_owned(), Committed::Nothing);
            Error::Io(Trouble { attempt: "writing the rows of an execution", file, committed, cause: Box::new(cause) })
        };
        let mut file = create(path).map_err(|error| io(std::io::Error::other(error)))?;
        for (table, key) in [("execution", "local"), ("journal", "execution")] {
            let mut lines = Vec::new();
            let order = if table == "journal" { "ORDER BY id" } else { "" };
            let sql = format!("SELECT * FROM {table} NOT INDEXED WHERE {key} = ?1 {order}");
            let read = self.connection.prepare(&sql).and_then(|mut statement| {
                let mut rows = statement.query([local.0])?;
                while let Some(row) = rows.next()? {
                    lines.extend_from_slice(format!("{}\n", json!({ "table": table, "row": to_json(row) })).as_bytes());
                }
                Ok(())
            });
            self.answer("reading the rows of an execution", read)?;
            file.write_all(&lines).map_err(io)?;
        }
        file.sync_all().map_err(io)
    }

    /// The list row, with stand-ins for what cannot be read. `None` if there is none.
    fn readable(&self, local: LocalId) -> Answer<Option<ExecutionRow>> {
        let sql = format!("SELECT {EXECUTION_COLUMNS} FROM execution WHERE local = ?1");
        let read =
            self.connection.query_row(&sql, [local.0], |row| Ok(decode::execution(row).unwrap_or_else(|_| guess(row))));
        self.answer("reading a list row", read.optional())
    }

    /// Replaces the list row of an execution.
    ///
    /// # Errors
    /// Its id belongs to another number, trouble with the disk.
    pub fn put_execution(&self, row: &ExecutionRow) -> Answer<()> {
        let created = crate::Row::ExecutionCreated(row.clone());
        let transaction = self.answer("replacing a list row", self.connection.unchecked_transaction())?;
        let deleted = transaction.execute("DELETE FROM execution WHERE local = ?1", [row.local.0]);
        self.answer("replacing a list row", deleted)?;
        write_row(&transaction, &self.file, 0, &created)?;
        self.answer("replacing a list row", transaction.commit())
    }

    /// Replaces the bytes of a plan.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn put_plan(&self, hash: Hash, format: u32, bytes: &[u8]) -> Answer<()> {
        self.change("replacing a plan", |connection| {
            let sql = "INSERT OR REPLACE INTO plan(hash, format, bytes) VALUES (?1, ?2, ?3)";
            connection.execute(sql, params![hash.to_string(), format, bytes]).map(drop)
        })
    }

    /// Moves a plan that cannot be mended into a file.
    ///
    /// # Errors
    /// Trouble with either file.
    pub fn drop_plan(&self, hash: Hash, folder: &Path) -> Answer<PathBuf> {
        let path = folder.join(format!("plan-{hash}.bin"));
        let sql = "SELECT CAST(bytes AS BLOB) FROM plan WHERE hash = ?1";
        let bytes: Option<Vec<u8>> = self.answer(
            "reading a plan",
            self.connection.query_row(sql, [hash.to_string()], |row| row.get(0)).optional(),
        )?;
        let written = create(&path).map_err(std::io::Error::other).and_then(|mut file| {
            file.write_all(&bytes.unwrap_or_default())?;
            file.sync_all()
        });
        written.map_err(|cause| {
            let (file, committed) = (path.clone(), Committed::Nothing);
            Error::Io(Trouble { attempt: "keeping a plan", file, committed, cause: Box::new(cause) })
        })?;
        self.change("dropping a plan", |connection| {
            connection.execute("DELETE FROM plan WHERE hash = ?1", [hash.to_string()]).map(drop)
        })?;
        Ok(path)
    }

    /// The executions that are pinned to a plan.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn executions_of(&self, plan: Hash) -> Answer<Vec<ExecutionRow>> {
        let sql = format!("SELECT {EXECUTION_COLUMNS} FROM execution WHERE plan_hash = ?1");
        let read = self.connection.prepare(&sql).and_then(|mut statement| {
            let rows = statement.query_map([plan.to_string()], decode::execution)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        self.answer("reading the executions of a plan", read)
    }

    /// Versions of a path that can be read.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn versions(&self, path: &str) -> Answer<Vec<WorkflowVersion>> {
        let sql = format!("SELECT {VERSION_COLUMNS} FROM workflow_version WHERE path = ?1 ORDER BY number");
        let read = self.connection.prepare(&sql).and_then(|mut statement| {
            let rows = statement.query_map([path], decode::version)?;
            Ok(rows.filter_map(Result::ok).collect())
        });
        self.answer("reading a workflow's versions", read)
    }

    /// Writes what follows from a version's definition, with a new checksum.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn put_version(&self, row: &WorkflowVersion) -> Answer<()> {
        self.change("mending a version", |connection| {
            let checksum = checksum::of_stored_version(row);
            let values = params![row.path, row.number, row.workflow, row.name, row.description, row.version, checksum];
            connection.execute(PUT_VERSION, values).map(drop)
        })
    }

    /// Makes the row of a path from its versions; a path without any is not listed.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn put_workflow(&self, path: &str) -> Answer<()> {
        self.change("mending a workflow", |connection| {
            let sql = "SELECT max(number) FROM workflow_version WHERE path = ?1";
            let newest: Option<u32> = connection.query_row(sql, [path], |row| row.get(0))?;
            let Some(newest) = newest else {
                return connection.execute("DELETE FROM workflow WHERE path = ?1", [path]).map(drop);
            };
            let sql = "SELECT listed FROM workflow WHERE path = ?1";
            let listed: Option<i64> = connection.query_row(sql, [path], |row| row.get(0)).optional()?;
            let listed = listed.is_none_or(|listed| listed != 0);
            let values = params![path, newest, listed, checksum::of_workflow(path, newest, listed)];
            connection.execute(PUT_WORKFLOW, values).map(drop)
        })
    }

    /// Counts anew: no number can be given twice afterwards, and what is missing now counts as removed.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn count(&self) -> Answer<()> {
        self.change("counting anew", |connection| {
            let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
            let counter = |name: &str| number(&format!("SELECT max(value) FROM counter WHERE name = '{name}'"));
            let last = number("SELECT max(id) FROM journal")?.unwrap_or(0);
            let turns = number("SELECT count(*) FROM journal")?.unwrap_or(0);
            let position = counter("position")?.unwrap_or(0).max(last);
            let sql = "SELECT max((SELECT coalesce(max(local), 0) FROM execution), \
                (SELECT coalesce(max(local), 0) FROM archived), (SELECT coalesce(max(execution), 0) FROM journal))";
            let local = counter("local")?.unwrap_or(0).max(number(sql)?.unwrap_or(0));
            connection.execute(COUNT, ("position", position))?;
            connection.execute(COUNT, ("local", local))?;
            connection.execute(COUNT, ("removed", position - turns)).map(drop)
        })
    }

    /// Drops rows of processes without an execution: what they name is stopped by its token, or gone.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn drop_lost_children(&self) -> Answer<()> {
        let sql = "DELETE FROM child WHERE execution NOT IN (SELECT local FROM execution)";
        self.change("dropping rows of processes", |connection| connection.execute(sql, []).map(drop))
    }

    /// Drops all snapshots, where the store has such a table; they are made anew.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn drop_snapshots(&self) -> Answer<()> {
        self.change("dropping snapshots", |connection| {
            let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'snapshot'";
            match connection.query_row(sql, [], |_| Ok(())).optional()? {
                Some(()) => connection.execute("DELETE FROM snapshot", []).map(drop),
                None => Ok(()),
            }
        })
    }

    /// Forgets which executions only wait: the next owner folds all of them and finds out anew.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn forget_idle(&self) -> Answer<()> {
        let sql = "UPDATE execution SET idle = 0, next_wake = NULL, for_people = 0";
        self.change("forgetting what waits", |connection| connection.execute(sql, []).map(drop))
    }
}

/// A list row from whatever can be read of it.
fn guess(row: &Row<'_>) -> ExecutionRow {
    let text = |column| row.get::<_, String>(column).ok();
    let hash = |column| text(column).and_then(|text| text.parse().ok()).unwrap_or_else(|| Hash::of(b"damaged"));
    let at = |column| Timestamp(row.get(column).unwrap_or(0));
    let local = row.get(0).unwrap_or(0);
    ExecutionRow {
        local: LocalId(local),
        id: ExecutionId::new(text(1).unwrap_or_else(|| format!("damaged-{local}"))),
        workflow: text(2).unwrap_or_else(|| "damaged".to_owned()),
        workflow_path: text(3),
        version: text(4).unwrap_or_default(),
        plan_hash: hash(5),
        definition_hash: hash(6),
        status: Status::Held,
        started_at: at(8),
        updated_at: at(9),
        ended_at: None,
        base_dir: text(11),
        waiting: None,
        error: None,
        actor: text(14).unwrap_or_default(),
        seq: decode::count(row, 15).unwrap_or(0),
    }
}
