//! The audit's follower over a real journal: whatever was written of its records, the rest comes once.

use std::fs;
use std::path::Path;

use skep_store::audit::{self, Place};
use skep_store::{DataDir, SqliteReader};

use super::{SUM, ada, open, request, settle};
use crate::audit::Follower;

/// Two records come of its last turn: the step failed, and so did the execution.
const FAILS: &str = "
name: fails
description: Does not reach what it should.
steps: [{id: a, uses: set, with: {value: 1}, success_criteria: ['${{ value == 2 }}']}]
";

fn follower(directory: &DataDir) -> Follower {
    Follower::open(Place::of(directory, None), SqliteReader::open(directory).unwrap(), "same".to_owned()).unwrap()
}

/// The event ids of everything that came from turns and acts, in order.
fn recorded(directory: &DataDir) -> Vec<String> {
    let mut ids = Vec::new();
    let mut take = |record: &skep_model::audit::Record, _: &str| {
        ids.extend(Some(record.event_id.clone()).filter(|id| !id.starts_with("owner-")));
        std::ops::ControlFlow::Continue(())
    };
    audit::oldest_first(&Place::of(directory, None), &mut take).unwrap();
    ids
}

fn forget(root: &Path) {
    fs::remove_dir_all(root.join("audit")).unwrap();
    ["audit.key", "audit.key.mark"].iter().for_each(|name| fs::remove_file(root.join(name)).unwrap());
}

#[test]
fn whatever_was_written_of_a_batch_the_rest_comes_once() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    for text in [SUM, FAILS] {
        let execution = node.start(request(text)).unwrap().execution;
        settle(&node, &execution);
    }
    node.add_workflow(SUM.to_owned(), None, None, ada()).unwrap();
    node.close();
    let directory = DataDir::at(place.path());
    let expected = recorded(&directory);
    let in_one_turn = expected.iter().filter(|id| {
        id.rsplit_once('-')
            .is_some_and(|(turn, _)| expected.iter().filter(|other| other.starts_with(&format!("{turn}-"))).count() > 1)
    });
    assert!(in_one_turn.count() >= 2 && expected.contains(&"act-1".to_owned()), "{expected:?}");
    // A log that was begun and has nothing in it, then with one line more each time.
    forget(place.path());
    drop(follower(&directory));
    let (head, mark) = (place.path().join("audit/head.json"), place.path().join("audit.key.mark"));
    let begun = (fs::read(&head).unwrap(), fs::read(&mark).unwrap());
    follower(&directory).pass().unwrap();
    let segment = place.path().join("audit/000001.jsonl");
    let whole = fs::read_to_string(&segment).unwrap();
    for lines in 0..=whole.lines().count() {
        let part: String = whole.split_inclusive('\n').take(lines).collect();
        fs::write(&segment, part).unwrap();
        fs::write(&head, &begun.0).unwrap();
        fs::write(&mark, &begun.1).unwrap();
        let mut next = follower(&directory);
        let cursor = next.pass().unwrap();
        assert_eq!(recorded(&directory), expected, "after {lines} lines");
        assert_eq!(next.pass().unwrap(), cursor, "there is nothing more");
        assert!(audit::verify(&Place::of(&directory, None)).is_whole());
    }
}

#[test]
fn a_journal_that_is_behind_its_records_is_noticed() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    let execution = node.start(request(SUM)).unwrap().execution;
    settle(&node, &execution);
    node.close();
    for name in ["skep.db", "skep.db-wal", "skep.db-shm"] {
        // SQLite removes the side files when it closes.
        drop(fs::remove_file(place.path().join(name)));
    }
    let node = open(place.path());
    let execution = node.start(request(SUM)).unwrap().execution;
    settle(&node, &execution);
    node.close();
    let directory = DataDir::at(place.path());
    let query = crate::service::AuditQuery { limit: 100, ..crate::service::AuditQuery::default() };
    let records = crate::service::audit_list(&directory, &query).unwrap();
    let of = |kind| records.iter().filter(|record| record.entry.event_type == kind).count();
    use skep_model::audit::EventType::{ExecutionCompleted, JournalReplaced};
    assert_eq!((of(JournalReplaced), of(ExecutionCompleted)), (1, 2), "{records:#?}");
}
