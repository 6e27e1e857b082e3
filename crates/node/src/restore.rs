//! An execution from its snapshot and the turns after it, or from the beginning of its journal.

use std::sync::Arc;

use skep_engine::{Program, SNAPSHOT_FORMAT, State, apply_turn};
use skep_store::{ExecutionRow, Reader};

use crate::core::{History, Live};
use crate::error::Error;
use crate::fold::{TURNS_PER_PAGE, turn};

/// The execution of this row. A snapshot that does not fit is left alone, with a warning.
pub(crate) fn live(reader: &dyn Reader, program: Arc<Program>, row: &ExecutionRow) -> Result<Live, Error> {
    if let Some((state, history)) = from_snapshot(reader, &program, row)? {
        match tail(reader, &program, row, state, history) {
            Ok((state, history)) => return Ok(Live::folded(row.local, state, program, history)),
            Err(error) => warn(row, &error),
        }
    }
    let (state, history) = tail(reader, &program, row, State::default(), History::default())?;
    Ok(Live::folded(row.local, state, program, history))
}

fn warn(row: &ExecutionRow, problem: &dyn std::fmt::Display) {
    tracing::warn!(execution = %row.id, "its snapshot is not used, its journal is folded as a whole: {problem}");
}

fn from_snapshot(
    reader: &dyn Reader,
    program: &Program,
    row: &ExecutionRow,
) -> Result<Option<(State, History)>, Error> {
    let Some(snapshot) = reader.snapshot(row.local)? else { return Ok(None) };
    if snapshot.format != SNAPSHOT_FORMAT {
        warn(row, &format_args!("it has format {}, this build reads {SNAPSHOT_FORMAT}", snapshot.format));
        return Ok(None);
    }
    let state = match State::from_snapshot(&snapshot.bytes, program) {
        Ok(state) => state,
        Err(bad) => {
            warn(row, &bad);
            return Ok(None);
        }
    };
    // A journal that was restored from an older copy may end before it.
    let turns = reader.turns(row.local, snapshot.seq, 1)?;
    let fits = turns.first().is_some_and(|turn| turn.seq == snapshot.seq && turn.at == state.at);
    if !fits || state.seq != snapshot.seq || state.execution() != row.id {
        warn(row, &"it belongs to another journal");
        return Ok(None);
    }
    let history = History { snapshot_bytes: snapshot.bytes.len(), ..History::default() };
    Ok(Some((state, history)))
}

/// Folds what came after `state`.
fn tail(
    reader: &dyn Reader,
    program: &Program,
    row: &ExecutionRow,
    mut state: State,
    mut history: History,
) -> Result<(State, History), Error> {
    loop {
        let page = reader.turns(row.local, state.seq + 1, TURNS_PER_PAGE)?;
        if page.is_empty() {
            return Ok((state, history));
        }
        let short = usize::from(skep_model::mutant!("snapshot-one-turn-short") && state.seq > 0);
        for stored in &page[..short.min(page.len())] {
            state.seq = stored.seq;
        }
        for stored in &page[short.min(page.len())..] {
            let turn = turn(stored)?;
            if skep_model::mutant!("folded-twice") && turn.seq > 1 {
                drop(apply_turn(&mut state, program, &turn));
                state.seq = turn.seq - 1;
            }
            history.add(turn.events.len(), stored.events.len());
            apply_turn(&mut state, program, &turn).map_err(|misfit| Error::damaged(&row.id, misfit))?;
        }
    }
}
