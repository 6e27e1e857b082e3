//! The node's side of the spawner: starts it, keeps children ahead of need, hears of their ends.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::oneshot;

use super::wire::{ExecError, NOTICE_BYTES, Notice, Order, REFUSAL_BYTES, REPLY_BYTES, Reply};

/// Children asked for and not yet taken at a time. More would fill the sockets of both sides, and the kernel bounds
/// how many descriptors (three per reply) may be in flight.
const EXPECTED_MAX: usize = 32;
/// Children that are forked ahead: one for the step that comes next, and one for a neighbour of it.
const SPARES: usize = 2;

/// Names a process for ever: a pid alone is used again, with the start and the boot it is not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// Its pid.
    pub pid: u32,
    /// When it started, in clock ticks since boot (field 22 of `/proc/PID/stat`).
    pub started_ticks: u64,
    /// The boot it belongs to: `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
}

/// The id of this boot of the machine; empty where the kernel does not tell.
pub fn boot_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim().to_owned()
    })
}

/// A child that waits at its gate. Dropping it makes the child exit without having executed anything.
pub(crate) struct Parked {
    pub identity: Identity,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
    pub gate: Gate,
    /// An error means that the spawner died and nobody can know.
    pub exit: oneshot::Receiver<Exit>,
}

/// The way to a parked child. Closing it before the order ends the child.
pub(crate) struct Gate(OwnedFd);

impl Gate {
    /// Lets the child become `order`. A child that died while it was parked hears nothing; its exit tells.
    pub fn release(&self, order: &Order) {
        let _ = send_whole(self.0.as_fd(), &order.to_frame());
    }

    /// Why the ended child never became its program, if so.
    pub fn exec_error(&self) -> Option<ExecError> {
        let mut bytes = [0; REFUSAL_BYTES];
        let (count, _) = rustix::net::recv(self.0.as_fd(), &mut bytes, RecvFlags::DONTWAIT).ok()?;
        (count == REFUSAL_BYTES).then(|| ExecError::from_bytes(&bytes))
    }
}

/// How a main child ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub status: ExitStatus,
    /// See [`Notice::leftovers`].
    pub leftovers: bool,
}

/// A parked child, or the error number of why there is none.
pub(crate) type ParkResult = Result<Parked, Errno>;

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Exit>>>>;

/// A running spawner.
pub(crate) struct Client {
    askings: UnixStream,
    process: Child,
    serial: u64,
    waiting: Waiting,
    /// Children asked for and not yet taken, the oldest first. Their replies wait in the socket.
    expected: VecDeque<oneshot::Receiver<Exit>>,
}

impl Client {
    /// Starts `program` as a spawner. `runtime` hears the notices.
    pub fn start(program: &Path, runtime: &tokio::runtime::Handle) -> io::Result<Self> {
        let (askings, helper_end) = UnixStream::pair()?;
        let (notices, helper_notices) = io::pipe()?;
        let mut command = Command::new(program);
        command.arg0("skep-spawner").arg(super::ARGUMENT).env_clear().env(super::MARK, "1").current_dir("/");
        // Huge pages would be split and copied piece by piece for every child.
        command.env("MIMALLOC_ALLOW_THP", "0");
        // A node that is itself part of a step keeps its helper recognizable for whoever started that step.
        if let Some(token) = std::env::var_os(crate::kill::TOKEN_VARIABLE) {
            command.env(crate::kill::TOKEN_VARIABLE, token);
        }
        let process = command.stdin(Stdio::from(OwnedFd::from(helper_end))).stdout(helper_notices).spawn()?;
        let waiting = Waiting::default();
        runtime.spawn(hear(OwnedFd::from(notices), Arc::clone(&waiting)));
        Ok(Self { askings, process, serial: 0, waiting, expected: VecDeque::new() })
    }

    /// Pid of the helper.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Takes `count` parked children and has others made for those that come next. The outer error means that the
    /// helper is dead; an inner one is the error number of a child that could not be made. A child that was made
    /// ahead is there at once; another takes about 0.2 ms.
    pub fn park(&mut self, count: usize) -> io::Result<Vec<ParkResult>> {
        let mut ahead = self.expected.len();
        let mut parked = Vec::with_capacity(count);
        while parked.len() < count {
            self.expect(count - parked.len())?;
            let (mut child, was_ahead) = (self.receive()?, ahead > 0);
            ahead = ahead.saturating_sub(1);
            // It waited for long: what was wrong then may be right now.
            if was_ahead && is_stale(&mut child)? {
                continue;
            }
            parked.push(child);
        }
        self.expect(0)?;
        Ok(parked)
    }

    /// Asks until `count` children and the spares are made or being made.
    fn expect(&mut self, count: usize) -> io::Result<()> {
        while self.expected.len() < (count + SPARES).min(EXPECTED_MAX) {
            self.serial += 1;
            let (sender, exit) = oneshot::channel();
            lock(&self.waiting).insert(self.serial, sender);
            self.expected.push_back(exit);
            send_whole(self.askings.as_fd(), &self.serial.to_ne_bytes())?;
        }
        Ok(())
    }

    fn receive(&mut self) -> io::Result<ParkResult> {
        let (reply, descriptors) = receive(&self.askings)?;
        let exit = self.expected.pop_front().ok_or_else(|| io::Error::other("the spawner replied unasked"))?;
        let born = match reply.child {
            Ok(born) => born,
            Err(errno) => {
                lock(&self.waiting).remove(&reply.serial);
                return Ok(Err(Errno::from_raw_os_error(errno)));
            }
        };
        let [stdout, stderr, gate] = <[OwnedFd; 3]>::try_from(descriptors)
            .map_err(|_| io::Error::other("a reply of the spawner lacks its descriptors"))?;
        let identity = Identity { pid: born.pid, started_ticks: born.started_ticks, boot_id: boot_id().to_owned() };
        Ok(Ok(Parked { identity, stdout, stderr, gate: Gate(gate), exit }))
    }

    /// Ends the helper, which kills everything that it still has, and waits for that.
    pub fn end(self) {
        let Self { askings, mut process, .. } = self;
        drop(askings);
        let _ = process.wait();
    }
}

/// True if it could not be made, or was ended while it waited; an error if the helper died.
fn is_stale(child: &mut ParkResult) -> io::Result<bool> {
    let Ok(child) = child else { return Ok(true) };
    match child.exit.try_recv() {
        Ok(_) => Ok(true),
        Err(oneshot::error::TryRecvError::Empty) => Ok(false),
        Err(oneshot::error::TryRecvError::Closed) => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// Sends without a signal if the other side is dead.
fn send_whole(socket: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::net::send(socket, bytes, rustix::net::SendFlags::NOSIGNAL) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn receive(socket: &UnixStream) -> io::Result<(Reply, Vec<OwnedFd>)> {
    let mut bytes = [0; REPLY_BYTES];
    let mut filled = 0;
    let mut descriptors = Vec::new();
    while filled < REPLY_BYTES {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [io::IoSliceMut::new(&mut bytes[filled..])];
        match recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) if message.bytes == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(message) => filled += message.bytes,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights);
            }
        }
    }
    Ok((Reply::from_bytes(&bytes), descriptors))
}

/// Hands every notice to whoever waits for it; at the end of the pipe (the helper died) all of them learn that.
async fn hear(notices: OwnedFd, waiting: Waiting) {
    if let Ok(mut notices) = pipe::Receiver::from_owned_fd(notices) {
        let mut bytes = [0; NOTICE_BYTES];
        while notices.read_exact(&mut bytes).await.is_ok() {
            let notice = Notice::from_bytes(&bytes);
            if let Some(sender) = lock(&waiting).remove(&notice.serial) {
                let exit = Exit { status: ExitStatus::from_raw(notice.status), leftovers: notice.leftovers };
                // Nobody listens any more: the child was dropped before it began.
                let _ = sender.send(exit);
            }
        }
    }
    lock(&waiting).clear();
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Exit>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The executable that `name` means for a process with the search path `path`, which starts in `directory`.
pub fn find_program(name: &str, path: Option<&str>, directory: &Path) -> Option<std::path::PathBuf> {
    if name.contains('/') {
        let program = directory.join(name);
        return program.exists().then_some(program);
    }
    let path = path.unwrap_or("/usr/local/bin:/usr/bin:/bin");
    std::env::split_paths(OsStr::new(path))
        .map(|folder| directory.join(folder).join(name))
        .find(|program| program.is_file() && rustix::fs::access(program, rustix::fs::Access::EXEC_OK).is_ok())
}
