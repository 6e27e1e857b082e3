//! One file of the simulated disk: what a reader sees, and what a loss of power leaves.

use std::collections::BTreeSet;

use crate::random::Random;

/// What a disk writes as a whole. A larger write may be torn between two of these.
pub const SECTOR_BYTES: usize = 512;

/// A file with its history since the last sync.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// What every reader sees.
    current: Vec<u8>,
    /// What is on the platter.
    durable: Vec<u8>,
    /// Sectors that were written since the last sync.
    dirty: BTreeSet<usize>,
}

impl File {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.current.len()
    }

    /// Fills `into` from `at`; gives how many bytes there were, the rest is zero.
    pub fn read(&self, at: usize, into: &mut [u8]) -> usize {
        let there = self.current.len().saturating_sub(at).min(into.len());
        if there > 0 {
            into[..there].copy_from_slice(&self.current[at..at + there]);
        }
        into[there..].fill(0);
        there
    }

    /// Writes `bytes` at `at`.
    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.current.len() < end {
            self.current.resize(end, 0);
        }
        self.current[at..end].copy_from_slice(bytes);
        if !bytes.is_empty() {
            self.dirty.extend(at / SECTOR_BYTES..=(end - 1) / SECTOR_BYTES);
        }
    }

    /// Cuts it.
    pub fn truncate(&mut self, length: usize) {
        self.current.truncate(length);
    }

    /// Everything written so far is on the platter.
    pub fn sync(&mut self) {
        self.durable.resize(self.current.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            copy_sector(&self.current, &mut self.durable, sector);
        }
    }

    /// Writes everything once more as it is, and syncs it.
    pub fn rewrite(&mut self) {
        self.durable.clone_from(&self.current);
        self.dirty.clear();
    }

    /// A sync failed, and the system threw away that these sectors were dirty: a later sync does not write them.
    pub fn forget_dirty(&mut self) {
        self.dirty.clear();
    }

    /// The power fails: of what was written since the last sync any part may be on the platter, sector by sector, and
    /// the length is the old or the new one.
    pub fn lose_power(&mut self, random: &mut Random) {
        // Sometimes nothing or all of it arrived, otherwise a part.
        let share = random.pick(&[0, 50, 100]);
        let mut left = self.durable.clone();
        if random.percent(50) {
            left.resize(self.current.len(), 0);
        }
        for sector in std::mem::take(&mut self.dirty) {
            if random.percent(share) {
                let end = self.current.len().min((sector + 1) * SECTOR_BYTES);
                if left.len() < end {
                    left.resize(end, 0);
                }
                copy_sector(&self.current, &mut left, sector);
            }
        }
        self.durable.clone_from(&left);
        self.current = left;
    }
}

fn copy_sector(from: &[u8], to: &mut [u8], sector: usize) {
    let begin = sector * SECTOR_BYTES;
    let end = from.len().min(to.len()).min(begin + SECTOR_BYTES);
    if begin < end {
        to[begin..end].copy_from_slice(&from[begin..end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_survives_and_the_rest_is_old_or_new_by_sector() {
        let mut seen = BTreeSet::new();
        for seed in 0..200 {
            let mut file = File::default();
            file.write(0, &[1; 2_000]);
            file.sync();
            file.write(500, &[2; 1_000]);
            file.lose_power(&mut Random::new(seed));
            let mut bytes = vec![0; 2_000];
            assert_eq!(file.read(0, &mut bytes), 2_000);
            assert!(bytes[..500].iter().chain(&bytes[1_500..]).all(|byte| *byte == 1));
            for sector in [500..512, 512..1_024, 1_024..1_500] {
                let part = &bytes[sector];
                assert!(part.iter().all(|byte| *byte == part[0]), "a sector is torn");
            }
            seen.insert((bytes[500], bytes[512], bytes[1_024]));
        }
        assert_eq!(seen.len(), 8, "every combination of old and new sectors occurs");
    }

    #[test]
    fn an_unsynced_end_may_be_lost_or_be_there() {
        let mut lengths = BTreeSet::new();
        for seed in 0..100 {
            let mut file = File::default();
            file.write(0, &[1; 512]);
            file.sync();
            file.write(512, &[2; 512]);
            file.lose_power(&mut Random::new(seed));
            lengths.insert(file.len());
        }
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [512, 1_024]);
    }

    #[test]
    fn a_sync_after_a_failed_one_does_not_write_what_was_forgotten() {
        let mut file = File::default();
        file.write(0, &[1; 512]);
        file.sync();
        file.write(0, &[2; 512]);
        file.forget_dirty();
        file.sync();
        file.lose_power(&mut Random::new(1));
        let mut bytes = [0; 1];
        file.read(0, &mut bytes);
        assert_eq!(bytes, [1]);
    }
}
