//! Checking the whole log, record by record. Changes nothing and needs no owner.
//!
//! After a bad record the check goes on with what stands in it, so that one change is one bad record and not all that
//! come after it.

use std::path::Path;

use skep_model::audit::{Cursor, EventType};

use super::chain::{self, Link, Wrong};
use super::head::Head;
use super::key::Key;
use super::place::{Error, Place};
use super::segments;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Records that are as they were written.
    pub events_verified: u64,
    /// Records that are not, or are missing.
    pub events_failed: u64,
    /// Where it begins.
    pub first_bad: Option<Bad>,
    /// Segments that were read.
    pub segments: u64,
    /// Bytes at the end that are no record yet: a crash, or the owner is writing.
    pub unfinished_bytes: u64,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: Option<u64>,
    /// The record's number, where one can be told.
    pub sequence: Option<u64>,
    /// What is wrong.
    pub why: String,
}

impl Verified {
    /// True if everything is as it was written.
    pub fn is_whole(&self) -> bool {
        self.first_bad.is_none()
    }

    fn fail(&mut self, events: u64, bad: Bad) {
        self.events_failed += events;
        self.first_bad.get_or_insert(bad);
    }
}

/// Somebody who knows that a record was written.
struct Witness {
    file: String,
    link: Option<Link>,
    is_met: bool,
}

/// Checks the log of `place`.
pub fn verify(place: &Place) -> Verified {
    let mut verified = Verified::default();
    if let Err(error) = verify_files(place, &mut verified) {
        let file = place.folder().display().to_string();
        verified.fail(0, Bad { file, line: None, sequence: None, why: error.to_string() });
    }
    verified
}

fn verify_files(place: &Place, verified: &mut Verified) -> Result<(), Error> {
    let Some(key) = Key::load(place.key())? else {
        return match segments::list(place.folder())?.is_empty() {
            true => Ok(()),
            false => Err(Error::KeyMissing { path: place.key().to_owned() }),
        };
    };
    // First what says how far the log is, then the log: it only grows meanwhile.
    let mut check = Check { key: &key, link: Link::START, witnesses: Vec::new(), verified };
    check.witness(&place.head())?;
    check.witness(&place.mark())?;
    let files = segments::list(place.folder())?;
    let last = files.last().map_or(0, |(number, _)| *number);
    let mut expected = 1;
    for (number, path) in &files {
        let file = name_of(path);
        if expected != *number {
            let why = format!("segment {expected} is missing before it");
            check.verified.fail(0, Bad { file: file.clone(), line: None, sequence: None, why });
        }
        check.segment(&file, &segments::read(path)?, *number == last);
        check.verified.segments += 1;
        expected = number + 1;
    }
    check.end(files.last().map_or_else(|| name_of(place.folder()), |(_, path)| name_of(path)));
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The last record that hangs on the first one without a break, and how far the audit was with it.
pub(super) fn last_good(place: &Place, key: &Key) -> Result<(Link, Cursor), Error> {
    let (mut link, mut cursor) = (Link::START, Cursor::default());
    for (_, path) in segments::list(place.folder())? {
        for line in segments::read(&path)?.split_inclusive(|byte| *byte == b'\n') {
            let Ok((record, next)) = chain::check(key, &link, line.strip_suffix(b"\n").unwrap_or_default()) else {
                return Ok((link, cursor));
            };
            (link, cursor) = (next, record.cursor);
        }
    }
    Ok((link, cursor))
}

struct Check<'a> {
    key: &'a Key,
    link: Link,
    witnesses: Vec<Witness>,
    verified: &'a mut Verified,
}

impl Check<'_> {
    fn witness(&mut self, path: &Path) -> Result<(), Error> {
        let file = name_of(path);
        match Head::read(path, self.key)? {
            Ok(head) => {
                let is_met = head.sequence == 0;
                self.witnesses.push(Witness { file, link: head.link(), is_met });
            }
            Err(why) => self.verified.fail(1, Bad { file, line: None, sequence: None, why: why.to_owned() }),
        }
        Ok(())
    }

    fn segment(&mut self, file: &str, bytes: &[u8], is_last: bool) {
        for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            match line.strip_suffix(b"\n") {
                Some(line) => self.line(file, number, line),
                None if is_last => self.verified.unfinished_bytes = line.len() as u64,
                None => {
                    let why = "the segment ends within a record".to_owned();
                    self.verified.fail(1, Bad { file: file.to_owned(), line: Some(number), sequence: None, why });
                }
            }
        }
    }

    fn line(&mut self, file: &str, number: u64, line: &[u8]) {
        match chain::check(self.key, &self.link, line) {
            Ok((record, link)) => {
                self.link = link;
                let met = self.witnesses.iter_mut().filter(|witness| witness.link == Some(link));
                met.for_each(|witness| witness.is_met = true);
                match record.entry.event_type {
                    EventType::AuditDamaged => {
                        let why = format!("an owner found the log changed before this: {}", record.entry.message);
                        self.bad(file, number, Some(record.sequence), 1, why);
                    }
                    _ => self.verified.events_verified += 1,
                }
            }
            Err(wrong) => self.wrong(file, number, line, &wrong),
        }
    }

    fn wrong(&mut self, file: &str, number: u64, line: &[u8], wrong: &Wrong) {
        let sequence = match wrong {
            Wrong::NoRecord => None,
            Wrong::Misfit { sequence, .. } => Some(*sequence),
        };
        let missing = sequence.map_or(0, |sequence| sequence.saturating_sub(self.link.sequence + 1));
        self.bad(file, number, sequence, 1 + missing, wrong.words().to_owned());
        let next = sequence.unwrap_or(self.link.sequence + 1);
        let checksum = chain::split(line).map_or(self.link.checksum, |sealed| sealed.checksum);
        self.link = Link { sequence: next, checksum };
    }

    fn bad(&mut self, file: &str, line: u64, sequence: Option<u64>, events: u64, why: String) {
        self.verified.fail(events, Bad { file: file.to_owned(), line: Some(line), sequence, why });
    }

    fn end(mut self, file: String) {
        let last = self.link.sequence;
        for witness in std::mem::take(&mut self.witnesses).into_iter().filter(|witness| !witness.is_met) {
            let sequence = witness.link.map(|link| link.sequence);
            let missing = sequence.unwrap_or(0).saturating_sub(last).max(1);
            let named = sequence.unwrap_or(0);
            let why = format!(
                "{} names record {named}, which is not there as it was: the log ends with {last}",
                witness.file
            );
            self.verified.fail(missing, Bad { file: file.clone(), line: None, sequence: Some(last + 1), why });
        }
    }
}
