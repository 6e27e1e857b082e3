//! Executions that are over and old: one file each, complete in itself.
//!
//! ```text
//! archive/2026/01/EXECUTION.jsonl
//!   {"skep_archive":1,"execution":{..}}      the list row
//!   {"plan":{"hash","format","text"}}
//!   {"definition":{"hash","text"}}           missing if the store had none
//!   {"turn":{"position","seq","at","events"}}  ..
//!   {"end":{"turns":9,"checksum":".."}}      blake3 of all bytes before this line
//! ```
//! A file is written under another name, fsynced and renamed. It is read into a [`Memory`], so that whoever reads
//! the store can read it. Must not remove anything: see [`crate::Retire`].

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use skep_model::code::Code;
use skep_model::ids::{ExecutionId, Hash, LocalId};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::codes;
use crate::data_dir::{self, DataDir, create_folder, folder_name, sync_folder};
use crate::journal::{Journal, NewTurn, Row};
use crate::memory::Memory;
use crate::reader::{Reader, StoredTurn};
use crate::rows::ExecutionRow;

/// The format of the files.
const FORMAT: u32 = 1;
/// Turns fetched at a time.
const TURNS_PER_PAGE: usize = 1_000;
const DAY_US: i64 = 86_400_000_000;

/// An archive file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error(transparent)]
    File(#[from] data_dir::Error),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] crate::Error),
    /// The file is not as it was written.
    #[error("the archive file {file} is damaged: {problem}")]
    Damaged {
        /// Which.
        file: String,
        /// What does not fit.
        problem: String,
    },
}

impl Error {
    fn damaged(path: &Path, problem: impl ToString) -> Self {
        Self::Damaged { file: path.display().to_string(), problem: problem.to_string() }
    }

    /// The stable code, with its page.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::File(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Damaged { .. } => &codes::ARCHIVE_DAMAGED,
        }
    }

    /// What to do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Damaged { .. } => "restore the file from a backup; its lines are JSON and can be read without Skep",
        }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file, relative to `archive/`.
    pub file: String,
    /// Turns in it.
    pub turns: u64,
    /// Its length.
    pub size_bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Line {
    Plan { hash: Hash, format: u32, text: String },
    Definition { hash: Hash, text: String },
    Turn { position: i64, seq: u64, at: Timestamp, events: String },
    End { turns: u64, checksum: Hash },
}

#[derive(Serialize, Deserialize)]
struct Head {
    skep_archive: u32,
    execution: Listed,
}

/// The list row as it is spelled in the file.
#[derive(Serialize, Deserialize)]
struct Listed {
    local: LocalId,
    id: ExecutionId,
    workflow: String,
    workflow_path: Option<String>,
    version: String,
    plan_hash: Hash,
    definition_hash: Hash,
    status: Status,
    started_at: Timestamp,
    updated_at: Timestamp,
    ended_at: Option<Timestamp>,
    base_dir: Option<String>,
    error: Option<String>,
    actor: String,
    seq: u64,
}

impl From<&ExecutionRow> for Listed {
    fn from(row: &ExecutionRow) -> Self {
        Self {
            local: row.local,
            id: row.id.clone(),
            workflow: row.workflow.clone(),
            workflow_path: row.workflow_path.clone(),
            version: row.version.clone(),
            plan_hash: row.plan_hash,
            definition_hash: row.definition_hash,
            status: row.status,
            started_at: row.started_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
            base_dir: row.base_dir.clone(),
            error: row.error.clone(),
            actor: row.actor.clone(),
            seq: row.seq,
        }
    }
}

impl From<Listed> for ExecutionRow {
    fn from(row: Listed) -> Self {
        Self {
            local: row.local,
            id: row.id,
            workflow: row.workflow,
            workflow_path: row.workflow_path,
            version: row.version,
            plan_hash: row.plan_hash,
            definition_hash: row.definition_hash,
            status: row.status,
            started_at: row.started_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
            base_dir: row.base_dir,
            waiting: None,
            error: row.error,
            actor: row.actor,
            seq: row.seq,
        }
    }
}

/// Writes the file of an execution that is over; what was there under its name is replaced. Durable when it returns.
///
/// # Errors
/// [`Error`]; then there is no new file.
pub fn write(directory: &DataDir, reader: &dyn Reader, row: &ExecutionRow) -> Result<Written, Error> {
    let (year, month) = month_of(row.ended_at.unwrap_or(row.updated_at));
    let file = format!("{year:04}/{month:02}/{}.jsonl", folder_name(&row.id)?);
    let path = directory.archive().join(&file);
    let folder = path.parent().expect("the file lies in the folder of its month");
    create_folder(folder)?;
    let unfinished = path.with_extension("new");
    let written = write_lines(&unfinished, reader, row).and_then(|(turns, size_bytes)| {
        fs::rename(&unfinished, &path).map_err(data_dir::Error::file("renaming to", &path))?;
        sync_folder(folder)?;
        Ok(Written { file, turns, size_bytes })
    });
    if written.is_err() {
        // A full disk needs its space back.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write_lines(path: &Path, reader: &dyn Reader, row: &ExecutionRow) -> Result<(u64, u64), Error> {
    let file = File::create(path).map_err(data_dir::Error::file("creating", path))?;
    let mut out = Lines { out: BufWriter::new(file), hasher: blake3::Hasher::new(), size_bytes: 0, path };
    out.line(&Head { skep_archive: FORMAT, execution: row.into() })?;
    let plan = reader.plan(row.plan_hash)?.ok_or_else(|| Error::damaged(path, "the store has no plan for it"))?;
    let text = |bytes| String::from_utf8(bytes).map_err(|error| Error::damaged(path, error));
    out.line(&Line::Plan { hash: row.plan_hash, format: plan.format, text: text(plan.bytes)? })?;
    if let Some(definition) = reader.definition(row.definition_hash)? {
        out.line(&Line::Definition { hash: row.definition_hash, text: text(definition)? })?;
    }
    let (mut next, mut turns) = (1, 0);
    loop {
        let page = reader.turns(row.local, next, TURNS_PER_PAGE)?;
        let Some(last) = page.last() else { break };
        next = last.seq + 1;
        turns += page.len() as u64;
        for StoredTurn { position, seq, at, events, .. } in page {
            out.line(&Line::Turn { position: position.0, seq, at, events })?;
        }
    }
    if turns + 1 != next {
        return Err(Error::damaged(path, "the store has not all turns of it"));
    }
    let checksum = Hash::of(out.hasher.clone().finalize().as_bytes());
    out.line(&Line::End { turns, checksum })?;
    let size_bytes = out.size_bytes;
    let file = out.out.into_inner().map_err(|error| data_dir::Error::file("writing", path)(error.into_error()))?;
    file.sync_all().map_err(data_dir::Error::file("syncing", path))?;
    Ok((turns, size_bytes))
}

struct Lines<'a> {
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    size_bytes: u64,
    path: &'a Path,
}

impl Lines<'_> {
    fn line(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let mut bytes = serde_json::to_vec(value).expect("a line has nothing that JSON cannot say");
        bytes.push(b'\n');
        self.hasher.update(&bytes);
        self.size_bytes += bytes.len() as u64;
        self.out.write_all(&bytes).map_err(data_dir::Error::file("writing", self.path)).map_err(Error::from)
    }
}

/// Reads a file of the archive, relative to `archive/`, and checks that it is whole. What it holds is read like a
/// store with one execution.
///
/// # Errors
/// [`Error`].
pub fn read(directory: &DataDir, file: &str) -> Result<Memory, Error> {
    let path = directory.archive().join(file);
    let handle = File::open(&path).map_err(data_dir::Error::file("opening", &path))?;
    let mut lines = BufReader::new(handle);
    let (mut hasher, mut line) = (blake3::Hasher::new(), Vec::new());
    let mut content = Content { rows: Vec::new(), turns: Vec::new(), local: LocalId(0) };
    loop {
        line.clear();
        lines.read_until(b'\n', &mut line).map_err(data_dir::Error::file("reading", &path))?;
        if !line.ends_with(b"\n") {
            return Err(Error::damaged(&path, "it ends before its last line"));
        }
        match content.take(&line).map_err(|problem| Error::damaged(&path, problem))? {
            None => drop(hasher.update(&line)),
            Some((turns, checksum)) => {
                let whole = turns == content.turns.len() as u64 && Hash::of(hasher.finalize().as_bytes()) == checksum;
                return match whole {
                    true => Ok(content.into_memory(&path)?),
                    false => Err(Error::damaged(&path, "its content does not have its checksum")),
                };
            }
        }
    }
}

struct Content {
    rows: Vec<Row>,
    turns: Vec<NewTurn>,
    local: LocalId,
}

impl Content {
    /// Takes a line in; the last one gives the number of turns and the checksum.
    fn take(&mut self, line: &[u8]) -> Result<Option<(u64, Hash)>, String> {
        if self.rows.is_empty() {
            let head: Head = serde_json::from_slice(line).map_err(|error| error.to_string())?;
            if head.skep_archive > FORMAT {
                return Err(format!("its format {} is newer than this version of Skep", head.skep_archive));
            }
            self.local = head.execution.local;
            self.rows.push(Row::ExecutionCreated(head.execution.into()));
            return Ok(None);
        }
        match serde_json::from_slice(line).map_err(|error| error.to_string())? {
            Line::Plan { hash, format, text } => self.rows.push(Row::Plan { hash, format, bytes: text.into_bytes() }),
            Line::Definition { hash, text } => self.rows.push(Row::Definition { hash, text: text.into_bytes() }),
            Line::Turn { seq, at, events, .. } => {
                self.turns.push(NewTurn { execution: self.local, seq, at, events });
            }
            Line::End { turns, checksum } => return Ok(Some((turns, checksum))),
        }
        Ok(None)
    }

    fn into_memory(self, path: &Path) -> Result<Memory, Error> {
        let mut memory = Memory::new();
        let mut group = vec![crate::Write { turn: None, rows: self.rows }];
        group.extend(self.turns.into_iter().map(|turn| crate::Write { turn: Some(turn), rows: Vec::new() }));
        memory.commit(&group).map_err(|error| Error::damaged(path, error))?;
        Ok(memory)
    }
}

/// Year and month in UTC. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
fn month_of(at: Timestamp) -> (i64, i64) {
    let days = at.0.div_euclid(DAY_US) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{created, turn};

    #[test]
    fn months_in_utc() {
        for (seconds, month) in [
            (0, (1970, 1)),
            (951_782_400, (2000, 2)),
            (951_868_800, (2000, 3)),
            (1_767_225_599, (2025, 12)),
            (1_767_225_600, (2026, 1)),
        ] {
            assert_eq!(month_of(Timestamp(seconds * 1_000_000)), month, "{seconds}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_damage_is_found() {
        let place = tempfile::tempdir().unwrap();
        let directory = DataDir::create(place.path()).unwrap();
        let mut store = Memory::new();
        let plan = Row::Plan { hash: Hash::of(b"plan"), format: 1, bytes: b"plan".to_vec() };
        store.commit(&[crate::contract::write(plan), created(1), turn(1, 1), turn(1, 2)]).unwrap();
        let row = store.newest_execution().unwrap().unwrap();
        let written = write(&directory, &store, &row).unwrap();
        assert_eq!((written.file.as_str(), written.turns), ("1970/01/id-1.jsonl", 2));
        let back = read(&directory, &written.file).unwrap();
        assert_eq!(back.newest_execution().unwrap(), Some(row));
        assert_eq!(back.turns(LocalId(1), 1, 10).unwrap(), store.turns(LocalId(1), 1, 10).unwrap());
        let path = directory.archive().join(&written.file);
        let good = fs::read(&path).unwrap();
        assert_eq!(good.len() as u64, written.size_bytes);
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(read(&directory, &written.file).is_err(), "byte {at}");
            fs::write(&path, &good[..at]).unwrap();
            assert_eq!(read(&directory, &written.file).err().unwrap().code().id, "SKEP-T022", "cut at {at}");
        }
    }
}
