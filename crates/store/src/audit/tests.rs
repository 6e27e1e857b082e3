//! The chain under people's hands and under crashes.

mod crashes;
mod tampering;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use skep_model::actor::Actor;
use skep_model::audit::{Cursor, Entry, EventType, Record};
use tempfile::TempDir;

use super::*;
use crate::data_dir::DataDir;

/// So small that a handful of records fills a segment.
const SEGMENT_BYTES: u64 = 3_000;

/// A data directory with a log of its own.
struct Bench {
    folder: TempDir,
    place: Place,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDir::create(folder.path().join("data")).unwrap();
        let place = Place::of(&directory, None);
        Self { folder, place }
    }

    fn open(&self) -> (Log, Found) {
        let (mut log, found) = Log::open(&self.place).unwrap();
        log.set_segment_bytes_max(SEGMENT_BYTES);
        (log, found)
    }

    /// Every file of the data directory.
    fn files(&self) -> Files {
        let mut files = Files::new();
        let root = self.folder.path().join("data");
        for folder in [root.clone(), root.join("audit")] {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                    files.insert(name, fs::read(path).unwrap());
                }
            }
        }
        files
    }

    /// Makes the data directory hold exactly these files.
    fn put(&self, files: &Files) {
        let root = self.folder.path().join("data");
        let current = self.files();
        for name in current.keys().filter(|name| !files.contains_key(*name)) {
            fs::remove_file(root.join(name)).unwrap();
        }
        for (name, bytes) in files.iter().filter(|(name, bytes)| current.get(*name) != Some(bytes)) {
            fs::write(root.join(name), bytes).unwrap();
        }
    }

    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let mut take = |record: &Record, _: &str| {
            records.push(record.clone());
            std::ops::ControlFlow::Continue(())
        };
        oldest_first(&self.place, &mut take).unwrap();
        records
    }

    fn is_whole(&self) -> bool {
        verify(&self.place).is_whole()
    }
}

/// By their names below the data directory.
type Files = BTreeMap<String, Vec<u8>>;

fn entry(number: i64) -> Entry {
    let actor = Actor::person("ada");
    let at = format!("2026-12-01T00:00:{:02}Z", number % 60);
    Entry::new(at, EventType::WorkflowAdded, actor, format!("added workflow number {number}")).with("number", number)
}

/// Appends what the turns `from` to `to` bring, one record each, and seals it.
fn append(log: &mut Log, from: i64, to: i64) {
    for number in from..=to {
        let cursor = Cursor { position: number, events: 1, act: 0 };
        log.append(Some(format!("turn-{number}-1")), entry(number), cursor).unwrap();
    }
    log.seal().unwrap();
}

/// The turns that have records.
fn turns(records: &[Record]) -> Vec<i64> {
    let of_turns = records.iter().filter(|record| record.event_id.starts_with("turn-"));
    of_turns.map(|record| record.cursor.position).collect()
}

#[test]
fn a_log_goes_on_over_segments_and_owners() {
    let bench = Bench::new();
    for round in 0..4 {
        let (mut log, found) = bench.open();
        assert_eq!(found, Found::default());
        assert_eq!(log.cursor().position, round * 10);
        append(&mut log, round * 10 + 1, round * 10 + 10);
    }
    let verified = verify(&bench.place);
    assert!(verified.is_whole(), "{verified:?}");
    assert!(verified.segments > 3, "{verified:?}");
    let records = bench.records();
    assert_eq!(turns(&records), (1..=40).collect::<Vec<_>>());
    assert_eq!(verified.events_verified, records.len() as u64);
    let mut newest = None;
    let mut first = |record: &Record, _: &str| {
        newest = Some(record.sequence);
        std::ops::ControlFlow::Break(())
    };
    newest_first(&bench.place, &mut first).unwrap();
    assert_eq!(newest, Some(records.len() as u64));
    assert_eq!(
        records.iter().filter(|record| record.entry.event_type == EventType::Head).count() as u64,
        verified.segments
    );
}

/// An owner reads only the end of what its head covers.
#[test]
fn a_long_segment_is_gone_on_with() {
    let bench = Bench::new();
    for round in 0..3 {
        let (mut log, found) = bench.open();
        log.set_segment_bytes_max(u64::MAX);
        assert_eq!((found, log.cursor().position), (Found::default(), round * 300));
        append(&mut log, round * 300 + 1, round * 300 + 300);
    }
    assert!(bench.files()["audit/000001.jsonl"].len() > 300_000);
    assert!(bench.is_whole());
    let mut files = bench.files();
    files.get_mut("audit/000001.jsonl").unwrap().truncate(200_000);
    bench.put(&files);
    assert!(bench.open().1.damage.is_some() && !bench.is_whole());
}

#[test]
fn nobody_else_may_read_it() {
    let bench = Bench::new();
    append(&mut bench.open().0, 1, 3);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(bench.place.folder()), 0o700);
    for name in bench.files().keys().filter(|name| name.contains("audit")) {
        assert_eq!(mode(&bench.folder.path().join("data").join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_directory_without_records_is_in_order() {
    let bench = Bench::new();
    assert!(bench.is_whole());
    assert_eq!(bench.open().0.sequence(), 0);
    assert!(bench.is_whole(), "a key and nothing else");
}

#[test]
fn records_without_their_key_are_not_gone_on_with() {
    let bench = Bench::new();
    append(&mut bench.open().0, 1, 3);
    fs::remove_file(bench.place.key()).unwrap();
    let error = Log::open(&bench.place).map(drop).unwrap_err();
    assert_eq!(error.code().id, "SKEP-T024", "{error}");
    assert!(!bench.is_whole());
    fs::write(bench.place.key(), "not a key").unwrap();
    assert_eq!(Log::open(&bench.place).map(drop).unwrap_err().code().id, "SKEP-T024");
    assert!(!bench.is_whole());
}

#[test]
fn the_key_may_lie_elsewhere() {
    let bench = Bench::new();
    let elsewhere = bench.folder.path().join("elsewhere.key");
    let place = Place::of(&DataDir::at(bench.folder.path().join("data")), Some(&elsewhere));
    let mut log = Log::open(&place).unwrap().0;
    append(&mut log, 1, 3);
    assert!(verify(&place).is_whole() && elsewhere.exists());
    assert!(!bench.is_whole(), "without the key nothing can be said");
}

/// The bytes of a record are a format that was released: an auditor's own program may read it.
#[test]
fn the_bytes_of_a_record_are_what_they_were() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "07".repeat(32)).unwrap();
    let key = key::Key::load(file.path()).unwrap().unwrap();
    let mut record = Record {
        sequence: 1,
        event_id: "turn-1-1".to_owned(),
        entry: entry(1),
        cursor: Cursor { position: 1, events: 1, act: 0 },
    };
    let (line, _) = chain::seal(&key, &chain::Link::START.checksum, &mut record);
    insta::assert_snapshot!(String::from_utf8(line).unwrap(), @r#"{"sequence":1,"event_id":"turn-1-1","timestamp":"2026-12-01T00:00:01Z","event_type":"workflow_added","severity":"info","actor":{"kind":"person","name":"ada"},"source":"owner","message":"added workflow number 1","outcome":"done","details":{"number":1},"cursor":{"position":1,"events":1,"act":0},"checksum":"7f92a7ad86f9381b1f524989aa3f356555bd7153b8c10d8b9c5a7b0f35a1a483"}"#);
}

#[test]
fn what_is_too_long_for_a_line_loses_its_details_and_says_so() {
    let bench = Bench::new();
    let (mut log, _) = bench.open();
    log.append(None, entry(1).with("long", "x".repeat(100_000)), Cursor::default()).unwrap();
    log.seal().unwrap();
    let record = bench.records().pop().unwrap();
    assert!(record.entry.details["cut_bytes"].as_u64().is_some_and(|bytes| bytes > 100_000), "{record:?}");
    assert!(bench.is_whole());
}

#[test]
fn a_copy_is_a_log_of_its_own_up_to_its_head() {
    let bench = Bench::new();
    let (mut log, _) = bench.open();
    append(&mut log, 1, 30);
    let sealed = bench.files();
    append(&mut log, 31, 60);
    // The owner writes meanwhile: the head that was read is older than the log.
    let mut files = bench.files();
    files.insert("audit/head.json".to_owned(), sealed["audit/head.json"].clone());
    bench.put(&files);
    let target = Place::of(&DataDir::create(bench.folder.path().join("copy")).unwrap(), None);
    copy(&bench.place, &target, true).unwrap();
    assert!(verify(&target).is_whole(), "{:?}", verify(&target));
    let (mut log, found) = Log::open(&target).unwrap();
    assert_eq!((found, log.cursor().position), (Found::default(), 30));
    append(&mut log, 31, 40);
    assert!(verify(&target).is_whole());
}
