use std::fs;
use std::io::Write;

use skep_model::ids::{ExecutionId, StepPath};
use skep_model::time::Timestamp;

use super::writer::{Limits, segment_path};
use super::*;
use crate::data_dir::DataDir;

struct Place {
    directory: DataDir,
    _place: tempfile::TempDir,
}

fn place() -> Place {
    let place = tempfile::tempdir().unwrap();
    Place { directory: DataDir::create(place.path()).unwrap(), _place: place }
}

impl Place {
    fn writer(&self, segment_bytes: u64, delivery_bytes: u64) -> LogWriter {
        LogWriter::with_limits(
            &self.directory,
            Limits { segment_bytes, delivery_bytes, open_files: 2, execution_bytes: 1_000_000_000 },
        )
    }

    fn read(&self, id: &str, cursor: Cursor) -> LogPage {
        let reader = LogReader::new(&self.directory, &ExecutionId::new(id)).unwrap();
        reader.read_from(cursor, &PathFilter::All).unwrap()
    }

    fn lines(&self, id: &str) -> Vec<String> {
        lines(&self.read(id, Cursor::default()))
    }

    fn segment(&self, id: &str, number: u32) -> std::path::PathBuf {
        segment_path(&self.directory.logs().join(id), number)
    }

    /// What a crash in the middle of a line leaves.
    fn tear(&self, id: &str, number: u32, text: &str) {
        let mut file = fs::OpenOptions::new().append(true).open(self.segment(id, number)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
}

fn lines(page: &LogPage) -> Vec<String> {
    page.records.iter().map(|record| record.line.to_text().into_owned()).collect()
}

fn record(path: &str, text: &str) -> Record {
    let line = Line::of(text.as_bytes().to_vec());
    Record { at: Timestamp(1_000_000), path: path.into(), delivery: 1, stream: Stream::Out, line }
}

fn one() -> ExecutionId {
    ExecutionId::new("one")
}

#[test]
fn a_record_is_one_line_of_json() {
    let bytes = Record { stream: Stream::Err, line: Line::of(vec![0xff, b'\n', 0]), ..record("a", "") };
    let table = [record("rollout[0].deploy", "tab\tquote\" é \u{1f41d}"), bytes, record("a", "")];
    let text: Vec<String> = table.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    {"at":1000000,"p":"rollout[0].deploy","d":1,"s":"out","l":"tab\tquote\" é 🐝"}
    {"at":1000000,"p":"a","d":1,"s":"err","b":"/woA"}
    {"at":1000000,"p":"a","d":1,"s":"out","l":""}
    "#);
    for (record, text) in table.iter().zip(&text) {
        assert_eq!(&serde_json::from_str::<Record>(text).unwrap(), record);
    }
    for bad in [r#"{"at":1,"p":"a","d":1,"s":"out"}"#, r#"{"at":1,"p":"a","d":1,"s":"out","l":"","b":""}"#] {
        assert!(serde_json::from_str::<Record>(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_is_written_is_read_and_followed() {
    let place = place();
    let mut writer = place.writer(1_000_000, 1_000_000);
    assert!(place.read("one", Cursor::default()).at_end, "no log yet is an empty one");
    writer.append(&one(), &[record("a", "first"), record("b", "second")]).unwrap();
    let page = place.read("one", Cursor::default());
    assert_eq!((lines(&page), page.at_end, page.damaged_lines), (vec!["first".into(), "second".into()], true, 0));
    assert_eq!(place.read("one", page.cursor).records, []);
    writer.append(&one(), &[record("a", "third")]).unwrap();
    let next = place.read("one", page.cursor);
    assert_eq!(lines(&next), ["third"]);
    assert!(next.cursor > page.cursor);
}

#[test]
fn a_step_is_filtered_with_what_is_inside_it() {
    let filter = PathFilter::Step("rollout".into());
    let table =
        [("rollout", true), ("rollout[0].deploy", true), ("rollout2", false), ("x.rollout", false), ("a", false)];
    for (path, admitted) in table {
        assert_eq!(filter.admits(path), admitted, "{path}");
    }
    assert!(PathFilter::Step("rollout[1]".into()).admits("rollout[1].deploy"));
    let place = place();
    let mut writer = place.writer(1_000_000, 1_000_000);
    writer.append(&one(), &[record("a", "no"), record("rollout[0].deploy", "yes"), record("a", "no")]).unwrap();
    let reader = LogReader::new(&place.directory, &one()).unwrap();
    let page = reader.read_from(Cursor::default(), &filter).unwrap();
    assert_eq!((lines(&page), page.at_end), (vec!["yes".to_owned()], true));
}

#[test]
fn segments_follow_one_another() {
    let place = place();
    let size_bytes = serde_json::to_string(&record("a", "line 0")).unwrap().len() as u64 + 1;
    let mut writer = place.writer(2 * size_bytes, 1_000_000);
    for number in 0..5 {
        writer.append(&one(), &[record("a", &format!("line {number}"))]).unwrap();
    }
    assert_eq!(fs::metadata(place.segment("one", 1)).unwrap().len(), 2 * size_bytes);
    assert_eq!(fs::metadata(place.segment("one", 3)).unwrap().len(), size_bytes);
    assert_eq!(place.lines("one"), ["line 0", "line 1", "line 2", "line 3", "line 4"]);
    let page = place.read("one", Cursor { segment: 2, offset_bytes: size_bytes });
    assert_eq!(lines(&page), ["line 3", "line 4"]);
    assert_eq!(page.cursor, Cursor { segment: 3, offset_bytes: size_bytes });
    // Retention may drop old segments; a batch larger than a segment has one of its own.
    fs::remove_file(place.segment("one", 1)).unwrap();
    writer.append(&one(), &[record("a", "x"), record("a", "y"), record("a", "z")]).unwrap();
    assert_eq!(place.lines("one"), ["line 2", "line 3", "line 4", "x", "y", "z"]);
}

#[test]
fn a_torn_line_waits_for_its_end_or_is_passed_over() {
    let place = place();
    place.writer(1_000_000, 1_000_000).append(&one(), &[record("a", "whole")]).unwrap();
    let torn = serde_json::to_string(&record("a", "torn")).unwrap();
    place.tear("one", 1, &torn[..10]);
    let page = place.read("one", Cursor::default());
    assert_eq!((lines(&page), page.at_end, page.damaged_lines), (vec!["whole".to_owned()], true, 0));
    place.tear("one", 1, &torn[10..]);
    place.tear("one", 1, "\n{\"at\":1");
    assert_eq!(lines(&place.read("one", page.cursor)), ["torn"]);
    // A new owner does not continue the torn segment.
    place.writer(1_000_000, 1_000_000).append(&one(), &[record("a", "later")]).unwrap();
    let page = place.read("one", page.cursor);
    assert_eq!((lines(&page), page.damaged_lines), (vec!["torn".to_owned(), "later".to_owned()], 1));
    assert_eq!(page.cursor.segment, 2);
}

#[test]
fn a_failed_write_is_not_continued() {
    let place = place();
    let mut writer = place.writer(1, 1_000_000);
    writer.append(&one(), &[record("a", "first")]).unwrap();
    fs::create_dir(place.segment("one", 2)).unwrap();
    let error = writer.append(&one(), &[record("a", "lost")]).unwrap_err();
    assert!(error.to_string().contains("000002.jsonl"), "{error}");
    writer.append(&one(), &[record("a", "third")]).unwrap();
    fs::remove_dir(place.segment("one", 2)).unwrap();
    assert_eq!(place.lines("one"), ["first", "third"]);
}

#[test]
fn what_exceeds_the_limit_is_cut_and_counted_once() {
    let place = place();
    let mut writer = place.writer(1_000_000, 10);
    let (path, at): (StepPath, _) = ("a".into(), Timestamp(5));
    writer.append(&one(), &[record("a", "1234"), record("a", "12345678"), record("a", "")]).unwrap();
    writer
        .append(&one(), &[record("a", "x"), record("b", "12345"), Record { delivery: 2, ..record("a", "again") }])
        .unwrap();
    writer.append(&one(), &[Record { stream: Stream::Sys, ..record("a", "killed by its timeout") }]).unwrap();
    writer.end_delivery(&one(), &path, 1, at).unwrap();
    writer.end_delivery(&one(), &path, 1, at).unwrap();
    writer.end_delivery(&one(), &path, 2, at).unwrap();
    insta::assert_snapshot!(place.lines("one").join("\n"), @"
    1234
    12345
    again
    killed by its timeout
    3 lines (12 bytes) were cut: a step's log keeps 10 bytes
    ");
    assert_eq!(place.read("one", Cursor::default()).records.last().unwrap().stream, Stream::Sys);
}

#[test]
fn many_executions_share_few_open_files() {
    let place = place();
    let mut writer = place.writer(1_000_000, 1_000_000);
    for round in 0..3 {
        for name in ["one", "two", "three", "four"] {
            writer.append(&ExecutionId::new(name), &[record("a", &format!("{name} {round}"))]).unwrap();
            assert!(writer.open_files() <= 2);
        }
    }
    assert_eq!(place.lines("two"), ["two 0", "two 1", "two 2"]);
    assert!(!place.segment("two", 2).exists(), "a closed segment of the same writer is continued");
    writer.end_execution(&ExecutionId::new("four"));
    assert_eq!(writer.open_files(), 1);
}

#[test]
fn pages_are_bounded() {
    let place = place();
    let mut writer = place.writer(u64::MAX, u64::MAX);
    let large = "x".repeat(usize::try_from(PAGE_BYTES_MAX).unwrap() / 2);
    for _ in 0..3 {
        writer.append(&one(), &[record("a", &large)]).unwrap();
    }
    let page = place.read("one", Cursor::default());
    assert_eq!((page.records.len(), page.at_end), (2, false));
    let page = place.read("one", page.cursor);
    assert_eq!((page.records.len(), page.at_end), (1, true));
    let many: Vec<Record> = (0..=PAGE_RECORDS_MAX).map(|_| record("a", "")).collect();
    writer.append(&ExecutionId::new("two"), &many).unwrap();
    let page = place.read("two", Cursor::default());
    assert_eq!((page.records.len(), page.at_end), (PAGE_RECORDS_MAX, false));
    assert_eq!(place.read("two", page.cursor).records.len(), 1);
}

#[test]
fn an_id_that_leads_elsewhere_is_refused() {
    let place = place();
    let bad = ExecutionId::new("../elsewhere");
    let error = place.writer(100, 100).append(&bad, &[record("a", "x")]).unwrap_err();
    assert_eq!(error.code().id, "SKEP-T020");
    assert_eq!(LogReader::new(&place.directory, &bad).unwrap_err().code().id, "SKEP-T020");
}

#[test]
fn the_log_of_an_execution_has_a_limit_that_outlives_its_owner() {
    let place = place();
    let limits = Limits { segment_bytes: 1_000_000, delivery_bytes: 1_000_000, open_files: 2, execution_bytes: 200 };
    let text = "x".repeat(60);
    let mut writer = LogWriter::with_limits(&place.directory, limits);
    writer.append(&one(), &[record("a", &text)]).unwrap();
    let mut writer = LogWriter::with_limits(&place.directory, limits);
    writer.append(&one(), &[record("b", "short"), record("b", &text), record("b", "more")]).unwrap();
    writer.end_delivery(&one(), &"b".into(), 1, Timestamp(5)).unwrap();
    assert_eq!(place.lines("one")[1..], ["short", "2 lines (66 bytes) were cut: an execution's log keeps 200 bytes"]);
}
