//! The shared memory of a WAL, within one process: regions that stay where they are, and SQLite's eight locks.

use std::sync::{Arc, Mutex};

/// Locks of a WAL index (`SQLITE_SHM_NLOCK`).
const LOCKS: usize = 8;

/// Shared memory of one file.
#[derive(Default)]
pub struct Shared {
    /// Their addresses are handed to SQLite, so the boxes never move and live as long as a handle does.
    regions: Vec<Box<[u64]>>,
    /// Holders of each lock: readers, or -1 for one writer.
    holders: [i32; LOCKS],
}

/// What one connection has of it.
pub struct Attached {
    pub shared: Arc<Mutex<Shared>>,
    /// The locks that this connection holds: bits of shared ones, bits of exclusive ones.
    reading: u32,
    writing: u32,
}

impl Shared {
    /// The address of region `index`, made if `extend`; null if it is not there.
    pub fn region(&mut self, index: usize, size_bytes: usize, extend: bool) -> *mut u64 {
        while extend && self.regions.len() <= index {
            self.regions.push(vec![0; size_bytes.div_ceil(8)].into_boxed_slice());
        }
        self.regions.get_mut(index).map_or(std::ptr::null_mut(), |region| region.as_mut_ptr())
    }
}

impl Attached {
    pub fn new(shared: Arc<Mutex<Shared>>) -> Self {
        Self { shared, reading: 0, writing: 0 }
    }

    fn mask(first: usize, count: usize) -> u32 {
        ((1 << count) - 1) << first
    }

    fn with(&self, change: impl FnOnce(&mut [i32; LOCKS]) -> bool) -> bool {
        let mut shared = self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut shared.holders)
    }

    /// Takes locks for reading; false if somebody writes.
    pub fn read(&mut self, first: usize, count: usize) -> bool {
        let new = Self::mask(first, count) & !self.reading;
        let taken = self.with(|holders| {
            if bits(new).any(|lock| holders[lock] < 0) {
                return false;
            }
            bits(new).for_each(|lock| holders[lock] += 1);
            true
        });
        if taken {
            self.reading |= new;
        }
        taken
    }

    /// Takes locks for writing; false if anybody else has one.
    pub fn write(&mut self, first: usize, count: usize) -> bool {
        let new = Self::mask(first, count) & !self.writing;
        let taken = self.with(|holders| {
            if bits(new).any(|lock| holders[lock] != 0) {
                return false;
            }
            bits(new).for_each(|lock| holders[lock] = -1);
            true
        });
        if taken {
            self.writing |= new;
        }
        taken
    }

    /// Gives locks back.
    pub fn release(&mut self, first: usize, count: usize) {
        let mask = Self::mask(first, count);
        let (reading, writing) = (self.reading & mask, self.writing & mask);
        self.with(|holders| {
            bits(reading).for_each(|lock| holders[lock] -= 1);
            bits(writing).for_each(|lock| holders[lock] = 0);
            true
        });
        self.reading &= !mask;
        self.writing &= !mask;
    }
}

fn bits(mask: u32) -> impl Iterator<Item = usize> {
    (0..LOCKS).filter(move |lock| mask & (1 << lock) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_share_and_writers_do_not() {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (mut one, mut two) = (Attached::new(Arc::clone(&shared)), Attached::new(shared));
        assert!(one.read(3, 1) && two.read(3, 1));
        assert!(!two.write(3, 1) && two.write(0, 2));
        assert!(!one.read(1, 1) && one.read(2, 1));
        one.release(0, 8);
        two.release(3, 1);
        assert!(one.write(3, 2));
        assert!(!two.read(4, 1));
    }
}
