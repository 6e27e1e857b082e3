//! What can go wrong with the journal and its rows: one type for every implementation of the ports.
//!
//! The message says what was tried, on what, and whether anything was committed; [`Error::hint`] says what
//! to do next.

use std::fmt;
use std::path::PathBuf;

use skep_model::code::Code;
use skep_model::ids::{ExecutionId, LocalId};

use crate::codes;

/// What of a failed call is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Nothing: the transaction was rolled back.
    Nothing,
    /// The fsync of a complete transaction failed: after a crash it may turn out to be there. The owner
    /// must not act on it; opening the store again settles it.
    Unknown,
    /// It was not a write.
    NotAWrite,
}

impl fmt::Display for Committed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Nothing => "; nothing of it was committed",
            Self::Unknown => "; whether it was committed is known only after the store is opened again",
            Self::NotAWrite => "",
        })
    }
}

/// What has a name that is taken once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// An API key.
    Key,
    /// A user.
    User,
}

impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Key => "key",
            Self::User => "user",
        })
    }
}

/// What was tried, where, and what the machine said.
#[derive(Debug, thiserror::Error)]
#[error("{attempt} in {} failed: {cause}{committed}", file.display())]
pub struct Trouble {
    /// What was tried, for example "committing a group of turns".
    pub attempt: &'static str,
    /// The file or folder.
    pub file: PathBuf,
    /// What is on disk of it.
    pub committed: Committed,
    /// What the database or the system said.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

/// Why a call to the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The turn is not the next one of its execution: it was decided on an old state, or sent twice.
    #[error(
        "turn {got} of execution number {} was refused: turn {expected} comes next; nothing of it was committed",
        execution.0
    )]
    SequenceConflict {
        /// Place of the refused write in its group, from 0.
        write: usize,
        /// Whose turn.
        execution: LocalId,
        /// The number that would have been accepted.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// A row or a turn is about an execution that was never created.
    #[error("a write for execution number {} was refused: there is no such execution; nothing of it was committed", execution.0)]
    UnknownExecution {
        /// Place of the refused write in its group, from 0.
        write: usize,
        /// The number.
        execution: LocalId,
    },
    /// The local number or the id of a new execution is taken.
    #[error("execution {id} (number {}) was not created: its id or number is taken; nothing of it was committed", execution.0)]
    DuplicateExecution {
        /// Place of the refused write in its group, from 0.
        write: usize,
        /// The number.
        execution: LocalId,
        /// The public id.
        id: ExecutionId,
    },
    /// The name of a new key or user is taken, or the hash of a key's secret is.
    #[error("{named} `{name}` was not created: the name is taken; nothing of it was committed")]
    NameTaken {
        /// Place of the refused write in its group, from 0.
        write: usize,
        /// Of what.
        named: Named,
        /// The name.
        name: String,
    },
    /// No space is left.
    #[error("the disk is full: {0}")]
    DiskFull(Trouble),
    /// The store may not be written.
    #[error("the store is read-only: {0}")]
    ReadOnly(Trouble),
    /// Another process keeps the store locked.
    #[error("the store is locked: {0}")]
    Locked(Trouble),
    /// The file is damaged, or is no store.
    #[error("the store is damaged: {0}")]
    Corrupt(Trouble),
    /// The system refused an operation on the file.
    #[error("the store cannot be reached: {0}")]
    Io(Trouble),
    /// Another process wrote into the journal: the rule of one owner was broken.
    #[error("another process wrote to this store: {0}")]
    ForeignWriter(Trouble),
    /// The database answered with something that no other variant covers.
    #[error("the store failed: {0}")]
    Other(Trouble),
    /// There is no store in this data directory.
    #[error("there is no store at {}: nothing was ever run there", file.display())]
    NotFound {
        /// Where it was looked for.
        file: PathBuf,
    },
    /// A newer version of Skep has written the store.
    #[error(
        "the store {} has schema {found}, this version of Skep knows schemas up to {known}; nothing was changed",
        file.display()
    )]
    SchemaTooNew {
        /// The store.
        file: PathBuf,
        /// Its schema number.
        found: u32,
        /// The newest that this version knows.
        known: u32,
    },
    /// The store was last opened by an older version and a reader may not migrate it.
    #[error("the store {} has schema {found}, reading needs schema {known}; nothing was changed", file.display())]
    SchemaTooOld {
        /// The store.
        file: PathBuf,
        /// Its schema number.
        found: u32,
        /// What a reader needs.
        known: u32,
    },
    /// The SQLite library can lose commits when its WAL is reset.
    #[error("SQLite {found} can lose commits (WAL reset); at least {least} is needed; nothing was opened")]
    SqliteTooOld {
        /// Version number of the library, for example 3051002.
        found: i32,
        /// The least that is accepted.
        least: i32,
    },
    /// The writer thread has ended: it was closed, or it panicked.
    #[error("the writer of the store has ended, so nothing can be written any more")]
    WriterGone,
    /// One row of the journal is not as it was written; the others are not concerned.
    #[error("{0}")]
    DamagedTurn(Trouble),
}

impl Error {
    /// The write of the group that was refused, from 0; the others are not at fault and may be tried
    /// without it. `None` if the group as a whole met trouble.
    pub fn culprit(&self) -> Option<usize> {
        match self {
            Self::SequenceConflict { write, .. }
            | Self::UnknownExecution { write, .. }
            | Self::DuplicateExecution { write, .. }
            | Self::NameTaken { write, .. } => Some(*write),
            Self::DiskFull(_)
            | Self::ReadOnly(_)
            | Self::Locked(_)
            | Self::Corrupt(_)
            | Self::Io(_)
            | Self::ForeignWriter(_)
            | Self::Other(_)
            | Self::NotFound { .. }
            | Self::SchemaTooNew { .. }
            | Self::SchemaTooOld { .. }
            | Self::SqliteTooOld { .. }
            | Self::WriterGone
            | Self::DamagedTurn(_) => None,
        }
    }

    /// What of the failed call is on disk.
    pub fn committed(&self) -> Committed {
        match self {
            Self::DiskFull(trouble)
            | Self::ReadOnly(trouble)
            | Self::Locked(trouble)
            | Self::Corrupt(trouble)
            | Self::Io(trouble)
            | Self::ForeignWriter(trouble)
            | Self::Other(trouble)
            | Self::DamagedTurn(trouble) => trouble.committed,
            Self::WriterGone => Committed::Unknown,
            Self::SequenceConflict { .. }
            | Self::UnknownExecution { .. }
            | Self::DuplicateExecution { .. }
            | Self::NameTaken { .. }
            | Self::NotFound { .. }
            | Self::SchemaTooNew { .. }
            | Self::SchemaTooOld { .. }
            | Self::SqliteTooOld { .. } => Committed::Nothing,
        }
    }

    /// The stable code, with its page.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::SequenceConflict { .. } => &codes::SEQUENCE_CONFLICT,
            Self::UnknownExecution { .. } => &codes::UNKNOWN_EXECUTION,
            Self::DuplicateExecution { .. } => &codes::DUPLICATE_EXECUTION,
            Self::NameTaken { .. } => &codes::NAME_TAKEN,
            Self::DiskFull(_) => &codes::DISK_FULL,
            Self::ReadOnly(_) => &codes::READ_ONLY,
            Self::Locked(_) => &codes::LOCKED,
            Self::Corrupt(_) => &codes::CORRUPT,
            Self::Io(_) => &codes::UNREACHABLE,
            Self::ForeignWriter(_) => &codes::FOREIGN_WRITER,
            Self::Other(_) => &codes::OTHER,
            Self::NotFound { .. } => &codes::NOT_FOUND,
            Self::SchemaTooNew { .. } => &codes::SCHEMA_TOO_NEW,
            Self::SchemaTooOld { .. } => &codes::SCHEMA_TOO_OLD,
            Self::SqliteTooOld { .. } => &codes::SQLITE_TOO_OLD,
            Self::WriterGone => &codes::WRITER_GONE,
            Self::DamagedTurn(_) => &codes::DAMAGED_TURN,
        }
    }

    /// What to do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::SequenceConflict { .. } => "read the execution again and decide again",
            Self::UnknownExecution { .. } | Self::DuplicateExecution { .. } => {
                "this is a bug in Skep: please report it"
            }
            Self::NameTaken { .. } => "choose another name; names of revoked keys and disabled users stay taken",
            Self::DiskFull(_) => "free space on that disk; nothing is lost and work goes on by itself afterwards",
            Self::ReadOnly(_) => "make the data directory writable for this user, or choose another one",
            Self::Locked(_) => "look which process has the file open (fuser FILE) and end it if it hangs",
            Self::Corrupt(_) => "stop all of Skep, keep a copy of the data directory, restore the newest backup",
            Self::Io(_) => "check that the data directory exists, that its disk works and that this user may use it",
            Self::ForeignWriter(_) => "stop the other process: a data directory has exactly one owner",
            Self::Other(_) => "try again; if it stays, report it with this message",
            Self::NotFound { .. } => "run a workflow first, or name the right data directory",
            Self::SchemaTooNew { .. } => "use the newer version of Skep, or another data directory",
            Self::SchemaTooOld { .. } => "start `skep serve` once: the owner brings the store up to date",
            Self::SqliteTooOld { .. } => "build Skep with its bundled SQLite",
            Self::WriterGone => "start the owner again: it recovers every open execution",
            Self::DamagedTurn(_) => {
                "`skep verify` names all damage; restore a backup, or set it aside with `skep repair`"
            }
        }
    }
}
