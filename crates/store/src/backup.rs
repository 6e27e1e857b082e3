//! A copy of a data directory that is a data directory itself, made while its owner runs.
//!
//! ```text
//! DEST.partial-PID/  audit -> skep.db (one state, by VACUUM INTO) -> blobs -> logs -> archive -> fsync --rename--> DEST
//! ```
//! The database comes before what its journal names: that was on the disk before, and [`Keep`] lets nobody remove it
//! until it is copied. The audit comes before the database: behind its journal it catches up, ahead of it it would leave
//! out turns. Must not change the source.

use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use skep_model::code::Code;
use skep_model::ids::Hash;

use crate::audit;
use crate::blobs::{Blobs, FolderBlobs, references};
use crate::codes;
use crate::data_dir::{self, DataDir, create_folder, sync_folder};
use crate::keep::Keep;
use crate::reader::Reader;
use crate::sqlite::SqliteReader;

/// The copy could not be made; nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is something of this name.
    #[error("{} exists: a backup is a new folder", path.display())]
    Exists {
        /// The destination.
        path: PathBuf,
    },
    /// The system refused.
    #[error(transparent)]
    File(#[from] data_dir::Error),
    /// The store could not be copied.
    #[error(transparent)]
    Store(#[from] crate::Error),
    /// The audit could not be copied.
    #[error(transparent)]
    Audit(#[from] audit::Error),
}

impl Error {
    /// The stable code, with its page.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::Exists { .. } => &codes::BACKUP,
            Self::File(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Audit(error) => error.code(),
        }
    }

    /// What to do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "name a folder that does not exist yet",
            Self::File(_) => "name a folder on a disk with room, in one that this user may write to",
            Self::Store(crate::Error::Corrupt(_)) => "`skep verify` names the damage, `skep repair` mends what it can",
            Self::Store(error) => error.hint(),
            Self::Audit(error) => error.hint(),
        }
    }
}

/// What is being copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The journal and its rows.
    Database,
    /// Large values.
    Blobs,
    /// What steps printed.
    Logs,
    /// Old executions.
    Archive,
    /// Who did what.
    Audit,
}

/// Files with their length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub files: u64,
    /// All together.
    pub bytes: u64,
}

impl Amount {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// What the copy has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Executions in the list.
    pub executions: u64,
    /// The newest position.
    pub position: i64,
    /// `skep.db`.
    pub database: Amount,
    /// Large values.
    pub blobs: Amount,
    /// Log segments.
    pub logs: Amount,
    /// Archive files.
    pub archive: Amount,
    /// The audit, with its key if that lies in the data directory.
    pub audit: Amount,
    /// Values that the journal names and that the source does not have either.
    pub missing: Vec<Hash>,
}

/// Copies `directory` to `destination`, with its audit and the files of its root that `extra` names. `progress` hears
/// how much of a part is copied.
///
/// # Errors
/// [`Error`].
pub fn backup(
    directory: &DataDir,
    destination: &Path,
    audit: &audit::Place,
    extra: &[&str],
    progress: &mut dyn FnMut(Part, Amount),
) -> Result<Summary, Error> {
    let refuse = || Error::Exists { path: destination.to_owned() };
    if destination.symlink_metadata().is_ok() {
        return Err(refuse());
    }
    let partial = partial_of(destination);
    let _keep = Keep::shared(directory);
    let copied = copy_all(directory, &partial, audit, extra, progress).and_then(|summary| {
        let renamed = renameat_with(CWD, &partial, CWD, destination, RenameFlags::NOREPLACE);
        match renamed {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => return Err(refuse()),
            Err(errno) => return Err(data_dir::Error::file("renaming to", destination)(errno.into()).into()),
        }
        sync_folder(parent_of(destination))?;
        Ok(summary)
    });
    if copied.is_err() {
        // The name is ours and new, so nothing else can be lost.
        let _ = fs::remove_dir_all(&partial);
    }
    copied
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn partial_of(destination: &Path) -> PathBuf {
    let mut name = destination.file_name().unwrap_or_default().to_owned();
    name.push(format!(".partial-{}", std::process::id()));
    parent_of(destination).join(name)
}

fn copy_all(
    directory: &DataDir,
    partial: &Path,
    audit: &audit::Place,
    extra: &[&str],
    progress: &mut dyn FnMut(Part, Amount),
) -> Result<Summary, Error> {
    let copy = DataDir::create(partial)?;
    let mut summary = Summary { audit: copy_audit(directory, &copy, audit)?, ..Summary::default() };
    progress(Part::Audit, summary.audit);
    summary.database = copy_database(directory, &copy)?;
    progress(Part::Database, summary.database);
    summary.blobs = copy_tree(&directory.blobs(), &copy.blobs(), &mut |amount| progress(Part::Blobs, amount))?;
    summary.logs = copy_tree(&directory.logs(), &copy.logs(), &mut |amount| progress(Part::Logs, amount))?;
    summary.archive = copy_tree(&directory.archive(), &copy.archive(), &mut |amount| progress(Part::Archive, amount))?;
    for name in extra {
        let source = directory.root().join(name);
        if source.is_file() {
            copy_file(&source, &copy.root().join(name))?;
        }
    }
    sync_folder(copy.root())?;
    let reader = SqliteReader::open(&copy)?;
    summary.executions = reader.counts()?.iter().map(|count| count.executions).sum();
    summary.position = reader.last_position()?.0;
    summary.missing = missing(&reader, &FolderBlobs::new(&copy))?;
    drop(reader);
    // Reading may have made side files; what they would say is in the file.
    for side in ["skep.db-wal", "skep.db-shm"] {
        let _ = fs::remove_file(copy.root().join(side));
    }
    Ok(summary)
}

/// A key outside of the data directory stays where it is: the copy's configuration names it, too.
fn copy_audit(directory: &DataDir, copy: &DataDir, audit: &audit::Place) -> Result<Amount, Error> {
    let inside = audit.key().strip_prefix(directory.root()).ok();
    let target = audit::Place::of(copy, Some(inside.unwrap_or(audit.key())));
    Ok(audit::copy(audit, &target, inside.is_some())?)
}

fn copy_database(directory: &DataDir, copy: &DataDir) -> Result<Amount, Error> {
    let target = copy.database();
    SqliteReader::open(directory)?.copy_to(&target)?;
    let failed = |attempt| data_dir::Error::file(attempt, &target);
    fs::set_permissions(&target, Permissions::from_mode(0o600)).map_err(failed("setting the mode of"))?;
    File::open(&target).and_then(|file| file.sync_all()).map_err(failed("syncing"))?;
    let metadata = fs::metadata(&target).map_err(failed("looking at"))?;
    Ok(Amount { files: 1, bytes: metadata.len() })
}

/// Copies files and folders, each synced; a folder that does not exist is empty. What is unfinished stays behind.
fn copy_tree(source: &Path, target: &Path, progress: &mut dyn FnMut(Amount)) -> Result<Amount, data_dir::Error> {
    let (mut amount, mut folders) = (Amount::default(), vec![(source.to_owned(), target.to_owned())]);
    while let Some((from, to)) = folders.pop() {
        let listing = match fs::read_dir(&from) {
            Ok(listing) => listing,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
            Err(cause) => return Err(data_dir::Error::file("listing", &from)(cause)),
        };
        create_folder(&to)?;
        for entry in listing {
            let path = entry.map_err(data_dir::Error::file("listing", &from))?.path();
            let Some(name) = path.file_name().filter(|name| !name.to_string_lossy().starts_with(".new-")) else {
                continue;
            };
            match path.is_dir() {
                true => folders.push((path.clone(), to.join(name))),
                false => {
                    amount.add(copy_file(&path, &to.join(name))?);
                    progress(amount);
                }
            }
        }
        sync_folder(&to)?;
    }
    Ok(amount)
}

/// Copies one file durably and gives its length.
pub(crate) fn copy_file(source: &Path, target: &Path) -> Result<u64, data_dir::Error> {
    let bytes = fs::copy(source, target).map_err(data_dir::Error::file("copying", source))?;
    File::open(target).and_then(|file| file.sync_all()).map_err(data_dir::Error::file("syncing", target))?;
    Ok(bytes)
}

fn missing(reader: &SqliteReader, blobs: &FolderBlobs) -> Result<Vec<Hash>, Error> {
    let (mut seen, mut missing) = (HashSet::new(), Vec::new());
    reader.each_text(&mut |text| {
        for hash in references(text) {
            if seen.insert(hash) && !blobs.contains(hash).unwrap_or(false) {
                missing.push(hash);
            }
        }
    })?;
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use skep_model::ids::LocalId;
    use skep_model::payload::NewBlob;

    use super::*;
    use crate::contract::{created, turn};
    use crate::journal::Journal;
    use crate::sqlite::SqliteJournal;

    fn run(directory: &DataDir, destination: &Path) -> Result<Summary, Error> {
        backup(directory, destination, &audit::Place::of(directory, None), &["config.toml"], &mut |_, _| {})
    }

    #[test]
    fn a_copy_is_a_data_directory_and_names_what_is_missing() {
        let place = tempfile::tempdir().unwrap();
        let directory = DataDir::create(place.path().join("data")).unwrap();
        let mut journal = SqliteJournal::open(&directory).unwrap();
        let (there, gone) = (NewBlob::of(&json!("there")), NewBlob::of(&json!("gone")));
        FolderBlobs::new(&directory).put(&there).unwrap();
        let mut named = turn(1, 1);
        named.turn.as_mut().unwrap().events = json!([there.reference, gone.reference]).to_string();
        journal.commit(&[created(1), named]).unwrap();
        fs::write(directory.root().join("config.toml"), "x").unwrap();
        let destination = place.path().join("copy");
        let summary = run(&directory, &destination).unwrap();
        assert_eq!((summary.executions, summary.position, summary.blobs.files), (1, 1, 1));
        assert_eq!(summary.missing, [gone.reference.blob]);
        assert!(matches!(run(&directory, &destination), Err(Error::Exists { .. })));
        let copy = DataDir::at(&destination);
        let reader = SqliteReader::open(&copy).unwrap();
        assert_eq!(reader.turns(LocalId(1), 1, 9).unwrap().len(), 1);
        drop(reader);
        // The copy goes on by itself, and so does the source.
        SqliteJournal::open(&copy).unwrap().commit(&[turn(1, 2)]).unwrap();
        journal.commit(&[turn(1, 2)]).unwrap();
        let names: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn a_copy_that_fails_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let directory = DataDir::create(place.path().join("data")).unwrap();
        let error = run(&directory, &place.path().join("copy")).unwrap_err();
        assert_eq!(error.code().id, "SKEP-T011", "{error}");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
