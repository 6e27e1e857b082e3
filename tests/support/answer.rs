//! What a command of `skep` answered.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::wait;

/// A command that does not end by then hangs.
const COMMAND_MAX: Duration = Duration::from_secs(90);

/// How it ended and what it said.
#[derive(Debug)]
pub struct Answer {
    /// The arguments, for messages.
    pub command: String,
    /// Its exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// The one JSON value on standard output. Panics if it is not exactly one.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("not one JSON value ({error}): {self}"))
    }

    /// The values of JSON Lines.
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"));
        self.out.lines().map(parse).collect()
    }

    /// Panics unless it exited with `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, code, out: answer, err } = self;
        write!(out, "{command}\nexit {code:?}\n--- stdout\n{answer}\n--- stderr\n{err}")
    }
}

/// A command that runs, with its streams in files: whoever inherits them cannot keep the test waiting.
pub struct Running {
    command: String,
    /// The process.
    pub child: Child,
    out: File,
    err: File,
}

impl Running {
    /// Starts `command`.
    pub fn start(mut command: Command) -> Self {
        let file = || tempfile::tempfile().expect("a file for a stream can be made");
        let (out, err) = (file(), file());
        let handle = |file: &File| Stdio::from(file.try_clone().expect("a descriptor can be copied"));
        command.stdout(handle(&out)).stderr(handle(&err));
        let shown = format!("{command:?}");
        let child = command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        Self { command: shown, child, out, err }
    }

    /// Waits for its end and takes what it said.
    pub fn end(mut self) -> Answer {
        let child = &mut self.child;
        let status = wait::try_until(COMMAND_MAX, || child.try_wait().expect("it is our child"));
        if status.is_none() {
            child.kill().expect("it is our child");
            child.wait().expect("it is our child");
        }
        let answer = Answer {
            command: std::mem::take(&mut self.command),
            code: status.and_then(|status| status.code()),
            out: content(&self.out),
            err: content(&self.err),
        };
        assert!(status.is_some(), "it did not end within {COMMAND_MAX:?}: {answer}");
        answer
    }

    /// True once it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// What it said on standard error so far.
    pub fn errors_so_far(&self) -> String {
        content(&self.err)
    }

    /// What it has said so far on standard output.
    pub fn output_so_far(&self) -> String {
        content(&self.out)
    }

    /// SIGKILL, and the end of it.
    pub fn kill(mut self) -> Answer {
        // It may have ended by itself.
        drop(self.child.kill());
        self.end()
    }
}

/// Read by position: the writer shares the offset.
fn content(file: &File) -> String {
    let size = file.metadata().expect("the file can be asked").len();
    let mut bytes = vec![0; size as usize];
    file.read_exact_at(&mut bytes, 0).expect("the file can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A test that fails must not leave its processes behind.
impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
