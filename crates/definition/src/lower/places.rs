//! Where every pointer of the canonical document stands.

use std::collections::BTreeMap;

use crate::tree::{Content, Node};
use crate::workflow::Places;

/// A pointer longer than this, in bytes, is left out: hostile keys would make pointers of megabytes, and
/// [`Places::find`] falls back to what is around them.
const POINTER_BYTES_MAX: usize = 1_024;

/// Every pointer of the tree with its place; `~` and `/` in keys are escaped as in RFC 6901.
pub fn of(node: &Node) -> Places {
    let mut places = BTreeMap::new();
    walk(node, &mut String::new(), &mut places);
    Places(places)
}

fn walk(node: &Node, pointer: &mut String, places: &mut BTreeMap<String, skep_model::problem::Place>) {
    if pointer.len() > POINTER_BYTES_MAX {
        return;
    }
    places.insert(pointer.clone(), node.place);
    let length = pointer.len();
    match &node.content {
        Content::List(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                walk(item, pointer, places);
                pointer.truncate(length);
            }
        }
        Content::Map(entries) => {
            for entry in entries {
                pointer.push('/');
                pointer.push_str(&entry.key.replace('~', "~0").replace('/', "~1"));
                walk(&entry.value, pointer, places);
                pointer.truncate(length);
            }
        }
        Content::Null | Content::Bool(_) | Content::Integer(_) | Content::Float(..) | Content::Text(_) => {}
    }
}
