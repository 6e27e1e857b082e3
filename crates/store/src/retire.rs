//! How old executions leave the store: first into a file of `archive/`, then out of the tables.
//!
//! ```text
//! file written and fsynced -> Archived (list row goes, archive row comes) -> Turns, Turns .. (in batches) -> Unused
//! ```
//! A crash between any two leaves the execution readable: in the tables before `Archived`, in the file after it.

use skep_model::ids::{ExecutionId, LocalId};
use skep_model::time::Timestamp;

/// An execution that lies in `archive/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedRow {
    /// The public id.
    pub id: ExecutionId,
    /// Its number, which no other execution gets.
    pub local: LocalId,
    /// Its file, relative to `archive/`.
    pub file: String,
    /// Turns in the file.
    pub turns: u64,
    /// When it ended.
    pub ended_at: Timestamp,
    /// When it was archived.
    pub archived_at: Timestamp,
}

/// An execution that a repair set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideRow {
    /// Which.
    pub execution: LocalId,
    /// Why, for people.
    pub reason: String,
    /// Where its rows were kept, relative to the data directory; `None` if they stay in the journal.
    pub file: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A step of an execution's way out of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retire {
    /// Its file is on the disk: its list row goes. Refused if there is no such execution.
    Archived(ArchivedRow),
    /// Some of its turns go. Nothing happens to an execution that is not archived.
    Turns {
        /// Whose.
        execution: LocalId,
        /// How many at most, the oldest first.
        limit: u32,
    },
    /// Plans and definitions that no execution and no version in the library names go.
    Unused,
    /// Its file is gone for good.
    Gone {
        /// Which.
        id: ExecutionId,
    },
    /// Acts up to this number have their records in the audit.
    Acts {
        /// The last of them.
        through: i64,
    },
}

impl Retire {
    /// About how many bytes it adds to the store.
    pub(crate) fn size_bytes(&self) -> usize {
        match self {
            Self::Archived(row) => row.id.as_str().len() + row.file.len(),
            Self::Turns { .. } | Self::Unused | Self::Gone { .. } | Self::Acts { .. } => 0,
        }
    }
}
