//! The disk as a value: names, files, locks, shared memory, and the fault that waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rusqlite::ffi;

use super::faults::{Armed, Fault, Operation};
use super::file::File;
use super::shared::Shared;
use crate::random::Random;

/// Number of a file; names come and go.
pub type FileId = usize;

/// Everything on one disk.
pub struct State {
    pub(super) files: Vec<File>,
    pub(super) names: BTreeMap<String, FileId>,
    /// The folder as it is on the platter.
    durable_names: BTreeMap<String, FileId>,
    pub(super) locks: BTreeMap<FileId, Locks>,
    pub(super) shared: BTreeMap<FileId, Arc<Mutex<Shared>>>,
    /// Handles of an earlier life do nothing any more.
    pub(super) life: u64,
    is_dead: bool,
    lost_power: bool,
    armed: Option<Armed>,
    is_full: bool,
    pub(super) struck: Vec<Fault>,
    random: Random,
}

/// SQLite's locks on one file, by the kind that a connection holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Locks {
    pub shared: u32,
    pub reserved: u32,
    pub exclusive: u32,
}

/// An SQLite result code other than OK.
pub type Code = i32;

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            locks: BTreeMap::new(),
            shared: BTreeMap::new(),
            life: 0,
            is_dead: false,
            lost_power: false,
            armed: None,
            is_full: false,
            struck: Vec::new(),
            random: Random::of(seed, "disk"),
        }
    }

    pub(super) fn arm(&mut self, armed: Option<Armed>) {
        self.armed = armed;
    }

    pub(super) fn armed(&self) -> Option<Fault> {
        self.armed.map(|armed| armed.fault)
    }

    pub(super) fn make_room(&mut self) {
        self.is_full = false;
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead
    }

    pub(super) fn lost_power(&self) -> bool {
        self.lost_power
    }

    /// The process ends here: what it does from now on reaches nothing.
    pub(super) fn die(&mut self) {
        self.is_dead = true;
        self.armed = None;
    }

    /// A new process begins; locks and shared memory went with the old one.
    pub(super) fn begin_life(&mut self) {
        self.life += 1;
        self.is_dead = false;
        self.lost_power = false;
        self.locks.clear();
        self.shared.clear();
        // An owner writes the log of its predecessor once more before it reads it.
        if let Some(log) = self.names.get("skep.db-wal") {
            self.files[*log].rewrite();
        }
    }

    /// What was not synced is kept or lost, sector by sector and name by name.
    pub(super) fn lose_power(&mut self) {
        self.lost_power = true;
        let random = &mut self.random;
        for file in &mut self.files {
            file.lose_power(random);
        }
        let changed: Vec<String> = self.names.keys().chain(self.durable_names.keys()).cloned().collect();
        let mut left = self.durable_names.clone();
        for name in changed {
            let (new, old) = (self.names.get(&name), self.durable_names.get(&name));
            if new != old && random.percent(50) {
                match new {
                    Some(file) => drop(left.insert(name, *file)),
                    None => drop(left.remove(&name)),
                }
            }
        }
        self.names.clone_from(&left);
        self.durable_names = left;
    }

    /// Whether an operation may go on; a fault that strikes it is taken.
    pub(super) fn pass(&mut self, life: u64, operation: Operation) -> Result<Option<Fault>, Code> {
        if self.is_dead || life != self.life {
            return Err(ffi::SQLITE_IOERR);
        }
        let Some(armed) = &mut self.armed else { return Ok(None) };
        if !armed.fault.strikes(operation) {
            return Ok(None);
        }
        if armed.after > 0 {
            armed.after -= 1;
            return Ok(None);
        }
        let fault = armed.fault;
        self.armed = None;
        self.struck.push(fault);
        match fault {
            Fault::ProcessDies => {
                self.die();
                Err(ffi::SQLITE_IOERR)
            }
            Fault::PowerFails => {
                self.die();
                self.lose_power();
                Err(ffi::SQLITE_IOERR)
            }
            Fault::DiskFull => {
                self.is_full = true;
                Ok(None)
            }
            Fault::WriteError | Fault::ShortWrite | Fault::SyncError | Fault::SyncErrorLosing | Fault::ReadError => {
                Ok(Some(fault))
            }
        }
    }

    pub(super) fn open(&mut self, name: &str, create: bool) -> Option<FileId> {
        if let Some(file) = self.names.get(name) {
            return Some(*file);
        }
        if !create {
            return None;
        }
        let id = self.anonymous();
        self.names.insert(name.to_owned(), id);
        Some(id)
    }

    /// A file without a name, for what SQLite keeps only while it works.
    pub(super) fn anonymous(&mut self) -> FileId {
        self.files.push(File::default());
        self.files.len() - 1
    }

    /// The folder is synced.
    pub(super) fn sync_names(&mut self) {
        self.durable_names.clone_from(&self.names);
    }

    pub(super) fn write(&mut self, life: u64, file: FileId, at: usize, bytes: &[u8]) -> Result<(), Code> {
        let fault = self.pass(life, Operation::Write)?;
        match fault {
            Some(Fault::WriteError) => return Err(ffi::SQLITE_IOERR_WRITE),
            Some(Fault::ShortWrite) => {
                let part = self.random.below(bytes.len().max(1));
                self.files[file].write(at, &bytes[..part]);
                return Err(ffi::SQLITE_IOERR_WRITE);
            }
            Some(_) | None => {}
        }
        if self.is_full && at + bytes.len() > self.files[file].len() {
            return Err(ffi::SQLITE_FULL);
        }
        self.files[file].write(at, bytes);
        Ok(())
    }

    pub(super) fn read(&mut self, life: u64, file: FileId, at: usize, into: &mut [u8]) -> Result<(), Code> {
        if self.pass(life, Operation::Read)?.is_some() {
            return Err(ffi::SQLITE_IOERR_READ);
        }
        let there = self.files[file].read(at, into);
        if there < into.len() { Err(ffi::SQLITE_IOERR_SHORT_READ) } else { Ok(()) }
    }

    pub(super) fn truncate(&mut self, life: u64, file: FileId, length: usize) -> Result<(), Code> {
        self.pass(life, Operation::Truncate)?;
        self.files[file].truncate(length);
        Ok(())
    }

    pub(super) fn sync(&mut self, life: u64, file: FileId, with_folder: bool) -> Result<(), Code> {
        match self.pass(life, Operation::Sync)? {
            Some(Fault::SyncErrorLosing) => {
                self.files[file].forget_dirty();
                return Err(ffi::SQLITE_IOERR_FSYNC);
            }
            Some(_) => return Err(ffi::SQLITE_IOERR_FSYNC),
            None => {}
        }
        self.files[file].sync();
        if with_folder {
            self.sync_names();
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, name: &str, with_folder: bool) -> Result<(), Code> {
        let life = self.life;
        self.pass(life, Operation::Delete)?;
        if self.names.remove(name).is_none() {
            return Err(ffi::SQLITE_IOERR_DELETE_NOENT);
        }
        if with_folder {
            self.sync_names();
        }
        Ok(())
    }
}
