//! The bytes between node and spawner. Both are the same binary on the same machine, so numbers are in
//! native byte order and there is no version.
//!
//! ```text
//! asking  u64 serial                                          (for a parked child)
//! reply   u64 serial | u64 started_ticks | u32 pid (0: not made) | i32 errno        + [stdout, stderr, gate]
//! order   u32 length | u32 argv count | u32 env count | program\0 directory\0 argv\0.. env\0..
//!                                                             (node to child, through the gate: it goes)
//! notice  u64 serial | i32 wait status | u32 leftovers
//! refusal i32 stage | i32 errno                               (child to node, through the gate)
//! ```

use std::ffi::CStr;
use std::io;
use std::os::fd::BorrowedFd;

use rustix::io::Errno;

/// The hidden first argument that makes our binary the spawner.
pub const ARGUMENT: &str = "__spawner";

/// Marks the environment of the spawner, and so of children that are parked and not yet executing: a hunt
/// must not take them for what some step left behind.
pub(crate) const MARK: &str = "SKEP_SPAWNER";

/// The longest order, in bytes: over four times what Linux lets a program have as arguments and environment.
pub const ORDER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Length of an asking in bytes.
pub const ASKING_BYTES: usize = 8;
/// Length of a reply in bytes.
pub const REPLY_BYTES: usize = 24;
/// Length of a notice in bytes; under PIPE_BUF, so that each is written whole.
pub const NOTICE_BYTES: usize = 16;
/// Length of a refusal in bytes.
pub const REFUSAL_BYTES: usize = 8;

/// A program to start. No text in it may hold a NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Path of the executable.
    pub program: String,
    /// Where it starts: an absolute path.
    pub directory: String,
    /// Its arguments, its own name first.
    pub argv: Vec<String>,
    /// `NAME=value` lines: its whole environment.
    pub environment: Vec<String>,
}

impl Order {
    /// The frame that lets a parked child become it.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut frame = vec![0; 4];
        frame.extend(count(&self.argv));
        frame.extend(count(&self.environment));
        for text in [&self.program, &self.directory].into_iter().chain(&self.argv).chain(&self.environment) {
            frame.extend(text.as_bytes());
            frame.push(0);
        }
        let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
        frame[..4].copy_from_slice(&length.to_ne_bytes());
        frame
    }
}

fn count(texts: &[String]) -> [u8; 4] {
    u32::try_from(texts.len()).unwrap_or(u32::MAX).to_ne_bytes()
}

/// An order as the child reads it: texts borrowed from the frame.
pub struct Received<'a> {
    /// See [`Order::program`].
    pub program: &'a CStr,
    /// See [`Order::directory`].
    pub directory: &'a CStr,
    /// See [`Order::argv`].
    pub argv: Vec<&'a CStr>,
    /// See [`Order::environment`].
    pub environment: Vec<&'a CStr>,
}

impl<'a> Received<'a> {
    /// Reads the frame (without its length); `None` if it is not one.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let (arguments, rest) = frame.split_first_chunk::<4>()?;
        let (variables, mut rest) = rest.split_first_chunk::<4>()?;
        let mut next = || {
            let text = CStr::from_bytes_until_nul(rest).ok()?;
            rest = &rest[text.count_bytes() + 1..];
            Some(text)
        };
        let program = next()?;
        let directory = next()?;
        let argv = (0..u32::from_ne_bytes(*arguments)).map(|_| next()).collect::<Option<_>>()?;
        let environment = (0..u32::from_ne_bytes(*variables)).map(|_| next()).collect::<Option<_>>()?;
        Some(Self { program, directory, argv, environment })
    }
}

/// The answer to an asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Of the asking.
    pub serial: u64,
    /// The parked child, or the error number of why there is none.
    pub child: Result<Born, i32>,
}

/// A child that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Born {
    /// Its pid.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub started_ticks: u64,
}

impl Reply {
    /// As bytes.
    pub fn to_bytes(self) -> [u8; REPLY_BYTES] {
        let (born, errno) = match self.child {
            Ok(born) => (born, 0),
            Err(errno) => (Born { pid: 0, started_ticks: 0 }, errno),
        };
        let mut bytes = [0; REPLY_BYTES];
        bytes[..8].copy_from_slice(&self.serial.to_ne_bytes());
        bytes[8..16].copy_from_slice(&born.started_ticks.to_ne_bytes());
        bytes[16..20].copy_from_slice(&born.pid.to_ne_bytes());
        bytes[20..].copy_from_slice(&errno.to_ne_bytes());
        bytes
    }

    /// From bytes.
    pub fn from_bytes(bytes: &[u8; REPLY_BYTES]) -> Self {
        let born = Born { pid: u32::from_ne_bytes(part(bytes, 16)), started_ticks: u64::from_ne_bytes(part(bytes, 8)) };
        let errno = i32::from_ne_bytes(part(bytes, 20));
        let child = if born.pid == 0 { Err(errno) } else { Ok(born) };
        Self { serial: u64::from_ne_bytes(part(bytes, 0)), child }
    }
}

/// A main child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Of the asking that it was made for.
    pub serial: u64,
    /// As waitpid gives it.
    pub status: i32,
    /// Some process without a living parent of its own is about: the step may have left something behind.
    pub leftovers: bool,
}

impl Notice {
    /// As bytes.
    pub fn to_bytes(self) -> [u8; NOTICE_BYTES] {
        let mut bytes = [0; NOTICE_BYTES];
        bytes[..8].copy_from_slice(&self.serial.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.status.to_ne_bytes());
        bytes[12..].copy_from_slice(&u32::from(self.leftovers).to_ne_bytes());
        bytes
    }

    /// From bytes.
    pub fn from_bytes(bytes: &[u8; NOTICE_BYTES]) -> Self {
        Self {
            serial: u64::from_ne_bytes(part(bytes, 0)),
            status: i32::from_ne_bytes(part(bytes, 8)),
            leftovers: u32::from_ne_bytes(part(bytes, 12)) != 0,
        }
    }
}

/// What a released child could not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Enter its working directory.
    Directory,
    /// Execute its program.
    Program,
}

/// Why a released child did not become its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecError {
    /// Where it failed.
    pub stage: Stage,
    /// The error number.
    pub errno: i32,
}

impl ExecError {
    /// As bytes; allocates nothing, for it is used between fork and exec.
    pub fn to_bytes(self) -> [u8; REFUSAL_BYTES] {
        let stage: i32 = match self.stage {
            Stage::Directory => 1,
            Stage::Program => 2,
        };
        let mut bytes = [0; REFUSAL_BYTES];
        bytes[..4].copy_from_slice(&stage.to_ne_bytes());
        bytes[4..].copy_from_slice(&self.errno.to_ne_bytes());
        bytes
    }

    /// From bytes.
    pub fn from_bytes(bytes: &[u8; REFUSAL_BYTES]) -> Self {
        let stage = if i32::from_ne_bytes(part(bytes, 0)) == 1 { Stage::Directory } else { Stage::Program };
        Self { stage, errno: i32::from_ne_bytes(part(bytes, 4)) }
    }
}

/// Fills `buffer`. False at the end of file, also in the middle: a sender that died.
pub fn read_whole(from: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match rustix::io::read(from, &mut buffer[filled..]) {
            Ok(0) | Err(Errno::CONNRESET) => return Ok(false),
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(true)
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the field lies inside its frame")
}
