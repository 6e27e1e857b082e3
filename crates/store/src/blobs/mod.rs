//! Large values by the hash of their content.
//!
//! A blob is durable before the turn that names it is committed, so [`Blobs::put`] returns only then. Must not
//! know who refers to a blob; collecting unused ones is the node's affair.

mod collect;
mod folder;
mod memory;
mod port;

#[cfg(test)]
mod tests;

pub use collect::{Collected, GRACE, Marks, references};
pub use folder::FolderBlobs;
pub use memory::MemoryBlobs;
pub use port::{Blobs, Error};
