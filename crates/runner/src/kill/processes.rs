//! One look at all processes, and a signal that reaches only the one that was meant.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

/// The environment variable by which every process of a delivery is known.
pub(crate) const TOKEN_VARIABLE: &str = "SKEP_DELIVERY_TOKEN";

/// Listings of /proc for one look: something that still appears after so many is a fork bomb, and some of it has
/// been found by then.
const LISTINGS_MAX: u32 = 50;
/// How often a process in the middle of an exec, which has no environment for some microseconds, is looked at again.
const EXEC_LOOKS_MAX: u32 = 20;
/// The flag of kernel threads, which never have an environment (PF_KTHREAD of the kernel's sched.h).
const KERNEL_THREAD: u32 = 0x0020_0000;

/// A process that lives: pid and start together are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub pid: u32,
    pub started_ticks: u64,
}

/// What the environment of a process says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing, or it may not be read.
    None,
    /// The token of the delivery that it comes from.
    Delivery(String),
    /// A spawner, or a child of one that is still parked.
    Spawner,
}

/// A living process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub key: Key,
    pub parent: u32,
    pub group: u32,
    pub session: u32,
    pub mark: Mark,
}

/// All living processes that this one can see. Zombies are not among them.
///
/// A listing is a moment and looking at each entry takes time: a process may end in between and leave a child that
/// the listing does not have. So it is listed again until nothing new appears, and what lives at the last listing
/// has been looked at.
pub(crate) fn scan() -> Vec<Process> {
    let mut looked = HashSet::new();
    let mut found = Vec::new();
    for _ in 0..LISTINGS_MAX {
        let new: Vec<u32> = list().into_iter().filter(|pid| looked.insert(*pid)).collect();
        if new.is_empty() {
            break;
        }
        found.extend(new.into_iter().filter_map(look));
    }
    found
}

fn list() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn look(pid: u32) -> Option<Process> {
    let mut stat = Stat::read(pid).ok().filter(Stat::lives)?;
    let mut environment = environment(pid);
    for _ in 0..EXEC_LOOKS_MAX {
        if !(environment.is_empty() && stat.is_executing()) {
            break;
        }
        std::thread::yield_now();
        stat = Stat::read(pid).ok().filter(Stat::lives)?;
        environment = self::environment(pid);
    }
    let key = Key { pid, started_ticks: stat.started_ticks };
    Some(Process { key, parent: stat.parent, group: stat.group, session: stat.session, mark: mark(&environment) })
}

/// Its environment as bytes; empty if it may not be read.
fn environment(pid: u32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()
}

fn mark(environment: &[u8]) -> Mark {
    let lines = || environment.split(|byte| *byte == 0);
    if lines().any(|line| line.strip_prefix(crate::spawner::MARK.as_bytes()).is_some_and(|rest| rest == b"=1")) {
        return Mark::Spawner;
    }
    let token = lines().find_map(|line| line.strip_prefix(TOKEN_VARIABLE.as_bytes())?.strip_prefix(b"="));
    token.map_or(Mark::None, |token| Mark::Delivery(String::from_utf8_lossy(token).into_owned()))
}

/// The fields of `/proc/PID/stat` that matter here (proc_pid_stat(5)).
struct Stat {
    state: char,
    parent: u32,
    group: u32,
    session: u32,
    flags: u32,
    threads: u32,
    started_ticks: u64,
    /// Address of its environment; 0 during an exec, in kernel threads, and for those who may not look.
    environment_start: u64,
}

impl Stat {
    fn read(pid: u32) -> io::Result<Self> {
        Self::parse(&fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))?)
            .ok_or_else(|| io::Error::other("an unknown form of /proc/PID/stat"))
    }

    fn parse(line: &str) -> Option<Self> {
        // The name may hold spaces and brackets; the last bracket ends it.
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            flags: fields.get(6)?.parse().ok()?,
            threads: fields.get(17)?.parse().ok()?,
            started_ticks: fields.get(19)?.parse().ok()?,
            environment_start: fields.get(47).and_then(|field| field.parse().ok()).unwrap_or(0),
        })
    }

    /// In the middle of an exec, as far as one may look.
    fn is_executing(&self) -> bool {
        self.environment_start == 0 && self.flags & KERNEL_THREAD == 0
    }

    /// A leader that ended before its other threads looks like a zombie, but its process lives.
    fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X') || self.threads > 1
    }
}

/// When the process started, in clock ticks since boot; `None` if there is no such process.
pub(crate) fn started_ticks(pid: u32) -> Option<u64> {
    Stat::read(pid).ok().map(|stat| stat.started_ticks)
}

/// True if exactly this process lives.
pub(crate) fn lives(key: Key) -> bool {
    Stat::read(key.pid).is_ok_and(|stat| stat.lives() && stat.started_ticks == key.started_ticks)
}

/// True if a process with this pid lives; a zombie, which nobody has reaped yet, does not.
#[cfg(test)]
pub(crate) fn is_alive(pid: u32) -> bool {
    Stat::read(pid).is_ok_and(|stat| stat.lives())
}

/// The parent of a process; `None` if it is gone.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    Stat::read(pid).ok().map(|stat| stat.parent)
}

/// Sends `signal` to exactly this process; nothing happens if it is gone. The descriptor pins the process
/// before its start is checked, so a pid that is used again is never hit.
pub(crate) fn send(key: Key, signal: Signal) {
    let Some(pid) = i32::try_from(key.pid).ok().and_then(Pid::from_raw) else { return };
    let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    if lives(key) {
        // It may be gone by now, or belong to another user whom we may not signal: the next look tells.
        let _ = pidfd_send_signal(descriptor, signal);
    }
}

/// Sends `signal` to a whole process group, which the kernel does in one go: nothing forks away meanwhile. The
/// caller has just seen a member of it, so that its number still belongs to it.
pub(crate) fn send_to_group(group: u32, signal: Signal) {
    if let Some(group) = i32::try_from(group).ok().filter(|group| *group > 1).and_then(Pid::from_raw) {
        // The group may have ended by itself: the next look tells.
        let _ = kill_process_group(group, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_look_like_fields() {
        let rest = "S 7 8 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 4711 0 0";
        let stat = Stat::parse(&format!("12 (a) b) {rest}")).unwrap();
        assert_eq!((stat.state, stat.parent, stat.session, stat.threads, stat.started_ticks), ('S', 7, 9, 3, 4711));
    }

    #[test]
    fn marks() {
        let check = |environment: &[u8], expect| assert_eq!(mark(environment), expect);
        check(b"A=1\0SKEP_DELIVERY_TOKEN=abc\0", Mark::Delivery("abc".into()));
        check(b"X_SKEP_DELIVERY_TOKEN=abc\0", Mark::None);
        check(b"SKEP_SPAWNER=1\0SKEP_DELIVERY_TOKEN=abc\0", Mark::Spawner);
        check(b"", Mark::None);
    }

    #[test]
    fn this_process_is_seen() {
        let pid = std::process::id();
        let found = scan().into_iter().find(|process| process.key.pid == pid).unwrap();
        assert_eq!(Some(found.key.started_ticks), started_ticks(pid));
        assert!(lives(found.key));
        assert!(!lives(Key { started_ticks: found.key.started_ticks + 1, ..found.key }));
    }
}
