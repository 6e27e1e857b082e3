//! One line of a log and its JSON text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use skep_model::ids::StepPath;
use skep_model::time::Timestamp;

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// Skep itself, about the step.
    Sys,
}

/// What a line says, without its newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// UTF-8.
    Text(String),
    /// Anything else, byte for byte.
    Bytes(Vec<u8>),
}

impl Line {
    /// The line of these bytes: text if they are UTF-8.
    pub fn of(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// For people: what is not UTF-8 as U+FFFD.
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }
}

/// One line that a step printed, or that Skep says about it. Its JSON text has the keys `at` (microseconds),
/// `p` (step path), `d` (delivery), `s` (stream) and `l` (text) or `b` (base64).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct Record {
    /// When it was read from the step.
    pub at: Timestamp,
    /// Which step.
    pub path: StepPath,
    /// Which delivery of it, from 1.
    pub delivery: u32,
    /// Where it came from.
    pub stream: Stream,
    /// What it says.
    pub line: Line,
}

/// The record as it is spelled in the file.
#[derive(Serialize, Deserialize)]
struct Wire {
    at: Timestamp,
    p: StepPath,
    d: u32,
    s: Stream,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<String>,
}

impl From<Record> for Wire {
    fn from(record: Record) -> Self {
        let (l, b) = match record.line {
            Line::Text(text) => (Some(text), None),
            Line::Bytes(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        Self { at: record.at, p: record.path, d: record.delivery, s: record.stream, l, b }
    }
}

impl TryFrom<Wire> for Record {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, String> {
        let line = match (wire.l, wire.b) {
            (Some(text), None) => Line::Text(text),
            (None, Some(text)) => Line::Bytes(STANDARD.decode(text).map_err(|error| error.to_string())?),
            (None, None) | (Some(_), Some(_)) => return Err("a log record has either `l` or `b`".to_owned()),
        };
        Ok(Self { at: wire.at, path: wire.p, delivery: wire.d, stream: wire.s, line })
    }
}
