//! The store against a naive one in memory: after every takeover, and at the end, both say the same.

use skep_model::ids::{LocalId, Position};
use skep_store::{Error, Filter, Journal, Memory, Reader, Row, Write};

use super::{Invariant, Verdict, Violation};

/// What was committed, and what may have been.
#[derive(Default)]
pub struct Store {
    memory: Memory,
    /// Everything committed, so that a store with one group more can be made.
    groups: Vec<Vec<Write>>,
    /// Groups whose commit was not answered with yes since the last one that was. One of them may be on the disk all
    /// the same: what a failed commit wrote stays there until something is written in its place.
    doubtful: Vec<Vec<Write>>,
}

/// More rows than a world has.
const ROWS_MAX: usize = 10_000;

impl Store {
    /// A group was committed. What was in doubt before it is settled: it is not there.
    ///
    /// # Errors
    /// The memory refuses what SQLite took.
    pub fn committed(&mut self, group: &[Write]) -> Verdict {
        // A transaction that changes nothing writes nothing, so what a failed one left stays where it is.
        if group.iter().any(changes) {
            self.doubtful.clear();
        }
        self.groups.push(group.to_vec());
        let refused =
            |error: Error| Violation::new(Invariant::StoreIsWhatWasCommitted, format!("memory refuses: {error}"));
        self.memory.commit(group).map(drop).map_err(refused)
    }

    /// Nobody knows whether a group was committed.
    pub fn doubt(&mut self, group: Vec<Write>) {
        self.doubtful.push(group);
    }

    /// Compares with what SQLite has now. Gives the group in doubt that turned out to be there; those that are not
    /// stay in doubt if `may_come`: the next owner may still find one.
    ///
    /// # Errors
    /// [`Invariant::StoreIsWhatWasCommitted`], or a disk that cannot be read.
    pub fn compare(&mut self, reader: &dyn Reader, may_come: bool) -> Result<Result<Vec<Write>, Violation>, Error> {
        let found = dump(reader)?;
        let known = dump(&self.memory).expect("memory can be read");
        if found == known {
            if !may_come {
                self.doubtful.clear();
            }
            return Ok(Ok(Vec::new()));
        }
        for group in std::mem::take(&mut self.doubtful) {
            if self.dump_with(&group).is_some_and(|with| with == found) {
                self.groups.push(group.clone());
                let refused = |error: Error| Violation::new(Invariant::StoreIsWhatWasCommitted, error.to_string());
                return Ok(self.memory.commit(&group).map_err(refused).map(|_| group));
            }
        }
        Ok(Err(Violation::new(Invariant::StoreIsWhatWasCommitted, difference(&found, &known))))
    }

    /// What there would be with one group more.
    fn dump_with(&self, group: &[Write]) -> Option<Vec<String>> {
        let mut memory = Memory::new();
        for known in &self.groups {
            memory.commit(known).ok()?;
        }
        memory.commit(group).ok()?;
        dump(&memory).ok()
    }
}

/// True if a write certainly changes a page.
fn changes(write: &Write) -> bool {
    let row = |row: &Row| matches!(row, Row::ExecutionCreated(_) | Row::ExecutionChanged(_) | Row::Child(_));
    write.turn.is_some() || write.rows.iter().any(row)
}

/// Everything that a reader can say of executions and turns.
fn dump(reader: &dyn Reader) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    for row in reader.journal(Position(1), ROWS_MAX)? {
        lines.push(format!("{row:?}"));
    }
    for row in reader.list(&Filter::default(), None, ROWS_MAX)?.rows {
        lines.push(format!("{row:?}"));
    }
    for row in reader.open_executions(None, ROWS_MAX)? {
        lines.push(format!("open {:?} {:?}", row.local, row.status));
    }
    lines.push(format!("{:?}", reader.children()?));
    lines.push(format!("{:?}", reader.workflows()?));
    lines
        .push(format!("{:?}", (reader.last_at()?, reader.last_position()?, reader.next_local_id()?, reader.counts()?)));
    if let Some(row) = reader.execution_by_local(LocalId(1))? {
        lines.push(format!("{:?}", reader.plan(row.plan_hash)?));
        lines.push(format!("{:?}", reader.turns(LocalId(1), 2, 3)?));
    }
    Ok(lines)
}

fn difference(found: &[String], known: &[String]) -> String {
    let at = found.iter().zip(known).position(|(found, known)| found != known).unwrap_or(found.len().min(known.len()));
    format!("SQLite has {:?}, committed was {:?}", found.get(at), known.get(at))
}
