//! A state as text, kept beside the journal that it follows from.

use skep_model::ids::LocalId;

/// The state of an execution after one of its turns. Opaque here, and never needed: the journal has it all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// Whose.
    pub execution: LocalId,
    /// The turn after which the state was so.
    pub seq: u64,
    /// Which format the bytes have.
    pub format: u32,
    /// Opaque.
    pub bytes: Vec<u8>,
}
