//! One record as a line, and how it hangs on the one before it.
//!
//! The canonical bytes of a record are its bytes: the line up to its checksum, exactly as it stands in the file. So no
//! byte of a line can change, not even a blank, and no second spelling of the same record exists.

use skep_model::audit::Record;
use skep_model::limits::AUDIT_RECORD_BYTES_MAX;

use super::key::Key;

const BEFORE_CHECKSUM: &[u8] = b",\"checksum\":\"";
const AFTER_CHECKSUM: &[u8] = b"\"}";
const CHECKSUM_DIGITS: usize = 64;
/// What a MAC is for: one of a head is never taken for one of a record.
const OF_RECORD: &[u8] = b"skep audit record 1\0";
const OF_HEAD: &[u8] = b"skep audit head 1\0";

/// The end of the chain so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Number of the last record, 0 before the first.
    pub sequence: u64,
    /// Its checksum.
    pub checksum: blake3::Hash,
}

impl Link {
    /// Before the first record.
    pub(super) const START: Self = Self { sequence: 0, checksum: blake3::Hash::from_bytes([0; 32]) };
}

/// A line taken apart.
pub(super) struct Sealed<'a> {
    /// What the checksum covers: everything before it.
    pub body: &'a [u8],
    /// As written.
    pub checksum: blake3::Hash,
}

/// Takes a line apart, without its line break; `None` if it does not end in a checksum.
pub(super) fn split(line: &[u8]) -> Option<Sealed<'_>> {
    let rest = line.strip_suffix(AFTER_CHECKSUM)?;
    let (rest, digits) = rest.split_at(rest.len().checked_sub(CHECKSUM_DIGITS)?);
    let body = rest.strip_suffix(BEFORE_CHECKSUM)?;
    // Upper case would be a second spelling.
    if digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    Some(Sealed { body, checksum: blake3::Hash::from_hex(digits).ok()? })
}

/// Closes JSON text without its last brace with a checksum.
fn close(mut body: Vec<u8>, checksum: &blake3::Hash) -> Vec<u8> {
    body.extend_from_slice(BEFORE_CHECKSUM);
    body.extend_from_slice(checksum.to_hex().as_bytes());
    body.extend_from_slice(AFTER_CHECKSUM);
    body.push(b'\n');
    body
}

fn body_of(value: &impl serde::Serialize) -> Vec<u8> {
    let mut body = serde_json::to_vec(value).expect("records and heads have text keys only");
    body.pop();
    body
}

/// The line of `record` after `previous`, with its line break, and its checksum.
pub(super) fn seal(key: &Key, previous: &blake3::Hash, record: &mut Record) -> (Vec<u8>, blake3::Hash) {
    let mut body = body_of(record);
    if body.len() > AUDIT_RECORD_BYTES_MAX {
        record.entry.details = [("cut_bytes".to_owned(), body.len().into())].into_iter().collect();
        (record.entry.before, record.entry.after) = (None, None);
        body = body_of(record);
    }
    let checksum = key.mac(OF_RECORD, previous, &body);
    (close(body, &checksum), checksum)
}

/// The line of something that stands alone.
pub(super) fn seal_alone(key: &Key, value: &impl serde::Serialize) -> Vec<u8> {
    let body = body_of(value);
    let checksum = key.mac(OF_HEAD, &Link::START.checksum, &body);
    close(body, &checksum)
}

/// The JSON of something that stands alone, if its MAC is right.
pub(super) fn open_alone(key: &Key, line: &[u8]) -> Option<Vec<u8>> {
    let sealed = split(line.strip_suffix(b"\n")?)?;
    (key.mac(OF_HEAD, &Link::START.checksum, sealed.body) == sealed.checksum).then(|| json_of(sealed.body))
}

/// The body with its brace.
fn json_of(body: &[u8]) -> Vec<u8> {
    let mut json = body.to_vec();
    json.push(b'}');
    json
}

/// The record of a line, whoever wrote it.
pub(super) fn record_of(sealed: &Sealed<'_>) -> Option<Record> {
    serde_json::from_slice(&json_of(sealed.body)).ok()
}

/// Why a line is not the next record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is none at all.
    NoRecord,
    /// It is one, with this number, and does not fit here.
    Misfit {
        /// What stands in it.
        sequence: u64,
        /// In words.
        why: String,
    },
}

impl Wrong {
    /// In words.
    pub(super) fn words(&self) -> &str {
        match self {
            Self::NoRecord => "it is no record of the audit",
            Self::Misfit { why, .. } => why,
        }
    }
}

/// Checks that a line, without its line break, is the record after `link`.
pub(super) fn check(key: &Key, link: &Link, line: &[u8]) -> Result<(Record, Link), Wrong> {
    let sealed = split(line).ok_or(Wrong::NoRecord)?;
    let record = record_of(&sealed).ok_or(Wrong::NoRecord)?;
    let misfit = |why: String| Wrong::Misfit { sequence: record.sequence, why };
    let expected = link.sequence + 1;
    if record.sequence > expected {
        let last = record.sequence - 1;
        return Err(misfit(format!("records are missing before it: {expected} to {last}")));
    }
    if record.sequence < expected {
        return Err(misfit(format!("record {} stands where {expected} should be", record.sequence)));
    }
    if key.mac(OF_RECORD, &link.checksum, sealed.body) != sealed.checksum {
        return Err(misfit("its checksum does not fit: it, or what stood before it, was changed".to_owned()));
    }
    let link = Link { sequence: record.sequence, checksum: sealed.checksum };
    Ok((record, link))
}
