//! Snapshots as rows.

use rusqlite::params;
use skep_model::ids::LocalId;

use super::decode::{count, to_integer};
use super::reader::SqliteReader;
use super::rows::Rows;
use super::trouble::{is_constraint, trouble};
use crate::error::{Committed, Error};
use crate::snapshot::StoredSnapshot;

/// A row of an execution that is not there breaks the reference to it; one that has ended has none.
const PUT: &str = "INSERT OR REPLACE INTO snapshot(execution, seq, format, bytes) SELECT ?1, ?2, ?3, ?4 \
    WHERE NOT EXISTS (SELECT 1 FROM execution WHERE local = ?1 AND ended_at IS NOT NULL)";
const GET: &str = "SELECT seq, format, bytes FROM snapshot WHERE execution = ?1";

impl Rows<'_> {
    pub(super) fn put_snapshot(&self, new: &StoredSnapshot) -> Result<(), Error> {
        let values = params![new.execution.0, to_integer(new.seq), new.format, new.bytes];
        self.execute(PUT, values).map(|_| ()).map_err(|error| {
            if is_constraint(&error) {
                self.unknown(new.execution)
            } else {
                trouble("storing a snapshot", self.file, Committed::Nothing)(error)
            }
        })
    }
}

impl SqliteReader {
    pub(super) fn snapshot_of(&self, execution: LocalId) -> Result<Option<StoredSnapshot>, Error> {
        let found = self.one(GET, [execution.0], |row| {
            Ok(StoredSnapshot { execution, seq: count(row, 0)?, format: row.get(1)?, bytes: row.get(2)? })
        });
        self.answer("reading a snapshot", found)
    }
}
