//! Numbered places that are used again: small, comparable, without a dependency.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::chunks::Chunks;

/// A list with holes. Numbers of removed entries are given again, lowest last removed first, so that the
/// same operations always give the same numbers. Copies share the entries that neither has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Slab<T> {
    entries: Chunks<Option<Arc<T>>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Chunks::default(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, entry: T) -> u32 {
        let entry = Some(Arc::new(entry));
        if let Some(id) = self.free.pop() {
            *self.place(id) = entry;
            return id;
        }
        self.entries.push(entry);
        (self.entries.len() - 1) as u32
    }

    fn place(&mut self, id: u32) -> &mut Option<Arc<T>> {
        self.entries.get_mut(id as usize).expect("numbers are given by `insert`")
    }

    pub(crate) fn get(&self, id: u32) -> &T {
        self.try_get(id).expect("a number is kept only as long as its entry")
    }

    pub(crate) fn try_get(&self, id: u32) -> Option<&T> {
        self.entries.get(id as usize)?.as_deref()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().filter_map(Option::as_deref)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().enumerate().filter(|(_, entry)| entry.is_some()).map(|(id, _)| id as u32)
    }
}

impl<T: Clone> Slab<T> {
    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let entry = self.place(id).take()?;
        self.free.push(id);
        Some(Arc::unwrap_or_clone(entry))
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> &mut T {
        let entry = self.place(id).as_mut();
        Arc::make_mut(entry.expect("a number is kept only as long as its entry"))
    }
}

/// Written as it stands, holes and the order of free numbers included: both decide which numbers come next.
#[derive(Serialize, Deserialize)]
struct Written<E> {
    entries: Vec<Option<E>>,
    free: Vec<u32>,
}

impl<T: Serialize> Serialize for Slab<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.entries.iter().map(Option::as_deref).collect();
        Written { entries, free: self.free.clone() }.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Slab<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { entries, free } = Written::<T>::deserialize(deserializer)?;
        let is_hole = |id: &u32| entries.get(*id as usize).is_some_and(Option::is_none);
        if !free.iter().all(is_hole) || free.len() != entries.iter().filter(|entry| entry.is_none()).count() {
            return Err(serde::de::Error::custom("the free numbers are not the holes"));
        }
        Ok(Self { entries: entries.into_iter().map(|entry| entry.map(Arc::new)).collect(), free })
    }
}
