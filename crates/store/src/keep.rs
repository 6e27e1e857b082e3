//! Files are either copied or removed, never both at once: a lock on `keep.lock`.
//!
//! Whoever copies or checks the data directory holds it shared, whoever removes old files exclusively. The owner's
//! own reads and writes do not need it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::{FlockOperation, flock};

use crate::data_dir::{self, DataDir};

/// The lock, until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it lets files be removed again"]
pub struct Keep {
    _file: File,
}

impl Keep {
    /// Makes the lock file, which readers do not. Only for the owner.
    ///
    /// # Errors
    /// The lock file cannot be made.
    pub fn prepare(directory: &DataDir) -> Result<(), data_dir::Error> {
        let path = directory.root().join("keep.lock");
        create(directory).map(drop).map_err(data_dir::Error::file("opening", &path))
    }

    /// Nothing is removed while this lives. `None` where there is no lock: such a directory never had an owner that
    /// removes anything, or cannot be written. Waits for a removal that is going on.
    pub fn shared(directory: &DataDir) -> Option<Self> {
        let path = directory.root().join("keep.lock");
        let file = File::open(&path).ok()?;
        flock(&file, FlockOperation::LockShared).ok()?;
        Some(Self { _file: file })
    }

    /// Files may be removed while this lives; `None` if somebody copies or checks them now.
    ///
    /// # Errors
    /// The lock file cannot be made.
    pub fn exclusive(directory: &DataDir) -> Result<Option<Self>, data_dir::Error> {
        let path = directory.root().join("keep.lock");
        let file = create(directory).map_err(data_dir::Error::file("opening", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(data_dir::Error::file("locking", &path)(errno.into())),
        }
    }
}

fn create(directory: &DataDir) -> std::io::Result<File> {
    let path = directory.root().join("keep.lock");
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_removed_while_somebody_copies() {
        let place = tempfile::tempdir().unwrap();
        let directory = DataDir::create(place.path()).unwrap();
        assert!(Keep::shared(&directory).is_none());
        Keep::prepare(&directory).unwrap();
        let (one, other) = (Keep::shared(&directory).unwrap(), Keep::shared(&directory).unwrap());
        assert!(Keep::exclusive(&directory).unwrap().is_none());
        drop((one, other));
        assert!(Keep::exclusive(&directory).unwrap().is_some());
    }
}
