//! The writer's side: a group of writes becomes one transaction.
//!
//! ```text
//! commit(group): BEGIN IMMEDIATE -> each write: rows, then its turn -> COMMIT (one fsync)
//!        any error: ROLLBACK, forget what memory knew, read it again inside the next transaction
//! ```
//!
//! Per turn the hot path is one INSERT with a statement prepared once; the last sequence numbers of
//! executions are kept in memory, the position is counted in memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{CachedStatement, Connection, OptionalExtension};
use skep_model::ids::{LocalId, Position};

use super::connection::{open_writer, open_writer_through};
use super::decode::to_integer;
use super::migrate::{MIGRATIONS, migrate};
use super::rows::write_row;
use super::trouble::{after_commit, is_constraint, trouble};
use crate::checksum;
use crate::data_dir::DataDir;
use crate::error::{Committed, Error};
use crate::journal::{Journal, NewTurn, Row, Write};
use crate::retire::Retire;

/// Last sequence numbers kept in memory; beyond, all are forgotten and read again on demand. 100,000 take
/// about 3 MB, and more executions are rarely active at once.
const SEQUENCES_KEPT_MAX: usize = 100_000;

const INSERT_TURN: &str =
    "INSERT INTO journal(id, execution, seq, at, events, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const LAST_SEQ: &str = "SELECT max(seq) FROM journal WHERE execution = ?1";
const EXISTS: &str = "SELECT 1 FROM execution WHERE local = ?1";
/// The highest position ever given, see the table `counter`.
pub(super) const LAST_POSITION: &str =
    "SELECT max((SELECT value FROM counter WHERE name = 'position'), coalesce((SELECT max(id) FROM journal), 0))";

const COMMITTING: &str = "committing a group of turns";

/// The journal in `skep.db`. Exactly one process has one, protected by [`crate::lock::OwnerLock`].
pub struct SqliteJournal {
    connection: Connection,
    file: PathBuf,
    /// The last position given; `None` after an error: read it again.
    position: Option<i64>,
    /// The last sequence number of executions that were written lately.
    sequences: HashMap<LocalId, u64>,
}

impl SqliteJournal {
    /// Opens the store of `directory`, creating it or bringing its tables up to date.
    ///
    /// # Errors
    /// `SqliteTooOld`, `SchemaTooNew`, or trouble with the disk; nothing was changed then.
    pub fn open(directory: &DataDir) -> Result<Self, Error> {
        let file = directory.database();
        let connection = open_writer(&file)?;
        Self::on(connection, file)
    }

    /// The same on `file` in another file system of SQLite's (a registered VFS): a simulated disk.
    ///
    /// # Errors
    /// As [`SqliteJournal::open`].
    pub fn open_through(vfs: &str, file: &Path) -> Result<Self, Error> {
        let connection = open_writer_through(vfs, file)?;
        Self::on(connection, file.to_owned())
    }

    fn on(mut connection: Connection, file: PathBuf) -> Result<Self, Error> {
        migrate(&mut connection, &file, MIGRATIONS)?;
        Ok(Self { connection, file, position: None, sequences: HashMap::new() })
    }

    /// The file that it writes.
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn try_commit(&mut self, group: &[Write]) -> Result<Vec<Option<Position>>, Error> {
        let Self { connection, file, position, sequences } = self;
        let failed = || trouble(COMMITTING, file, Committed::Nothing);
        run(connection, "BEGIN IMMEDIATE").map_err(failed())?;
        let last = match *position {
            Some(last) => last,
            None => connection.query_row(LAST_POSITION, [], |row| row.get(0)).map_err(failed())?,
        };
        let insert = connection.prepare_cached(INSERT_TURN).map_err(failed())?;
        let mut transaction = Transaction { connection, file, insert, last, sequences };
        let mut positions = Vec::with_capacity(group.len());
        for (index, write) in group.iter().enumerate() {
            positions.push(transaction.write(index, write)?);
        }
        let last = transaction.last;
        drop(transaction);
        run(connection, "COMMIT").map_err(|error| trouble(COMMITTING, file, after_commit(&error))(error))?;
        *position = Some(last);
        Ok(positions)
    }

    /// After an error nothing in memory is trusted. Some errors have rolled back already; if the rollback
    /// fails too, the next BEGIN says so.
    fn forget(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        self.position = None;
        if !skep_model::mutant!("numbers-kept-after-failure") {
            self.sequences.clear();
        }
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Journal for SqliteJournal {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Option<Position>>, Error> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        if self.sequences.len() > SEQUENCES_KEPT_MAX {
            self.sequences.clear();
        }
        let outcome = self.try_commit(group);
        if outcome.is_err() {
            self.forget();
        }
        outcome
    }
}

/// An open transaction with what it changes in memory.
struct Transaction<'a> {
    connection: &'a Connection,
    file: &'a Path,
    insert: CachedStatement<'a>,
    last: i64,
    sequences: &'a mut HashMap<LocalId, u64>,
}

impl Transaction<'_> {
    fn write(&mut self, index: usize, write: &Write) -> Result<Option<Position>, Error> {
        for row in &write.rows {
            write_row(self.connection, self.file, index, row)?;
            if let Row::ExecutionCreated(row) = row {
                self.sequences.insert(row.local, 0);
            }
        }
        let position = match &write.turn {
            Some(turn) => Some(self.append(index, turn)?),
            None => None,
        };
        self.forget_ended(&write.rows);
        Ok(position)
    }

    fn append(&mut self, index: usize, turn: &NewTurn) -> Result<Position, Error> {
        let expected = self.last_seq(index, turn.execution)? + 1;
        if turn.seq != expected {
            let (execution, got) = (turn.execution, turn.seq);
            return Err(Error::SequenceConflict { write: index, execution, expected, got });
        }
        let position = self.last + 1;
        let checksum = checksum::of_turn(turn.execution, turn.seq, turn.at, turn.events.as_bytes());
        let values = (position, turn.execution.0, to_integer(turn.seq), turn.at.0, turn.events.as_str(), checksum);
        if skep_model::mutant!("row-twice") && turn.seq == 3 {
            let twice = NewTurn { seq: turn.seq + 1, ..turn.clone() };
            let checksum = checksum::of_turn(twice.execution, twice.seq, twice.at, twice.events.as_bytes());
            let at =
                (position + 1, twice.execution.0, to_integer(twice.seq), twice.at.0, twice.events.as_str(), checksum);
            let _ = self.insert.execute(at);
        }
        self.insert.execute(values).map_err(|error| {
            let foreign = is_constraint(&error);
            match (foreign, trouble(COMMITTING, self.file, Committed::Nothing)(error)) {
                (true, Error::Other(trouble)) => Error::ForeignWriter(trouble),
                (_, other) => other,
            }
        })?;
        self.last = position;
        self.sequences.insert(turn.execution, turn.seq);
        Ok(Position(position))
    }

    fn last_seq(&mut self, index: usize, execution: LocalId) -> Result<u64, Error> {
        if let Some(seq) = self.sequences.get(&execution) {
            return Ok(*seq);
        }
        let failed = || trouble("reading the last turn of an execution", self.file, Committed::Nothing);
        let mut statement = self.connection.prepare_cached(LAST_SEQ).map_err(failed())?;
        let last: Option<i64> = statement.query_row([execution.0], |row| row.get(0)).map_err(failed())?;
        if let Some(last) = last {
            return Ok(last.unsigned_abs());
        }
        let mut statement = self.connection.prepare_cached(EXISTS).map_err(failed())?;
        let exists: Option<i64> = statement.query_row([execution.0], |row| row.get(0)).optional().map_err(failed())?;
        exists.map(|_| 0).ok_or(Error::UnknownExecution { write: index, execution })
    }

    /// An execution that has ended is hardly written again; its number need not be kept.
    fn forget_ended(&mut self, rows: &[Row]) {
        for row in rows {
            if let Row::ExecutionChanged(change) = row
                && change.status.is_terminal()
            {
                self.sequences.remove(&change.local);
            }
            if let Row::Retire(Retire::Archived(row)) = row {
                self.sequences.remove(&row.local);
            }
        }
    }
}

/// Runs a statement without parameters that is used for every group.
fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}
