//! Opening the file for its one writer, with the settings that durability rests on.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::trouble::trouble;
use crate::error::{Committed, Error, Trouble};

/// SQLite 3.7.0 to 3.51.2 can lose commits when the WAL is reset.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How long a lock of another process is waited for, in milliseconds: a checkpoint or a backup takes less,
/// and a person still waits for the answer.
pub(super) const BUSY_TIMEOUT_MS: u64 = 5_000;
/// Statements kept prepared; all of ours fit.
const STATEMENTS_CACHED: usize = 64;
/// After a burst the WAL file is cut back to this many bytes.
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// Opens or creates `file` for writing.
pub(super) fn open_writer(file: &Path) -> Result<Connection, Error> {
    check_version(rusqlite::version_number())?;
    create_private(file);
    make_durable(file)?;
    let connection = Connection::open_with_flags(file, writer_flags());
    set_up_writer(connection.map_err(trouble("opening the store", file, Committed::Nothing))?, file)
}

/// The same through another file system of SQLite's, in which `file` lies.
pub(super) fn open_writer_through(vfs: &str, file: &Path) -> Result<Connection, Error> {
    check_version(rusqlite::version_number())?;
    let connection = Connection::open_with_flags_and_vfs(file, writer_flags(), vfs);
    set_up_writer(connection.map_err(trouble("opening the store", file, Committed::Nothing))?, file)
}

fn writer_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn set_up_writer(connection: Connection, file: &Path) -> Result<Connection, Error> {
    let failed = || trouble("opening the store", file, Committed::Nothing);
    prepare(&connection).map_err(failed())?;
    if connection.is_readonly("main").map_err(failed())? {
        // SQLite opens such a file all the same, and would refuse only the first commit.
        let cause = "it can be read but not written".into();
        let attempt = "opening the store for writing";
        return Err(Error::ReadOnly(Trouble { attempt, file: file.to_owned(), committed: Committed::Nothing, cause }));
    }
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed())?;
    if mode != "wal" {
        let cause = format!("this file system cannot carry a write-ahead log (journal mode stays {mode:?})").into();
        let attempt = "opening the store";
        return Err(Error::Other(Trouble { attempt, file: file.to_owned(), committed: Committed::Nothing, cause }));
    }
    // Every commit is on the disk before it is acknowledged.
    let synchronous = if skep_model::mutant!("commit-not-synced") { "OFF" } else { "FULL" };
    connection.pragma_update(None, "synchronous", synchronous).map_err(failed())?;
    connection.pragma_update(None, "foreign_keys", true).map_err(failed())?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT).map_err(failed())?;
    Ok(connection)
}

/// What a dead owner left in the write-ahead log may be in the system's memory only: where a sync has failed, the
/// system counts the pages as clean, and no later sync writes them. A loss of power would then cut off everything that
/// is appended after them. So the log is written once more as it is, and synced, before anything reads it. The
/// simulated disk does the same when a process begins (`sim/src/disk`).
fn make_durable(file: &Path) -> Result<(), Error> {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    let log = Path::new(&name);
    let rewrite = || {
        let bytes = match std::fs::read(log) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            read => read?,
        };
        let target = OpenOptions::new().write(true).open(log)?;
        std::os::unix::fs::FileExt::write_all_at(&target, &bytes, 0)?;
        target.sync_all()
    };
    rewrite().map_err(|cause: std::io::Error| {
        let attempt = "making durable what the last owner left";
        let (file, committed, cause) = (log.to_owned(), Committed::Nothing, Box::new(cause));
        Error::Io(Trouble { attempt, file, committed, cause })
    })
}

/// A new store is for its owner's eyes only; SQLite gives its side files the same mode. An existing file is not
/// touched: closing it here would drop the locks of this process's other connections. If it cannot be created,
/// SQLite says why.
fn create_private(file: &Path) {
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
}

/// What every connection gets.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))
}

/// Refuses a library that can lose commits.
pub(super) fn check_version(found: i32) -> Result<(), Error> {
    if found < SQLITE_VERSION_MIN {
        return Err(Error::SqliteTooOld { found, least: SQLITE_VERSION_MIN });
    }
    Ok(())
}
