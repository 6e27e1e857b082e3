//! Removing values that nothing names any more.
//!
//! ```text
//! candidates: files older than the grace period -> less what the journal names -> removed, if still old
//! ```
//! A value that is stored again becomes young, under the same lock that a removal takes; a turn is committed long
//! before the grace period is over. Candidates are taken in bounded lots, so memory is bounded too.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use skep_model::ids::Hash;

use super::folder::{FolderBlobs, entries};
use super::port::Error;
use crate::data_dir;

/// How old a value must be: far longer than any turn is on its way to the disk.
pub const GRACE: Duration = Duration::from_secs(3_600);
/// Candidates per look at the journal: 32 bytes each, 8 MB with the set's own.
const CANDIDATES_MAX: usize = 100_000;
/// Digits of a hash.
const DIGITS: usize = 64;
/// What stands before a hash that is a reference.
const BLOB_KEY: &[u8] = b"\"blob\":\"";

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Files.
    pub blobs: u64,
    /// Their length.
    pub bytes: u64,
}

/// Values that may be removed unless something names them.
pub struct Marks {
    candidates: HashSet<Hash>,
}

impl Marks {
    /// Keeps every value that `text` names: each run of exactly 64 hexadecimal digits.
    pub fn keep_named_in(&mut self, text: &[u8]) {
        each_named(text, |hash| {
            self.candidates.remove(&hash);
        });
    }

    /// True if nothing is left to be removed.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }
}

/// Every run of exactly 64 hexadecimal digits in `text`, which is how events name blobs. What only looks like one
/// is harmless.
pub(crate) fn each_named(text: &[u8], mut each: impl FnMut(Hash)) {
    for run in text.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() == DIGITS) {
        let hash = std::str::from_utf8(run).ok().and_then(|digits| digits.parse().ok());
        hash.into_iter().for_each(&mut each);
    }
}

/// The blobs that an event's JSON text refers to.
pub fn references(text: &[u8]) -> Vec<Hash> {
    let mut named = Vec::new();
    if text.windows(BLOB_KEY.len()).any(|window| window == BLOB_KEY) {
        each_named(text, |hash| {
            let wanted = format!("\"blob\":\"{hash}\"");
            if text.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
                named.push(hash);
            }
        });
    }
    named
}

impl FolderBlobs {
    /// Every file of the store whose content has not the hash of its name: the name, the content's hash, the file.
    ///
    /// # Errors
    /// Trouble with the files.
    pub fn damaged(&self) -> Result<Vec<(Hash, Hash, PathBuf)>, Error> {
        let mut damaged = Vec::new();
        for folder in entries(&self.root)? {
            for path in entries(&folder)? {
                let Some(name) = named(&path) else { continue };
                // One that was removed meanwhile is not damaged.
                let Some(bytes) = data_dir::read_if_there(&path)? else { continue };
                let content = Hash::of(&bytes);
                if content != name {
                    damaged.push((name, content, path));
                }
            }
        }
        Ok(damaged)
    }

    /// Where the blob lies, if it is there.
    pub fn path_of(&self, hash: Hash) -> PathBuf {
        let digits = hash.to_string();
        self.root.join(&digits[..2]).join(&digits[2..])
    }

    /// Removes values older than [`GRACE`] before `now` that `mark` does not keep. `mark` is called once per lot of
    /// candidates, and must show everything that is committed at that time. With `dry_run` nothing is removed.
    ///
    /// # Errors
    /// What `mark` says, trouble with the files.
    pub fn collect<E: From<Error>>(
        &self,
        now: SystemTime,
        dry_run: bool,
        mut mark: impl FnMut(&mut Marks) -> Result<(), E>,
    ) -> Result<Collected, E> {
        let mut collected = Collected::default();
        let mut marks = Marks { candidates: HashSet::new() };
        let folders = entries(&self.root).map_err(Error::from)?;
        for (index, folder) in folders.iter().enumerate() {
            let old = entries(folder).map_err(Error::from)?.into_iter().filter(|path| is_old(path, now));
            marks.candidates.extend(old.filter_map(|path| named(&path)));
            let last = index + 1 == folders.len();
            if marks.is_empty() || (!last && marks.candidates.len() < CANDIDATES_MAX) {
                continue;
            }
            mark(&mut marks)?;
            for hash in marks.candidates.drain() {
                self.remove(hash, now, dry_run, &mut collected)?;
            }
        }
        Ok(collected)
    }

    fn remove(&self, hash: Hash, now: SystemTime, dry_run: bool, collected: &mut Collected) -> Result<(), Error> {
        let path = self.path_of(hash);
        let _alone = self.together.write().unwrap_or_else(PoisonError::into_inner);
        if !is_old(&path, now) {
            return Ok(());
        }
        let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if !dry_run {
            fs::remove_file(&path).map_err(data_dir::Error::file("removing", &path))?;
        }
        collected.blobs += 1;
        collected.bytes += bytes;
        Ok(())
    }
}

fn is_old(path: &Path, now: SystemTime) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age >= GRACE))
}

/// The hash that a file of the blob store is named after.
pub(crate) fn named(path: &Path) -> Option<Hash> {
    let (folder, file) = (path.parent()?.file_name()?.to_str()?, path.file_name()?.to_str()?);
    format!("{folder}{file}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use skep_model::payload::NewBlob;

    use super::*;
    use crate::blobs::Blobs;
    use crate::data_dir::DataDir;

    #[test]
    fn only_what_is_old_and_not_named_goes() {
        let place = tempfile::tempdir().unwrap();
        let directory = DataDir::create(place.path()).unwrap();
        let blobs = FolderBlobs::new(&directory);
        let (named, unnamed) = (NewBlob::of(&json!("named")), NewBlob::of(&json!("unnamed")));
        blobs.put(&named).unwrap();
        blobs.put(&unnamed).unwrap();
        let mark = |marks: &mut Marks| -> Result<(), Error> {
            marks.keep_named_in(json!({ "blob": named.reference }).to_string().as_bytes());
            Ok(())
        };
        let soon = SystemTime::now();
        assert_eq!(blobs.collect(soon, false, mark).unwrap(), Collected::default());
        let later = soon + GRACE * 2;
        let expected = Collected { blobs: 1, bytes: unnamed.bytes.len() as u64 };
        assert_eq!(blobs.collect(later, true, mark).unwrap(), expected);
        assert!(blobs.contains(unnamed.reference.blob).unwrap(), "a dry run removes nothing");
        assert_eq!(blobs.collect(later, false, mark).unwrap(), expected);
        assert!(!blobs.contains(unnamed.reference.blob).unwrap());
        assert!(blobs.contains(named.reference.blob).unwrap());
    }

    #[test]
    fn what_is_stored_again_is_young_again() {
        let place = tempfile::tempdir().unwrap();
        let directory = DataDir::create(place.path()).unwrap();
        let blobs = FolderBlobs::new(&directory);
        let blob = NewBlob::of(&json!("again"));
        blobs.put(&blob).unwrap();
        let digits = blob.reference.blob.to_string();
        let path = directory.blobs().join(&digits[..2]).join(&digits[2..]);
        let now = SystemTime::now();
        fs::File::open(&path).unwrap().set_modified(now - GRACE * 2).unwrap();
        let again = |_: &mut Marks| -> Result<(), Error> { blobs.put(&blob) };
        assert_eq!(blobs.collect(now, false, again).unwrap(), Collected::default());
        assert!(blobs.contains(blob.reference.blob).unwrap());
    }
}
