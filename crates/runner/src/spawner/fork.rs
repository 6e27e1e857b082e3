//! What needs `unsafe`: fork, the few calls between fork and exec, and the signal set-up of the helper.
//!
//! Nothing else of the crate may be unsafe. The helper has one thread, so that its forked children own every lock
//! and may allocate; they must not panic.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use super::wire::{ExecError, ORDER_BYTES_MAX, Received, Stage, read_whole};

/// The highest signal number of Linux.
const SIGNALS_MAX: libc::c_int = 64;
/// Length of the kernel's set of them, in bytes.
const SIGNAL_SET_BYTES: libc::size_t = 8;

/// The program of a child, ready to execute.
struct Image<'a> {
    program: &'a CStr,
    directory: &'a CStr,
    argv: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
}

impl<'a> Image<'a> {
    /// Borrows the texts; `argv` and `environment` become the null-ended arrays that exec takes.
    fn new(order: &Received<'a>) -> Self {
        let pointers = |texts: &[&CStr]| texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        let (argv, environment) = (pointers(&order.argv), pointers(&order.environment));
        Self { program: order.program, directory: order.directory, argv, environment }
    }
}

/// The descriptors of a child before its exec.
pub struct Ends<'a> {
    /// Becomes descriptor 0.
    pub stdin: BorrowedFd<'a>,
    /// Becomes descriptor 1.
    pub stdout: BorrowedFd<'a>,
    /// Becomes descriptor 2.
    pub stderr: BorrowedFd<'a>,
    /// The child reads its order here before it executes, and writes here why it could not.
    pub gate: BorrowedFd<'a>,
    /// The node's end of the gate: the child closes its copy, else it would never see the end of file.
    pub gate_far: BorrowedFd<'a>,
}

/// Forks a child that waits at its gate, and gives its pid. The calling process must have one thread.
pub fn park(ends: &Ends<'_>) -> io::Result<u32> {
    // SAFETY: the process has one thread (the spawner's contract), so the child owns every lock that it may meet.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => child(ends),
        pid => Ok(u32::try_from(pid).expect("a pid is positive")),
    }
}

/// The child: a new session, its own descriptors, default signals; then its order; then exec.
fn child(ends: &Ends<'_>) -> ! {
    // SAFETY: plain calls on descriptors that the parent opened before the fork and that live as long as `ends`,
    // and on pointers into `frame`; this function, never returning, keeps both.
    unsafe {
        libc::setsid();
        libc::dup2(ends.stdin.as_raw_fd(), 0);
        libc::dup2(ends.stdout.as_raw_fd(), 1);
        libc::dup2(ends.stderr.as_raw_fd(), 2);
        libc::close(ends.gate_far.as_raw_fd());
        reset_signals();
        // The helper does without huge pages (see the client); a program shall find them as ever.
        libc::prctl(libc::PR_SET_THP_DISABLE, 0, 0, 0, 0);
        let Some(frame) = read_order(ends.gate) else { libc::_exit(0) };
        let Some(order) = Received::parse(&frame) else { libc::_exit(0) };
        let image = Image::new(&order);
        if libc::chdir(image.directory.as_ptr()) != 0 {
            refuse(ends.gate.as_raw_fd(), Stage::Directory);
        }
        libc::execve(image.program.as_ptr(), image.argv.as_ptr(), image.environment.as_ptr());
        refuse(ends.gate.as_raw_fd(), Stage::Program)
    }
}

/// Waits for the order. `None` at end of file, also in the middle: the node dropped this child, or died.
fn read_order(gate: BorrowedFd<'_>) -> Option<Vec<u8>> {
    let mut header = [0; 4];
    if !read_whole(gate, &mut header).ok()? {
        return None;
    }
    let length = usize::try_from(u32::from_ne_bytes(header)).ok().filter(|length| *length <= ORDER_BYTES_MAX)?;
    let mut frame = vec![0; length];
    read_whole(gate, &mut frame).ok()?.then_some(frame)
}

/// Tells the node why the child cannot become its program, and ends it.
///
/// # Safety
/// `gate` is an open socket.
unsafe fn refuse(gate: i32, stage: Stage) -> ! {
    // SAFETY: errno is this thread's; the message lies on the stack; `_exit` runs no destructor of the parent's.
    unsafe {
        let message = ExecError { stage, errno: *libc::__errno_location() }.to_bytes();
        libc::send(gate, message.as_ptr().cast(), message.len(), libc::MSG_NOSIGNAL);
        libc::_exit(127)
    }
}

/// Every signal back to its default and unblocked, as a program expects to find them.
///
/// # Safety
/// Called in a process with one thread.
unsafe fn reset_signals() {
    // The kernel's own structure: handler, flags, restorer, mask. All zero is the default. The C library's call
    // would refuse the two signals that it keeps for itself, and a parent may have ignored these too.
    let default = [0_u64; 4];
    // SAFETY: both calls are async-signal-safe; `default` is as long as the kernel reads; signals that cannot be
    // changed are refused with an error that does not matter; `none` is initialized before it is used.
    unsafe {
        for number in 1..=SIGNALS_MAX {
            let none = ptr::null_mut::<u64>();
            libc::syscall(libc::SYS_rt_sigaction, number, default.as_ptr(), none, SIGNAL_SET_BYTES);
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}

/// Makes this process the helper: its own session, deaf to what a terminal or a service manager sends to the
/// whole group (only the end of its owner ends it), nothing inherited above descriptor 2. The descriptor
/// becomes readable when a child has ended.
pub fn become_helper() -> io::Result<OwnedFd> {
    // SAFETY: the process has one thread and nothing of it was opened above descriptor 2 yet, so no owner of a
    // closed descriptor exists; `set` is initialized by `sigemptyset`; the new descriptor is owned by nobody else.
    unsafe {
        libc::setsid();
        libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32);
        for number in [libc::SIGPIPE, libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
            libc::signal(number, libc::SIG_IGN);
        }
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, ptr::null_mut());
        let descriptor = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if descriptor == -1 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(descriptor)) }
    }
}
