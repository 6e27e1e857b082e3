//! Opening the file for reading, whatever state it and its medium are in.
//!
//! ```text
//! WAL index can be shared or made       -> Live       sees every commit, also of a running owner
//! it cannot, and the WAL is empty       -> Immutable  the file alone is the whole store
//! it cannot, and the WAL has commits    -> Copy       file and WAL are copied to a temporary folder
//! ```
//!
//! Nothing here writes into the data directory (SQLite itself may create the WAL's side files beside a store
//! whose owner is gone, where the folder lets it).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::TempDir;

use super::connection::{check_version, prepare};
use super::migrate::{MIGRATIONS, found, known};
use super::trouble::trouble;
use crate::error::{Committed, Error, Trouble};

/// How often a copy is tried while the store changes under it.
const COPY_ATTEMPTS_MAX: u32 = 3;

/// How a reader reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The store itself: every call sees the newest commits.
    Live,
    /// The store's file as it was at opening: it lies on a medium where nothing can be created.
    Immutable,
    /// A copy made at opening, for the same reason; the original has commits in its write-ahead log.
    Copy,
}

/// A connection that cannot write.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) access: Access,
    /// Removed when the reader is dropped.
    pub(super) copy: Option<TempDir>,
}

/// Opens `file` for reading and checks its schema.
pub(super) fn open_reader(file: &Path) -> Result<Opened, Error> {
    open_on(medium(file), file)
}

/// Whether files can be created beside the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    Writable,
    Still,
}

fn medium(file: &Path) -> Medium {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match rustix::fs::access(folder, rustix::fs::Access::WRITE_OK) {
        Ok(()) => Medium::Writable,
        Err(_) => Medium::Still,
    }
}

/// Where the medium is writable there may be an owner, so nothing but the store itself will do.
pub(super) fn open_on(medium: Medium, file: &Path) -> Result<Opened, Error> {
    check_version(rusqlite::version_number())?;
    if !file.is_file() {
        return Err(Error::NotFound { file: file.to_owned() });
    }
    let opened = match connect(file, "") {
        Ok(connection) => Opened { connection, access: Access::Live, copy: None },
        Err(error) if medium == Medium::Still && needs_side_files(&error) => open_still(file)?,
        Err(error) => return Err(failed(file)(error)),
    };
    check_schema(&opened.connection, file)?;
    Ok(opened)
}

/// Opens `file` in another file system of SQLite's for reading and checks its schema.
pub(super) fn open_reader_through(vfs: &str, file: &Path) -> Result<Opened, Error> {
    check_version(rusqlite::version_number())?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(file, flags, vfs).and_then(set_up_reader);
    let connection = connection.map_err(failed(file))?;
    check_schema(&connection, file)?;
    Ok(Opened { connection, access: Access::Live, copy: None })
}

fn failed(file: &Path) -> impl FnOnce(rusqlite::Error) -> Error {
    trouble("opening the store for reading", file, Committed::NotAWrite)
}

/// Connects and reads once, because SQLite touches the WAL only then.
fn connect(file: &Path, options: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    set_up_reader(Connection::open_with_flags(uri(file, options), flags)?)
}

fn set_up_reader(connection: Connection) -> rusqlite::Result<Connection> {
    prepare(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

fn needs_side_files(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => true,
        Some(_) | None => false,
    }
}

/// The file on a medium where the WAL's side files cannot be made.
fn open_still(file: &Path) -> Result<Opened, Error> {
    let has_commits = fs::metadata(side_file(file, "-wal")).is_ok_and(|wal| wal.is_file() && wal.len() > 0);
    if has_commits {
        return open_copy(file);
    }
    let connection = connect(file, "?immutable=1").map_err(failed(file))?;
    Ok(Opened { connection, access: Access::Immutable, copy: None })
}

fn open_copy(file: &Path) -> Result<Opened, Error> {
    let folder = copy(file).map_err(|cause| {
        let attempt = "copying the store for reading";
        let cause = Box::new(cause);
        Error::Io(Trouble { attempt, file: file.to_owned(), committed: Committed::NotAWrite, cause })
    })?;
    let connection = connect(&folder.path().join("skep.db"), "").map_err(failed(file))?;
    Ok(Opened { connection, access: Access::Copy, copy: Some(folder) })
}

/// File and WAL belong together only if neither changed while they were copied.
fn copy(file: &Path) -> io::Result<TempDir> {
    let wal = side_file(file, "-wal");
    for _ in 0..COPY_ATTEMPTS_MAX {
        let before = (stamp(file)?, stamp(&wal)?);
        let folder = tempfile::Builder::new().prefix("skep-read-").tempdir()?;
        let target = folder.path().join("skep.db");
        fs::copy(file, &target)?;
        fs::copy(&wal, side_file(&target, "-wal"))?;
        if before == (stamp(file)?, stamp(&wal)?) {
            return Ok(folder);
        }
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "an owner is writing to it and cannot be joined"))
}

fn stamp(path: &Path) -> io::Result<(u64, SystemTime)> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.len(), metadata.modified()?))
}

fn side_file(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

/// `file` as an SQLite URI: what has a meaning in URIs is escaped.
fn uri(file: &Path, options: &str) -> String {
    let mut uri = String::from("file:");
    // A path that begins with two slashes would name a host.
    if file.is_absolute() {
        uri.push_str("//");
    }
    for &byte in file.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str(options);
    uri
}

fn check_schema(connection: &Connection, file: &Path) -> Result<(), Error> {
    let (found, known) = (found(connection).map_err(failed(file))?, known(MIGRATIONS));
    let file = file.to_owned();
    if found == 0 {
        Err(Error::NotFound { file })
    } else if found > known {
        Err(Error::SchemaTooNew { file, found, known })
    } else if found < known {
        Err(Error::SchemaTooOld { file, found, known })
    } else {
        Ok(())
    }
}
