//! The ports over SQLite: one file `skep.db`, WAL, every commit synced.
//!
//! The owner has one [`SqliteJournal`]; whoever reads opens a [`SqliteReader`] of their own, in this process
//! or another. Must not know what events mean. SQL lives in the files of this folder and in
//! `migrations/sqlite/`.

mod access;
mod connection;
mod decode;
mod idle;
mod inspect;
mod journal;
mod keys;
mod list;
mod mend;
mod migrate;
mod reader;
mod recover;
mod retire;
mod rows;
mod scan;
mod snapshot;
mod trouble;
mod walk;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use inspect::Listed;
pub use journal::SqliteJournal;
pub use mend::Mender;
pub use reader::SqliteReader;
pub use recover::{Recovered, recover};
pub use scan::Scan;
