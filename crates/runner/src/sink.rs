//! Where the log lines of steps go: a port that the node fills.

use skep_model::effect::Task;
use skep_model::time::Timestamp;

/// Takes log lines. Called on the runner's thread, in the order in which lines were read, for one delivery never
/// at the same time twice; a slow sink slows every script.
pub trait Sink: Send + Sync {
    /// Some lines of one delivery, in order.
    fn lines(&self, task: &Task, lines: &[LogLine]);
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was read.
    pub at: Timestamp,
    /// Where it came from.
    pub stream: Stream,
    /// Its bytes without the newline; not always UTF-8. A line over 64 KiB comes in pieces.
    pub bytes: Vec<u8>,
}

/// The source of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// The runner itself, or the action `log`.
    System,
}

impl LogLine {
    /// A line of the runner, now.
    pub fn system(text: &str) -> Self {
        Self { at: crate::clock::now(), stream: Stream::System, bytes: text.as_bytes().to_vec() }
    }
}
