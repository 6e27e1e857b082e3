//! A map from a key to a number, in shards that copies share: see [`crate::chunks`].

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use foldhash::HashMap;
use foldhash::fast::RandomState;

/// Entries per shard on average, before there are twice as many shards.
const SHARD: usize = 64;

/// Where something is found again. It is rebuilt, never stored.
#[derive(Clone, Debug)]
pub(crate) struct Index<K> {
    /// None, or a power of two of them.
    shards: Vec<Arc<HashMap<K, u32>>>,
    length: usize,
    /// Chooses the shard.
    hasher: RandomState,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { shards: Vec::new(), length: 0, hasher: RandomState::default() }
    }
}

/// How many shards there are says how large it once was, not what it holds.
impl<K: Hash + Eq> PartialEq for Index<K> {
    fn eq(&self, other: &Self) -> bool {
        let mut entries = self.shards.iter().flat_map(|shard| shard.iter());
        self.length == other.length && entries.all(|(key, number)| other.get(key) == Some(number))
    }
}

impl<K: Hash + Eq> Index<K> {
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&u32>
    where
        K: Borrow<Q>,
    {
        self.shards.get(self.place(key))?.get(key)
    }

    fn place<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        match self.shards.len() {
            0 | 1 => 0,
            many => (self.hasher.hash_one(key) as usize) & (many - 1),
        }
    }
}

impl<K: Hash + Eq + Clone> Index<K> {
    pub fn insert(&mut self, key: K, number: u32) {
        if self.length >= self.shards.len() * SHARD {
            self.grow();
        }
        let place = self.place(&key);
        if Arc::make_mut(&mut self.shards[place]).insert(key, number).is_none() {
            self.length += 1;
        }
    }

    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key);
        let removed = Arc::make_mut(self.shards.get_mut(place)?).remove(key)?;
        self.length -= 1;
        Some(removed)
    }

    fn grow(&mut self) {
        let count = (self.shards.len() * 2).max(1);
        let old = std::mem::replace(&mut self.shards, vec![Arc::default(); count]);
        for shard in old {
            for (key, number) in Arc::unwrap_or_clone(shard) {
                let place = self.place(&key);
                Arc::make_mut(&mut self.shards[place]).insert(key, number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_it_holds_and_is_equal_however_large_it_was() {
        let mut index: Index<String> = Index::default();
        assert_eq!(index.get("1"), None);
        (0..1_000).for_each(|number| index.insert(number.to_string(), number));
        assert_eq!((index.get("999"), index.get("1000")), (Some(&999), None));
        let copy = index.clone();
        (3..1_000).for_each(|number| assert_eq!(index.remove(number.to_string().as_str()), Some(number)));
        assert_eq!(index.remove("nothing"), None);
        let mut small: Index<String> = Index::default();
        (0..3).for_each(|number| small.insert(number.to_string(), number));
        assert!(small == index && copy != index);
        small.insert("2".to_owned(), 9);
        assert!(small != index);
        assert_eq!(copy.get("500"), Some(&500));
    }
}
