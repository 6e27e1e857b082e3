//! Blobs in memory, for tests and dry runs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_model::ids::Hash;
use skep_model::payload::NewBlob;

use super::port::{Blobs, Error, check};

/// Keeps blobs until it is dropped.
#[derive(Default)]
pub struct MemoryBlobs {
    blobs: Mutex<HashMap<Hash, Vec<u8>>>,
}

impl MemoryBlobs {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn blobs(&self) -> MutexGuard<'_, HashMap<Hash, Vec<u8>>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blobs for MemoryBlobs {
    fn put(&self, blob: &NewBlob) -> Result<(), Error> {
        check(blob)?;
        self.blobs().entry(blob.reference.blob).or_insert_with(|| blob.bytes.clone());
        Ok(())
    }

    fn get(&self, hash: Hash) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.blobs().get(&hash).cloned())
    }

    fn contains(&self, hash: Hash) -> Result<bool, Error> {
        Ok(self.blobs().contains_key(&hash))
    }
}
