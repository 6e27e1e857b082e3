//! A disk in memory that loses power, tears writes, fails and fills up, as a file system of SQLite's.
//!
//! ```text
//! SqliteJournal, SqliteReader --SQLite--> vfs (C calls) --> state (names, locks, faults) --> file (sectors)
//! ```
//! It knows what was synced: a loss of power keeps any part of the rest, sector by sector, and any part of the
//! names that were made or removed since the folder was synced.

mod faults;
mod file;
mod shared;
mod state;
mod vfs;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use faults::{Armed, Fault, Operation};
pub use vfs::NAME as VFS;

use state::State;

/// A disk. It is there until it is dropped.
pub struct Disk {
    number: u64,
    state: Arc<Mutex<State>>,
}

impl Disk {
    /// An empty disk whose losses follow from `seed`.
    pub fn new(seed: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let state = Arc::new(Mutex::new(State::new(seed)));
        vfs::mount(number, &state);
        Self { number, state }
    }

    /// Where the store lies, for [`VFS`].
    pub fn database(&self) -> PathBuf {
        PathBuf::from(format!("/{}/skep.db", self.number))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a fault strike once its moment has come; `None` takes back the one that waits.
    pub fn arm(&self, armed: Option<Armed>) {
        self.state().arm(armed);
    }

    /// The fault that waits.
    pub fn armed(&self) -> Option<Fault> {
        self.state().armed()
    }

    /// Ends a full disk.
    pub fn make_room(&self) {
        self.state().make_room();
    }

    /// True while there is no room.
    pub fn is_full(&self) -> bool {
        self.state().is_full()
    }

    /// True once a fault has ended the process that used it.
    pub fn is_dead(&self) -> bool {
        self.state().is_dead()
    }

    /// True if the process that used it ended with a loss of power.
    pub fn lost_power(&self) -> bool {
        self.state().lost_power()
    }

    /// The process ends: nothing that it does from now on reaches the disk. With a loss of power, what was not synced
    /// may be gone.
    pub fn crash(&self, with_power: bool) {
        let mut state = self.state();
        if !state.is_dead() {
            state.die();
            if with_power {
                state.lose_power();
            }
        }
    }

    /// A new process begins. Handles of the old one do nothing.
    pub fn begin_life(&self) {
        self.state().begin_life();
    }

    /// Faults that struck since the last call.
    pub fn take_struck(&self) -> Vec<Fault> {
        std::mem::take(&mut self.state().struck)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        vfs::unmount(self.number);
    }
}
