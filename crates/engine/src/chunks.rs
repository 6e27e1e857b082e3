//! A growing list whose copies share what neither of them has changed: a copy of a state costs little, however
//! much the state holds, and the first change of a chunk copies that chunk only.

use std::sync::Arc;

/// Entries per chunk: small enough to copy, large enough to keep the list of chunks short.
pub(crate) const CHUNK: usize = 64;

/// A list in shared chunks; all but the last are full.
#[derive(Clone, Debug)]
pub(crate) struct Chunks<T> {
    chunks: Vec<Arc<Vec<T>>>,
    length: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), length: 0 }
    }
}

impl<T: PartialEq> PartialEq for Chunks<T> {
    fn eq(&self, other: &Self) -> bool {
        let same = |(one, two): (&Arc<Vec<T>>, &Arc<Vec<T>>)| Arc::ptr_eq(one, two) || one == two;
        self.length == other.length && self.chunks.iter().zip(&other.chunks).all(same)
    }
}

impl<T> Chunks<T> {
    pub fn len(&self) -> usize {
        self.length
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

impl<T: Clone> Chunks<T> {
    pub fn push(&mut self, entry: T) {
        if self.length.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::new(Vec::new()));
        }
        let last = self.chunks.last_mut().expect("a chunk was just made sure of");
        Arc::make_mut(last).push(entry);
        self.length += 1;
    }

    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        Arc::make_mut(self.chunks.get_mut(at / CHUNK)?).get_mut(at % CHUNK)
    }
}

impl<T: Clone> FromIterator<T> for Chunks<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let mut chunks = Self::default();
        entries.into_iter().for_each(|entry| chunks.push(entry));
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_what_did_not_change() {
        let mut list: Chunks<usize> = (0..200).collect();
        let copy = list.clone();
        *list.get_mut(70).unwrap() = 7;
        list.push(200);
        assert_eq!((list.len(), copy.len()), (201, 200));
        assert_eq!((list.get(70), copy.get(70), list.get(201)), (Some(&7), Some(&70), None));
        assert!(copy.iter().copied().eq(0..200));
        let shared: Vec<bool> = list.chunks.iter().zip(&copy.chunks).map(|(one, two)| Arc::ptr_eq(one, two)).collect();
        assert_eq!(shared, [true, false, true, false]);
        assert!(list != copy);
        *list.get_mut(70).unwrap() = 70;
        assert_eq!(list, (0..201).collect());
    }
}
