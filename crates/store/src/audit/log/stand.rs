//! Where a new owner goes on: from head and mark, and from the records after them.

use std::path::PathBuf;

use skep_model::audit::{Cursor, EventType, Record};
use skep_model::limits::AUDIT_RECORD_BYTES_MAX;

use super::super::chain::{self, Link};
use super::super::head::Head;
use super::super::key::Key;
use super::super::place::{Error, Place};
use super::super::{segments, verify};
use super::Found;

/// Bytes in which the last record is found: its body is bounded, the rest of a line is short.
const LAST_RECORD_BYTES: u64 = 2 * AUDIT_RECORD_BYTES_MAX as u64;

/// The end of the log.
#[derive(Clone, Debug)]
pub(super) struct Stand {
    pub link: Link,
    pub segment: u32,
    /// Bytes of that segment that are records.
    pub length_bytes: u64,
    pub cursor: Cursor,
    pub configuration: Option<String>,
    /// The next record begins a segment.
    pub is_new_segment: bool,
}

impl Stand {
    fn of(head: &Head) -> Option<Self> {
        Some(Self {
            link: head.link()?,
            segment: head.segment,
            length_bytes: head.length_bytes,
            cursor: head.cursor,
            configuration: head.configuration.clone(),
            is_new_segment: head.segment == 0,
        })
    }

    /// What a head says that names this.
    pub(super) fn head(&self) -> Head {
        Head {
            sequence: self.link.sequence,
            last: self.link.checksum.to_hex().to_string(),
            segment: self.segment,
            length_bytes: self.length_bytes,
            cursor: self.cursor,
            configuration: self.configuration.clone(),
        }
    }

    fn take(&mut self, record: &Record, link: Link, bytes: usize) {
        self.link = link;
        self.length_bytes += bytes as u64;
        // A head may know of turns without records that came after the last record that it names.
        self.cursor = self.cursor.furthest(record.cursor);
        if record.entry.event_type == EventType::ServerStarted {
            let configuration = record.entry.details.get("configuration").and_then(|value| value.as_str());
            self.configuration = configuration.map(str::to_owned).or(self.configuration.take());
        }
    }
}

/// Reads head, mark and what comes after them.
pub(super) fn find(place: &Place, key: &Key, files: &[(u32, PathBuf)]) -> Result<(Stand, Found), Error> {
    let head = Head::read(&place.head(), key)?;
    let mark = Head::read(&place.mark(), key)?;
    let mut found = Found::default();
    let mut stands: Vec<Stand> = [&head, &mark].into_iter().flatten().filter_map(Stand::of).collect();
    found.damage = match (&head, &mark) {
        (Err(why), _) => Some(format!("the head of the log cannot be used: {why}")),
        (Ok(_), Err(why)) => Some(format!("the mark beside the key cannot be used: {why}")),
        (Ok(_), Ok(mark)) => match follow(key, files, stands[0].clone(), &mut found)? {
            Err(why) => Some(why),
            Ok(stand) if mark.sequence > stand.link.sequence => {
                let last = stand.link.sequence;
                stands.push(stand);
                Some(format!("the mark beside the key names record {}, the log ends with {last}", mark.sequence))
            }
            Ok(stand) => return Ok((stand, found)),
        },
    };
    found.cut_bytes = 0;
    let (link, cursor) = verify::last_good(place, key)?;
    let (segment, length_bytes, configuration, is_new_segment) = (0, 0, None, true);
    stands.push(Stand { link, segment, length_bytes, cursor, configuration, is_new_segment });
    let newest = stands.into_iter().max_by_key(|stand| stand.link.sequence);
    let mut stand = newest.expect("the walk over the log has just given one");
    // Nothing is appended to what was changed, and no file of it is replaced.
    stand.segment = files.last().map_or(0, |(number, _)| *number).max(stand.segment);
    (stand.length_bytes, stand.is_new_segment) = (0, true);
    Ok((stand, found))
}

/// Goes on from where the head stands, over everything that was appended after it.
fn follow(
    key: &Key,
    files: &[(u32, PathBuf)],
    mut stand: Stand,
    found: &mut Found,
) -> Result<Result<Stand, String>, Error> {
    let last = files.last().map_or(0, |(number, _)| *number);
    for number in stand.segment.max(1)..=last {
        let Some((_, path)) = files.iter().find(|(other, _)| *other == number) else {
            return Ok(Err(format!("segment {number} is missing")));
        };
        if number > stand.segment {
            (stand.segment, stand.length_bytes, stand.is_new_segment) = (number, 0, false);
        }
        // Of what the head covers, only its last record is looked at: an owner begins in milliseconds.
        let from = stand.length_bytes.saturating_sub(LAST_RECORD_BYTES);
        let bytes = segments::read_from(path, from)?;
        let known = usize::try_from(stand.length_bytes - from).unwrap_or(usize::MAX);
        if known > 0 && !ends_with(&bytes, known, &stand.link) {
            return Ok(Err(format!("the head names record {}, which is not where it was", stand.link.sequence)));
        }
        let rest = &bytes[known..];
        let taken = take_lines(key, rest, &mut stand);
        if taken < rest.len() && number < last {
            return Ok(Err(format!("segment {number} goes on with what is no next record")));
        }
        found.cut_bytes = (rest.len() - taken) as u64;
    }
    match stand.segment > last {
        true => Ok(Err(format!("segment {} is missing", stand.segment))),
        false => Ok(Ok(stand)),
    }
}

/// Takes record after record and gives the number of bytes that they are.
fn take_lines(key: &Key, bytes: &[u8], stand: &mut Stand) -> usize {
    let mut taken = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(text) = line.strip_suffix(b"\n") else { break };
        let Ok((record, link)) = chain::check(key, &stand.link, text) else { break };
        stand.take(&record, link, line.len());
        taken += line.len();
    }
    taken
}

/// True if the first `length` bytes end with the record that `link` names.
fn ends_with(bytes: &[u8], length: usize, link: &Link) -> bool {
    let lines = bytes.get(..length).and_then(|bytes| bytes.strip_suffix(b"\n"));
    let last = lines.and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next());
    last.and_then(chain::split).is_some_and(|sealed| sealed.checksum == link.checksum)
}
