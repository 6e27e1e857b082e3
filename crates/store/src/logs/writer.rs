//! The owner's side of the logs.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use skep_model::ids::{ExecutionId, StepPath};
use skep_model::limits::STEP_LOG_BYTES_MAX;
use skep_model::time::Timestamp;

use super::record::{Line, Record, Stream};
use crate::data_dir::{DataDir, Error, create_folder, folder_name};

/// A segment is closed before a batch that would take it over this many bytes: large enough that a folder
/// stays short, small enough to be read or dropped as a whole.
pub const SEGMENT_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Segments kept open at once; the one that was not used for longest is closed. Most systems allow 1,024
/// files per process, and steps need theirs.
pub const OPEN_FILES_MAX: usize = 128;

/// Writes the logs of all executions of one owner.
pub struct LogWriter {
    root: PathBuf,
    limits: Limits,
    segments: HashMap<ExecutionId, Segment>,
    deliveries: HashMap<Delivery, Usage>,
    /// Counts uses, to find the segment that was not used for longest.
    clock: u64,
}

/// The bounds, smaller in tests.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) segment_bytes: u64,
    pub(super) delivery_bytes: u64,
    pub(super) open_files: usize,
}

/// Where an execution's log is being written. Only this writer has ever written to the segment.
struct Segment {
    number: u32,
    size_bytes: u64,
    file: Option<File>,
    used: u64,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Delivery {
    execution: ExecutionId,
    path: StepPath,
    delivery: u32,
}

/// What a delivery has printed.
#[derive(Default)]
struct Usage {
    kept_bytes: u64,
    cut_bytes: u64,
    cut_lines: u64,
}

impl LogWriter {
    /// A writer for `directory`. Touches nothing yet.
    pub fn new(directory: &DataDir) -> Self {
        let limits =
            Limits { segment_bytes: SEGMENT_BYTES_MAX, delivery_bytes: STEP_LOG_BYTES_MAX, open_files: OPEN_FILES_MAX };
        Self::with_limits(directory, limits)
    }

    pub(super) fn with_limits(directory: &DataDir, limits: Limits) -> Self {
        let root = directory.logs();
        Self { root, limits, segments: HashMap::new(), deliveries: HashMap::new(), clock: 0 }
    }

    /// Appends a batch to the log of `execution` and hands it to the system. Of each delivery at most
    /// `STEP_LOG_BYTES_MAX` bytes of lines are kept (Skep's own `sys` records always); from the first line
    /// that does not fit, the rest is cut and counted.
    ///
    /// # Errors
    /// [`Error`]; a part of the batch may be in the file then, and the next batch begins a new segment.
    pub fn append(&mut self, execution: &ExecutionId, records: &[Record]) -> Result<(), Error> {
        let mut text = Vec::new();
        for record in records {
            if self.fits(execution, record) {
                serde_json::to_writer(&mut text, record).expect("a record has nothing that JSON cannot say");
                text.push(b'\n');
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        let written = self.write(execution, &text);
        if written.is_err() {
            // The last line may be torn, so the segment is not continued.
            self.segments.remove(execution);
        }
        written
    }

    /// Says that nothing more comes from a delivery. If lines of it were cut, one `sys` record says how much.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn end_delivery(
        &mut self,
        execution: &ExecutionId,
        path: &StepPath,
        delivery: u32,
        at: Timestamp,
    ) -> Result<(), Error> {
        let key = Delivery { execution: execution.clone(), path: path.clone(), delivery };
        let usage = self.deliveries.remove(&key).unwrap_or_default();
        if usage.cut_lines == 0 {
            return Ok(());
        }
        let line = Line::Text(format!(
            "{} lines ({} bytes) were cut: a step's log keeps {} bytes",
            usage.cut_lines, usage.cut_bytes, self.limits.delivery_bytes
        ));
        self.append(execution, &[Record { at, path: path.clone(), delivery, stream: Stream::Sys, line }])
    }

    /// Closes the log of an execution that has ended and forgets its deliveries.
    pub fn end_execution(&mut self, execution: &ExecutionId) {
        self.segments.remove(execution);
        self.deliveries.retain(|delivery, _| delivery.execution != *execution);
    }

    fn fits(&mut self, execution: &ExecutionId, record: &Record) -> bool {
        match record.stream {
            Stream::Sys => return true,
            Stream::Out | Stream::Err => {}
        }
        let key = Delivery { execution: execution.clone(), path: record.path.clone(), delivery: record.delivery };
        let usage = self.deliveries.entry(key).or_default();
        // With its newline, so that empty lines count too.
        let size_bytes = record.line.as_bytes().len() as u64 + 1;
        let fits = usage.cut_lines == 0 && usage.kept_bytes + size_bytes <= self.limits.delivery_bytes;
        if fits {
            usage.kept_bytes += size_bytes;
        } else {
            usage.cut_bytes += size_bytes;
            usage.cut_lines += 1;
        }
        fits
    }

    fn write(&mut self, execution: &ExecutionId, text: &[u8]) -> Result<(), Error> {
        let folder = self.root.join(folder_name(execution)?);
        self.clock += 1;
        let (clock, full) = (self.clock, self.limits.segment_bytes);
        let segment = match self.segments.remove(execution) {
            Some(segment) if segment.size_bytes + text.len() as u64 <= full => segment,
            Some(segment) => Segment::begin(&folder, segment.number + 1)?,
            None => Segment::begin(&folder, last_segment(&folder)? + 1)?,
        };
        let segment = self.segments.entry(execution.clone()).or_insert(segment);
        segment.used = clock;
        segment.write(&folder, text)?;
        self.close_unused();
        Ok(())
    }

    fn close_unused(&mut self) {
        let open = self.segments.values().filter(|segment| segment.file.is_some()).count();
        if open <= self.limits.open_files {
            return;
        }
        let oldest = self.segments.values_mut().filter(|segment| segment.file.is_some());
        if let Some(segment) = oldest.min_by_key(|segment| segment.used) {
            segment.file = None;
        }
    }

    #[cfg(test)]
    pub(super) fn open_files(&self) -> usize {
        self.segments.values().filter(|segment| segment.file.is_some()).count()
    }
}

impl Segment {
    fn begin(folder: &Path, number: u32) -> Result<Self, Error> {
        create_folder(folder)?;
        let path = segment_path(folder, number);
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(Error::file("creating", &path))?;
        Ok(Self { number, size_bytes: 0, file: Some(file), used: 0 })
    }

    fn write(&mut self, folder: &Path, text: &[u8]) -> Result<(), Error> {
        let path = segment_path(folder, self.number);
        let file = match &mut self.file {
            Some(file) => file,
            closed => {
                let file = OpenOptions::new().append(true).open(&path).map_err(Error::file("opening", &path))?;
                closed.insert(file)
            }
        };
        file.write_all(text).map_err(Error::file("writing", &path))?;
        self.size_bytes += text.len() as u64;
        Ok(())
    }
}

/// The file of segment `number`.
pub(super) fn segment_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.jsonl"))
}

/// The highest segment number in `folder`, 0 if there is none.
pub(super) fn last_segment(folder: &Path) -> Result<u32, Error> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(cause) => return Err(Error::file("listing", folder)(cause)),
    };
    let mut last = 0;
    for entry in listing {
        let name = entry.map_err(Error::file("listing", folder))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".jsonl")).and_then(|stem| stem.parse().ok());
        last = last.max(number.unwrap_or(0));
    }
    Ok(last)
}
