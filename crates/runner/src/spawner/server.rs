//! The helper process: is asked for children, forks, reaps, and kills everything when its owner is gone.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{WaitOptions, getpid, set_child_subreaper, wait};

use super::fork::{self, Ends};
use super::wire::{ASKING_BYTES, Born, Notice, Reply, read_whole};
use crate::kill;

/// True if the arguments of our binary (its own name first) ask for the helper. Look before anything else:
/// the helper must have one thread.
pub fn is_requested(arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> bool {
    arguments.into_iter().nth(1).is_some_and(|argument| argument.as_ref() == super::ARGUMENT)
}

/// Runs the helper until its owner is gone. Descriptor 0 is the socket of askings, descriptor 1 the pipe of notices.
pub fn main() -> ExitCode {
    match Server::start().and_then(Server::serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Standard error may be gone with the owner, and that must not become a panic.
            let _ = writeln!(io::stderr(), "the spawner ends: {problem}; the node starts another at its next script");
            ExitCode::FAILURE
        }
    }
}

struct Server {
    /// Becomes readable when a child has ended.
    signals: OwnedFd,
    /// Standard input of every child.
    null: OwnedFd,
    /// Main children that were not reaped yet: pid to serial.
    children: HashMap<u32, u64>,
}

/// The descriptors of a child on the node's side.
struct Far {
    stdout: OwnedFd,
    stderr: OwnedFd,
    gate: OwnedFd,
}

impl Server {
    fn start() -> io::Result<Self> {
        let signals = fork::become_helper()?;
        set_child_subreaper(Some(getpid()))?;
        let null = fs::File::open("/dev/null")?.into();
        Ok(Self { signals, null, children: HashMap::new() })
    }

    fn serve(mut self) -> io::Result<()> {
        let (input, output) = (io::stdin(), io::stdout());
        let served = self.serve_on(input.as_fd(), output.as_fd());
        kill::everything_below(getpid().as_raw_nonzero().get().unsigned_abs(), || reap_all(|_, _| ()));
        served
    }

    fn serve_on(&mut self, askings: BorrowedFd<'_>, notices: BorrowedFd<'_>) -> io::Result<()> {
        loop {
            let (asked, ended) = self.wait(askings)?;
            if ended {
                self.reap(notices)?;
            }
            if asked && !self.take(askings)? {
                return Ok(());
            }
        }
    }

    /// Waits for an asking or the end of a child.
    fn wait(&self, askings: BorrowedFd<'_>) -> io::Result<(bool, bool)> {
        let mut wanted = [PollFd::from_borrowed_fd(askings, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
        match poll(&mut wanted, None) {
            Ok(_) | Err(Errno::INTR) => Ok((!wanted[0].revents().is_empty(), !wanted[1].revents().is_empty())),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Takes one asking and answers it. False at the end of file: the owner is gone.
    fn take(&mut self, askings: BorrowedFd<'_>) -> io::Result<bool> {
        let mut asking = [0; ASKING_BYTES];
        if !read_whole(askings, &mut asking)? {
            return Ok(false);
        }
        let serial = u64::from_ne_bytes(asking);
        let (child, far) = match self.make(serial) {
            Ok((born, far)) => (Ok(born), Some(far)),
            Err(problem) => (Err(problem.raw_os_error().unwrap_or(libc::EIO)), None),
        };
        // The node may have died meanwhile: the dropped descriptors then end the parked child.
        Ok(answer(askings, Reply { serial, child }, far.as_ref()).is_ok())
    }

    fn make(&mut self, serial: u64) -> io::Result<(Born, Far)> {
        let (stdout, child_stdout) = io::pipe()?;
        let (stderr, child_stderr) = io::pipe()?;
        let (gate, child_gate) = UnixStream::pair()?;
        let ends = Ends {
            stdin: self.null.as_fd(),
            stdout: child_stdout.as_fd(),
            stderr: child_stderr.as_fd(),
            gate: child_gate.as_fd(),
            gate_far: gate.as_fd(),
        };
        let pid = fork::park(&ends)?;
        self.children.insert(pid, serial);
        let started_ticks = kill::started_ticks(pid).unwrap_or(0);
        Ok((Born { pid, started_ticks }, Far { stdout: stdout.into(), stderr: stderr.into(), gate: gate.into() }))
    }

    /// Collects everything that has ended and reports the main children among it.
    fn reap(&mut self, notices: BorrowedFd<'_>) -> io::Result<()> {
        let mut buffer = [0; 512];
        while rustix::io::read(&self.signals, &mut buffer).is_ok() {}
        let mut ended = Vec::new();
        reap_all(|pid, status| {
            if let Some(serial) = self.children.remove(&pid) {
                ended.push((serial, status));
            }
        });
        // Read after the reaping: what a dead process leaves is handed to us before its end can be seen.
        let leftovers = !ended.is_empty() && self.has_strangers();
        for (serial, status) in ended {
            write_whole(notices, &Notice { serial, status, leftovers }.to_bytes())?;
        }
        Ok(())
    }

    /// True if we have a child that we did not start: an orphan of some step. Also true where the kernel does
    /// not tell, since a needless hunt is better than a forgotten process.
    fn has_strangers(&self) -> bool {
        let pid = getpid().as_raw_nonzero();
        match fs::read_to_string(format!("/proc/self/task/{pid}/children")) {
            Ok(list) => {
                list.split_whitespace().any(|pid| pid.parse().is_ok_and(|pid| !self.children.contains_key(&pid)))
            }
            Err(_) => true,
        }
    }
}

/// Reaps every ended child; gives pid and wait status of each.
fn reap_all(mut ended: impl FnMut(u32, i32)) {
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        ended(pid.as_raw_nonzero().get().unsigned_abs(), status.as_raw());
    }
}

fn answer(socket: BorrowedFd<'_>, reply: Reply, far: Option<&Far>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = far.map(|far| [far.stdout.as_fd(), far.stderr.as_fd(), far.gate.as_fd()]);
    if let Some(descriptors) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    let bytes = reply.to_bytes();
    let sent = sendmsg(socket, &[io::IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

fn write_whole(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
