//! The store against a naive one in memory: after every takeover, and at the end, both say the same.

use skep_model::ids::{LocalId, Position};
use skep_store::{Error, Filter, Journal, Memory, Reader, Write};

use super::{Invariant, Verdict, Violation, demand};

/// What was committed, and what may have been.
#[derive(Default)]
pub struct Store {
    memory: Memory,
    /// A group whose commit was not answered with yes, and that the disk may have all the same.
    doubtful: Option<Vec<Write>>,
}

/// More rows than a world has.
const ROWS_MAX: usize = 10_000;

impl Store {
    /// A group was committed. What was in doubt before it is settled: it is not there.
    ///
    /// # Errors
    /// The memory refuses what SQLite took.
    pub fn committed(&mut self, group: &[Write]) -> Verdict {
        self.doubtful = None;
        let refused = |error: Error| Violation::new(Invariant::StoreIsWhatWasCommitted, format!("memory refuses: {error}"));
        self.memory.commit(group).map(drop).map_err(refused)
    }

    /// Nobody knows whether a group was committed.
    pub fn doubt(&mut self, group: Vec<Write>) {
        self.doubtful = Some(group);
    }

    /// Compares with what SQLite has now. Gives the group in doubt if it turned out to be there; one that is not there
    /// stays in doubt if `may_come`: the next owner may still find it.
    ///
    /// # Errors
    /// [`Invariant::StoreIsWhatWasCommitted`], or a disk that cannot be read.
    pub fn compare(&mut self, reader: &dyn Reader, may_come: bool) -> Result<Result<Vec<Write>, Violation>, Error> {
        let found = dump(reader)?;
        let known = dump(&self.memory).expect("memory can be read");
        let Some(doubtful) = self.doubtful.take() else {
            let verdict = demand(found == known, Invariant::StoreIsWhatWasCommitted, || difference(&found, &known));
            return Ok(verdict.map(|()| Vec::new()));
        };
        if found == known {
            self.doubtful = may_come.then_some(doubtful);
            return Ok(Ok(Vec::new()));
        }
        if let Err(violation) = self.committed(&doubtful) {
            return Ok(Err(violation));
        }
        let with = dump(&self.memory).expect("memory can be read");
        let verdict = demand(found == with, Invariant::StoreIsWhatWasCommitted, || difference(&found, &with));
        Ok(verdict.map(|()| doubtful))
    }
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
    lines.push(format!("{:?}", (reader.last_at()?, reader.last_position()?, reader.next_local_id()?, reader.counts()?)));
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
