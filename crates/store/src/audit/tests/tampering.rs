//! Somebody who has the files and not the key: whatever they do to the records, it is found.

use serde_json::Value;

use super::*;
use crate::audit::chain;
use crate::audit::key::Key;

const TRIES: u64 = 1_000;
const RECORDS: i64 = 60;

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

type Change = fn(&mut Files, &Files, &mut Chance);

const KINDS: [(&str, Change); 10] = [
    ("change a byte", change_byte),
    ("change a field", change_field),
    ("change a field and seal it with another key", forge),
    ("remove a line", remove_line),
    ("swap two lines", swap_lines),
    ("duplicate a line", duplicate_line),
    ("cut off the tail", cut_tail),
    ("remove a segment", remove_segment),
    ("swap two segments", swap_segments),
    ("put back an older folder", put_back),
];

fn segments(files: &Files) -> Vec<String> {
    files.keys().filter(|name| name.ends_with(".jsonl")).cloned().collect()
}

fn some_segment(files: &Files, chance: &mut Chance) -> String {
    let segments = segments(files);
    segments[chance.below(segments.len())].clone()
}

/// Changes the lines of one segment.
fn with_lines(files: &mut Files, chance: &mut Chance, change: impl FnOnce(&mut Vec<Vec<u8>>, &mut Chance)) {
    let name = some_segment(files, chance);
    let mut lines: Vec<Vec<u8>> = files[&name].split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    change(&mut lines, chance);
    files.insert(name, lines.concat());
}

fn change_byte(files: &mut Files, _: &Files, chance: &mut Chance) {
    let name = some_segment(files, chance);
    let bytes = files.get_mut(&name).unwrap();
    let at = chance.below(bytes.len());
    bytes[at] = bytes[at].wrapping_add(1 + u8::try_from(chance.below(255)).unwrap());
}

/// A line with another actor, message, time or detail, that is JSON as before and keeps its checksum.
fn edited(line: &[u8], chance: &mut Chance) -> Value {
    let mut record: Value = serde_json::from_slice(line).unwrap();
    let field = ["message", "timestamp", "severity", "outcome", "event_id"][chance.below(5)];
    match chance.below(3) {
        0 => record["actor"]["name"] = "eve".into(),
        1 => record["details"]["added"] = true.into(),
        _ => record[field] = format!("x{}", record[field].as_str().unwrap()).into(),
    }
    record
}

fn change_field(files: &mut Files, _: &Files, chance: &mut Chance) {
    with_lines(files, chance, |lines, chance| {
        let at = chance.below(lines.len());
        lines[at] = format!("{}\n", edited(&lines[at], chance)).into_bytes();
    });
}

fn forge(files: &mut Files, _: &Files, chance: &mut Chance) {
    with_lines(files, chance, |lines, chance| {
        let at = chance.below(lines.len());
        let mut record: Value = serde_json::from_slice(&lines[at]).unwrap();
        record["message"] = "nothing happened".into();
        let mut record: Record = serde_json::from_value(record).unwrap();
        lines[at] = chain::seal(&Key::random().unwrap(), &chain::Link::START.checksum, &mut record).0;
    });
}

fn remove_line(files: &mut Files, _: &Files, chance: &mut Chance) {
    with_lines(files, chance, |lines, chance| {
        lines.remove(chance.below(lines.len()));
    });
}

fn swap_lines(files: &mut Files, _: &Files, chance: &mut Chance) {
    with_lines(files, chance, |lines, chance| {
        let (one, step) = (chance.below(lines.len()), 1 + chance.below(lines.len() - 1));
        let other = (one + step) % lines.len();
        lines.swap(one, other);
    });
}

fn duplicate_line(files: &mut Files, _: &Files, chance: &mut Chance) {
    with_lines(files, chance, |lines, chance| {
        let line = lines[chance.below(lines.len())].clone();
        lines.insert(chance.below(lines.len() + 1), line);
    });
}

/// From one byte to several segments.
fn cut_tail(files: &mut Files, _: &Files, chance: &mut Chance) {
    for _ in 0..chance.below(3) {
        let last = segments(files).pop().unwrap();
        files.remove(&last);
    }
    let last = segments(files).pop().unwrap();
    let bytes = files.get_mut(&last).unwrap();
    bytes.truncate(chance.below(bytes.len()));
}

fn remove_segment(files: &mut Files, _: &Files, chance: &mut Chance) {
    let name = some_segment(files, chance);
    files.remove(&name);
}

fn swap_segments(files: &mut Files, _: &Files, chance: &mut Chance) {
    let names = segments(files);
    let (one, step) = (chance.below(names.len()), 1 + chance.below(names.len() - 1));
    let other = (one + step) % names.len();
    let (a, b) = (files[&names[one]].clone(), files[&names[other]].clone());
    files.insert(names[one].clone(), b);
    files.insert(names[other].clone(), a);
}

/// Segments and head as they were, whole in themselves.
fn put_back(files: &mut Files, older: &Files, _: &mut Chance) {
    files.retain(|name, _| !name.starts_with("audit/"));
    files.extend(
        older.iter().filter(|(name, _)| name.starts_with("audit/")).map(|(name, bytes)| (name.clone(), bytes.clone())),
    );
}

#[test]
fn every_one_of_a_thousand_changes_is_found() {
    let bench = Bench::new();
    let (mut log, _) = bench.open();
    let mut older = Vec::new();
    for turn in 1..=RECORDS {
        append(&mut log, turn, turn);
        older.push(bench.files());
    }
    let whole = older.pop().unwrap();
    assert!(bench.is_whole() && segments(&whole).len() > 4, "{:?}", segments(&whole));
    let mut chance = Chance(20_261_201);
    let mut missed = Vec::new();
    for number in 0..TRIES {
        let (name, change) = KINDS[chance.below(KINDS.len())];
        let mut files = whole.clone();
        let state = chance.below(older.len());
        change(&mut files, &older[state], &mut chance);
        assert_ne!(files, whole, "try {number} changes nothing: {name}");
        bench.put(&files);
        let verified = verify(&bench.place);
        if verified.is_whole() || verified.events_failed == 0 {
            missed.push(format!("try {number}: {name}: {verified:?}"));
        }
    }
    assert!(missed.is_empty(), "{} of {TRIES}\n{}", missed.len(), missed.join("\n"));
    bench.put(&whole);
    assert!(bench.is_whole(), "what is put back is as it was");
}

#[test]
fn the_first_bad_record_is_named() {
    let bench = Bench::new();
    append(&mut bench.open().0, 1, 5);
    let whole = bench.files();
    let name = segments(&whole)[0].clone();
    let mut lines: Vec<Vec<u8>> = whole[&name].split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    lines.remove(2);
    bench.put(&Files::from_iter(whole.clone().into_iter().chain([(name.clone(), lines.concat())])));
    let bad = verify(&bench.place).first_bad.unwrap();
    assert_eq!((bad.file.as_str(), bad.line, bad.sequence), ("000001.jsonl", Some(3), Some(4)));
    assert_eq!(bad.why, "records are missing before it: 3 to 3");
    let text = String::from_utf8(whole[&name].clone()).unwrap().replace("number 2", "number 7");
    bench.put(&Files::from_iter(whole.into_iter().chain([(name, text.into_bytes())])));
    let verified = verify(&bench.place);
    let bad = verified.first_bad.clone().unwrap();
    assert_eq!((bad.line, bad.sequence), (Some(3), Some(3)));
    assert_eq!((verified.events_verified, verified.events_failed), (5, 1), "those after it are judged by themselves");
}

/// A forger who makes an owner begin on what they left cannot make it look whole.
#[test]
fn an_owner_goes_on_and_the_damage_stays_visible() {
    let bench = Bench::new();
    append(&mut bench.open().0, 1, 40);
    let whole = bench.files();
    let mut chance = Chance(7);
    let head = |files: &mut Files, _: &Files, _: &mut Chance| drop(files.remove("audit/head.json"));
    let mark = |files: &mut Files, _: &Files, _: &mut Chance| drop(files.remove("audit.key.mark"));
    let kinds: [(&str, Change); 5] = [
        ("cut off the tail", cut_tail),
        ("remove the last segment", |files, _, _| drop(files.remove(&segments(files).pop().unwrap()))),
        ("remove the head", head),
        ("remove the mark", mark),
        ("remove everything but the key", |files, _, _| files.retain(|name, _| name == "audit.key")),
    ];
    for (name, change) in kinds {
        let mut files = whole.clone();
        change(&mut files, &whole, &mut chance);
        bench.put(&files);
        let (mut log, found) = bench.open();
        let why = found.damage.unwrap_or_else(|| panic!("{name} is found"));
        log.append(None, Entry { event_type: EventType::AuditDamaged, ..entry(0) }, log.cursor()).unwrap();
        append(&mut log, 41, 45);
        assert!(!bench.is_whole(), "{name}: {why}");
        drop(log);
        let (mut log, found) = bench.open();
        assert_eq!(found, Found::default(), "{name}: what is known is not found again");
        append(&mut log, 46, 50);
        assert!(!bench.is_whole(), "{name}: it does not become whole again");
        assert!(turns(&bench.records()).ends_with(&(41..=50).collect::<Vec<_>>()), "{name}");
    }
}
