//! The machine that this node runs on, as level strict asks about it: programs, files, memory, processors, disk.
//!
//! Read only: folders are searched, `/proc` and the file system are asked. It must not start anything. The search is
//! the one by which the runner finds programs.

use std::path::{Path, PathBuf};

use skep_model::surroundings::{Load, Need, Presence, Surroundings};

/// This machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// A folder of the disk that holds the state; one that is not there yet stands for the nearest that is.
    state: PathBuf,
}

impl Machine {
    /// With its state kept below `state`.
    pub fn new(state: &Path) -> Self {
        let existing = state.ancestors().find(|folder| folder.exists());
        Self { state: existing.unwrap_or(Path::new("/")).to_owned() }
    }
}

impl Surroundings for Machine {
    fn presence(&self, need: &Need, path: Option<&str>) -> Presence {
        let is_there = match need {
            Need::Interpreter(name) | Need::Command(name) => {
                skep_runner::find_program(name, path, Path::new("/")).is_some()
            }
            Need::File(path) => return file(Path::new(path)),
        };
        if is_there { Presence::Present } else { Presence::Missing }
    }

    fn load(&self) -> Load {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Load {
            memory_percent: read("/proc/meminfo").as_deref().and_then(memory_percent),
            cpu_percent: read("/proc/loadavg").as_deref().and_then(|text| cpu_percent(text, processors)),
            disk_percent: rustix::fs::statvfs(&self.state)
                .ok()
                .and_then(|space| used_percent(space.f_blocks, space.f_bfree, space.f_bavail)),
        }
    }
}

/// A file that this user may not look for is not known to be missing.
fn file(path: &Path) -> Presence {
    match path.try_exists() {
        Ok(true) => Presence::Present,
        Ok(false) => Presence::Missing,
        Err(_) => Presence::Untold,
    }
}

/// Memory that is not available, from the lines of `/proc/meminfo`.
fn memory_percent(text: &str) -> Option<f64> {
    let kib = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().split(' ').next()?.parse::<f64>().ok()
    };
    let (total, available) = (kib("MemTotal")?, kib("MemAvailable")?);
    (total > 0.0).then(|| 100.0 * (1.0 - available / total))
}

/// Runnable processes of the last minute by the number of processors, from `/proc/loadavg`.
fn cpu_percent(text: &str, processors: usize) -> Option<f64> {
    let runnable = text.split(' ').next()?.parse::<f64>().ok()?;
    Some(100.0 * runnable / processors as f64)
}

/// Blocks in use, of those that this user may have, as `df` counts them.
fn used_percent(blocks: u64, free: u64, available: u64) -> Option<f64> {
    let used = blocks.checked_sub(free)?;
    let all = used + available;
    (all > 0).then(|| 100.0 * used as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_the_kernel_says() {
        let memory = "MemTotal:       2000 kB\nMemFree:         100 kB\nMemAvailable:    500 kB\n";
        assert_eq!(memory_percent(memory), Some(75.0));
        assert_eq!(memory_percent("MemTotal: 0 kB\nMemAvailable: 0 kB"), None);
        assert_eq!(memory_percent("nothing"), None);
        assert_eq!(cpu_percent("1.50 0.70 0.30 2/345 6789\n", 2), Some(75.0));
        assert_eq!(cpu_percent("", 2), None);
        assert_eq!(used_percent(100, 40, 20), Some(75.0));
        assert_eq!(used_percent(0, 0, 0), None);
    }

    #[test]
    fn what_is_there_and_what_is_not_are_told_apart() {
        let machine = Machine::new(Path::new("/no/such/folder"));
        let there = |need: Need| machine.presence(&need, Some("/usr/bin:/bin"));
        assert_eq!(there(Need::Interpreter("sh".to_owned())), Presence::Present);
        assert_eq!(there(Need::Command("no-such-command".to_owned())), Presence::Missing);
        assert_eq!(there(Need::File("/".to_owned())), Presence::Present);
        assert_eq!(there(Need::File("/no/such/file".to_owned())), Presence::Missing);
        let empty = machine.presence(&Need::Command("sh".to_owned()), Some("/no/such/folder"));
        assert_eq!(empty, Presence::Missing, "only the given folders are searched");
        let load = machine.load();
        assert!(load.disk_percent.is_some_and(|percent| (0.0..=100.0).contains(&percent)), "{load:?}");
    }
}
