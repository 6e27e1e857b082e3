//! Looking at every row and page of the store, with nothing taken for granted.
//!
//! Only what can be told without knowing what events mean: structure, checksums, hashes, numbers without gaps. What
//! cannot even be read is a [`Finding`], never an error. Must not change anything; see [`super::mend`] for that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use skep_model::ids::{Hash, LocalId};
use skep_model::time::Timestamp;

use super::decode::{self, EXECUTION_COLUMNS, VERSION_COLUMNS};
use super::migrate::MIGRATIONS;
use super::reader::SqliteReader;
use super::trouble::trouble;
use super::walk::walk;
use crate::check::{Finding, Mend};
use crate::checksum;
use crate::error::{Committed, Error};
use crate::rows::ExecutionRow;

/// Lines of SQLite's own check that are passed on.
const PAGE_FINDINGS_MAX: usize = 100;
const SCHEMA: &str = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'";
const ADD_AGAIN: Mend = Mend::Nothing("add the workflow again with `skep workflow add FILE`");

/// A row of the list, as far as it can be read.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its key.
    pub local: LocalId,
    /// The row, or why it cannot be read.
    pub row: Result<ExecutionRow, String>,
    /// What never changes has its checksum.
    pub intact: bool,
}

/// What the journal says about one execution, without its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    last_seq: u64,
    is_damaged: bool,
}

impl SqliteReader {
    /// Copies the store as it is now into a new file, compactly.
    ///
    /// # Errors
    /// Trouble with either disk, damage that is met on the way.
    pub fn copy_to(&self, target: &Path) -> Result<(), Error> {
        let connection = &self.connection;
        let copied = connection
            .pragma_update(None, "query_only", false)
            .and_then(|()| connection.execute("VACUUM INTO ?1", [target.to_string_lossy()]))
            .and_then(|_| connection.pragma_update(None, "query_only", true));
        copied.map_err(trouble("copying the store", &self.file, Committed::NotAWrite))
    }

    /// Calls `each` with every text that may name a blob: the events of all turns, and snapshots if there are any.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn each_text(&self, each: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let failed = || trouble("reading what names blobs", &self.file, Committed::NotAWrite);
        for table in ["journal", "snapshot"] {
            if !self.has_table(table).map_err(failed())? {
                continue;
            }
            let columns = if table == "journal" { "events" } else { "*" };
            let mut statement = self.connection.prepare(&format!("SELECT {columns} FROM {table}")).map_err(failed())?;
            let width = statement.column_count();
            let mut rows = statement.query([]).map_err(failed())?;
            while let Some(row) = rows.next().map_err(failed())? {
                for column in 0..width {
                    if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(column).map_err(failed())? {
                        each(bytes);
                    }
                }
            }
        }
        Ok(())
    }

    fn has_table(&self, name: &str) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        Ok(self.connection.query_row(sql, [name], |_| Ok(())).optional()?.is_some())
    }

    /// Pages, indexes and references between tables, as SQLite itself checks them. True if every table can be read.
    pub fn inspect_pages(&self, findings: &mut Vec<Finding>) -> bool {
        let sql = format!("PRAGMA integrity_check({PAGE_FINDINGS_MAX})");
        let lines = self.texts(&sql);
        let mut readable = true;
        for line in lines.unwrap_or_else(|error| vec![error.to_string()]).into_iter().filter(|line| line != "ok") {
            let is_index = ["index ", "in index", "from index"].iter().any(|words| line.contains(words));
            readable &= is_index;
            let (kind, mend) = if is_index { ("index", Mend::Reindex) } else { ("pages", Mend::Recover) };
            findings.push(Finding::new(kind, "skep.db", line, mend));
        }
        readable &= self.inspect_schema(findings);
        if readable {
            match self.texts("SELECT DISTINCT \"table\" FROM pragma_foreign_key_check") {
                Ok(tables) => findings.extend(tables.into_iter().map(|table| of_reference(&table))),
                Err(error) => findings.push(Finding::new("pages", "skep.db", error, Mend::Recover)),
            }
        }
        readable
    }

    /// Every table, index and trigger of this version is there. What is there besides is not ours to judge.
    fn inspect_schema(&self, findings: &mut Vec<Finding>) -> bool {
        let wanted = Connection::open_in_memory().and_then(|connection| {
            MIGRATIONS.iter().try_for_each(|migration| connection.execute_batch(migration.sql))?;
            let mut statement = connection.prepare(SCHEMA)?;
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        });
        let missing: Vec<String> = match (wanted, self.texts(SCHEMA)) {
            (Ok(wanted), Ok(found)) => wanted.into_iter().filter(|sql| !found.contains(sql)).collect(),
            (_, Err(error)) | (Err(error), _) => vec![error.to_string()],
        };
        findings.extend(missing.iter().map(|sql| {
            let problem = format!("it is missing or was changed: {}", sql.lines().next().unwrap_or_default());
            Finding::new("schema", "skep.db", problem, Mend::Recover)
        }));
        missing.is_empty()
    }

    fn texts(&self, sql: &str) -> rusqlite::Result<Vec<String>> {
        self.connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    /// Every row of the journal: checksum, and numbers that grow by one per execution. Gives the executions that
    /// have turns; those with damaged ones map to false.
    pub fn inspect_journal(&self, findings: &mut Vec<Finding>) -> BTreeMap<LocalId, bool> {
        let mut seen: HashMap<i64, Seen> = HashMap::new();
        let mut damaged: Vec<(LocalId, i64, String)> = Vec::new();
        let holes = walk(&self.connection, "journal", "id", "execution, seq, at, events, checksum", &mut |row| {
            if let Err((execution, position, problem)) = check_turn(row, &mut seen) {
                damaged.push((execution, position, problem));
            }
        });
        for (from, to) in holes {
            let place = format!("journal, positions {from} to {to}");
            findings.push(Finding::new("journal-unreadable", place, "the rows cannot be read", Mend::Recover));
        }
        for (execution, position, problem) in damaged {
            let finding =
                Finding::new("turn", format!("journal, position {position}"), problem, Mend::SetAside(execution));
            findings.push(finding.of(self.name_of(execution)));
        }
        seen.into_iter().map(|(local, seen)| (LocalId(local), !seen.is_damaged)).collect()
    }

    /// The public id of an execution, or its number if the list does not know it.
    pub fn name_of(&self, execution: LocalId) -> String {
        let id =
            self.connection.query_row("SELECT id FROM execution WHERE local = ?1", [execution.0], |row| row.get(0));
        id.unwrap_or_else(|_| execution.0.to_string())
    }

    /// Every row of the list of executions, oldest first.
    pub fn inspect_list(&self, findings: &mut Vec<Finding>) -> Vec<Listed> {
        let mut listed = Vec::new();
        let columns = format!("{EXECUTION_COLUMNS}, checksum");
        let holes = walk(&self.connection, "execution", "local", &columns, &mut |row| listed.push(listed_row(row)));
        for (from, to) in holes {
            let place = format!("execution, numbers {from} to {to}");
            findings.push(Finding::new("list-unreadable", place, "the rows cannot be read", Mend::Recover));
        }
        listed
    }

    /// True if the journal has no turn of an execution, whole or damaged.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn has_no_turns(&self, execution: LocalId) -> Result<bool, Error> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM journal WHERE execution = ?1)";
        let read = self.connection.query_row(sql, [execution.0], |row| row.get(0));
        read.map_err(trouble("looking for turns", &self.file, Committed::NotAWrite))
    }

    /// True if the execution was set aside by a repair, or is archived and on its way out of the journal.
    pub fn is_known_to_be_gone(&self, execution: LocalId) -> bool {
        let sql = "SELECT 1 FROM aside WHERE execution = ?1 UNION ALL SELECT 1 FROM archived WHERE local = ?1";
        self.connection.query_row(sql, [execution.0], |_| Ok(())).is_ok()
    }

    /// Plans and definitions: their bytes have their hash. Gives the plans that do.
    pub fn inspect_texts(&self, findings: &mut Vec<Finding>) -> BTreeSet<Hash> {
        let mut good = BTreeSet::new();
        for (table, column) in [("plan", "bytes"), ("definition", "text")] {
            let holes =
                walk(&self.connection, table, "rowid", &format!("hash, {column}"), &mut |row| match check_hash(row) {
                    Ok(hash) if table == "plan" => drop(good.insert(hash)),
                    Ok(_) => {}
                    Err((name, problem)) => {
                        let mend = match name.parse() {
                            Ok(hash) if table == "plan" => Mend::Plan(hash),
                            Ok(_) => ADD_AGAIN,
                            Err(_) => Mend::Recover,
                        };
                        findings.push(Finding::new(table, format!("{table}, {name}"), problem, mend));
                    }
                });
            for (from, to) in holes {
                let place = format!("{table}, rows {from} to {to}");
                findings.push(Finding::new("pages", place, "the rows cannot be read", Mend::Recover));
            }
        }
        good
    }

    /// The library: checksums, version numbers without gaps, definitions that are there.
    pub fn inspect_library(&self, findings: &mut Vec<Finding>) {
        let mut found = self.check_versions();
        found.extend(self.check_workflows());
        let missing = "SELECT path || ' version ' || number FROM workflow_version \
            WHERE definition_hash NOT IN (SELECT hash FROM definition)";
        let missing = self.texts(missing).unwrap_or_default();
        found.extend(missing.into_iter().map(|place| {
            Finding::new("library-definition", format!("library, {place}"), "its definition is missing", ADD_AGAIN)
        }));
        findings.extend(found);
    }

    fn check_versions(&self) -> Vec<Finding> {
        let sql = format!("SELECT {VERSION_COLUMNS}, checksum FROM workflow_version ORDER BY path, number");
        self.checked_rows(&sql, "workflow_version", &|row| {
            let version = decode::version(row)?;
            Ok((version.path.clone(), checksum::of_stored_version(&version) == row.get::<_, i64>(9)?))
        })
    }

    fn check_workflows(&self) -> Vec<Finding> {
        let sql = "SELECT path, newest, listed, checksum, \
            (SELECT count(*) FROM workflow_version AS v WHERE v.path = workflow.path), \
            (SELECT max(number) FROM workflow_version AS v WHERE v.path = workflow.path) FROM workflow";
        self.checked_rows(sql, "workflow", &|row| {
            let (path, newest, listed): (String, u32, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let counted = (row.get::<_, u32>(4)?, row.get::<_, Option<u32>>(5)?) == (newest, Some(newest));
            let whole = checksum::of_workflow(&path, newest, listed == 1) == row.get::<_, i64>(3)?;
            Ok((path, counted && whole && (0..=1).contains(&listed)))
        })
    }

    fn checked_rows(
        &self,
        sql: &str,
        table: &'static str,
        check: &dyn Fn(&Row<'_>) -> rusqlite::Result<(String, bool)>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut look = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (path, problem) = match check(row) {
                    Ok((_, true)) => continue,
                    Ok((path, false)) => (path, "it does not have its checksum, or its numbers have gaps".to_owned()),
                    Err(error) => (row.get(0).unwrap_or_default(), error.to_string()),
                };
                findings.push(Finding::new(
                    "library",
                    format!("{table}, {path}"),
                    problem,
                    Mend::Library(path.clone()),
                ));
            }
            Ok(())
        };
        if let Err(error) = look() {
            findings.push(Finding::new("pages", table, error, Mend::Recover));
        }
        findings
    }

    /// Counters: every position is in the journal, or left it on purpose; no number can be given twice.
    pub fn inspect_counters(&self, findings: &mut Vec<Finding>) {
        let sql = "SELECT (SELECT value FROM counter WHERE name = 'position'), (SELECT value FROM counter WHERE name = 'local'), \
            (SELECT value FROM counter WHERE name = 'removed'), coalesce((SELECT max(id) FROM journal), 0), \
            (SELECT count(*) FROM journal NOT INDEXED), coalesce((SELECT max(local) FROM archived), 0)";
        let read = self.connection.query_row(sql, [], |row| {
            let numbers: [Option<i64>; 6] =
                [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
            Ok(numbers)
        });
        let problem = match read {
            Err(error) => Some(error.to_string()),
            Ok([Some(position), Some(local), Some(removed), Some(last), Some(turns), Some(archived)]) => {
                let missing = position.max(last) - removed - turns;
                match missing {
                    _ if local < archived => Some("the counter of executions is too low".to_owned()),
                    0 => None,
                    1.. => Some(format!("{missing} turns are missing in the journal")),
                    _ => Some(format!("the journal has {} turns more than were counted", -missing)),
                }
            }
            Ok(_) => Some("a counter is missing".to_owned()),
        };
        findings.extend(problem.map(|problem| Finding::new("counter", "counter", problem, Mend::Counters)));
    }

    /// Every archived execution: its id and its file.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub fn archive_files(&self) -> Result<Vec<(String, String)>, Error> {
        let read = || -> rusqlite::Result<Vec<(String, String)>> {
            let mut statement = self.connection.prepare("SELECT id, file FROM archived")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        read().map_err(trouble("reading the archive's list", &self.file, Committed::NotAWrite))
    }
}

fn of_reference(table: &str) -> Finding {
    let mend = match table {
        "child" => Mend::Child,
        "snapshot" => Mend::Snapshots,
        _ => Mend::Recover,
    };
    Finding::new("reference", table, "a row belongs to something that does not exist", mend)
}

/// Columns: position, execution, seq, at, events, checksum.
fn check_turn(row: &Row<'_>, seen: &mut HashMap<i64, Seen>) -> Result<(), (LocalId, i64, String)> {
    let position = row.get(0).unwrap_or(0);
    let execution: i64 = row.get(1).unwrap_or(0);
    let seen = seen.entry(execution).or_default();
    let expected = seen.last_seq + 1;
    let outcome = content_of(row).and_then(|(seq, whole)| {
        seen.last_seq = seq;
        match (whole, seq == expected) {
            (false, _) => Err("its content does not have its checksum".to_owned()),
            (true, false) => Err(format!("it is turn {seq} of its execution, but turn {expected} comes next")),
            (true, true) => Ok(()),
        }
    });
    seen.is_damaged |= outcome.is_err();
    outcome.map_err(|problem| (LocalId(execution), position, problem))
}

fn content_of(row: &Row<'_>) -> Result<(u64, bool), String> {
    let read = || -> rusqlite::Result<(u64, bool)> {
        let (execution, seq, at) = (LocalId(row.get(1)?), decode::count(row, 2)?, Timestamp(row.get(3)?));
        let events = row.get_ref(4)?;
        let whole = checksum::of_turn(execution, seq, at, events.as_str()?.as_bytes()) == row.get::<_, i64>(5)?;
        Ok((seq, whole))
    };
    read().map_err(|error| error.to_string())
}

/// Columns: local again (the key), then the row's, then its checksum.
fn listed_row(row: &Row<'_>) -> Listed {
    let local = LocalId(row.get(0).unwrap_or(0));
    let decoded = decode::execution_at(row, 1);
    let stored: rusqlite::Result<i64> = row.get(1 + EXECUTION_COLUMNS.split(',').count());
    let intact = decoded.as_ref().is_ok_and(|row| stored.is_ok_and(|stored| stored == checksum::of_execution(row)));
    Listed { local, row: decoded.map_err(|error| error.to_string()), intact }
}

/// Columns: key, hash, bytes.
fn check_hash(row: &Row<'_>) -> Result<Hash, (String, String)> {
    let name: String = row.get(1).unwrap_or_default();
    let hash: Hash = name.parse().map_err(|error: skep_model::ids::NotAHash| (name.clone(), error.to_string()))?;
    let bytes: rusqlite::Result<Vec<u8>> = row.get(2);
    match bytes {
        Ok(bytes) if Hash::of(&bytes) == hash => Ok(hash),
        Ok(_) => Err((name, "its content has another hash".to_owned())),
        Err(error) => Err((name, error.to_string())),
    }
}
