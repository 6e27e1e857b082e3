//! A damaged store, row by row into a new one.
//!
//! Every table of today's schema is filled with what the old file gives, around pages that cannot be read. What the
//! new file refuses (a row twice) is kept as JSON lines. The old file must have been copied before.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags, Row, params_from_iter};
use serde_json::json;

use super::connection::{open_writer, prepare};
use super::migrate::{MIGRATIONS, migrate};
use super::trouble::trouble;
use super::walk::walk;
use crate::data_dir::{self, DataDir, sync_folder};
use crate::error::{Committed, Error, Trouble};

/// What came over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Table, and how many of its rows.
    pub rows: Vec<(String, u64)>,
    /// Rows that the new store refused; they are in the file `rejected.jsonl` of the repair's folder.
    pub rejected: u64,
    /// What could not be read, in words.
    pub lost: Vec<String>,
}

/// Replaces the store of `directory` by a new one with all that can be read of it. `folder` takes what does not fit.
///
/// # Errors
/// The new store cannot be written; the old one is as it was then.
pub fn recover(directory: &DataDir, folder: &Path) -> Result<Recovered, Error> {
    let file = directory.database();
    let target = directory.root().join("skep.db.recovering");
    remove_store(&target)?;
    let mut new = open_writer(&target)?;
    migrate(&mut new, &target, MIGRATIONS)?;
    let failed = |attempt| trouble(attempt, &target, Committed::Nothing);
    let recovered = fill(&file, &new, folder).map_err(failed("recovering rows"))?;
    new.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").map_err(failed("finishing the new store"))?;
    drop(new);
    let io = |attempt, path: &Path| {
        let path = path.to_owned();
        move |cause: std::io::Error| {
            Error::Io(Trouble { attempt, file: path, committed: Committed::Nothing, cause: Box::new(cause) })
        }
    };
    File::open(&target).and_then(|file| file.sync_all()).map_err(io("syncing the new store", &target))?;
    // The old log belongs to the old file only.
    remove_sides(&file)?;
    fs::rename(&target, &file).map_err(io("putting the new store in its place", &file))?;
    remove_sides(&target)?;
    sync_folder(directory.root()).map_err(|error| io("syncing", directory.root())(std::io::Error::other(error)))?;
    Ok(recovered)
}

fn side(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

fn remove_sides(file: &Path) -> Result<(), Error> {
    ["-wal", "-shm", "-journal"].iter().try_for_each(|suffix| remove(&side(file, suffix)))
}

fn remove_store(file: &Path) -> Result<(), Error> {
    remove_sides(file)?;
    remove(file)
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            let (file, committed) = (path.to_owned(), Committed::Nothing);
            Err(Error::Io(Trouble { attempt: "removing", file, committed, cause: Box::new(cause) }))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn fill(old_file: &Path, new: &Connection, folder: &Path) -> rusqlite::Result<Recovered> {
    let mut recovered = Recovered::default();
    let old = match open_old(old_file) {
        Ok(old) => old,
        Err(error) => {
            recovered.lost.push(format!("everything: {error}"));
            return Ok(recovered);
        }
    };
    new.execute_batch("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")?;
    let mut rejected = Rejected { path: folder.join("rejected.jsonl"), file: None, rows: 0 };
    for table in tables(new)? {
        let columns = columns(new, &table)?;
        let rows = fill_table(&old, new, &table, &columns, &mut rejected, &mut recovered.lost)?;
        recovered.rows.push((table, rows));
    }
    new.execute_batch("COMMIT")?;
    rejected.finish();
    recovered.rejected = rejected.rows;
    Ok(recovered)
}

fn open_old(file: &Path) -> rusqlite::Result<Connection> {
    let old = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&old)?;
    old.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(old)
}

fn tables(new: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name != 'migration' AND name NOT LIKE 'sqlite%'";
    new.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn columns(new: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    new.prepare("SELECT name FROM pragma_table_info(?1)")?.query_map([table], |row| row.get(0))?.collect()
}

fn fill_table(
    old: &Connection,
    new: &Connection,
    table: &str,
    columns: &[String],
    rejected: &mut Rejected,
    lost: &mut Vec<String>,
) -> rusqlite::Result<u64> {
    let names = columns.join(", ");
    let places: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    // Counters have their first values already.
    let or = if table == "counter" { "REPLACE" } else { "IGNORE" };
    let sql = format!("INSERT OR {or} INTO {table}({names}) VALUES ({})", places.join(", "));
    let mut insert = new.prepare(&sql)?;
    let mut rows = 0;
    let mut put = |row: &Row<'_>, first: usize, quiet: bool| {
        let values: Vec<Value> =
            (first..first + columns.len()).map(|column| row.get::<_, Value>(column).unwrap_or(Value::Null)).collect();
        match insert.execute(params_from_iter(values)) {
            Ok(1) => rows += 1,
            Ok(_) | Err(_) if quiet => {}
            Ok(_) | Err(_) => rejected.keep(table, row),
        }
    };
    if old.prepare(&format!("SELECT rowid FROM {table}")).is_ok() {
        let holes = walk(old, table, "rowid", &names, &mut |row| put(row, 1, false));
        lost.extend(holes.into_iter().map(|(from, to)| format!("{table}, rows {from} to {to}")));
    } else {
        // Without row numbers: from both ends, up to what cannot be read.
        let forward = scan(old, &format!("SELECT {names} FROM {table}"), &mut |row| put(row, 0, false));
        if let Err(error) = forward {
            lost.push(format!("{table}: {error}"));
            let key = &columns[0];
            let backward = format!("SELECT {names} FROM {table} ORDER BY {key} DESC");
            // It ends at the same damage, and meets rows that are there already.
            let _ = scan(old, &backward, &mut |row| put(row, 0, true));
        }
    }
    Ok(rows)
}

fn scan(old: &Connection, sql: &str, each: &mut dyn FnMut(&Row<'_>)) -> rusqlite::Result<()> {
    let mut statement = old.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(row);
    }
    Ok(())
}

struct Rejected {
    path: PathBuf,
    file: Option<File>,
    rows: u64,
}

impl Rejected {
    fn keep(&mut self, table: &str, row: &Row<'_>) {
        self.rows += 1;
        let line = format!("{}\n", json!({ "table": table, "row": to_json(row) }));
        if self.file.is_none() {
            self.file = File::create(&self.path).ok();
        }
        // The old file is kept whole beside this one.
        let _ = self.file.as_mut().map(|file| file.write_all(line.as_bytes()));
    }

    fn finish(&self) {
        let _ = self.file.as_ref().map(File::sync_all);
    }
}

/// A row with the names of its columns; bytes in base64.
pub(super) fn to_json(row: &Row<'_>) -> serde_json::Value {
    let names = row.as_ref().column_names();
    let value = |index| match row.get_ref(index) {
        Ok(ValueRef::Integer(number)) => json!(number),
        Ok(ValueRef::Real(number)) => json!(number),
        Ok(ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => json!(text),
            Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
        },
        Ok(ValueRef::Blob(bytes)) => json!({ "base64": STANDARD.encode(bytes) }),
        Ok(ValueRef::Null) | Err(_) => serde_json::Value::Null,
    };
    names.enumerate().map(|(index, name)| (name.to_owned(), value(index))).collect()
}

/// Where a repair may write beside the store.
pub(super) fn create(path: &Path) -> Result<File, data_dir::Error> {
    File::create(path).map_err(data_dir::Error::file("creating", path))
}
