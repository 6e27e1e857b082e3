//! Looking through many turns for the few that matter, at the price of a look at each.
//!
//! Nothing is copied of a turn that is not wanted: no text, no id, no checksum. The statement is short, so that it never
//! keeps the write-ahead log from being reset for long.

use rusqlite::OptionalExtension;
use skep_model::ids::{ExecutionId, LocalId, Position};

use super::decode;
use super::reader::{SqliteReader, page_rows};
use crate::error::Error;
use crate::reader::{JournalRow, PAGE_BYTES_MAX};

const TURNS: &str = "SELECT id, execution, seq, at, events, checksum FROM journal WHERE id >= ?1 ORDER BY id LIMIT ?2";
const OF: &str = "SELECT id, workflow FROM execution WHERE local = ?1 UNION ALL \
    SELECT id, NULL FROM archived WHERE local = ?1 LIMIT 1";

/// A part of the journal, looked through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The last turn that was looked at; `None` if there was none.
    pub last: Option<Position>,
    /// How many were.
    pub seen: usize,
    /// Those that are wanted, in order, each with the id of its workflow where that is known.
    pub wanted: Vec<(JournalRow, Option<String>)>,
    /// Wanted ones that are not as they were written, with what is wrong with each.
    pub damaged: Vec<(Position, String)>,
}

impl SqliteReader {
    /// Looks at up to `limit` turns from position `from` on and gives those whose events `wants` admits.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn scan(&self, from: Position, limit: usize, wants: &dyn Fn(&[u8]) -> bool) -> Result<Scan, Error> {
        self.answer("looking through the journal", self.try_scan(from, limit, wants))
    }

    /// The highest number that an act ever got, 0 if there was none.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn last_act(&self) -> Result<i64, Error> {
        let sql = "SELECT max(coalesce((SELECT value FROM counter WHERE name = 'act'), 0), \
            coalesce((SELECT max(id) FROM audit_act), 0))";
        Ok(self.answer("reading the last act", self.one(sql, [], |row| row.get(0)))?.unwrap_or(0))
    }

    fn try_scan(&self, from: Position, limit: usize, wants: &dyn Fn(&[u8]) -> bool) -> rusqlite::Result<Scan> {
        let mut statement = self.connection.prepare_cached(TURNS)?;
        let mut rows = statement.query((from.0, page_rows(limit)))?;
        let (mut scan, mut bytes) = (Scan::default(), 0);
        while let Some(row) = rows.next()? {
            let position = Position(row.get(0)?);
            (scan.last, scan.seen) = (Some(position), scan.seen + 1);
            let events = row.get_ref(4)?;
            // What is no text is damaged, and shows itself when it is decoded.
            if !events.as_bytes().map_or(true, wants) {
                continue;
            }
            match decode::turn(row) {
                Ok(turn) => {
                    bytes += turn.events.len();
                    let (id, workflow) = self.of(turn.execution)?;
                    scan.wanted.push((JournalRow { id, turn }, workflow));
                }
                Err(error) => scan.damaged.push((position, error.to_string())),
            }
            if bytes > PAGE_BYTES_MAX {
                break;
            }
        }
        Ok(scan)
    }

    /// The public id, or a number where the list and the archive have none, and the workflow.
    fn of(&self, execution: LocalId) -> rusqlite::Result<(ExecutionId, Option<String>)> {
        let mut statement = self.connection.prepare_cached(OF)?;
        let found = statement.query_row([execution.0], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).optional()?;
        let (id, workflow) = found.unwrap_or_else(|| (format!("number-{}", execution.0), None));
        Ok((ExecutionId::new(id), workflow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{created, turn};
    use crate::data_dir::DataDir;
    use crate::journal::Journal;
    use crate::sqlite::SqliteJournal;

    #[test]
    fn only_what_is_wanted_is_given_and_everything_is_counted() {
        let place = tempfile::tempdir().unwrap();
        let directory = DataDir::create(place.path()).unwrap();
        let mut journal = SqliteJournal::open(&directory).unwrap();
        let turns = (1..=20).map(|seq| turn(1, seq));
        journal.commit(&std::iter::once(created(1)).chain(turns).collect::<Vec<_>>()).unwrap();
        let reader = SqliteReader::open(&directory).unwrap();
        let wants = |events: &[u8]| events.ends_with(b"7\"}]");
        let scan = reader.scan(Position(1), 100, &wants).unwrap();
        assert_eq!((scan.last, scan.seen), (Some(Position(20)), 20));
        let wanted: Vec<i64> = scan.wanted.iter().map(|(row, _)| row.turn.position.0).collect();
        assert_eq!(wanted, [7, 17]);
        assert_eq!((scan.wanted[0].0.id.as_str(), scan.wanted[0].1.as_deref()), ("id-1", Some("release")));
        let scan = reader.scan(Position(8), 5, &wants).unwrap();
        assert_eq!((scan.last, scan.seen, scan.wanted.len()), (Some(Position(12)), 5, 0));
        assert_eq!(reader.scan(Position(21), 5, &wants).unwrap(), Scan::default());
        journal.connection().execute("UPDATE journal SET at = at + 1 WHERE id = 7", []).unwrap();
        let scan = reader.scan(Position(1), 10, &wants).unwrap();
        assert_eq!((scan.damaged[0].0, scan.damaged.len(), scan.wanted.len()), (Position(7), 1, 0));
    }
}
