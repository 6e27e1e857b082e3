//! The ports over SQLite: one file `skep.db`, WAL, every commit synced.
//!
//! The owner has one [`SqliteJournal`]; whoever reads opens a [`SqliteReader`] of their own, in this process
//! or another. Must not know what events mean. SQL lives in the files of this folder and in
//! `migrations/sqlite/`.

mod access;
mod connection;
mod decode;
mod idle;
mod journal;
mod list;
mod migrate;
mod reader;
mod rows;
mod snapshot;
mod trouble;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use journal::SqliteJournal;
pub use reader::SqliteReader;
