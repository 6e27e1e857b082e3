//! Executions that wait, and those that do not.

use rusqlite::{Connection, params};
use skep_model::ids::LocalId;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use super::decode;
use super::reader::SqliteReader;
use super::rows::Rows;
use super::trouble::trouble;
use crate::error::{Committed, Error};
use crate::idle::{IdleChange, IdleRow};

const CHANGE: &str = "UPDATE execution SET idle = ?2, next_wake = ?3, for_people = ?4 WHERE local = ?1";
/// The index has all of these columns, in this order of rows.
pub(super) const IDLE: &str = "SELECT local, status, next_wake, for_people FROM execution WHERE idle = 1 AND local > ?1 \
    ORDER BY local LIMIT ?2";
const BUSY: &str = "SELECT local FROM execution WHERE status = ?1 AND +idle = 0 AND local > ?2 ORDER BY local LIMIT ?3";

impl Rows<'_> {
    pub(super) fn change_idle(&self, change: &IdleChange) -> Result<(), Error> {
        let values = params![change.local.0, change.idle, change.next_wake.map(|at| at.0), change.for_people];
        let failed = trouble("changing an execution's row", self.file, Committed::Nothing);
        match self.execute(CHANGE, values).map_err(failed)? {
            0 => Err(self.unknown(change.local)),
            _ => Ok(()),
        }
    }
}

impl SqliteReader {
    pub(super) fn idle_after(&self, after: Option<LocalId>, limit: usize) -> Result<Vec<IdleRow>, Error> {
        let rows = self.many(IDLE, (first(after), size(limit)), |row| {
            Ok(IdleRow {
                local: LocalId(row.get(0)?),
                status: decode::status(row, 1)?,
                next_wake: row.get::<_, Option<i64>>(2)?.map(Timestamp),
                for_people: row.get(3)?,
            })
        });
        self.answer("listing executions that wait", rows)
    }

    pub(super) fn busy_after(&self, after: Option<LocalId>, limit: usize) -> Result<Vec<LocalId>, Error> {
        let rows = self.together(|connection| busy(connection, after, limit));
        self.answer("listing executions that do not wait", rows)
    }
}

/// Merged from one stream per status: see [`super::list`].
fn busy(connection: &Connection, after: Option<LocalId>, limit: usize) -> rusqlite::Result<Vec<LocalId>> {
    let mut found = Vec::new();
    for status in Status::ALL.into_iter().filter(|status| !status.is_terminal()) {
        let mut statement = connection.prepare_cached(BUSY)?;
        let values = (status.as_str(), first(after), size(limit));
        for local in statement.query_map(values, |row| row.get(0).map(LocalId))? {
            found.push(local?);
        }
    }
    found.sort();
    found.truncate(limit);
    Ok(found)
}

fn first(after: Option<LocalId>) -> i64 {
    after.map_or(i64::MIN, |local| local.0)
}

fn size(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
