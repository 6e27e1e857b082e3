//! What a script prints: log lines for the sink as they come, bytes for its outputs.

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use skep_model::effect::Task;
use skep_model::limits::{CAPTURE_BYTES_MAX, STEP_LOG_BYTES_MAX};
use tokio::net::unix::pipe;

use crate::sink::{LogLine, Sink, Stream};

/// A line longer than this many bytes is logged in pieces: a program may print gigabytes without a newline.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Bytes read at once; the size of a pipe.
const CHUNK_BYTES: usize = 64 * 1024;

/// Both streams of a script.
pub(crate) struct Streams {
    out: Half,
    err: Half,
    log: Log,
}

/// What there is at the end.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    pub bytes: Vec<u8>,
    /// Bytes past `CAPTURE_BYTES_MAX` that were dropped.
    pub cut_bytes: u64,
}

impl Streams {
    /// Reads from these pipe ends. Must be called in the runtime.
    pub fn new(stdout: OwnedFd, stderr: OwnedFd, task: Arc<Task>, sink: Arc<dyn Sink>) -> io::Result<Self> {
        let log = Log { task, sink, left_bytes: STEP_LOG_BYTES_MAX, cut_bytes: 0 };
        Ok(Self { out: Half::new(stdout, Stream::Out)?, err: Half::new(stderr, Stream::Err)?, log })
    }

    /// Reads until `event` has happened.
    pub async fn until<T>(&mut self, event: impl Future<Output = T>) -> T {
        let mut event = pin!(event);
        loop {
            tokio::select! {
                biased;
                value = &mut event => return value,
                () = self.out.readable(), if self.out.is_open() => self.out.read(&mut self.log),
                () = self.err.readable(), if self.err.is_open() => self.err.read(&mut self.log),
            }
        }
    }

    /// Reads until both have ended, but not longer than `longest`.
    pub async fn until_end(&mut self, longest: Duration) {
        let mut limit = pin!(tokio::time::sleep(longest));
        while self.out.is_open() || self.err.is_open() {
            tokio::select! {
                biased;
                () = self.out.readable(), if self.out.is_open() => self.out.read(&mut self.log),
                () = self.err.readable(), if self.err.is_open() => self.err.read(&mut self.log),
                () = &mut limit => return,
            }
        }
    }

    /// Logs what stands in unfinished lines and gives what was captured: standard output, standard error.
    pub fn finish(mut self) -> (Captured, Captured) {
        self.out.flush(&mut self.log);
        self.err.flush(&mut self.log);
        if self.log.cut_bytes > 0 {
            self.log.say(&format!("{} bytes more were printed and are not in the log", self.log.cut_bytes));
        }
        for (half, name) in [(&self.out, "stdout"), (&self.err, "stderr")] {
            let cut = half.captured.cut_bytes;
            if cut > 0 {
                self.log.say(&format!(
                    "the output `{name}` ends after {CAPTURE_BYTES_MAX} bytes; {cut} bytes more were printed"
                ));
            }
        }
        (self.out.captured, self.err.captured)
    }
}

struct Half {
    pipe: Option<pipe::Receiver>,
    stream: Stream,
    /// The beginning of a line that has not ended yet.
    line: Vec<u8>,
    captured: Captured,
}

impl Half {
    fn new(pipe: OwnedFd, stream: Stream) -> io::Result<Self> {
        let pipe = Some(pipe::Receiver::from_owned_fd(pipe)?);
        Ok(Self { pipe, stream, line: Vec::new(), captured: Captured::default() })
    }

    fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    async fn readable(&self) {
        if let Some(pipe) = &self.pipe {
            // An error shows again, as itself, in the read that follows.
            let _ = pipe.readable().await;
        }
    }

    fn read(&mut self, log: &mut Log) {
        let Some(pipe) = &self.pipe else { return };
        let mut chunk = [0; CHUNK_BYTES];
        match pipe.try_read(&mut chunk) {
            Ok(0) => self.pipe = None,
            Ok(count) => self.take(&chunk[..count], log),
            Err(problem) if problem.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.pipe = None,
        }
    }

    fn take(&mut self, chunk: &[u8], log: &mut Log) {
        let room = CAPTURE_BYTES_MAX.saturating_sub(self.captured.bytes.len()).min(chunk.len());
        self.captured.bytes.extend_from_slice(&chunk[..room]);
        self.captured.cut_bytes += (chunk.len() - room) as u64;
        let mut lines = Vec::new();
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
                lines.push(std::mem::take(&mut self.line));
            } else if self.line.len() >= LINE_BYTES_MAX {
                lines.push(std::mem::take(&mut self.line));
            }
        }
        log.write(self.stream, lines);
    }

    fn flush(&mut self, log: &mut Log) {
        if !self.line.is_empty() {
            log.write(self.stream, vec![std::mem::take(&mut self.line)]);
        }
    }
}

/// The way to the sink, with the bound of one delivery.
struct Log {
    task: Arc<Task>,
    sink: Arc<dyn Sink>,
    left_bytes: u64,
    cut_bytes: u64,
}

impl Log {
    fn write(&mut self, stream: Stream, lines: Vec<Vec<u8>>) {
        let at = crate::clock::now();
        let kept: Vec<LogLine> =
            lines.into_iter().filter(|line| self.has_room(line)).map(|bytes| LogLine { at, stream, bytes }).collect();
        if !kept.is_empty() {
            self.sink.lines(&self.task, &kept);
        }
    }

    /// Once a line was cut, all that follow are: a log with holes would mislead.
    fn has_room(&mut self, line: &[u8]) -> bool {
        let size = line.len() as u64 + 1;
        if self.cut_bytes == 0 && size <= self.left_bytes {
            self.left_bytes -= size;
            return true;
        }
        self.cut_bytes += size;
        false
    }

    fn say(&self, text: &str) {
        self.sink.lines(&self.task, &[LogLine::system(text)]);
    }
}
