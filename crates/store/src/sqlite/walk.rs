//! Reading every row of a table that can be read, around pages that cannot.
//!
//! A range of keys that fails is halved until the keys that cannot be read are known. The number of tries is
//! bounded: past it the rest of the range counts as lost.

use rusqlite::{Connection, Result, Row};

/// Reads after which a damaged range is not halved any more: some seconds.
const READS_MAX: u32 = 200_000;
/// How far above the last readable key is looked, where the highest key is not known.
const KEYS_ABOVE: i64 = 100_000;

/// Keys from the first to the last that cannot be read.
pub(super) type Hole = (i64, i64);

/// Calls `each` with every readable row. `columns` are selected from `table`, whose key is `key`, an integer.
pub(super) fn walk(
    connection: &Connection,
    table: &str,
    key: &str,
    columns: &str,
    each: &mut dyn FnMut(&Row<'_>),
) -> Vec<Hole> {
    let sql =
        format!("SELECT {key}, {columns} FROM {table} NOT INDEXED WHERE {key} > ?1 AND {key} <= ?2 ORDER BY {key}");
    let highest: Result<Option<i64>> =
        connection.query_row(&format!("SELECT max({key}) FROM {table} NOT INDEXED"), [], |row| row.get(0));
    let mut walk = Walk { connection, sql, each, holes: Vec::new(), reads: 0 };
    match highest {
        Ok(None) => {}
        Ok(Some(highest)) => walk.range(i64::MIN, highest),
        Err(_) => walk.open_end(),
    }
    walk.holes
}

struct Walk<'a> {
    connection: &'a Connection,
    sql: String,
    each: &'a mut dyn FnMut(&Row<'_>),
    holes: Vec<Hole>,
    reads: u32,
}

impl Walk<'_> {
    fn range(&mut self, after: i64, last: i64) {
        let mut ranges = vec![(after, last)];
        while let Some((after, last)) = ranges.pop() {
            let Err(reached) = self.read(after, last) else { continue };
            let left = i128::from(last) - i128::from(reached);
            if left <= 1 || self.reads > READS_MAX {
                self.hole(reached, last);
                continue;
            }
            let middle = i64::try_from(i128::from(reached) + left / 2).unwrap_or(last);
            ranges.push((middle, last));
            ranges.push((reached, middle));
        }
    }

    /// The highest key is unknown: what can be read from the beginning, then a bounded range above it.
    fn open_end(&mut self) {
        let reached = match self.read(i64::MIN, i64::MAX) {
            Ok(()) => return,
            Err(reached) => reached.max(0),
        };
        self.range(reached, reached.saturating_add(KEYS_ABOVE));
    }

    fn hole(&mut self, after: i64, last: i64) {
        match self.holes.last_mut() {
            Some(hole) if hole.1 == after => hole.1 = last,
            Some(_) | None => self.holes.push((after.saturating_add(1), last)),
        }
    }

    /// Reads on; an error gives the last key that was read.
    fn read(&mut self, after: i64, last: i64) -> std::result::Result<(), i64> {
        self.reads += 1;
        let mut reached = after;
        let Self { connection, sql, each, .. } = self;
        let mut step = || -> Result<()> {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query((after, last))?;
            while let Some(row) = rows.next()? {
                let key = row.get(0)?;
                each(row);
                reached = key;
            }
            Ok(())
        };
        step().map_err(|_| reached)
    }
}
