//! One owner per data directory: an exclusive `flock` on `owner.lock`.
//!
//! The lock belongs to the open file, so the system drops it when the owner dies, however it dies; the file
//! stays and means nothing by itself. Its text is the owner's process id, for messages only. The file is
//! closed on exec; a process that was forked from the owner without exec would share the lock.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use skep_model::code::Code;

use crate::codes;
use crate::data_dir::{self, DataDir};

/// The directory could not be owned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process owns it.
    #[error("the data directory is owned by another process{}: {} is locked", pid_words(*pid), path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The owner's process id, if it could be read.
        pid: Option<u32>,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    File(#[from] data_dir::Error),
}

fn pid_words(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

impl Error {
    /// The stable code, with its page.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::Held { .. } => &codes::OWNED,
            Self::File(error) => error.code(),
        }
    }

    /// What to do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Held { .. } => "talk to that owner, stop it with `skep serve --stop`, or use another data directory",
            Self::File(error) => error.hint(),
        }
    }
}

/// Proof that this process owns a data directory, until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it gives the data directory away"]
pub struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    /// Takes the directory, without waiting.
    ///
    /// # Errors
    /// [`Error::Held`] if another process (or another lock of this one) has it; [`Error::File`].
    pub fn acquire(directory: &DataDir) -> Result<Self, Error> {
        let path = directory.owner_lock();
        let mut file = open(&path).map_err(data_dir::Error::file("opening", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::Held { pid: read_pid(&mut file), path }),
            Err(errno) => return Err(data_dir::Error::file("locking", &path)(errno.into()).into()),
        }
        write_pid(&mut file).map_err(data_dir::Error::file("writing", &path))?;
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let directory = DataDir::create(place.path()).unwrap();
        let first = OwnerLock::acquire(&directory).unwrap();
        let error = OwnerLock::acquire(&directory).unwrap_err();
        let Error::Held { pid, .. } = &error else { panic!("{error}") };
        assert_eq!(*pid, Some(std::process::id()));
        assert_eq!(error.code().id, "SKEP-T016");
        drop(first);
        let _second = OwnerLock::acquire(&directory).unwrap();
    }

    #[test]
    fn a_file_left_behind_is_not_in_the_way() {
        let place = tempfile::tempdir().unwrap();
        let directory = DataDir::create(place.path()).unwrap();
        std::fs::write(directory.owner_lock(), "99999999 something longer than a process id").unwrap();
        let _lock = OwnerLock::acquire(&directory).unwrap();
        let text = std::fs::read_to_string(directory.owner_lock()).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
    }
}
