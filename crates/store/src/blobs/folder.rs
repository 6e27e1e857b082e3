//! Blobs as files: `blobs/ab/cdef..`, the hash's digits in the path.
//!
//! ```text
//! put: write ab/.new-* -> fsync file -> rename to ab/cdef.. -> fsync folder     crash before the rename:
//!      a leftover, removed at the next start; after it: the blob is there, whole
//! ```
//! Several at once go through these steps side by side, and each folder is synced once, when all its files are there.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use skep_model::ids::Hash;
use skep_model::payload::NewBlob;

use super::port::{Blobs, Error, check};
use crate::data_dir::{self, DataDir, create_folder, read_if_there, sync_folder};

/// Files synced at a time: the file system commits what several wait for at once, and more of them gain nothing.
const SYNCS_AT_A_TIME: usize = 8;
/// Files that begin like this were being written when their owner died.
const UNFINISHED: &str = ".new-";

/// Blobs in the data directory. Any number of processes may read; the owner writes.
pub struct FolderBlobs {
    pub(super) root: PathBuf,
    /// Makes the names of unfinished files unique within the process.
    next: AtomicU64,
    /// Storing shares it, removing has it alone.
    pub(super) together: RwLock<()>,
}

impl FolderBlobs {
    /// The blobs of `directory`. Touches nothing yet.
    pub fn new(directory: &DataDir) -> Self {
        Self { root: directory.blobs(), next: AtomicU64::new(0), together: RwLock::new(()) }
    }

    /// Removes what an owner that died left unfinished, and says how many files that were. Only for the
    /// owner, before it stores anything.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn remove_unfinished(&self) -> Result<usize, Error> {
        let mut removed = 0;
        for folder in entries(&self.root)? {
            for file in entries(&folder)? {
                if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED)) {
                    fs::remove_file(&file).map_err(data_dir::Error::file("removing", &file))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Where the blob lies: its folder and its file.
    fn place(&self, hash: Hash) -> (PathBuf, PathBuf) {
        let digits = hash.to_string();
        let folder = self.root.join(&digits[..2]);
        let file = folder.join(&digits[2..]);
        (folder, file)
    }

    /// The file of the blob, whole and under its name; that it has this name is not durable yet.
    fn put_file(&self, blob: &NewBlob) -> Result<(), Error> {
        let (folder, file) = self.place(blob.reference.blob);
        match read_if_there(&file)?.as_deref() == Some(blob.bytes.as_slice()) {
            true => touch(&file)?,
            false => self.write(&folder, &file, &blob.bytes)?,
        }
        Ok(())
    }

    fn write(&self, folder: &Path, file: &Path, bytes: &[u8]) -> Result<(), data_dir::Error> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let unfinished = folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
        let written = write_synced(&unfinished, bytes)
            .map_err(data_dir::Error::file("writing", &unfinished))
            .and_then(|()| fs::rename(&unfinished, file).map_err(data_dir::Error::file("renaming to", file)));
        if written.is_err() {
            // A full disk needs its space back; if even this fails, the next start removes it.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }
}

impl Blobs for FolderBlobs {
    fn put(&self, blob: &NewBlob) -> Result<(), Error> {
        self.put_all(&[blob])
    }

    fn put_all(&self, blobs: &[&NewBlob]) -> Result<(), Error> {
        blobs.iter().try_for_each(|blob| check(blob))?;
        let folders: BTreeSet<PathBuf> = blobs.iter().map(|blob| self.place(blob.reference.blob).0).collect();
        folders.iter().try_for_each(|folder| create_folder(folder))?;
        // Held against the collector: it must not remove what is found here before it looks young again.
        let _together = self.together.read().unwrap_or_else(PoisonError::into_inner);
        side_by_side(blobs, |blob| self.put_file(blob))?;
        // Also of blobs that were there: whoever renamed them may have died before this.
        let folders: Vec<&PathBuf> = folders.iter().collect();
        side_by_side(&folders, |folder| Ok(sync_folder(folder)?))
    }

    fn get(&self, hash: Hash) -> Result<Option<Vec<u8>>, Error> {
        let (_, path) = self.place(hash);
        match read_if_there(&path)? {
            Some(bytes) if Hash::of(&bytes) != hash => Err(Error::Damaged { hash, path }),
            found => Ok(found),
        }
    }

    fn contains(&self, hash: Hash) -> Result<bool, Error> {
        let (_, path) = self.place(hash);
        path.try_exists().map_err(|cause| data_dir::Error::file("looking for", &path)(cause).into())
    }
}

/// Does `work` for each item, several at a time; gives the first error of any.
fn side_by_side<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<(), Error> + Sync) -> Result<(), Error> {
    let [first, rest @ ..] = items else { return Ok(()) };
    if rest.is_empty() {
        return work(first);
    }
    let share = items.len().div_ceil(SYNCS_AT_A_TIME);
    std::thread::scope(|scope| {
        let shares = items.chunks(share).map(|share| scope.spawn(|| share.iter().try_for_each(&work)));
        // All are begun before the first is waited for.
        let threads: Vec<_> = shares.collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.fold(Ok(()), Result::and)
    })
}

/// The collector goes by this time.
fn touch(path: &Path) -> Result<(), data_dir::Error> {
    let touched = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
    touched.map_err(data_dir::Error::file("touching", path))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// What is in `folder`; nothing if there is no such folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, data_dir::Error> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(cause) => return Err(data_dir::Error::file("listing", folder)(cause)),
    };
    let paths: io::Result<Vec<PathBuf>> = listing.map(|entry| entry.map(|entry| entry.path())).collect();
    paths.map_err(data_dir::Error::file("listing", folder))
}
