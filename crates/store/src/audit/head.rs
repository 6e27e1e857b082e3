//! What says how far the log was: the head in its folder, the mark beside the key. Both have the same content.

use std::path::Path;

use serde::{Deserialize, Serialize};
use skep_model::audit::Cursor;

use super::chain::{self, Link};
use super::key::{Key, write_whole};
use super::place::Error;
use crate::data_dir;

/// "This record was written."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The last record.
    pub sequence: u64,
    /// Its checksum.
    pub last: String,
    /// The segment that it ends.
    pub segment: u32,
    /// Bytes of that segment with it.
    pub length_bytes: u64,
    /// How far the audit was. May be beyond the last record's: turns without records.
    pub cursor: Cursor,
    /// Hash of the configuration that the last owner began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
}

impl Head {
    /// Before the first record.
    pub(super) fn start() -> Self {
        let last = Link::START.checksum.to_hex().to_string();
        Self { sequence: 0, last, segment: 0, length_bytes: 0, cursor: Cursor::default(), configuration: None }
    }

    /// The end of the chain that it names; `None` if it holds no checksum.
    pub(super) fn link(&self) -> Option<Link> {
        let checksum = blake3::Hash::from_hex(&self.last).ok()?;
        Some(Link { sequence: self.sequence, checksum })
    }

    /// The one in `path`, or why there is none that can be trusted.
    pub(super) fn read(path: &Path, key: &Key) -> Result<Result<Self, &'static str>, Error> {
        let Some(bytes) = data_dir::read_if_there(path)? else { return Ok(Err("it is missing")) };
        Ok(Self::parse(&bytes, key).ok_or("it was changed, or belongs to another key"))
    }

    /// The one that a file's content is, if its MAC is right.
    pub(super) fn parse(bytes: &[u8], key: &Key) -> Option<Self> {
        let head: Self = serde_json::from_slice(&chain::open_alone(key, bytes)?).ok()?;
        head.link().is_some().then_some(head)
    }

    /// Puts it into `path`.
    pub(super) fn write(&self, path: &Path, key: &Key) -> Result<(), Error> {
        Ok(write_whole(path, &chain::seal_alone(key, self))?)
    }
}
