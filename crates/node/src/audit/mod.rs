//! The audit's follower: it reads what was committed and seals a record of what matters, off everybody's path.
//!
//! ```text
//! commits --journal, audit_act--> follower (a thread of the owner, a batch a second) --records--> store::audit
//!                                    ^
//! a refused caller, start and end ---+
//! ```
//! [`table`] says which events become records. How far the follower is stands in every record and in the log's head, so
//! that a crash between two files cannot separate them: nothing is recorded twice and nothing is left out. What the
//! follower has not passed does not leave the journal (`service/prune.rs`). Nothing here may be waited for by the driver
//! or the writer.

mod entries;
mod follower;
mod handle;
pub(crate) mod table;

pub(crate) use entries::{act, by_person, of_opening};
pub(crate) use follower::Follower;
pub(crate) use handle::Audit;
