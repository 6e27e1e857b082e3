//! The kinds of damage, each as something done to a closed data directory.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::repository::files_below;

/// One kind.
pub struct Damage {
    pub name: &'static str,
    pub make: fn(&Path),
    /// What `verify` must say among other things.
    pub kind: &'static str,
    /// What a repair cannot mend, so that `verify` may still say it.
    pub left: &'static [&'static str],
    /// The store works after the repair.
    pub works: bool,
}

const fn damage(name: &'static str, kind: &'static str, make: fn(&Path)) -> Damage {
    Damage { name, make, kind, left: &[], works: true }
}

const fn lasting(name: &'static str, kind: &'static str, left: &'static [&'static str], make: fn(&Path)) -> Damage {
    Damage { name, make, kind, left, works: true }
}

/// Statements on the store, with all its rules switched off.
pub fn sql(data: &Path, statements: &str) {
    let connection = Connection::open(data.join("skep.db")).expect("the store opens");
    let off = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
    let (names, triggers): (Vec<String>, Vec<String>) = {
        let mut read =
            connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").expect("it is SQL");
        let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("it is SQL");
        rows.map(|row| row.expect("it is a text")).unzip()
    };
    let drops: String = names.iter().map(|name| format!("DROP TRIGGER {name};")).collect();
    connection.execute_batch(&format!("{off}{drops}")).expect("the triggers are there");
    connection.execute_batch(statements).unwrap_or_else(|error| panic!("{statements}: {error}"));
    connection.execute_batch(&triggers.join(";")).expect("the triggers were there");
}

/// The page of a table or index where its tree begins, and the size of pages.
fn root_page(data: &Path, name: &str) -> (u64, u64) {
    let connection = Connection::open(data.join("skep.db")).expect("the store opens");
    let page = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: i64 = connection.query_row(page, [name], |row| row.get(0)).expect("it is there");
    let size: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).expect("it is a number");
    (page as u64, size as u64)
}

fn write_at(path: &Path, offset: u64, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).open(path).expect("the file is there");
    file.write_all_at(bytes, offset).expect("it can be written");
}

fn zero_page(data: &Path, name: &str) {
    let (page, size) = root_page(data, name);
    write_at(&data.join("skep.db"), (page - 1) * size, &vec![0; size as usize]);
}

/// Exchanges the first `from` in the page of `name` for `to`, of the same length.
fn exchange_in_page(data: &Path, name: &str, from: &[u8], to: &[u8]) {
    let (page, size) = root_page(data, name);
    let bytes = fs::read(data.join("skep.db")).expect("it can be read");
    let start = ((page - 1) * size) as usize;
    let inside = &bytes[start..start + size as usize];
    let at = inside.windows(from.len()).position(|window| window == from).expect("it is in the page");
    write_at(&data.join("skep.db"), (start + at) as u64, to);
}

fn cut(path: &Path, part: u64) {
    let length = fs::metadata(path).expect("the file is there").len();
    fs::OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(length / part)).expect("it can be cut");
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("it can be written");
}

fn blobs(data: &Path) -> Vec<PathBuf> {
    let blobs = files_below(&data.join("blobs"));
    assert!(blobs.len() >= 2, "{blobs:?}");
    blobs
}

fn log(data: &Path) -> PathBuf {
    files_below(&data.join("logs")).remove(0)
}

fn archived(data: &Path) -> PathBuf {
    files_below(&data.join("archive")).remove(0)
}

const LOG_TEXT: &str = "{\"at\":1,\"p\":\"a\",\"d\":1,\"s\":\"out\",\"l\":\"x\"}\nnot a record\n";

/// Execution 2 has blobs, 3 is small, 4 waits.
pub const DAMAGES: &[Damage] = &[
    damage("a byte of events", "turn", |data| {
        sql(data, "UPDATE journal SET events = replace(events, 'completed', 'complated') WHERE execution = 3");
    }),
    damage("a snapshot that is none", "snapshot", |data| {
        sql(data, "INSERT OR REPLACE INTO snapshot VALUES (4, 1, 1, x'7b7d')");
    }),
    damage("a snapshot of a turn that there is not", "snapshot", |data| {
        sql(data, "INSERT OR REPLACE INTO snapshot VALUES (4, 99, 1, x'7b7d')");
    }),
    damage("events that are no JSON", "turn", |data| sql(data, "UPDATE journal SET events = '[' WHERE execution = 4")),
    damage("a turn's number", "turn", |data| sql(data, "UPDATE journal SET seq = 9 WHERE execution = 3 AND seq = 2")),
    damage("a turn's moment", "turn", |data| {
        sql(data, "UPDATE journal SET at = at - 1 WHERE execution = 4 AND seq = 1")
    }),
    damage("a turn of another execution", "turn", |data| {
        sql(data, "UPDATE journal SET execution = 4, seq = 7 WHERE execution = 3 AND seq = 2");
    }),
    damage("a checksum", "turn", |data| sql(data, "UPDATE journal SET checksum = checksum + 1 WHERE execution = 3")),
    damage("a turn is missing", "turn", |data| sql(data, "DELETE FROM journal WHERE execution = 3 AND seq = 1")),
    damage("the last turn of an execution is missing", "counter", |data| {
        sql(data, "DELETE FROM journal WHERE id = (SELECT max(id) FROM journal WHERE execution = 3)");
    }),
    damage("a turn is there twice", "turn", |data| {
        sql(
            data,
            "DROP INDEX journal_execution; INSERT INTO journal SELECT id + 1000, execution, seq, at, events, checksum \
             FROM journal WHERE execution = 3 AND seq = 1; CREATE INDEX journal_execution ON journal(execution, seq)",
        );
    }),
    damage("no turn is left", "turns-missing", |data| sql(data, "DELETE FROM journal WHERE execution = 4")),
    damage("a wrong status", "list", |data| sql(data, "UPDATE execution SET status = 'completed' WHERE local = 4")),
    damage("an unknown status", "list", |data| sql(data, "UPDATE execution SET status = 'dreaming' WHERE local = 4")),
    damage("a wrong plan", "list", |data| {
        sql(data, "UPDATE execution SET plan_hash = (SELECT plan_hash FROM execution WHERE local = 3) WHERE local = 4");
    }),
    damage("a wrong start", "list", |data| sql(data, "UPDATE execution SET started_at = 5 WHERE local = 3")),
    damage("what is waited for", "list", |data| sql(data, "UPDATE execution SET waiting = 'rain' WHERE local = 4")),
    damage("a library path in the list", "list", |data| {
        sql(data, "UPDATE execution SET workflow_path = 'other' WHERE local = 2");
    }),
    damage("a list row is missing", "list-missing", |data| sql(data, "DELETE FROM execution WHERE local = 3")),
    damage("a byte of a plan", "plan", |data| {
        sql(data, "UPDATE plan SET bytes = CAST(replace(CAST(bytes AS TEXT), 'Go?', 'No!') AS BLOB)");
    }),
    damage("a plan is missing", "plan-missing", |data| sql(data, "DELETE FROM plan")),
    lasting("a byte of a definition", "definition", &["definition"], |data| {
        sql(data, "UPDATE definition SET text = CAST(CAST(text AS TEXT) || '#' AS BLOB)");
    }),
    lasting("a definition is missing", "library-definition", &["definition", "library-definition"], |data| {
        sql(data, "DELETE FROM definition");
    }),
    damage("a name in the library", "library", |data| sql(data, "UPDATE workflow_version SET name = 'Large'")),
    damage("the newest version", "library", |data| sql(data, "UPDATE workflow SET newest = 1")),
    damage("a path off the list", "library", |data| sql(data, "UPDATE workflow SET listed = 0")),
    damage("a version is missing", "library", |data| sql(data, "DELETE FROM workflow_version WHERE number = 2")),
    damage("a counter", "counter", |data| sql(data, "UPDATE counter SET value = 0 WHERE name = 'removed'")),
    damage("a counter is missing", "counter", |data| sql(data, "DELETE FROM counter WHERE name = 'local'")),
    damage("a process of no execution", "reference", |data| {
        sql(data, "INSERT INTO child VALUES ('token', 99, 'a', 1, 1, 'boot', NULL)");
    }),
    damage("an entry of an index", "index", |data| {
        exchange_in_page(data, "execution_status", b"completed", b"complated");
    }),
    damage("an index is missing", "schema", |data| sql(data, "DROP INDEX execution_workflow")),
    damage("a page of an index is zero", "pages", |data| zero_page(data, "execution_status")),
    damage("a page of the journal is zero", "pages", |data| zero_page(data, "journal")),
    damage("a page of the list is zero", "pages", |data| zero_page(data, "execution")),
    damage("the file is cut", "database", |data| cut(&data.join("skep.db"), 2)),
    damage("the file is cut to a page and a half", "database", |data| {
        let file = fs::OpenOptions::new().write(true).open(data.join("skep.db"));
        file.and_then(|file| file.set_len(6_000)).expect("it can be cut");
    }),
    damage("the file is empty", "database", |data| fs::write(data.join("skep.db"), "").expect("it can be written")),
    damage("the file is a text", "database", |data| {
        fs::write(data.join("skep.db"), "this is no database ".repeat(500)).expect("it can be written");
    }),
    damage("the file is missing", "database", |data| fs::remove_file(data.join("skep.db")).expect("it is there")),
    damage("the head of the file", "database", |data| write_at(&data.join("skep.db"), 0, b"SQLote format 4")),
    Damage {
        works: false,
        ..lasting("tables of the future", "database", &["database"], |data| {
            sql(data, "INSERT INTO migration VALUES (1000, 'future')");
        })
    },
    lasting("a plan of the future", "newer-format", &["newer-format"], |data| {
        sql(data, "UPDATE plan SET format = 99 WHERE hash = (SELECT plan_hash FROM execution WHERE local = 4)");
    }),
    lasting("a blob is missing", "blob-named", &["blob-named"], |data| {
        fs::remove_file(&blobs(data)[0]).expect("it is there");
    }),
    lasting("a byte of a blob", "blob", &["blob", "blob-named"], |data| flip(&blobs(data)[0])),
    lasting("a blob is cut", "blob", &["blob", "blob-named"], |data| cut(&blobs(data)[0], 2)),
    damage("blobs are exchanged", "blob", |data| {
        let found = blobs(data);
        let (one, other) = (fs::read(&found[0]).expect("it is there"), fs::read(&found[1]).expect("it is there"));
        fs::write(&found[0], other).and_then(|()| fs::write(&found[1], one)).expect("they can be written");
    }),
    damage("a line of a log", "log", |data| fs::write(log(data), LOG_TEXT).expect("it can be written")),
    lasting("a log is missing", "log-missing", &["log-missing"], |data| {
        fs::remove_dir_all(log(data).parent().expect("it has a folder")).expect("it is there");
    }),
    lasting("a segment of a log is missing", "log-missing", &["log-missing"], |data| {
        let first = log(data);
        fs::rename(&first, first.with_file_name("000002.jsonl")).expect("it is there");
    }),
    lasting("a byte of an archive file", "archive", &["archive"], |data| flip(&archived(data))),
    lasting("an archive file is missing", "archive", &["archive"], |data| {
        fs::remove_file(archived(data)).expect("it is there");
    }),
];
