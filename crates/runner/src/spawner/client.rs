//! The node's side of the spawner: starts it, orders children, hears of their ends.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
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

/// Orders on their way at a time. More would fill the sockets of both sides, and the kernel bounds how many
/// descriptors (three per reply) may be in flight.
const ORDERS_IN_FLIGHT: usize = 32;

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
    /// One byte lets it go; after its end it says here why it could not execute.
    pub gate: OwnedFd,
    /// An error means that the spawner died and nobody can know.
    pub exit: oneshot::Receiver<Exit>,
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
    orders: UnixStream,
    process: Child,
    serial: u64,
    waiting: Waiting,
}

impl Client {
    /// Starts `program` as a spawner. `runtime` hears the notices.
    pub fn start(program: &Path, runtime: &tokio::runtime::Handle) -> io::Result<Self> {
        let (orders, helper_end) = UnixStream::pair()?;
        let (notices, helper_notices) = io::pipe()?;
        let mut command = Command::new(program);
        command.arg0("skep-spawner").arg(super::ARGUMENT).env_clear().env(super::MARK, "1").current_dir("/");
        // A node that is itself part of a step keeps its helper recognizable for whoever started that step.
        if let Some(token) = std::env::var_os(crate::kill::TOKEN_VARIABLE) {
            command.env(crate::kill::TOKEN_VARIABLE, token);
        }
        let process = command.stdin(Stdio::from(OwnedFd::from(helper_end))).stdout(helper_notices).spawn()?;
        let waiting = Waiting::default();
        runtime.spawn(hear(OwnedFd::from(notices), Arc::clone(&waiting)));
        Ok(Self { orders, process, serial: 0, waiting })
    }

    /// Pid of the helper.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Makes one parked child per order. The outer error means that the helper is dead; an inner one is the error
    /// number of a child that could not be made. Blocks for about 0.2 ms per child.
    pub fn park(&mut self, orders: &[&Order]) -> io::Result<Vec<ParkResult>> {
        let mut parked = Vec::with_capacity(orders.len());
        for window in orders.chunks(ORDERS_IN_FLIGHT) {
            let exits = window.iter().map(|order| self.ask(order)).collect::<io::Result<Vec<_>>>()?;
            for exit in exits {
                parked.push(self.answer(exit)?);
            }
        }
        Ok(parked)
    }

    fn ask(&mut self, order: &Order) -> io::Result<oneshot::Receiver<Exit>> {
        self.serial += 1;
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(self.serial, sender);
        send_whole(&self.orders, &order.to_frame(self.serial))?;
        Ok(receiver)
    }

    fn answer(&self, exit: oneshot::Receiver<Exit>) -> io::Result<ParkResult> {
        let (reply, descriptors) = receive(&self.orders)?;
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
        Ok(Ok(Parked { identity, stdout, stderr, gate, exit }))
    }

    /// Ends the helper, which kills everything that it still has, and waits for that.
    pub fn end(self) {
        let Self { orders, mut process, .. } = self;
        drop(orders);
        let _ = process.wait();
    }
}

/// Sends without a signal if the helper is dead.
fn send_whole(socket: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
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

/// Why the ended child behind `gate` never became its program, if so.
pub(crate) fn read_exec_error(gate: &OwnedFd) -> Option<ExecError> {
    let mut bytes = [0; REFUSAL_BYTES];
    let (count, _) = rustix::net::recv(gate.as_fd(), &mut bytes, RecvFlags::DONTWAIT).ok()?;
    (count == REFUSAL_BYTES).then(|| ExecError::from_bytes(&bytes))
}

/// The executable that `name` means for a process with the search path `path`, which starts in `directory`.
pub(crate) fn find_program(name: &str, path: Option<&str>, directory: &Path) -> Option<std::path::PathBuf> {
    if name.contains('/') {
        let program = directory.join(name);
        return program.exists().then_some(program);
    }
    let path = path.unwrap_or("/usr/local/bin:/usr/bin:/bin");
    std::env::split_paths(OsStr::new(path))
        .map(|folder| directory.join(folder).join(name))
        .find(|program| program.is_file() && rustix::fs::access(program, rustix::fs::Access::EXEC_OK).is_ok())
}
