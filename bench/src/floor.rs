//! The floor: a bare SQLite writer that does nothing but insert the same rows in groups of the same size, with the
//! pragmas and the table of the store.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rusqlite::Connection;
use skep_model::ids::Position;
use skep_store::{DataDir, JournalRow, Reader, SqliteReader};

/// Rows that are taken as a sample.
const SAMPLE: usize = 20_000;
/// The store's own, without what the hot path does not touch.
const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA journal_size_limit = 67108864;
    CREATE TABLE journal(
      id INTEGER PRIMARY KEY, execution INTEGER, seq INTEGER, at INTEGER, events TEXT, checksum INTEGER NOT NULL) STRICT;
    CREATE UNIQUE INDEX journal_execution ON journal(execution, seq);";
const INSERT: &str = "INSERT INTO journal(id, execution, seq, at, events, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// Rows of a store that the floor writes again.
pub struct Sample {
    rows: Vec<JournalRow>,
    executions: i64,
}

impl Sample {
    /// The first rows of the journal in `folder`.
    ///
    /// # Errors
    /// Trouble with the store, or it has none.
    pub fn of(folder: &Path) -> Result<Self> {
        let reader = SqliteReader::open(&DataDir::create(folder)?).context("reading a sample")?;
        let rows = reader.journal(Position(1), SAMPLE).context("reading a sample")?;
        let executions = rows.iter().map(|row| row.turn.execution.0).max().context("the store has no turns")?;
        Ok(Self { rows, executions })
    }

    /// Bytes of events of a row, on average.
    pub fn bytes_per_row(&self) -> f64 {
        self.rows.iter().map(|row| row.turn.events.len()).sum::<usize>() as f64 / self.rows.len() as f64
    }

    /// Rows a second that a bare writer commits in groups of `group` on average.
    ///
    /// # Errors
    /// Trouble with SQLite.
    pub fn rows_per_second(&self, folder: &Path, group: f64, time: Duration) -> Result<f64> {
        let mut writer = Bare::open(folder)?;
        let begun = Instant::now();
        let mut committed = 0.0;
        while begun.elapsed() < time {
            committed += group;
            // The fractions of a group add up to whole rows.
            let rows = committed.floor() as usize - writer.written;
            writer.commit(self, rows.max(1))?;
        }
        Ok(writer.written as f64 / begun.elapsed().as_secs_f64())
    }
}

/// A writer without an engine.
pub struct Bare {
    connection: Connection,
    written: usize,
}

impl Bare {
    /// A new file in `folder`.
    ///
    /// # Errors
    /// Trouble with SQLite.
    pub fn open(folder: &Path) -> Result<Self> {
        let connection = Connection::open(folder.join("floor.db")).context("opening the floor's file")?;
        connection.execute_batch(TABLES).context("setting up the floor's file")?;
        let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        if synchronous != 2 {
            bail!("the floor does not sync");
        }
        Ok(Self { connection, written: 0 })
    }

    /// Commits the next `count` rows of the sample.
    ///
    /// # Errors
    /// Trouble with SQLite.
    pub fn commit(&mut self, sample: &Sample, count: usize) -> Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut insert = self.connection.prepare_cached(INSERT)?;
        for _ in 0..count {
            let row = &sample.rows[self.written % sample.rows.len()];
            let execution = row.turn.execution.0 + (self.written / sample.rows.len()) as i64 * sample.executions;
            let turn = &row.turn;
            let id = self.written as i64 + 1;
            insert.execute((
                id,
                execution,
                turn.seq as i64,
                turn.at.0,
                turn.events.as_str(),
                id.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64),
            ))?;
            self.written += 1;
        }
        drop(insert);
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}
