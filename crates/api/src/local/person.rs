//! Who calls: on the Unix socket, the process at its other end; else this one.

use skep_model::actor::Actor;
use tokio::net::unix::UCred;

const USERS_FILE: &str = "/etc/passwd";

/// A process, and the user that it runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's number.
    pub uid: u32,
    /// The process, where the system says it.
    pub pid: Option<u32>,
}

impl Caller {
    /// This process.
    pub fn own() -> Self {
        Self { uid: rustix::process::getuid().as_raw(), pid: Some(std::process::id()) }
    }

    /// The process at the other end of a socket, as the system has it.
    pub(super) fn of(peer: &UCred) -> Self {
        Self { uid: peer.uid(), pid: peer.pid().and_then(|pid| u32::try_from(pid).ok()) }
    }

    /// As records name it: the name is the one in the system's user list, or `uid:NUMBER` without one. Variables such as
    /// USER are not asked: anybody can set them.
    pub fn actor(self) -> Actor {
        Actor::Person { name: name_of(self.uid), uid: Some(self.uid), pid: self.pid }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A process of this machine.
    Process(Caller),
    /// Somebody whom a face has recognised.
    Known(Actor),
}

impl Asker {
    /// This process.
    pub fn own() -> Self {
        Self::Process(Caller::own())
    }

    /// As records name them.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Process(caller) => caller.actor(),
            Self::Known(actor) => actor.clone(),
        }
    }
}

/// The user that this process runs as.
pub fn person() -> Actor {
    Caller::own().actor()
}

/// The name of a user.
pub(super) fn name_of(uid: u32) -> String {
    let users = std::fs::read_to_string(USERS_FILE).unwrap_or_default();
    name_in(&users, uid).unwrap_or_else(|| format!("uid:{uid}"))
}

/// The name of `uid` in a list with lines `name:password:uid:..`.
pub(super) fn name_in(users: &str, uid: u32) -> Option<String> {
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut matching = fields.filter(|fields| fields.get(2).and_then(|text| text.parse().ok()) == Some(uid));
    matching.next().and_then(|fields| fields.first().map(ToString::to_string)).filter(|name| !name.is_empty())
}
