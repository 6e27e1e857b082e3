//! Identifiers. Raw text becomes one of these once, at the edge, and stays one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A step's place in its execution: its id, prefixed by each enclosing loop with its index
/// (`deploy`, `rollout[0].deploy`, `outer[2].inner[0].x`). Cheap to clone.
pub type StepPath = Arc<str>;

/// The public id of an execution: a UUID v7 in its usual lower-case text form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(Arc<str>);

impl ExecutionId {
    /// Wraps text that was already checked or freshly generated.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The store's own number of an execution: grows by one per execution, never reused. It keys the
/// journal because a growing integer keeps the index append-only (a random key costs a factor of 3 to 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocalId(pub i64);

/// The place of a turn in the whole journal of a shard: starts at 1, gap-free, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub i64);

/// A blake3 digest, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The raw digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hexadecimal digits, for people.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(12);
        text
    }

    /// Equality that takes the same time wherever the two differ: for what somebody might try to guess.
    pub fn is_equal_in_constant_time(&self, other: &Self) -> bool {
        blake3::Hash::from_bytes(self.0) == blake3::Hash::from_bytes(other.0)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits, this text does not: {0:?}")]
pub struct NotAHash(String);

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        blake3::Hash::from_hex(text).map(|hash| Self(*hash.as_bytes())).map_err(|_| NotAHash(text.to_owned()))
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Names one delivery of one attempt of one step: a step learns it as `SKEP_DELIVERY_TOKEN`, an outcome
/// carries it back, and an outcome with another token is refused as stale.
///
/// Derived (not random), so that the engine stays pure and a fold gives the same token as the run did.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(Arc<str>);

impl Token {
    /// The token of delivery `delivery` (from 1, counted over all attempts of the step) of the step at
    /// `path` in `execution`, generation `generation`.
    pub fn derive(execution: &ExecutionId, path: &str, generation: u32, delivery: u32) -> Self {
        let mut text = Vec::with_capacity(execution.0.len() + path.len() + 24);
        for part in [execution.as_str(), "/", path, "/g"] {
            text.extend_from_slice(part.as_bytes());
        }
        push_decimal(&mut text, generation);
        text.extend_from_slice(b"/d");
        push_decimal(&mut text, delivery);
        let digest = blake3::hash(&text);
        let mut hex = [0; 32];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(digest.as_bytes()) {
            pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
        }
        Self(str::from_utf8(&hex).expect("hexadecimal digits are text").into())
    }

    /// Wraps a token that came back from outside.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The token as text: 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number's digits: what a format string does, on a path that every step takes twice.
fn push_decimal(text: &mut Vec<u8>, number: u32) {
    let (mut digits, mut left, mut at) = ([0; 10], number, 10);
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            return text.extend_from_slice(&digits[at..]);
        }
    }
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl ExecutionId {
    /// The id of the child execution that attempt `attempt` of the step at `path` of `execution` asks for at `at`: a
    /// UUID v7 whose chance part is a digest of these, so that it is the same whoever computes it.
    pub fn of_child(execution: &Self, path: &str, generation: u32, attempt: u32, at: Timestamp) -> Self {
        let digest = Hash::of(format!("{execution}/{path}/g{generation}/a{attempt}/child").as_bytes());
        let mut bytes = [0_u8; 16];
        let milliseconds = u64::try_from(at.0 / 1_000).unwrap_or(0);
        bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&digest.as_bytes()[..10]);
        bytes[6] = (bytes[6] & 0x0f) | 0x70;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::new(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
    }
}

/// The idempotency key that a step, all its attempts and all its deliveries share:
/// `EXECUTION/PATH/gGENERATION`. Only an explicit rerun changes the generation.
pub fn idempotency_key(execution: &ExecutionId, path: &str, generation: u32) -> String {
    format!("{execution}/{path}/g{generation}")
}

/// True if `text` may name a step: `[A-Za-z_][A-Za-z0-9_-]{0,63}`.
pub fn is_step_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    let head = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    head && text.len() <= crate::limits::STEP_ID_LENGTH_MAX
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// `text` as a step or workflow id: lower case, every run of other characters one `-`, at most 64
/// characters; empty if nothing usable is in it.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || character == '_' {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let trimmed = slug.trim_end_matches('-');
    let prefixed = if trimmed.starts_with(|first: char| first.is_ascii_digit()) {
        format!("_{trimmed}")
    } else {
        trimmed.to_owned()
    };
    prefixed.chars().take(crate::limits::STEP_ID_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_digest_of_what_it_names() {
        for (generation, delivery) in [(1, 1), (0, 9), (10, 99), (1_000_000, u32::MAX)] {
            let text = format!("e-1/l[3].x/g{generation}/d{delivery}");
            let token = Token::derive(&ExecutionId::new("e-1"), "l[3].x", generation, delivery);
            assert_eq!(token.as_str(), &Hash::of(text.as_bytes()).to_string()[..32]);
        }
    }
}
