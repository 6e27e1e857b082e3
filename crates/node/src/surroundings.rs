//! The machine that this node runs on, as level strict asks about it: programs, files, memory, processors, disk.
//!
//! Read only: folders are searched, `/proc` and the file system are asked, connections are made and closed. It must not
//! start anything. The search is the one by which the runner finds programs.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use skep_model::surroundings::{Host, Load, Need, Presence, Surroundings};

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
            load_average: read("/proc/loadavg").as_deref().and_then(load_average),
            processors: Some(processors),
            processes: std::fs::read_dir("/proc").ok().map(processes),
            tasks: read("/proc/loadavg").as_deref().and_then(tasks),
            tasks_max: tasks_max(&read),
        }
    }

    fn unreachable(&self, hosts: &[Host]) -> Vec<Host> {
        let asked: Vec<(Host, Receiver<bool>)> = hosts.iter().map(|host| (host.clone(), ask(host.clone()))).collect();
        let deadline = Instant::now() + CONNECT_PATIENCE;
        let reached = |answer: &Receiver<bool>| {
            answer.recv_timeout(deadline.saturating_duration_since(Instant::now())).unwrap_or(false)
        };
        asked.into_iter().filter(|(_, answer)| !reached(answer)).map(|(host, _)| host).collect()
    }
}

/// How long a machine may take to accept a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

/// Connects on a thread of its own, because looking a name up cannot be bounded; one that hangs ends by itself.
fn ask(host: Host) -> Receiver<bool> {
    let (sender, answer) = mpsc::sync_channel(1);
    let connect = move || {
        let addresses = (host.name.as_str(), host.port).to_socket_addrs().into_iter().flatten();
        let is_reached = addresses.into_iter().any(|at| TcpStream::connect_timeout(&at, CONNECT_PATIENCE).is_ok());
        // Whoever asked may have gone.
        let _ = sender.send(is_reached);
    };
    // A thread that cannot be started answers nothing, and the host counts as unreachable.
    drop(thread::Builder::new().name("reach".to_owned()).spawn(connect));
    answer
}

/// The three averages of `/proc/loadavg`.
fn load_average(text: &str) -> Option<[f64; 3]> {
    let mut parts = text.split(' ').map(|part| part.parse::<f64>().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}

/// Processes and threads that there are: the number after the `/` of `/proc/loadavg`.
fn tasks(text: &str) -> Option<u64> {
    text.split(' ').nth(3)?.split_once('/')?.1.parse().ok()
}

/// The entries of `/proc` that are processes.
fn processes(entries: std::fs::ReadDir) -> u64 {
    let is_process = |name: &str| name.bytes().all(|letter| letter.is_ascii_digit());
    entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_process)).count() as u64
}

/// The smaller of the two limits of the kernel.
fn tasks_max(read: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let limit = |name: &str| read(&format!("/proc/sys/kernel/{name}"))?.trim().parse::<u64>().ok();
    [limit("threads-max"), limit("pid_max")].into_iter().flatten().min()
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
        let text = "1.50 0.70 0.30 2/345 6789\n";
        assert_eq!((load_average(text), tasks(text)), (Some([1.5, 0.7, 0.3]), Some(345)));
        assert_eq!((load_average("1.5"), tasks("1.5")), (None, None));
        let limits = |path: &str| Some(if path.ends_with("pid_max") { "300\n" } else { "4000\n" }.to_owned());
        assert_eq!((tasks_max(&limits), tasks_max(&|_| None)), (Some(300), None));
    }

    #[test]
    fn a_machine_that_listens_is_reached_and_nothing_is_sent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = Host { name: "127.0.0.1".to_owned(), port: listener.local_addr().unwrap().port() };
        let closed = {
            let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            Host { name: "127.0.0.1".to_owned(), port: gone.local_addr().unwrap().port() }
        };
        let unnamed = Host { name: "no-such-host.invalid".to_owned(), port: 80 };
        let machine = Machine::new(Path::new("/"));
        let found = machine.unreachable(&[open, closed.clone(), unnamed.clone()]);
        assert_eq!(found, [closed, unnamed]);
        let (mut accepted, _) = listener.accept().unwrap();
        let mut sent = Vec::new();
        std::io::Read::read_to_end(&mut accepted, &mut sent).unwrap();
        assert_eq!(sent, Vec::<u8>::new());
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
