//! Values as events record them: JSON with holes for what must not or need not be in the journal.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::Hash;

/// A JSON value in which some places are references: to a blob (too large for the journal) or to a
/// secret (never in the journal).
///
/// `value` has `null` at each such place. JSON text: `{"v": .., "r": [{"at": "/headers/Authorization", ..}]}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// The value without its holes.
    #[serde(rename = "v")]
    pub value: Value,
    /// The holes, if any.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Hole>,
}

/// A reference inside a [`Payload`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// JSON pointer (RFC 6901) into the value; empty for the whole.
    pub at: String,
    /// What belongs there.
    #[serde(flatten)]
    pub target: Target,
}

/// What a hole stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A value in the blob store.
    Blob(BlobRef),
    /// A sealed secret.
    Secret(SecretRef),
}

/// A value in the blob store: the JSON text of the value, by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// Digest of the JSON text.
    pub blob: Hash,
    /// Length of the JSON text in bytes.
    pub size_bytes: u64,
}

/// A secret by name; its value is sealed in the store and never in an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SecretRef {
    /// Name of the secret.
    pub name: String,
    /// Text before the secret where it stands inside a longer text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Text after it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub suffix: String,
}

impl Payload {
    /// A value without references.
    pub fn inline(value: Value) -> Self {
        Self { value, references: Vec::new() }
    }

    /// A value that lies in the blob store as a whole.
    pub fn blob(reference: BlobRef) -> Self {
        Self { value: Value::Null, references: vec![Hole { at: String::new(), target: Target::Blob(reference) }] }
    }

    /// The blob that this payload is as a whole, if it is one.
    pub fn as_blob(&self) -> Option<BlobRef> {
        match self.references.as_slice() {
            [Hole { at, target: Target::Blob(reference) }] if at.is_empty() => Some(*reference),
            _ => None,
        }
    }

    /// The value, if it has no references.
    pub fn as_inline(&self) -> Option<&Value> {
        self.references.is_empty().then_some(&self.value)
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self::inline(value)
    }
}

/// A blob that must be durable before the turn that names it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBlob {
    /// Its reference.
    pub reference: BlobRef,
    /// The JSON text.
    pub bytes: Vec<u8>,
}

impl NewBlob {
    /// The blob that holds `value`.
    pub fn of(value: &Value) -> Self {
        let bytes = value.to_string().into_bytes();
        let reference = BlobRef { blob: Hash::of(&bytes), size_bytes: bytes.len() as u64 };
        Self { reference, bytes }
    }
}
