//! Numbered places that are used again: small, comparable, without a dependency.

/// A list with holes. Numbers of removed entries are given again, lowest last removed first, so that the
/// same operations always give the same numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, entry: T) -> u32 {
        if let Some(id) = self.free.pop() {
            self.entries[id as usize] = Some(entry);
            return id;
        }
        self.entries.push(Some(entry));
        (self.entries.len() - 1) as u32
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let entry = self.entries[id as usize].take();
        if entry.is_some() {
            self.free.push(id);
        }
        entry
    }

    pub(crate) fn get(&self, id: u32) -> &T {
        self.entries[id as usize].as_ref().expect("a number is kept only as long as its entry")
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> &mut T {
        self.entries[id as usize].as_mut().expect("a number is kept only as long as its entry")
    }

    pub(crate) fn try_get(&self, id: u32) -> Option<&T> {
        self.entries.get(id as usize)?.as_ref()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().flatten()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().enumerate().filter(|(_, entry)| entry.is_some()).map(|(id, _)| id as u32)
    }
}
