//! What steps print: append-only JSON Lines, in segments, one folder per execution.
//!
//! ```text
//! logs/EXECUTION_ID/000001.jsonl    {"at":1760000000000000,"p":"build","d":1,"s":"out","l":"hello"}
//!                   000002.jsonl    ..
//! ```
//!
//! A batch of records is written with one call and not fsynced: a crash of the owner loses nothing that was
//! written, a loss of power may lose the last seconds. What counts of a step's output is in the journal.
//! A writer never continues a segment that another process may have left torn, it begins a new one; readers
//! pass over a torn line at the end of a segment once there is a next one.

mod reader;
mod record;
mod whole;
mod writer;

#[cfg(test)]
mod tests;

pub use reader::{Cursor, LogPage, LogReader, PAGE_BYTES_MAX, PAGE_RECORDS_MAX, PathFilter};
pub use record::{Line, Record, Stream};
pub use whole::{bad_lines, segments};
pub use writer::{LogWriter, OPEN_FILES_MAX, SEGMENT_BYTES_MAX};

pub use crate::data_dir::Error;
