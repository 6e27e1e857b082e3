//! The audit log: who did what, in segments of JSON lines that prove that nobody changed them.
//!
//! ```text
//! record N = fields + checksum         checksum = MAC(key, checksum of record N-1, every byte of the fields)
//! DATA/audit/000001.jsonl 000002.jsonl ..      the chain goes on from one to the next
//! DATA/audit/head.json                 "record N with this checksum was written", with its own MAC
//! KEY.mark                             the same beside the key, wherever that is
//!
//! append (several) -> fsync of the segment -> head (temporary file, fsync, rename) -> mark (the same)
//! ```
//! Head and mark are written after the records that they name, so they may be behind the log after a crash and never
//! ahead of it: a log without the record that one of them names was cut off. What a record means is not known here, nor
//! where records come from; [`crate::backup`] copies, `node/src/audit` writes.

mod chain;
mod copy;
mod head;
mod key;
mod log;
mod place;
mod read;
mod segments;
mod verify;

#[cfg(test)]
mod tests;

pub(crate) use copy::copy;
pub use log::{Found, Log};
pub use place::{Error, Place};
pub use read::{newest_first, oldest_first};
pub use verify::{Bad, Verified, verify};
