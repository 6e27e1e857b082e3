//! A copy of the log that is one itself, made while the owner writes.
//!
//! The head is read first and the segments are copied up to what it names, so the copy has no half record. It must be
//! made before the journal is copied: a copy that is behind its journal catches up, one ahead of it would leave out
//! turns.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::head::Head;
use super::key::{FILE_MODE, Key};
use super::place::{Error, Place};
use super::segments;
use crate::backup::Amount;
use crate::data_dir::{self, create_folder, sync_folder};

/// Copies the log of `source`, and its key where `with_key` says that it is part of the data directory. Without a key,
/// or without a head that can be trusted, everything is copied as it lies.
pub(crate) fn copy(source: &Place, target: &Place, with_key: bool) -> Result<Amount, Error> {
    let mut amount = Amount::default();
    let key_bytes = data_dir::read_if_there(source.key())?;
    let head_bytes = data_dir::read_if_there(&source.head())?;
    let files = segments::list(source.folder())?;
    if head_bytes.is_none() && files.is_empty() {
        return Ok(amount);
    }
    let key = Key::load(source.key()).unwrap_or(None);
    let head = key.as_ref().and_then(|key| Head::parse(head_bytes.as_deref()?, key));
    create_folder(target.folder())?;
    for (number, path) in files {
        let bytes = segments::read(&path)?;
        let length = match &head {
            Some(head) if number > head.segment => continue,
            Some(head) if number == head.segment => usize::try_from(head.length_bytes).unwrap_or(usize::MAX),
            Some(_) | None => bytes.len(),
        };
        put(&segments::path(target.folder(), number), &bytes[..length.min(bytes.len())], &mut amount)?;
    }
    // The copy's mark says what its head says: the original's may be further by now.
    let mark_bytes = head_bytes.clone().filter(|_| with_key);
    let key_bytes = key_bytes.filter(|_| with_key);
    for (path, bytes) in
        [(target.head(), head_bytes), (target.mark(), mark_bytes), (target.key().to_owned(), key_bytes)]
    {
        if let Some(bytes) = bytes {
            put(&path, &bytes, &mut amount)?;
        }
    }
    sync_folder(target.folder())?;
    Ok(amount)
}

fn put(path: &Path, bytes: &[u8], amount: &mut Amount) -> Result<(), Error> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(data_dir::Error::file("copying to", path))?;
    amount.add(bytes.len() as u64);
    Ok(())
}
