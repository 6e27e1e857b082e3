//! The port for large values.

use std::path::PathBuf;

use skep_model::code::Code;
use skep_model::ids::Hash;
use skep_model::payload::{BlobRef, NewBlob};

use crate::codes;
use crate::data_dir;

/// A blob could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error(transparent)]
    File(#[from] data_dir::Error),
    /// What is stored is not what the name says.
    #[error("the blob {hash} in {} is damaged: its content has another hash", path.display())]
    Damaged {
        /// Its name.
        hash: Hash,
        /// The file.
        path: PathBuf,
    },
    /// The new blob's bytes are not what its reference says; nothing was stored.
    #[error("{size_bytes} bytes were to be stored as blob {} of {} bytes, which they are not; nothing was stored", reference.blob, reference.size_bytes)]
    Misnamed {
        /// What it was called.
        reference: BlobRef,
        /// How long it is.
        size_bytes: u64,
    },
}

impl Error {
    /// The stable code, with its page.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::File(error) => error.code(),
            Self::Damaged { .. } => &codes::BLOB_DAMAGED,
            Self::Misnamed { .. } => &codes::BLOB_MISNAMED,
        }
    }

    /// What to do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File(error) => error.hint(),
            Self::Damaged { .. } => "restore the file from a backup; any copy with the right hash is good",
            Self::Misnamed { .. } => "this is a bug in Skep: please report it",
        }
    }
}

/// Keeps large values.
pub trait Blobs: Send + Sync {
    /// Stores a value durably. Storing it again is no error and mends a damaged one.
    ///
    /// # Errors
    /// [`Error::Misnamed`], [`Error::File`].
    fn put(&self, blob: &NewBlob) -> Result<(), Error>;
    /// Stores several values durably; they share what it costs to wait for the disk.
    ///
    /// # Errors
    /// As [`Blobs::put`]; some may be stored then, which does no harm.
    fn put_all(&self, blobs: &[&NewBlob]) -> Result<(), Error> {
        blobs.iter().try_for_each(|blob| self.put(blob))
    }
    /// The value of this name, `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::File`].
    fn get(&self, hash: Hash) -> Result<Option<Vec<u8>>, Error>;
    /// True if there is a value of this name; does not look whether it is damaged.
    ///
    /// # Errors
    /// [`Error::File`].
    fn contains(&self, hash: Hash) -> Result<bool, Error>;
}

/// Refuses a blob that is not what its reference says.
pub(super) fn check(blob: &NewBlob) -> Result<(), Error> {
    let size_bytes = blob.bytes.len() as u64;
    if size_bytes != blob.reference.size_bytes || Hash::of(&blob.bytes) != blob.reference.blob {
        return Err(Error::Misnamed { reference: blob.reference, size_bytes });
    }
    Ok(())
}
