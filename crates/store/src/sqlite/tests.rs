use std::fs;

use rusqlite::Connection;
use skep_model::ids::{LocalId, Position};
use skep_model::status::Execution as Status;
use tempfile::TempDir;

use super::access::{Access, Medium, open_on};
use super::connection::check_version;
use super::migrate::{Migration, found, migrate};
use super::trouble::{after_commit, trouble};
use super::*;
use crate::contract::{self, Fixture, created, turn};
use crate::data_dir::DataDir;
use crate::error::{Committed, Error};
use crate::journal::Journal;
use crate::reader::Reader;

struct Store {
    journal: Option<SqliteJournal>,
    directory: DataDir,
    _place: TempDir,
}

fn fresh() -> Store {
    let place = tempfile::tempdir().unwrap();
    let directory = DataDir::create(place.path().join("data dir % ? #")).unwrap();
    Store { journal: Some(SqliteJournal::open(&directory).unwrap()), directory, _place: place }
}

impl Store {
    fn sqlite(&mut self) -> &mut SqliteJournal {
        self.journal.as_mut().unwrap()
    }

    fn run_sql(&mut self, sql: &str) {
        self.sqlite().connection().execute_batch(sql).unwrap();
    }

    fn side_file(&self, suffix: &str) -> std::path::PathBuf {
        self.directory.root().join(format!("skep.db{suffix}"))
    }
}

impl Fixture for Store {
    fn journal(&mut self) -> &mut dyn Journal {
        self.sqlite()
    }

    fn reader(&self) -> Box<dyn Reader> {
        let reader = SqliteReader::open(&self.directory).unwrap();
        assert_eq!(reader.access(), Access::Live);
        Box::new(reader)
    }

    fn reopen(&mut self) {
        self.journal = None;
        self.journal = Some(SqliteJournal::open(&self.directory).unwrap());
    }
}

#[test]
fn keeps_the_contract() {
    contract::run_all(fresh);
}

#[test]
fn differential_against_memory() {
    contract::differ(fresh);
}

/// The next group must fail as `code`, the store must be as before, and the group after it must succeed.
fn check_trouble(store: &mut Store, code: &str, mend: impl FnOnce(&mut Store)) {
    let error = store.journal().commit(&[created(2), turn(2, 1), turn(1, 2)]).unwrap_err();
    assert_eq!((error.code().id, error.committed()), (code, Committed::Nothing), "{error}");
    assert!(error.to_string().contains("skep.db"), "{error}");
    mend(store);
    assert_eq!(store.reader().execution_by_local(LocalId(2)).unwrap(), None);
    assert_eq!(store.journal().commit(&[turn(1, 2)]).unwrap(), [Some(Position(2))]);
}

fn with_one_turn() -> Store {
    let mut store = fresh();
    store.journal().commit(&[created(1), turn(1, 1)]).unwrap();
    store
}

#[test]
fn a_full_disk_loses_nothing() {
    let mut store = with_one_turn();
    let pages: i64 = store.sqlite().connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.run_sql(&format!("PRAGMA max_page_count = {pages}"));
    let mut large = turn(1, 2);
    large.turn.as_mut().unwrap().events = "x".repeat(100_000);
    let error = store.journal().commit(&[created(2), large]).unwrap_err();
    assert_eq!((error.code().id, error.committed()), ("SKEP-T004", Committed::Nothing), "{error}");
    store.run_sql("PRAGMA max_page_count = 1000000");
    assert_eq!(store.reader().execution_by_local(LocalId(2)).unwrap(), None);
    assert_eq!(store.journal().commit(&[turn(1, 2)]).unwrap(), [Some(Position(2))]);
}

#[test]
fn a_read_only_store_says_so() {
    let mut store = with_one_turn();
    store.run_sql("PRAGMA query_only = ON");
    check_trouble(&mut store, "SKEP-T005", |store| store.run_sql("PRAGMA query_only = OFF"));
}

#[test]
fn a_locked_store_says_so() {
    let mut store = with_one_turn();
    store.run_sql("PRAGMA busy_timeout = 1");
    let other = Connection::open(store.directory.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    check_trouble(&mut store, "SKEP-T006", |_| other.execute_batch("ROLLBACK").unwrap());
}

#[test]
fn a_second_writer_is_noticed_and_what_memory_knew_is_read_again() {
    let mut store = with_one_turn();
    let mut other = SqliteJournal::open(&store.directory).unwrap();
    assert_eq!(other.commit(&[turn(1, 2)]).unwrap(), [Some(Position(2))]);
    let error = store.journal().commit(&[turn(1, 2)]).unwrap_err();
    assert_eq!((error.code().id, error.committed()), ("SKEP-T009", Committed::Nothing), "{error}");
    let error = store.journal().commit(&[turn(1, 2)]).unwrap_err();
    assert!(matches!(error, Error::SequenceConflict { expected: 3, got: 2, .. }), "{error}");
    assert_eq!(store.journal().commit(&[turn(1, 3)]).unwrap(), [Some(Position(3))]);
}

#[test]
fn a_file_that_is_no_store_is_refused() {
    let store = fresh();
    let other = DataDir::create(store.directory.root().join("other")).unwrap();
    fs::write(other.database(), "this is a text, and long enough to be looked at as a header ".repeat(20)).unwrap();
    for error in [SqliteJournal::open(&other).err().unwrap(), SqliteReader::open(&other).err().unwrap()] {
        assert_eq!(error.code().id, "SKEP-T007", "{error}");
    }
}

#[test]
fn what_does_not_decode_is_damage() {
    let mut store = with_one_turn();
    store.run_sql("UPDATE execution SET status = 'dreaming'");
    let error = store.reader().newest_execution().unwrap_err();
    assert_eq!((error.code().id, error.committed()), ("SKEP-T007", Committed::NotAWrite), "{error}");
    assert!(error.to_string().contains("dreaming"), "{error}");
    store.run_sql("UPDATE execution SET status = 'running', plan_hash = 'short'");
    assert_eq!(store.reader().newest_execution().unwrap_err().code().id, "SKEP-T007");
}

#[test]
fn numbers_are_never_used_twice_even_if_rows_are_deleted() {
    let mut store = with_one_turn();
    store.journal().commit(&[created(2), turn(2, 1), turn(2, 2)]).unwrap();
    store.run_sql("DELETE FROM journal WHERE execution = 2; DELETE FROM execution WHERE local = 2");
    store.run_sql("DELETE FROM journal; DELETE FROM execution");
    store.reopen();
    assert_eq!(store.reader().next_local_id().unwrap(), LocalId(3));
    assert_eq!(store.reader().last_position().unwrap(), Position(3));
    assert_eq!(store.journal().commit(&[created(3), turn(3, 1)]).unwrap(), [None, Some(Position(4))]);
}

#[test]
fn the_journal_is_laid_out_as_measured() {
    let mut store = fresh();
    let sql = "SELECT group_concat(sql, '; ') FROM sqlite_schema WHERE tbl_name = 'journal' AND type != 'trigger'";
    let found: String = store.sqlite().connection().query_row(sql, [], |row| row.get(0)).unwrap();
    insta::assert_snapshot!(found, @"
    CREATE TABLE journal(
      id INTEGER PRIMARY KEY, execution INTEGER, seq INTEGER, at INTEGER, events TEXT, checksum INTEGER NOT NULL) STRICT; CREATE UNIQUE INDEX journal_execution ON journal(execution, seq)
    ");
    let pragma = |name: &str| -> String {
        let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
        store.journal.as_ref().unwrap().connection().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((pragma("journal_mode").as_str(), pragma("synchronous").as_str()), ("wal", "2"));
}

#[test]
fn pages_of_the_list_come_from_an_index_in_order() {
    let mut store = fresh();
    let plan = |store: &mut Store, condition: &str| -> String {
        let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM execution WHERE {condition} ORDER BY local DESC LIMIT 5");
        store.sqlite().connection().query_row(&sql, [], |row| row.get("detail")).unwrap()
    };
    for (condition, index) in [
        ("status = 'x' AND local < 9", "execution_status (status=? AND rowid<?)"),
        ("workflow = 'x' AND local < 9 AND +status IN ('a', 'b')", "execution_workflow (workflow=? AND rowid<?)"),
        ("workflow_path = 'x' AND local < 9", "execution_workflow_path (workflow_path=? AND rowid<?)"),
    ] {
        let found = plan(&mut store, condition);
        assert_eq!(found, format!("SEARCH execution USING INDEX {index}"));
    }
}

#[test]
fn only_a_failed_sync_leaves_a_commit_in_doubt() {
    use rusqlite::ffi;
    let table = [
        (ffi::SQLITE_FULL, Committed::Nothing, "SKEP-T004"),
        (ffi::SQLITE_READONLY_DBMOVED, Committed::Nothing, "SKEP-T005"),
        (ffi::SQLITE_BUSY_SNAPSHOT, Committed::Nothing, "SKEP-T006"),
        (ffi::SQLITE_CORRUPT, Committed::Unknown, "SKEP-T007"),
        (ffi::SQLITE_IOERR_FSYNC, Committed::Unknown, "SKEP-T008"),
        (ffi::SQLITE_NOMEM, Committed::Nothing, "SKEP-T010"),
    ];
    for (number, committed, code) in table {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(number), None);
        assert_eq!(after_commit(&error), committed, "{number}");
        let error = trouble("committing", std::path::Path::new("skep.db"), committed)(error);
        assert_eq!((error.code().id, error.committed()), (code, committed), "{number}");
    }
}

#[test]
fn a_library_that_loses_commits_is_refused() {
    for (number, good) in [(3_007_000, false), (3_051_002, false), (3_051_003, true), (3_054_001, true)] {
        assert_eq!(check_version(number).is_ok(), good, "{number}");
    }
    assert!(check_version(rusqlite::version_number()).is_ok());
}

const FIRST: Migration = Migration { number: 1, name: "first", sql: "CREATE TABLE one(a INTEGER) STRICT" };
const SECOND: Migration = Migration { number: 2, name: "second", sql: "INSERT INTO one VALUES (2)" };
const BROKEN: Migration = Migration { number: 3, name: "broken", sql: "DELETE FROM one; CREATE NONSENSE" };

#[test]
fn migrations_run_once_in_order_and_whole() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("skep.db");
    let mut connection = Connection::open(&file).unwrap();
    migrate(&mut connection, &file, &[FIRST]).unwrap();
    migrate(&mut connection, &file, &[FIRST, SECOND]).unwrap();
    migrate(&mut connection, &file, &[FIRST, SECOND]).unwrap();
    let error = migrate(&mut connection, &file, &[FIRST, SECOND, BROKEN]).unwrap_err();
    assert_eq!(error.code().id, "SKEP-T010", "{error}");
    assert_eq!(found(&connection).unwrap(), 2);
    let rows: i64 = connection.query_row("SELECT count(*) FROM one", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
    let error = migrate(&mut connection, &file, &[FIRST]).unwrap_err();
    assert!(matches!(error, Error::SchemaTooNew { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn a_store_of_another_version_is_refused() {
    let mut store = with_one_turn();
    store.run_sql("INSERT INTO migration VALUES (1000, 'from the future')");
    store.journal = None;
    assert_eq!(SqliteJournal::open(&store.directory).err().unwrap().code().id, "SKEP-T012");
    let error = SqliteReader::open(&store.directory).err().unwrap();
    assert_eq!(error.code().id, "SKEP-T012");
    let text = error.to_string().replace(&store.directory.database().display().to_string(), "skep.db");
    insta::assert_snapshot!(text, @"the store skep.db has schema 1000, this version of Skep knows schemas up to 7; nothing was changed");
}

#[test]
fn reading_never_creates_a_store() {
    let place = tempfile::tempdir().unwrap();
    let directory = DataDir::at(place.path().join("nowhere"));
    assert_eq!(SqliteReader::open(&directory).err().unwrap().code().id, "SKEP-T011");
    assert!(!directory.root().exists());
    let directory = DataDir::create(directory.root()).unwrap();
    fs::write(directory.database(), "").unwrap();
    assert_eq!(SqliteReader::open(&directory).err().unwrap().code().id, "SKEP-T011");
    assert_eq!(fs::metadata(directory.database()).unwrap().len(), 0);
}

#[test]
fn a_reader_follows_the_writer_and_cannot_write() {
    let mut store = with_one_turn();
    let reader = SqliteReader::open(&store.directory).unwrap();
    assert_eq!(reader.last_position().unwrap(), Position(1));
    store.journal().commit(&[turn(1, 2)]).unwrap();
    assert_eq!(reader.last_position().unwrap(), Position(2));
    // Without an owner it reads on.
    store.journal = None;
    assert_eq!(reader.turns(LocalId(1), 1, 10).unwrap().len(), 2);
    assert_eq!(SqliteReader::open(&store.directory).unwrap().access(), Access::Live);
}

fn still_reader(directory: &DataDir) -> SqliteReader {
    let file = directory.database();
    SqliteReader::on(open_on(Medium::Still, &file).unwrap(), file)
}

/// A folder where a side file should be makes SQLite fail as on a medium that cannot be written.
#[test]
fn a_store_whose_wal_is_empty_is_read_as_it_is() {
    let mut store = with_one_turn();
    store.journal = None;
    assert!(!store.side_file("-wal").exists(), "the last one to close has emptied the WAL");
    fs::create_dir(store.side_file("-wal")).unwrap();
    let before = fs::read(store.directory.database()).unwrap();
    let error = SqliteReader::open(&store.directory).err().unwrap();
    assert_eq!(error.code().id, "SKEP-T008", "where files can be created, another cause is to be found: {error}");
    let reader = still_reader(&store.directory);
    assert_eq!(reader.access(), Access::Immutable);
    assert_eq!(reader.last_position().unwrap(), Position(1));
    assert_eq!(fs::read(store.directory.database()).unwrap(), before);
}

#[test]
fn a_store_whose_wal_has_commits_is_read_from_a_copy() {
    let mut store = with_one_turn();
    store
        .journal()
        .commit(&[contract::write(crate::Row::ExecutionChanged(crate::ExecutionChange {
            local: LocalId(1),
            status: Status::Held,
            updated_at: skep_model::time::Timestamp(1),
            ended_at: None,
            waiting: None,
            error: None,
            seq: 1,
        }))])
        .unwrap();
    // What a dead owner leaves: the file and its WAL, copied while the owner lives.
    let still = DataDir::create(store.directory.root().join("still")).unwrap();
    fs::copy(store.directory.database(), still.database()).unwrap();
    fs::copy(store.side_file("-wal"), still.root().join("skep.db-wal")).unwrap();
    // SQLite does not follow a link here, and cannot create the file either.
    std::os::unix::fs::symlink("nowhere", still.root().join("skep.db-shm")).unwrap();
    let reader = still_reader(&still);
    assert_eq!(reader.access(), Access::Copy);
    assert_eq!(reader.newest_execution().unwrap().unwrap().status, Status::Held);
    assert_eq!(reader.last_position().unwrap(), Position(1));
}

/// A hundred thousand waiting executions are taken on by reading an index, not their rows.
#[test]
fn idle_executions_come_from_an_index_alone() {
    let mut store = fresh();
    let plan = super::idle::IDLE.replacen("SELECT", "EXPLAIN QUERY PLAN SELECT", 1);
    let mut statement = store.sqlite().connection().prepare(&plan).unwrap();
    let steps = statement.query_map((0, 10), |row| row.get::<_, String>(3)).unwrap();
    let steps: Vec<String> = steps.map(Result::unwrap).collect();
    assert_eq!(steps, ["SEARCH execution USING COVERING INDEX execution_idle (local>?)"]);
}
