//! What is on disk: the journal, the operational rows beside it, blobs and step logs.
//!
//! Ports by role ([`Journal`] writes, [`Reader`] reads, [`blobs::Blobs`] keeps large values), each with a
//! SQLite or folder implementation and a naive one in memory that serves as the oracle. Events, plans and
//! definitions are opaque text and bytes here. This crate must not know the engine, decide anything or read
//! a clock: times and numbers come in as arguments.
//!
//! ```text
//! node --Write--> WriterThread --group--> Journal (sqlite | memory)   one transaction, one fsync
//!   ^                                        |
//!   +------------- Vec<Ack> <----------------+          Reader: own connections, never write
//! ```

mod access;
mod checksum;
mod error;
mod idle;
mod journal;
mod reader;
mod retire;
mod rows;
mod snapshot;

pub mod archive;
pub mod audit;
pub mod backup;
pub mod blobs;
pub mod check;
pub mod codes;
pub mod data_dir;
pub mod keep;
pub mod lock;
pub mod logs;
pub mod memory;
pub mod sqlite;
pub mod writer;

#[cfg(test)]
mod contract;

pub use access::{AccessChange, KeyRow, UserRow};
pub use data_dir::DataDir;
pub use error::{Committed, Error, Named, Trouble};
pub use idle::{IdleChange, IdleRow};
pub use journal::{Journal, NewAct, NewTurn, NewVersion, Row, Write};
pub use lock::OwnerLock;
pub use memory::Memory;
pub use reader::{
    ACCESS_ROWS_MAX, Filter, Found, JournalRow, LIBRARY_ROWS_MAX, ListPage, PAGE_BYTES_MAX, PAGE_ROWS_MAX,
    PREFIX_CANDIDATES_MAX, Reader, StatusCount, StoredPlan, StoredTurn,
};
pub use retire::{ArchivedRow, AsideRow, Retire};
pub use rows::{
    ActRow, BreakerRow, ChildRow, ExecutionChange, ExecutionRow, PermitRow, PermitState, StartKeyRow, ValidationRow,
    WorkflowVersion,
};
pub use snapshot::StoredSnapshot;
pub use sqlite::{Scan, SqliteJournal, SqliteReader};
pub use writer::{Ack, Stats, Submission, Ticket, WriterThread};
