//! From how a process ended to how the step ended.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::io::Errno;
use serde_json::Value;
use skep_model::Map;
use skep_model::effect::Script;
use skep_model::error::{Failure, Kind};
use skep_model::outcome::Ended;

use super::streams::Captured;
use crate::codes;
use crate::spawner::{ExecError, Order, Stage};

/// Of standard error, so many last lines, and at most so many bytes, stand in the message of a failure.
const TAIL_LINES_MAX: usize = 5;
const TAIL_BYTES_MAX: usize = 1_000;

/// Why a script failed, before its streams are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It took longer than so many milliseconds.
    Timeout(u64),
    /// The spawner died, so that nobody knows how it ended.
    Lost,
}

/// Outputs of a script: `stdout, stderr, exit_code, json`.
pub(crate) fn outputs(out: Captured, err: Captured, exit_code: Option<i32>) -> Map<Value> {
    let json = if out.cut_bytes == 0 { serde_json::from_slice(&out.bytes).unwrap_or(Value::Null) } else { Value::Null };
    Map::from_iter([
        ("stdout".to_owned(), Value::String(text(out.bytes))),
        ("stderr".to_owned(), Value::String(text(err.bytes))),
        ("exit_code".to_owned(), exit_code.map_or(Value::Null, Value::from)),
        ("json".to_owned(), json),
    ])
}

/// The bytes as text, without one final newline.
fn text(mut bytes: Vec<u8>) -> String {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    String::from_utf8(bytes).unwrap_or_else(|problem| String::from_utf8_lossy(problem.as_bytes()).into_owned())
}

/// How a script ended that ended by itself.
pub(crate) fn exited(status: ExitStatus, script: &Script, out: Captured, err: Captured) -> Ended {
    let outputs = outputs(out, err, status.code());
    let stderr = outputs["stderr"].as_str().unwrap_or_default();
    let failure = match status.code() {
        Some(0) => return Ended::Succeeded(outputs),
        Some(code) => exit_failure(code, script, stderr),
        None => signal_failure(status.signal().unwrap_or_default(), script, stderr),
    };
    Ended::Failed { failure, outputs }
}

fn exit_failure(code: i32, script: &Script, stderr: &str) -> Failure {
    let message = format!("the `{}` script exited with code {code}{}", script.shell, tail(stderr));
    let mut failure = Failure::new(Kind::Exit, codes::EXIT, message);
    failure.exit_code = Some(code);
    failure.hint = match code {
        126 => Some(
            "code 126: a command was found but may not be executed; see its mode (`chmod +x`) and its first line"
                .to_owned(),
        ),
        127 => Some(format!(
            "code 127: a command was not found in PATH={}; write its path, or set PATH in `env`",
            script.env.get("PATH").map_or("(unset)", String::as_str)
        )),
        _ => None,
    };
    failure
}

fn signal_failure(signal: i32, script: &Script, stderr: &str) -> Failure {
    let message = format!("the `{}` script was killed by signal {signal}{}", script.shell, tail(stderr));
    let failure = Failure::new(Kind::Crash, codes::SIGNAL, message);
    if signal == libc::SIGKILL {
        return failure.with_hint("if nobody sent SIGKILL, the machine ran out of memory: see `dmesg`");
    }
    failure
}

/// How a script ended that did not end by itself.
pub(crate) fn stopped(why: Failed, script: &Script, out: Captured, err: Captured) -> Ended {
    let outputs = outputs(out, err, None);
    let tail = tail(outputs["stderr"].as_str().unwrap_or_default());
    let failure = match why {
        Failed::Timeout(ms) => Failure::new(
            Kind::Timeout,
            codes::TIMEOUT,
            format!("the `{}` script took longer than {ms} ms and was stopped{tail}", script.shell),
        )
        .with_hint("give the step a larger `timeout`, or make it do less"),
        Failed::Lost => Failure::new(
            Kind::Crash,
            codes::SPAWNER_LOST,
            "the helper process that starts scripts died, so this script was stopped",
        )
        .with_hint("if nobody killed it, the machine ran out of memory: see `dmesg`"),
    };
    Ended::Failed { failure, outputs }
}

/// How a script ends that printed nothing in its time.
pub(crate) fn timed_out(ms: u64, script: &Script) -> Ended {
    let nothing = || Captured { bytes: Vec::new(), cut_bytes: 0 };
    stopped(Failed::Timeout(ms), script, nothing(), nothing())
}

/// The last lines of standard error, as the end of a message.
fn tail(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().collect();
    let shown = lines[lines.len().saturating_sub(TAIL_LINES_MAX)..].join("\n");
    let mut start = shown.len().saturating_sub(TAIL_BYTES_MAX);
    while !shown.is_char_boundary(start) {
        start += 1;
    }
    let shown = shown[start..].trim();
    if shown.is_empty() { String::new() } else { format!(": {shown}") }
}

/// A released child could not become its program.
pub(crate) fn exec_failure(problem: ExecError, order: &Order) -> Failure {
    let errno = Errno::from_raw_os_error(problem.errno);
    let text = std::io::Error::from(errno);
    match problem.stage {
        Stage::Directory => {
            let message = format!("the script cannot start in working_dir {:?}: {text}", order.directory);
            let kind = if errno == Errno::ACCESS { Kind::Permission } else { Kind::NotFound };
            Failure::new(kind, codes::WORKING_DIR, message)
                .with_hint("make the folder in an earlier step, or correct `working_dir` (relative ones begin at the base directory)")
        }
        Stage::Program => program_failure(errno, order, &text.to_string()),
    }
}

fn program_failure(errno: Errno, order: &Order, text: &str) -> Failure {
    let message = format!("the interpreter {:?} cannot be executed: {text}", order.program);
    match errno {
        Errno::ACCESS | Errno::PERM => Failure::new(Kind::Permission, codes::INTERPRETER_UNUSABLE, message)
            .with_hint("see the file's mode (`chmod +x`) and whether its file system is mounted `noexec`"),
        Errno::TOOBIG => Failure::new(Kind::Invalid, codes::UNUSABLE_TEXT, message).with_hint(
            "environment and values are larger than Linux allows together; read large ones from the file $SKEP_INPUTS",
        ),
        Errno::NOENT => Failure::new(Kind::NotFound, codes::INTERPRETER_MISSING, message)
            .with_hint("the file, or the interpreter that its own first line names, does not exist"),
        _ => Failure::new(Kind::Invalid, codes::INTERPRETER_UNUSABLE, message)
            .with_hint("`shell` must name a program of this machine, or a file whose first line names one"),
    }
}

/// The spawner could not make a child.
pub(crate) fn spawn_failure(errno: Errno) -> Failure {
    let message = format!("no process could be made for the script: {}", std::io::Error::from(errno));
    Failure::new(Kind::ResourceLimit, codes::NO_PROCESS, message)
        .with_hint("see `ulimit -u -n` and the memory of the machine; fewer steps at a time (max_parallel) need less")
}
