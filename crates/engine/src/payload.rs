//! Between values and payloads: what is large goes to the blob store, by hash, before it reaches an event.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::HashMap;
use serde_json::Value;
use skep_model::Map;
use skep_model::ids::Hash;
use skep_model::limits;
use skep_model::payload::{BlobRef, Hole, NewBlob, Payload, Target};

/// Where `decide` finds the values of blobs. It never reads a store: the node fetches what a
/// [`Rejection::NeedsBlob`](crate::Rejection) names and asks again.
pub trait Blobs {
    /// The value behind a reference, if it was fetched.
    fn get(&self, blob: &Hash) -> Option<Arc<Value>>;
}

impl<S: BuildHasher> Blobs for std::collections::HashMap<Hash, Arc<Value>, S> {
    fn get(&self, blob: &Hash) -> Option<Arc<Value>> {
        std::collections::HashMap::get(self, blob).cloned()
    }
}

/// No blobs at hand.
impl Blobs for () {
    fn get(&self, _: &Hash) -> Option<Arc<Value>> {
        None
    }
}

/// The blobs that a state names, as far as they are few.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct KnownBlobs {
    few: BTreeSet<Hash>,
    many: bool,
}

/// Up to so many blobs are known by name; looking for all of them must stay cheaper than copying a state.
const KNOWN_BLOBS_MAX: usize = 64;

impl KnownBlobs {
    pub fn note(&mut self, payload: &Payload) {
        for hole in &payload.references {
            if let Target::Blob(reference) = &hole.target {
                self.few.insert(reference.blob);
            }
        }
        if self.few.len() > KNOWN_BLOBS_MAX {
            self.few.clear();
            self.many = true;
        }
    }

    /// True unless every blob that an expression can ask for is at hand.
    pub fn may_be_missing(&self, at_hand: &dyn Blobs) -> bool {
        self.many || self.few.iter().any(|blob| at_hand.get(blob).is_none())
    }
}

/// Decides what stays in the event and what goes to the blob store.
pub(crate) fn store(value: Value, inline_bytes: usize, fresh: &mut Fresh) -> Payload {
    let size = rough_size(&value);
    let full = inline_bytes > limits::INLINE_EXECUTION_BYTES_MAX;
    let bound = if full { limits::INLINE_SMALL_BYTES } else { limits::INLINE_OUTPUT_BYTES_MAX };
    if size <= bound {
        return Payload::inline(value);
    }
    let blob = NewBlob::of(&value);
    let reference = blob.reference;
    fresh.values.insert(reference.blob, Arc::new(value));
    fresh.blobs.push(blob);
    Payload::blob(reference)
}

/// The blobs that the turn in the making creates.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    pub values: HashMap<Hash, Arc<Value>>,
    pub blobs: Vec<NewBlob>,
}

/// The value with its blobs filled in; `Err` names the first one that is not at hand. Secrets stay `null`:
/// they are filled in by the node just before the work is done.
pub(crate) fn load(payload: &Payload, blobs: &dyn Fn(&Hash) -> Option<Arc<Value>>) -> Result<Value, BlobRef> {
    let mut value = payload.value.clone();
    for Hole { at, target } in &payload.references {
        let Target::Blob(reference) = target else { continue };
        let content = blobs(&reference.blob).ok_or(*reference)?;
        if let Some(place) = value.pointer_mut(at) {
            *place = (*content).clone();
        }
    }
    Ok(value)
}

/// The values of all payloads of a map.
pub(crate) fn load_map(payloads: &Map<Payload>, blobs: &dyn Fn(&Hash) -> Option<Arc<Value>>) -> Result<Value, BlobRef> {
    let mut object = serde_json::Map::new();
    for (name, payload) in payloads {
        object.insert(name.clone(), load(payload, blobs)?);
    }
    Ok(Value::Object(object))
}

/// About how many bytes of JSON text a value takes: exact for the long parts, a guess for the short ones.
pub(crate) fn rough_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(list) => list.iter().map(|item| rough_size(item) + 1).sum::<usize>() + 2,
        Value::Object(map) => map.iter().map(|(key, item)| key.len() + rough_size(item) + 4).sum::<usize>() + 2,
    }
}
