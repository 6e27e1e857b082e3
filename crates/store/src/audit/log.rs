//! The log for its one writer: where a new owner goes on, records appended and sealed.
//!
//! | what a new owner finds | what it does |
//! |---|---|
//! | nothing, no key | makes mark, head and key; the first record makes the first segment |
//! | records, no key | refuses: a new key would hide what happened to them |
//! | head and mark fit, records after them fit | takes them: a crash came before the head |
//! | bytes at the very end that are no next record | cuts them off: a crash came within an append |
//! | a record that head or mark names is not there, or one of them is not | goes on in a new segment, after the newest record that is known; the gap stays visible |
//!
//! After an error the log must be opened anew: what memory knows may not be what is on the disk.

use std::fs::File;
use std::io::Write;

use skep_model::actor::Actor;
use skep_model::audit::{Cursor, Entry, EventType, Record};
use skep_model::limits::AUDIT_SEGMENT_BYTES_MAX;

use super::chain::{self, Link};
use super::head::Head;
use super::key::Key;
use super::place::{Error, Place};
use super::segments;
use crate::data_dir::{self, create_folder};

mod stand;

use stand::Stand;

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 256 * 1024;

/// What opening found that a person should know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Bytes that a crash left half written and that were cut off.
    pub cut_bytes: u64,
    /// The log was changed: why it is known.
    pub damage: Option<String>,
}

/// The log, open for appending. There is one, in the owner.
pub struct Log {
    place: Place,
    key: Key,
    stand: Stand,
    file: Option<File>,
    buffer: Vec<u8>,
    /// Records were written that no head names yet.
    is_unsealed: bool,
    segment_bytes_max: u64,
}

impl Log {
    /// Opens the log of `place`, or begins one.
    ///
    /// # Errors
    /// Records without their key; trouble with the files.
    pub fn open(place: &Place) -> Result<(Self, Found), Error> {
        create_folder(place.folder())?;
        let segments = segments::list(place.folder())?;
        let key = match Key::load(place.key())? {
            Some(key) => key,
            None if segments.is_empty() => begin(place)?,
            None => return Err(Error::KeyMissing { path: place.key().to_owned() }),
        };
        let (stand, found) = stand::find(place, &key, &segments)?;
        let file = match stand.is_new_segment {
            true => None,
            false => Some(segments::open(&segments::path(place.folder(), stand.segment))?),
        };
        if let Some(file) = &file
            && found.cut_bytes > 0
        {
            let cut = file.set_len(stand.length_bytes).and_then(|()| file.sync_all());
            cut.map_err(data_dir::Error::file("cutting off what was half written in", place.folder()))?;
        }
        let is_unsealed = false;
        let log = Self {
            place: place.clone(),
            key,
            stand,
            file,
            buffer: Vec::new(),
            is_unsealed,
            segment_bytes_max: AUDIT_SEGMENT_BYTES_MAX,
        };
        Ok((log, found))
    }

    /// How far the audit is.
    pub fn cursor(&self) -> Cursor {
        self.stand.cursor
    }

    /// Hash of the configuration that the last owner began with.
    pub fn configuration(&self) -> Option<&str> {
        self.stand.configuration.as_deref()
    }

    /// Number of the last record.
    pub fn sequence(&self) -> u64 {
        self.stand.link.sequence
    }

    /// Notes that everything up to here is looked at, and the configuration of this owner; both are kept with the next
    /// seal.
    pub fn note(&mut self, cursor: Cursor, configuration: Option<String>) {
        self.stand.cursor = cursor;
        self.stand.configuration = configuration.or(self.stand.configuration.take());
    }

    /// Appends a record; it is on the disk after the next [`Log::seal`]. Without an id it gets one of its own.
    ///
    /// # Errors
    /// Trouble with the files; the log must be opened anew.
    pub fn append(&mut self, event_id: Option<String>, entry: Entry, cursor: Cursor) -> Result<(), Error> {
        if self.stand.length_bytes + self.buffer.len() as u64 >= self.segment_bytes_max {
            self.seal()?;
            self.stand.is_new_segment = true;
        }
        if self.stand.is_new_segment {
            self.begin_segment(&entry.timestamp)?;
        }
        self.stand.cursor = cursor;
        self.push(event_id, entry);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn begin_segment(&mut self, timestamp: &str) -> Result<(), Error> {
        let number = self.stand.segment + 1;
        self.file = Some(segments::create(self.place.folder(), number)?);
        (self.stand.segment, self.stand.length_bytes) = (number, 0);
        self.stand.is_new_segment = false;
        let Link { sequence, checksum } = self.stand.link;
        let message = format!("segment {number} begins after record {sequence}");
        let entry = Entry::new(timestamp.to_owned(), EventType::Head, Actor::Engine, message)
            .with("segment", number)
            .with("previous", checksum.to_hex().as_str());
        self.push(None, entry);
        Ok(())
    }

    fn push(&mut self, event_id: Option<String>, entry: Entry) {
        let sequence = self.stand.link.sequence + 1;
        let event_id = event_id.unwrap_or_else(|| format!("owner-{sequence}"));
        let mut record = Record { sequence, event_id, entry, cursor: self.stand.cursor };
        let (line, checksum) = chain::seal(&self.key, &self.stand.link.checksum, &mut record);
        self.stand.link = Link { sequence, checksum };
        self.buffer.extend_from_slice(&line);
    }

    fn flush(&mut self) -> Result<(), Error> {
        if let Some(file) = &mut self.file
            && !self.buffer.is_empty()
        {
            file.write_all(&self.buffer).map_err(data_dir::Error::file("appending to", self.place.folder()))?;
            self.stand.length_bytes += self.buffer.len() as u64;
            self.buffer.clear();
            self.is_unsealed = true;
        }
        Ok(())
    }

    /// Makes what was appended durable, then says so in head and mark.
    ///
    /// # Errors
    /// Trouble with the files; the log must be opened anew.
    pub fn seal(&mut self) -> Result<(), Error> {
        self.flush()?;
        if let Some(file) = &self.file
            && self.is_unsealed
        {
            file.sync_data().map_err(data_dir::Error::file("syncing", self.place.folder()))?;
        }
        let head = self.stand.head();
        head.write(&self.place.head(), &self.key)?;
        head.write(&self.place.mark(), &self.key)?;
        self.is_unsealed = false;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn set_segment_bytes_max(&mut self, bytes: u64) {
        self.segment_bytes_max = bytes;
    }
}

/// Mark and head come before the key, so that a key without them tells of somebody who removed them.
fn begin(place: &Place) -> Result<Key, Error> {
    let key = Key::random()?;
    Head::start().write(&place.mark(), &key)?;
    Head::start().write(&place.head(), &key)?;
    key.save(place.key())?;
    Ok(key)
}
