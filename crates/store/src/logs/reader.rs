//! Reading and following the log of one execution, beside its writer or without one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use skep_model::ids::{ExecutionId, StepPath};

use super::record::Record;
use super::writer::{last_segment, segment_path};
use crate::data_dir::{DataDir, Error, folder_name};

/// Records of one page.
pub const PAGE_RECORDS_MAX: usize = 10_000;
/// A page ends after the line that takes it over this many bytes of the file, whether its filter took them
/// or not: an answer comes soon, also from a long log.
pub const PAGE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A place in a log. The default is its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cursor {
    /// Number of the segment, from 1; 0 before the first.
    pub segment: u32,
    /// Bytes of it that were read.
    pub offset_bytes: u64,
}

/// Which records to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PathFilter {
    /// All.
    #[default]
    All,
    /// Those of this step and, if it is a loop, of the steps inside it.
    Step(StepPath),
}

impl PathFilter {
    /// True if records of the step at `path` are asked for.
    pub fn admits(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Step(step) => {
                path.strip_prefix(&**step).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
            }
        }
    }
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// In the order in which they were written.
    pub records: Vec<Record>,
    /// Where to go on.
    pub cursor: Cursor,
    /// True if everything written so far was read; a follower waits then.
    pub at_end: bool,
    /// Lines that are no records: torn by a crash, or damaged. They are passed over.
    pub damaged_lines: u64,
}

/// Reads the log of one execution. Keeps nothing open between calls.
#[derive(Clone, Debug)]
pub struct LogReader {
    folder: PathBuf,
}

impl LogReader {
    /// A reader for `execution`, which need not have a log.
    ///
    /// # Errors
    /// [`Error::BadExecutionId`].
    pub fn new(directory: &DataDir, execution: &ExecutionId) -> Result<Self, Error> {
        Ok(Self { folder: directory.logs().join(folder_name(execution)?) })
    }

    /// The records after `cursor` that `filter` admits. A last line without its newline is still being
    /// written, or torn: it is read when it is complete, or passed over when a later segment exists.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn read_from(&self, cursor: Cursor, filter: &PathFilter) -> Result<LogPage, Error> {
        // Asked before anything is read: what a segment holds is final only if the next one existed by then.
        let last = last_segment(&self.folder)?;
        let mut page = LogPage { records: Vec::new(), cursor, at_end: false, damaged_lines: 0 };
        if page.cursor.segment == 0 {
            page.cursor = Cursor { segment: 1, offset_bytes: 0 };
        }
        let mut left_bytes = PAGE_BYTES_MAX;
        while page.cursor.segment <= last {
            if !self.read_segment(&mut page, filter, &mut left_bytes, last)? {
                return Ok(page);
            }
            if page.cursor.segment == last {
                break;
            }
            page.cursor = Cursor { segment: page.cursor.segment + 1, offset_bytes: 0 };
        }
        page.at_end = true;
        Ok(page)
    }

    /// Reads on in the cursor's segment; false if the page is full.
    fn read_segment(
        &self,
        page: &mut LogPage,
        filter: &PathFilter,
        left_bytes: &mut u64,
        last: u32,
    ) -> Result<bool, Error> {
        let path = segment_path(&self.folder, page.cursor.segment);
        let Some(mut file) = open_at(&path, page.cursor.offset_bytes).map_err(Error::file("opening", &path))? else {
            // Retention may have dropped it.
            return Ok(true);
        };
        let mut line = Vec::new();
        loop {
            if page.records.len() >= PAGE_RECORDS_MAX || *left_bytes == 0 {
                return Ok(false);
            }
            line.clear();
            let read = file.read_until(b'\n', &mut line).map_err(Error::file("reading", &path))? as u64;
            if !line.ends_with(b"\n") {
                page.damaged_lines += u64::from(read > 0 && page.cursor.segment < last);
                return Ok(true);
            }
            page.cursor.offset_bytes += read;
            *left_bytes = left_bytes.saturating_sub(read);
            match serde_json::from_slice::<Record>(&line) {
                Ok(record) if filter.admits(&record.path) => page.records.push(record),
                Ok(_) => {}
                Err(_) => page.damaged_lines += 1,
            }
        }
    }
}

fn open_at(path: &std::path::Path, offset_bytes: u64) -> io::Result<Option<BufReader<File>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    };
    file.seek(SeekFrom::Start(offset_bytes))?;
    Ok(Some(BufReader::new(file)))
}
