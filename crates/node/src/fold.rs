//! From the store back into memory: plans are compiled, turns are folded.

use std::collections::HashMap;
use std::sync::Arc;

use skep_engine::Program;
use skep_model::event::{Event, Turn};
use skep_model::ids::{Hash, LocalId};
use skep_model::plan::{ENGINE_SEMANTICS, PLAN_FORMAT, Plan};
use skep_store::{Reader, StoredTurn};

use crate::core::Live;
use crate::error::Error;
use crate::restore;

/// Rows that one look at the store fetches.
pub(crate) const TURNS_PER_PAGE: usize = 1_000;

/// Compiled plans, shared by their executions.
#[derive(Default)]
pub(crate) struct Programs {
    by_hash: HashMap<Hash, Arc<Program>>,
}

impl Programs {
    /// The compiled plan of this hash.
    pub fn get(&mut self, reader: &dyn Reader, hash: Hash) -> Result<Arc<Program>, Error> {
        if let Some(program) = self.by_hash.get(&hash) {
            return Ok(Arc::clone(program));
        }
        let program = Program::new(plan(reader, hash)?).map_err(|bad| Error::damaged(&hash, bad))?;
        Ok(self.keep(Arc::new(program)))
    }

    pub fn keep(&mut self, program: Arc<Program>) -> Arc<Program> {
        Arc::clone(self.by_hash.entry(program.hash()).or_insert(program))
    }

    /// Drops plans that no execution in memory uses.
    pub fn sweep(&mut self) {
        self.by_hash.retain(|_, program| Arc::strong_count(program) > 1);
    }
}

/// The stored plan of this hash.
pub(crate) fn plan(reader: &dyn Reader, hash: Hash) -> Result<Plan, Error> {
    let stored = reader.plan(hash)?.ok_or_else(|| Error::damaged(&hash, "the plan is missing in the store"))?;
    if stored.format > PLAN_FORMAT {
        return Err(Error::NewerFormat { what: "plan", found: stored.format, known: PLAN_FORMAT });
    }
    let plan: Plan = serde_json::from_slice(&stored.bytes).map_err(|error| Error::damaged(&hash, error))?;
    if plan.engine_semantics > ENGINE_SEMANTICS {
        return Err(Error::NewerFormat { what: "engine", found: plan.engine_semantics, known: ENGINE_SEMANTICS });
    }
    Ok(plan)
}

/// The events of a stored turn.
pub(crate) fn turn(stored: &StoredTurn) -> Result<Turn, Error> {
    let events: Vec<Event> =
        serde_json::from_str(&stored.events).map_err(|error| Error::damaged(&stored.position.0, error))?;
    Ok(Turn { seq: stored.seq, at: stored.at, events })
}

/// Calls `each` with every turn of an execution in order.
pub(crate) fn each_turn(
    reader: &dyn Reader,
    local: LocalId,
    from_seq: u64,
    mut each: impl FnMut(&Turn) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut next = from_seq;
    loop {
        let page = reader.turns(local, next, TURNS_PER_PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        next = last.seq + 1;
        for stored in &page {
            each(&turn(stored)?)?;
        }
    }
}

/// An execution as its journal says, from its snapshot if it has a good one.
pub(crate) fn live(reader: &dyn Reader, programs: &mut Programs, local: LocalId) -> Result<Live, Error> {
    let row = reader.execution_by_local(local)?.ok_or_else(|| Error::NoSuchExecution { given: local.0.to_string() })?;
    let program = programs.get(reader, row.plan_hash)?;
    restore::live(reader, program, &row)
}
