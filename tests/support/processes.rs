//! Looking at processes through `/proc`.

use std::fs;
use std::path::Path;

/// Processes that have `mark` among their arguments; zombies have none.
pub fn with_argument(mark: &str) -> Vec<u32> {
    all().into_iter().filter(|pid| holds(format!("/proc/{pid}/cmdline"), mark)).collect()
}

/// Children of `parent` that have `mark` among their arguments.
pub fn children_with_argument(parent: u32, mark: &str) -> Vec<u32> {
    with_argument(mark).into_iter().filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // State and parent stand after the program's name, which may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

/// Processes whose environment has the delivery token of a step of `execution`.
pub fn of_execution(execution: &str) -> Vec<u32> {
    let key = format!("SKEP_IDEMPOTENCY_KEY={execution}/");
    all().into_iter().filter(|pid| holds(format!("/proc/{pid}/environ"), &key)).collect()
}

/// The delivery tokens of all processes that run a step.
pub fn delivery_tokens() -> Vec<String> {
    all().into_iter().filter_map(|pid| variable(pid, "SKEP_DELIVERY_TOKEN")).collect()
}

/// The value of a variable in the environment of a process.
pub fn variable(pid: u32, name: &str) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let prefix = format!("{name}=");
    let entries = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    entries.filter_map(|entry| entry.strip_prefix(&prefix).map(str::to_owned)).next()
}

/// A signal to one process.
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a pid is positive");
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, signal);
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("there is a /proc");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn holds(file: impl AsRef<Path>, text: &str) -> bool {
    let bytes = fs::read(file).unwrap_or_default();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
