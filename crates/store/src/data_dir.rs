//! Where everything lies inside a data directory.
//!
//! Must not open a database or decide who owns the directory: see [`crate::sqlite`] and [`crate::lock`].
//!
//! ```text
//! DATA_DIR/            mode 0700
//!   skep.db            the store (and skep.db-wal, skep.db-shm)
//!   owner.lock         held by the owner process
//!   skep.sock          the owner's socket
//!   blobs/ab/cdef..    large values by hash
//!   logs/EXECUTION/    step logs
//!   work/EXECUTION/    base directory of an execution that was started by name
//!   archive/2026/01/   executions that are over and old, one file each
//!   keep.lock          held while files are copied or removed
//!   audit/             who did what; audit.key and audit.key.mark beside it unless configured elsewhere
//! ```

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use skep_model::code::Code;
use skep_model::ids::ExecutionId;

use crate::codes;

/// Nobody but the owner may see definitions, logs and results.
const FOLDER_MODE: u32 = 0o700;

/// A file or folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("{attempt} {} failed: {cause}", path.display())]
    File {
        /// What was tried, for example "creating the folder".
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The id has characters that a folder name must not have.
    #[error("the execution id {id:?} cannot name a folder: only letters, digits, `-` and `_` are allowed")]
    BadExecutionId {
        /// The id.
        id: ExecutionId,
    },
}

impl Error {
    /// Wraps a system error.
    pub(crate) fn file(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::File { attempt, path: path.to_owned(), cause }
    }

    /// The stable code, with its page.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::File { .. } => &codes::FILE,
            Self::BadExecutionId { .. } => &codes::BAD_EXECUTION_ID,
        }
    }

    /// What to do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => "check the free space, the owner and the mode of the data directory",
            Self::BadExecutionId { .. } => "use an id from `skep list`",
        }
    }
}

/// A data directory. Cheap to clone; holding one opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// The data directory at `root`, which need not exist: for readers.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Creates what is missing of the directory and its folders, mode 0700, durably: for owners. What exists
    /// keeps its mode.
    ///
    /// # Errors
    /// [`Error::File`] if a folder cannot be created or synced.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let directory = Self::at(root);
        for folder in [directory.root.clone(), directory.blobs(), directory.logs(), directory.work()] {
            create_folder(&folder)?;
        }
        Ok(directory)
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The SQLite file.
    pub fn database(&self) -> PathBuf {
        self.root.join("skep.db")
    }

    /// The file that the owner holds locked.
    pub fn owner_lock(&self) -> PathBuf {
        self.root.join("owner.lock")
    }

    /// The owner's Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.root.join("skep.sock")
    }

    /// Large values.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Step logs, one folder per execution.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Base directories of executions that were started by a name, one folder per execution.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Executions that are over and old, one file each.
    pub fn archive(&self) -> PathBuf {
        self.root.join("archive")
    }

    /// The log folder of one execution; need not exist.
    ///
    /// # Errors
    /// [`Error::BadExecutionId`].
    pub fn logs_of(&self, execution: &ExecutionId) -> Result<PathBuf, Error> {
        Ok(self.logs().join(folder_name(execution)?))
    }

    /// The base directory of one execution; not created here.
    ///
    /// # Errors
    /// [`Error::BadExecutionId`].
    pub fn work_of(&self, execution: &ExecutionId) -> Result<PathBuf, Error> {
        Ok(self.work().join(folder_name(execution)?))
    }
}

/// The id as a folder name: an id from outside must not lead out of its folder.
pub(crate) fn folder_name(execution: &ExecutionId) -> Result<&str, Error> {
    let id = execution.as_str();
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if plain && !id.is_empty() { Ok(id) } else { Err(Error::BadExecutionId { id: execution.clone() }) }
}

/// Creates `folder` and what is missing above it, and makes each new entry durable.
pub(crate) fn create_folder(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    create_folder(parent)?;
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        // Another process may have been faster.
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        other => other.map_err(Error::file("creating the folder", folder))?,
    }
    sync_folder(parent)
}

/// Makes the entries of `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    let handle = File::open(folder).map_err(Error::file("opening the folder", folder))?;
    handle.sync_all().map_err(Error::file("syncing the folder", folder))
}

/// The content of `path`, `None` if there is no such file.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::file("reading", path)(cause)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn creates_private_folders_and_leaves_existing_ones_alone() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("a/b/data");
        let directory = DataDir::create(&root).unwrap();
        for folder in [directory.root().to_owned(), directory.blobs(), directory.logs(), directory.work()] {
            assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
        }
        fs::set_permissions(&root, fs::Permissions::from_mode(0o750)).unwrap();
        assert_eq!(DataDir::create(&root).unwrap(), directory);
        assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o750);
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("data"), "").unwrap();
        let error = DataDir::create(place.path().join("data")).unwrap_err();
        assert!(error.to_string().starts_with("creating the folder "), "{error}");
        assert_eq!(error.code().id, "SKEP-T017");
    }

    #[test]
    fn an_id_cannot_lead_out_of_its_folder() {
        let directory = DataDir::at("/data");
        for (id, good) in [("0190-af", true), ("a_b", true), ("", false), ("..", false), ("a/b", false), ("a b", false)]
        {
            assert_eq!(directory.work_of(&ExecutionId::new(id)).is_ok(), good, "{id:?}");
        }
    }
}
