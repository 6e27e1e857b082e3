//! What a workflow needs of the machine that it runs on, and the port that says whether it is there.
//!
//! `definition` asks, `node` answers. This module must not look at anything itself. A new kind of provider (secrets,
//! agents, MCP servers) adds a [`Need`] and an answer; those who ask do not change.

use std::collections::BTreeSet;
use std::fmt;

/// Something that has to be there for a step to work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The program that reads a script: `bash`, `python`.
    Interpreter(String),
    /// A program that a script or a step calls by its name.
    Command(String),
    /// A file at an absolute path that a script calls.
    File(String),
}

impl Need {
    /// The name or the path.
    pub fn name(&self) -> &str {
        match self {
            Self::Interpreter(name) | Self::Command(name) | Self::File(name) => name,
        }
    }
}

/// A machine that a step talks to, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host {
    /// A name or an address, without brackets.
    pub name: String,
    /// Of TCP.
    pub port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.contains(':') {
            true => write!(formatter, "[{}]:{}", self.name, self.port),
            false => write!(formatter, "{}:{}", self.name, self.port),
        }
    }
}

/// Whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is there and can be used.
    Present,
    /// It is certainly not there.
    Missing,
    /// It cannot be told from here; nobody complains then.
    Untold,
}

/// How full the machine is, in percent; `None` where it cannot be told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Memory that is not available, of all memory.
    pub memory_percent: Option<f64>,
    /// Runnable processes of the last minute, of all processors; may be over 100.
    pub cpu_percent: Option<f64>,
    /// Space in use where the state is kept, of all space that this user may have.
    pub disk_percent: Option<f64>,
    /// Runnable processes, averaged over 1, 5 and 15 minutes.
    pub load_average: Option<[f64; 3]>,
    /// Processors that they share.
    pub processors: Option<usize>,
    /// Processes that there are, threads not counted.
    pub processes: Option<u64>,
    /// Processes and threads that there may be, of which `tasks` are there.
    pub tasks_max: Option<u64>,
    /// Processes and threads that there are.
    pub tasks: Option<u64>,
}

/// Answers about the machine. Read only: asking must not start or write anything, and only [`Surroundings::unreachable`]
/// waits.
pub trait Surroundings {
    /// Whether `need` is met for a script that searches programs in `path` (a list as in `PATH`); `None`: the path
    /// that executions usually get.
    fn presence(&self, need: &Need, path: Option<&str>) -> Presence;
    /// How full it is now.
    fn load(&self) -> Load;
    /// Those of `hosts` to which no TCP connection could be made within a second, all asked at once. Nothing is sent.
    fn unreachable(&self, hosts: &[Host]) -> Vec<Host>;
}

/// Fixed answers, for tests of those who ask.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// Names and paths that are missing; everything else is there.
    pub missing: BTreeSet<String>,
    /// How full it is.
    pub load: Load,
    /// Hosts that cannot be reached, by name; all others can.
    pub unreachable: BTreeSet<String>,
}

impl Surroundings for Fixed {
    fn presence(&self, need: &Need, _path: Option<&str>) -> Presence {
        if self.missing.contains(need.name()) { Presence::Missing } else { Presence::Present }
    }

    fn load(&self) -> Load {
        self.load
    }

    fn unreachable(&self, hosts: &[Host]) -> Vec<Host> {
        hosts.iter().filter(|host| self.unreachable.contains(&host.name)).cloned().collect()
    }
}
