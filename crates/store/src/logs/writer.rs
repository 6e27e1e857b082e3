//! The owner's side of the logs.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use skep_model::ids::{ExecutionId, StepPath};
use skep_model::limits::{EXECUTION_LOG_BYTES_MAX, STEP_LOG_BYTES_MAX};
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
    logs: HashMap<ExecutionId, Log>,
    /// At most as many as the limits say.
    files: HashMap<ExecutionId, OpenFile>,
    /// Counts uses, to find the file that was not used for longest.
    clock: u64,
}

/// The bounds, smaller in tests.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) segment_bytes: u64,
    pub(super) delivery_bytes: u64,
    pub(super) open_files: usize,
    pub(super) execution_bytes: u64,
}

/// The log of one execution.
#[derive(Default)]
struct Log {
    /// The segment that may be continued, because only this writer has ever written to it.
    segment: Option<Segment>,
    /// By step and delivery.
    deliveries: HashMap<(StepPath, u32), Usage>,
    /// Bytes of all segments; `None` until they were counted.
    size_bytes: Option<u64>,
}

#[derive(Clone, Copy)]
struct Segment {
    number: u32,
    size_bytes: u64,
}

struct OpenFile {
    file: File,
    used: u64,
}

/// What a delivery has printed.
#[derive(Default)]
struct Usage {
    kept_bytes: u64,
    cut_bytes: u64,
    cut_lines: u64,
    /// The execution's limit was met, not the delivery's own.
    execution_is_full: bool,
}

impl LogWriter {
    /// A writer for `directory`. Touches nothing yet.
    pub fn new(directory: &DataDir) -> Self {
        let limits = Limits {
            segment_bytes: SEGMENT_BYTES_MAX,
            delivery_bytes: STEP_LOG_BYTES_MAX,
            open_files: OPEN_FILES_MAX,
            execution_bytes: EXECUTION_LOG_BYTES_MAX,
        };
        Self::with_limits(directory, limits)
    }

    pub(super) fn with_limits(directory: &DataDir, limits: Limits) -> Self {
        Self { root: directory.logs(), limits, logs: HashMap::new(), files: HashMap::new(), clock: 0 }
    }

    /// Appends a batch to the log of `execution` and hands it to the system. Of each delivery at most
    /// `STEP_LOG_BYTES_MAX` bytes of lines are kept, of each execution `EXECUTION_LOG_BYTES_MAX` bytes (Skep's own `sys` records always); from the first line
    /// that does not fit, the rest is cut and counted.
    ///
    /// # Errors
    /// [`Error`]; a part of the batch may be in the file then, and the next batch begins a new segment.
    pub fn append(&mut self, execution: &ExecutionId, records: &[Record]) -> Result<(), Error> {
        let mut text = Vec::new();
        for record in records {
            if self.fits(execution, record, text.len() as u64) {
                serde_json::to_writer(&mut text, record).expect("a record has nothing that JSON cannot say");
                text.push(b'\n');
            }
        }
        if text.is_empty() { Ok(()) } else { self.write(execution, &text) }
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
        let log = self.logs.get_mut(execution);
        let usage = log.and_then(|log| log.deliveries.remove(&(path.clone(), delivery))).unwrap_or_default();
        if usage.cut_lines == 0 {
            return Ok(());
        }
        let line = Line::Text(format!(
            "{} lines ({} bytes) were cut: {} log keeps {} bytes",
            usage.cut_lines,
            usage.cut_bytes,
            if usage.execution_is_full { "an execution's" } else { "a step's" },
            if usage.execution_is_full { self.limits.execution_bytes } else { self.limits.delivery_bytes }
        ));
        self.append(execution, &[Record { at, path: path.clone(), delivery, stream: Stream::Sys, line }])
    }

    /// Closes the log of an execution and forgets its deliveries: it has ended, or nothing of it runs for a
    /// while. If more comes after all, it goes into a new segment.
    pub fn end_execution(&mut self, execution: &ExecutionId) {
        self.files.remove(execution);
        self.logs.remove(execution);
    }

    fn fits(&mut self, execution: &ExecutionId, record: &Record, batch_bytes: u64) -> bool {
        match record.stream {
            Stream::Sys => return true,
            Stream::Out | Stream::Err => {}
        }
        let log = self.logs.entry(execution.clone()).or_default();
        let root = &self.root;
        let written_bytes = *log.size_bytes.get_or_insert_with(|| size_of(root, execution)) + batch_bytes;
        let usage = log.deliveries.entry((record.path.clone(), record.delivery)).or_default();
        // With its newline, so that empty lines count too.
        let size_bytes = record.line.as_bytes().len() as u64 + 1;
        let is_full = written_bytes + size_bytes > self.limits.execution_bytes;
        usage.execution_is_full |= is_full && usage.cut_lines == 0;
        let fits = usage.cut_lines == 0 && !is_full && usage.kept_bytes + size_bytes <= self.limits.delivery_bytes;
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
        let log = self.logs.entry(execution.clone()).or_default();
        // Taken out: after an error its last line may be torn, so it is not continued.
        let (mut segment, file) = match (log.segment.take(), self.files.remove(execution)) {
            (Some(segment), file) if segment.size_bytes + text.len() as u64 <= self.limits.segment_bytes => {
                (segment, file)
            }
            (Some(segment), _) => begin(&folder, segment.number + 1)?,
            (None, _) => begin(&folder, last_segment(&folder)? + 1)?,
        };
        let path = segment_path(&folder, segment.number);
        let mut file = match file {
            Some(open) => open.file,
            None => OpenOptions::new().append(true).open(&path).map_err(Error::file("opening", &path))?,
        };
        file.write_all(text).map_err(Error::file("writing", &path))?;
        segment.size_bytes += text.len() as u64;
        log.size_bytes = log.size_bytes.map(|bytes| bytes + text.len() as u64);
        log.segment = Some(segment);
        self.keep_open(execution, file);
        Ok(())
    }

    fn keep_open(&mut self, execution: &ExecutionId, file: File) {
        self.clock += 1;
        self.files.insert(execution.clone(), OpenFile { file, used: self.clock });
        if self.files.len() > self.limits.open_files
            && let Some(oldest) = self.files.iter().min_by_key(|(_, file)| file.used).map(|(id, _)| id.clone())
        {
            self.files.remove(&oldest);
        }
    }

    #[cfg(test)]
    pub(super) fn open_files(&self) -> usize {
        self.files.len()
    }
}

/// Creates segment `number`, with the folder if it is the first.
fn begin(folder: &Path, number: u32) -> Result<(Segment, Option<OpenFile>), Error> {
    create_folder(folder)?;
    let path = segment_path(folder, number);
    let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
    let file = file.map_err(Error::file("creating", &path))?;
    Ok((Segment { number, size_bytes: 0 }, Some(OpenFile { file, used: 0 })))
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

/// Bytes of what an earlier owner wrote of an execution's log. What cannot be looked at counts as nothing: the
/// limit keeps the disk from filling up, it is no promise.
fn size_of(root: &Path, execution: &ExecutionId) -> u64 {
    let folder = folder_name(execution).map(|name| root.join(name));
    let listing = folder.ok().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten();
    listing.filter_map(|entry| entry.ok()?.metadata().ok()).map(|metadata| metadata.len()).sum()
}
