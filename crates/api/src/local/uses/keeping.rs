//! Keeping the data directory within its bounds.

use crate::local::convert::failure_of;
use crate::local::desk::{Desk, Perform};
use crate::wire::{Failure, Prune, Pruned};

impl Perform for Prune {
    fn perform(&self, desk: &Desk) -> Result<Pruned, Failure> {
        let pruned = desk.node()?.prune(skep_node::clock::now(), self.dry_run, &desk.person());
        let pruned = pruned.map_err(|error| failure_of(&error))?;
        Ok(Pruned {
            archived: pruned.archived,
            deleted: pruned.deleted,
            blobs: pruned.blobs,
            blob_bytes: pruned.blob_bytes,
            failed: pruned.failed,
            busy: pruned.busy,
        })
    }
}
