//! Group commit: one thread owns the journal and commits whatever has gathered since its last commit.
//!
//! ```text
//! submit -> queue --swap--> groups -> Journal::commit (one fsync each) -> acknowledge(Vec<Ack>), once per group
//! ```
//!
//! There is no lingering and no timer: under low load a group is one write and costs one fsync, under high
//! load groups grow by themselves while the disk is busy. Must not look into a write. For tests and
//! simulation [`commit_group`] does the same inline, without a thread.

mod group;
mod thread;

#[cfg(test)]
mod tests;

pub use group::{Ack, Stats, Submission, Ticket, commit_group};
pub use thread::{GROUP_BYTES_MAX, GROUP_ROWS_MAX, QUEUE_WRITES_MAX, WriterThread};
