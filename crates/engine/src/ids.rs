//! A set of numbers that is mostly empty or tiny and rarely huge: a sorted list while it is small, a tree above that.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A sorted list is quicker up to about so many.
const FEW: usize = 32;

/// Numbers in order, each once.
#[derive(Clone, Debug)]
pub(crate) enum Ids {
    Few(Vec<u32>),
    /// Until it is empty again.
    Many(BTreeSet<u32>),
}

impl Default for Ids {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// Equal if they hold the same, whatever they once held.
impl PartialEq for Ids {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Ids {
    /// True if it was not there.
    pub fn insert(&mut self, id: u32) -> bool {
        match self {
            Self::Few(list) => match list.binary_search(&id) {
                Ok(_) => false,
                Err(at) if list.len() < FEW => {
                    list.insert(at, id);
                    true
                }
                Err(_) => {
                    *self = Self::Many(list.iter().copied().chain([id]).collect());
                    true
                }
            },
            Self::Many(tree) => tree.insert(id),
        }
    }

    /// True if it was there.
    pub fn remove(&mut self, id: u32) -> bool {
        match self {
            Self::Few(list) => list.binary_search(&id).map(|at| list.remove(at)).is_ok(),
            Self::Many(tree) => {
                let removed = tree.remove(&id);
                if tree.is_empty() {
                    *self = Self::default();
                }
                removed
            }
        }
    }

    pub fn contains(&self, id: u32) -> bool {
        match self {
            Self::Few(list) => list.binary_search(&id).is_ok(),
            Self::Many(tree) => tree.contains(&id),
        }
    }

    pub fn first(&self) -> Option<u32> {
        self.iter().next()
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(tree) => tree.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let (few, many) = match self {
            Self::Few(list) => (Some(list), None),
            Self::Many(tree) => (None, Some(tree)),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten()).copied()
    }
}

impl Serialize for Ids {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut ids = Self::default();
        for id in Vec::<u32>::deserialize(deserializer)? {
            ids.insert(id);
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_set_whether_it_holds_few_or_many() {
        let (mut ids, mut tree, mut next) = (Ids::default(), BTreeSet::new(), 1_u32);
        for round in 0..4_000 {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let id = (next >> 16) % if round < 2_000 { 200 } else { 20 };
            if (next >> 8).is_multiple_of(if round % 1_000 < 500 { 3 } else { 2 }) {
                assert_eq!(ids.remove(id), tree.remove(&id));
            } else {
                assert_eq!(ids.insert(id), tree.insert(id));
            }
            assert_eq!(
                (ids.len(), ids.first(), ids.contains(7)),
                (tree.len(), tree.first().copied(), tree.contains(&7))
            );
            assert!(ids.iter().eq(tree.iter().copied()));
        }
        let text = serde_json::to_string(&ids).unwrap();
        assert_eq!(text, serde_json::to_string(&tree).unwrap());
        assert!(serde_json::from_str::<Ids>(&text).unwrap() == ids);
        for id in tree {
            assert!(ids.remove(id));
        }
        assert!(ids.is_empty() && ids == Ids::default());
    }
}
