//! Every execution is folded again, and its list row compared with what the fold says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use skep_engine::{BadSnapshot, State, apply_turn};
use skep_model::Map;
use skep_model::event::{Event, Turn};
use skep_model::ids::{Hash, LocalId};
use skep_model::payload::Payload;
use skep_model::status::Execution as Status;
use skep_store::blobs::{Blobs, FolderBlobs, references};
use skep_store::check::{Finding, Mend};
use skep_store::sqlite::Listed;
use skep_store::{DataDir, ExecutionRow, Reader, Row, SqliteReader, StoredSnapshot};

use super::{NEWER, Verified};
use crate::core::{Live, changes_row, first_row};
use crate::error::Error;
use crate::fold::{self, Programs};

/// Turns fetched at a time.
const TURNS_PER_PAGE: usize = 1_000;
/// How an owner marks an execution that it could not go on with.
const HELD: &str = "held: ";

/// What executions are checked with.
pub(in crate::service) struct Executions<'a> {
    directory: &'a DataDir,
    reader: &'a SqliteReader,
    programs: Programs,
    /// Plans whose bytes have their hash.
    plans: BTreeSet<Hash>,
    damaged: BTreeMap<Hash, PathBuf>,
    blobs: FolderBlobs,
}

impl<'a> Executions<'a> {
    pub fn new(
        directory: &'a DataDir,
        reader: &'a SqliteReader,
        plans: BTreeSet<Hash>,
        damaged: Vec<(Hash, PathBuf)>,
    ) -> Self {
        let blobs = FolderBlobs::new(directory);
        let damaged = damaged.into_iter().collect();
        Self { directory, reader, programs: Programs::default(), plans, damaged, blobs }
    }

    pub fn check(&mut self, journal: &BTreeMap<LocalId, bool>, listed: &[Listed], verified: &mut Verified) {
        let known: BTreeSet<LocalId> = listed.iter().map(|listed| listed.local).collect();
        for local in journal.keys().filter(|local| !known.contains(local)) {
            if !self.reader.is_known_to_be_gone(*local) {
                let place = format!("execution, number {}", local.0);
                let problem = "the journal has turns of it, the list has no row";
                verified.findings.push(Finding::new("list-missing", place, problem, Mend::Row(*local)).of(local.0));
            }
        }
        for listed in listed {
            self.one(listed, journal.get(&listed.local).copied(), verified);
            self.programs.sweep();
        }
    }

    fn one(&mut self, listed: &Listed, turns: Option<bool>, verified: &mut Verified) {
        let local = listed.local;
        let name = self.reader.name_of(local);
        let place = format!("execution {name}");
        if let Ok(Some(aside)) = self.reader.aside(local) {
            let file = aside.file.map_or_else(
                || "its turns are still in the journal".to_owned(),
                |file| format!("its rows are in {file}"),
            );
            verified.notes.push(format!("{place} was set aside: {}; {file}", aside.reason));
            return;
        }
        let list = |problem: String| Finding::new("list", place.clone(), problem, Mend::Row(local)).of(&name);
        let row = match &listed.row {
            Ok(row) => row,
            Err(problem) => {
                verified.findings.push(list(format!("its row cannot be read: {problem}")));
                return;
            }
        };
        if !listed.intact {
            verified.findings.push(list("what never changes in its row does not have its checksum".to_owned()));
        }
        match turns {
            None => {
                let problem = "the journal has no turn of it";
                verified.findings.push(Finding::new("turns-missing", place, problem, Mend::SetAside(local)).of(&name));
            }
            // The damaged turn is named already.
            Some(false) => {}
            Some(true) => self.intact(row, listed.intact, verified),
        }
    }

    fn intact(&mut self, row: &ExecutionRow, trusts_row: bool, verified: &mut Verified) {
        let place = format!("execution {}", row.id);
        let finding = |kind, problem: String, mend| Finding::new(kind, place.clone(), problem, mend).of(&row.id);
        if !matches!(self.reader.definition(row.definition_hash), Ok(Some(_))) {
            let mend = Mend::Nothing("restore it from a backup; the execution itself does not need it");
            verified.findings.push(finding("definition", "its definition is missing".to_owned(), mend));
        }
        if !self.plans.contains(&row.plan_hash) {
            let problem = format!("its plan {} is missing or damaged", row.plan_hash.short());
            verified.findings.push(finding("plan-missing", problem, Mend::Plan(row.plan_hash)));
            return;
        }
        match self.fold(row, verified) {
            Ok(folded) => {
                verified.executions += 1;
                verified.turns += folded.seq;
                let problem = differences(row, &folded, trusts_row);
                verified.findings.extend(problem.map(|problem| finding("list", problem, Mend::Row(row.local))));
            }
            Err(Trouble::Newer(problem)) => verified.findings.push(finding("newer-format", problem, NEWER)),
            Err(Trouble::Misfit(problem)) => {
                verified.findings.push(finding("fold", problem, Mend::Hold(row.local)));
            }
        }
    }

    /// Folds the turns, and looks on the way whether the values and logs that they name are there.
    fn fold(&mut self, row: &ExecutionRow, verified: &mut Verified) -> Result<Folded, Trouble> {
        let mut rebuild = Rebuild::new(self.reader, &mut self.programs, row.plan_hash)?;
        let has_log = self.directory.logs_of(&row.id).is_ok_and(|folder| folder.is_dir());
        let (mut next, mut printed, mut seen) = (1, None, BTreeSet::new());
        let mut snapshot = self.reader.snapshot(row.local).map_err(|error| Trouble::Misfit(error.to_string()))?;
        loop {
            let page = self
                .reader
                .turns(row.local, next, TURNS_PER_PAGE)
                .map_err(|error| Trouble::Misfit(error.to_string()))?;
            let Some(last) = page.last() else { break };
            next = last.seq + 1;
            for stored in &page {
                for hash in references(stored.events.as_bytes()) {
                    if seen.insert(hash) {
                        verified.findings.extend(self.value(row, hash, &stored.events));
                    }
                }
                // Its checksum is right, so what does not decode was written by another version.
                let turn = fold::turn(stored).map_err(|error| Trouble::Newer(error.to_string()))?;
                printed = printed.or_else(|| turn.events.iter().find_map(printed_by));
                rebuild.apply(&turn)?;
                if let Some(stored) = snapshot.take_if(|snapshot| snapshot.seq == turn.seq) {
                    verified
                        .findings
                        .extend(rebuild.differs_from(&stored).map(|problem| snapshot_problem(row, &problem)));
                }
            }
        }
        if let Some(snapshot) = snapshot {
            let problem = format!("it is of turn {}, which the journal does not have", snapshot.seq);
            verified.findings.push(snapshot_problem(row, &problem));
        }
        if let Some(step) = printed.filter(|_| !has_log) {
            let problem = format!("step {step} printed something, and there is no log");
            let mend = Mend::Nothing("nothing: what counts of a step's output is in the journal");
            verified.findings.push(Finding::new("log-missing", format!("logs/{}", row.id), problem, mend).of(&row.id));
        }
        Ok(rebuild.finish())
    }

    fn value(&self, row: &ExecutionRow, hash: Hash, events: &str) -> Option<Finding> {
        let problem = match (self.damaged.contains_key(&hash), self.blobs.contains(hash)) {
            (true, _) => "its content has another hash".to_owned(),
            (false, Ok(true)) => return None,
            (false, Ok(false)) => "it is missing".to_owned(),
            (false, Err(error)) => error.to_string(),
        };
        let step = step_of(events, hash).map_or_else(|| "its inputs".to_owned(), |step| format!("step {step}"));
        let problem = format!("{problem}; {step} of execution {} names it", row.id);
        Some(Finding::new("blob-named", format!("blobs, {hash}"), problem, Mend::Blob(hash)).of(&row.id))
    }
}

fn snapshot_problem(row: &ExecutionRow, problem: &str) -> Finding {
    Finding::new("snapshot", format!("snapshot of execution {}", row.id), problem.to_owned(), Mend::Snapshots)
        .of(&row.id)
}

/// The step whose event names a blob.
fn step_of(events: &str, hash: Hash) -> Option<String> {
    let events: Vec<serde_json::Value> = serde_json::from_str(events).ok()?;
    let digits = hash.to_string();
    let event = events.into_iter().find(|event| event.to_string().contains(&digits))?;
    event.get("p").and_then(|path| path.as_str()).map(str::to_owned)
}

/// The step, if the event says that a script printed something.
fn printed_by(event: &Event) -> Option<String> {
    let (Event::Completed { path, outputs } | Event::Failed { path, outputs, .. }) = event else { return None };
    let is_script = outputs.contains_key("exit_code") && outputs.contains_key("stdout");
    (is_script && !is_empty(outputs)).then(|| path.to_string())
}

fn is_empty(outputs: &Map<Payload>) -> bool {
    outputs.get("stdout").and_then(Payload::as_inline).is_some_and(|value| value.as_str() == Some(""))
}

/// Why an execution could not be folded.
pub(in crate::service) enum Trouble {
    /// What is intact and not understood.
    Newer(String),
    /// It does not fit together.
    Misfit(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::NewerFormat { .. } => Self::Newer(error.to_string()),
            other => Self::Misfit(other.to_string()),
        }
    }
}

/// What the journal says that the list row should be.
pub(in crate::service) struct Folded {
    /// Number of the last turn.
    pub seq: u64,
    /// The row, but for its number and its library path, which no event has.
    pub row: ExecutionRow,
}

/// The list row of an execution as its turns make it.
pub(in crate::service) struct Rebuild {
    live: Live,
    row: Option<ExecutionRow>,
}

impl Rebuild {
    pub fn new(reader: &dyn Reader, programs: &mut Programs, plan: Hash) -> Result<Self, Error> {
        let program = programs.get(reader, plan)?;
        Ok(Self { live: Live::new(LocalId(0), State::default(), program), row: None })
    }

    pub fn apply(&mut self, turn: &Turn) -> Result<(), Trouble> {
        let Live { state, program, .. } = &mut self.live;
        apply_turn(state, program, turn).map_err(|misfit| Trouble::Misfit(misfit.to_string()))?;
        let row = match &mut self.row {
            Some(row) => row,
            None => {
                let start = self.live.state.start.clone();
                let start = start.ok_or_else(|| Trouble::Misfit("its first turn does not start it".to_owned()))?;
                self.row.insert(first_row(self.live.local, &start, &self.live.program, turn.at))
            }
        };
        if turn.events.iter().any(changes_row)
            && let Row::ExecutionChanged(change) = self.live.row_change(turn)
        {
            change.apply_to(row);
        }
        Ok(())
    }

    /// What a snapshot of the turn that was applied last says otherwise than the fold. One of another format is no
    /// problem: it is passed by.
    fn differs_from(&self, snapshot: &StoredSnapshot) -> Option<String> {
        match State::from_snapshot(&snapshot.bytes, &self.live.program) {
            Ok(state) if state == self.live.state => None,
            Ok(_) => Some("it is not the state that the journal gives".to_owned()),
            Err(BadSnapshot::OtherFormat { .. }) => None,
            Err(bad) => Some(bad.to_string()),
        }
    }

    /// Only for an execution that has turns.
    pub fn finish(self) -> Folded {
        Folded { seq: self.live.state.seq, row: self.row.expect("an execution that was folded has turns") }
    }
}

/// What of the list row is not what the journal says. The moment of the start is the row's own.
fn differences(row: &ExecutionRow, folded: &Folded, trusts_row: bool) -> Option<String> {
    let held_by_owner = row.status == Status::Held
        && row.waiting.as_ref().is_some_and(|words| words.starts_with(HELD))
        && row.seq <= folded.seq;
    let wanted = &folded.row;
    let first = wanted.seq == 1 && row.seq == 1;
    let fixed = [
        ("id", row.id == wanted.id),
        ("workflow", row.workflow == wanted.workflow),
        ("version", row.version == wanted.version),
        ("plan_hash", row.plan_hash == wanted.plan_hash),
        ("definition_hash", row.definition_hash == wanted.definition_hash),
        ("base_dir", row.base_dir == wanted.base_dir),
        ("actor", row.actor == wanted.actor),
    ];
    let changing = [
        ("status", row.status == wanted.status),
        (
            "updated_at",
            row.updated_at == wanted.updated_at || (first && row.updated_at == row.started_at && trusts_row),
        ),
        ("ended_at", row.ended_at == wanted.ended_at),
        ("waiting", row.waiting == wanted.waiting),
        ("error", row.error == wanted.error),
        ("seq", row.seq == wanted.seq),
    ];
    let changing = changing.into_iter().filter(|_| !held_by_owner);
    let wrong: Vec<&str> = fixed.into_iter().chain(changing).filter(|(_, same)| !same).map(|(name, _)| name).collect();
    (!wrong.is_empty()).then(|| format!("its row does not say what the journal says: {}", wrong.join(", ")))
}
