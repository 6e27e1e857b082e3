//! What steps print goes to their log, from any thread of the runner.

use std::sync::{Mutex, PoisonError};

use skep_model::effect::Task;
use skep_model::ids::{ExecutionId, StepPath};
use skep_runner::{LogLine, Sink, Stream};
use skep_store::DataDir;
use skep_store::logs::{Line, LogWriter, Record, Stream as StoredStream};

use crate::watch::Watcher;

/// Writes lines to the logs and wakes followers.
pub(crate) struct LogSink {
    writer: Mutex<LogWriter>,
    watcher: Watcher,
}

impl LogSink {
    pub fn new(directory: &DataDir, watcher: Watcher) -> Self {
        Self { writer: Mutex::new(LogWriter::new(directory)), watcher }
    }

    /// A delivery has ended: what was cut of its log is said.
    pub fn end_delivery(&self, execution: &ExecutionId, path: &StepPath, delivery: u32) {
        let result = self.with(|writer| writer.end_delivery(execution, path, delivery, crate::clock::now()));
        if let Err(error) = result {
            tracing::warn!(%execution, %path, "the end of a step's log could not be written: {error}");
        }
    }

    /// No more lines come for this execution.
    pub fn end_execution(&self, execution: &ExecutionId) {
        self.with(|writer| writer.end_execution(execution));
    }

    fn with<T>(&self, act: impl FnOnce(&mut LogWriter) -> T) -> T {
        act(&mut self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for LogSink {
    fn lines(&self, task: &Task, lines: &[LogLine]) {
        let records: Vec<Record> = lines.iter().map(|line| record(task, line)).collect();
        if let Err(error) = self.with(|writer| writer.append(&task.execution, &records)) {
            tracing::warn!(execution = %task.execution, path = %task.path, "a step's log could not be written: {error}");
        }
        self.watcher.beat();
    }
}

fn record(task: &Task, line: &LogLine) -> Record {
    let stream = match line.stream {
        Stream::Out => StoredStream::Out,
        Stream::Err => StoredStream::Err,
        Stream::System => StoredStream::Sys,
    };
    Record { at: line.at, path: task.path.clone(), delivery: task.delivery, stream, line: Line::of(line.bytes.clone()) }
}
