//! Columns as our types. What does not decode is a damaged store, never a default.

use std::str::FromStr;
use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use skep_model::ids::{ExecutionId, Hash, LocalId, Position, Token};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::checksum;
use crate::reader::StoredTurn;
use crate::rows::{
    BreakerRow, ChildRow, ExecutionRow, PermitRow, PermitState, StartKeyRow, ValidationRow, WorkflowVersion,
};

pub(super) const EXECUTION_COLUMNS: &str = "local, id, workflow, workflow_path, version, plan_hash, definition_hash, \
    status, started_at, updated_at, ended_at, base_dir, waiting, error, actor, seq";
pub(super) const VERSION_COLUMNS: &str = "workflow_version.path, number, workflow_version.workflow, name, description, \
    version, definition_hash, added_at, actor";

/// A count as SQLite's integer. Ours never come near the end of its range; one that did would be wrong
/// anyway, so it is kept at the end.
pub(super) fn to_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn bad(column: usize, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, cause.into())
}

/// The hash in `column`.
pub(super) fn hash(row: &Row<'_>, column: usize) -> Result<Hash> {
    let text: String = row.get(column)?;
    Hash::from_str(&text).map_err(|cause| bad(column, cause))
}

/// The state in `column`.
pub(super) fn status(row: &Row<'_>, column: usize) -> Result<Status> {
    let word: String = row.get(column)?;
    Status::parse(&word).ok_or_else(|| bad(column, format!("no execution is in the state {word:?}")))
}

/// The count in `column`.
pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(column, number))
}

fn text(row: &Row<'_>, column: usize) -> Result<Arc<str>> {
    row.get(column)
}

/// A row of [`EXECUTION_COLUMNS`].
pub(super) fn execution(row: &Row<'_>) -> Result<ExecutionRow> {
    execution_at(row, 0)
}

/// The same, from column `first` on.
pub(super) fn execution_at(row: &Row<'_>, first: usize) -> Result<ExecutionRow> {
    Ok(ExecutionRow {
        local: LocalId(row.get(first)?),
        id: ExecutionId::new(text(row, first + 1)?),
        workflow: row.get(first + 2)?,
        workflow_path: row.get(first + 3)?,
        version: row.get(first + 4)?,
        plan_hash: hash(row, first + 5)?,
        definition_hash: hash(row, first + 6)?,
        status: status(row, first + 7)?,
        started_at: Timestamp(row.get(first + 8)?),
        updated_at: Timestamp(row.get(first + 9)?),
        ended_at: row.get::<_, Option<i64>>(first + 10)?.map(Timestamp),
        base_dir: row.get(first + 11)?,
        waiting: row.get(first + 12)?,
        error: row.get(first + 13)?,
        actor: row.get(first + 14)?,
        seq: count(row, first + 15)?,
    })
}

/// A row of the journal that is not as it was written.
#[derive(Debug, thiserror::Error)]
#[error("the turn at position {position} is damaged: {problem}")]
pub(super) struct DamagedTurn {
    position: i64,
    problem: String,
}

/// A row of `id, execution, seq, at, events, checksum`.
pub(super) fn turn(row: &Row<'_>) -> Result<StoredTurn> {
    let position = row.get(0)?;
    let damaged = |problem: String| bad(4, DamagedTurn { position, problem });
    let (turn, checksum) = turn_unchecked(row, position).map_err(|error| damaged(error.to_string()))?;
    match checksum::of_turn(turn.execution, turn.seq, turn.at, turn.events.as_bytes()) == checksum {
        true => Ok(turn),
        false => Err(damaged("its content does not have its checksum".to_owned())),
    }
}

fn turn_unchecked(row: &Row<'_>, position: i64) -> Result<(StoredTurn, i64)> {
    let turn = StoredTurn {
        position: Position(position),
        execution: LocalId(row.get(1)?),
        seq: count(row, 2)?,
        at: Timestamp(row.get(3)?),
        events: row.get(4)?,
    };
    Ok((turn, row.get(5)?))
}

/// A row of [`VERSION_COLUMNS`].
pub(super) fn version(row: &Row<'_>) -> Result<WorkflowVersion> {
    Ok(WorkflowVersion {
        path: row.get(0)?,
        number: row.get(1)?,
        workflow: row.get(2)?,
        name: row.get(3)?,
        description: row.get(4)?,
        version: row.get(5)?,
        definition_hash: hash(row, 6)?,
        added_at: Timestamp(row.get(7)?),
        actor: row.get(8)?,
    })
}

/// A row of `execution, path, token, pid, started_ticks, boot_id, cgroup`.
pub(super) fn child(row: &Row<'_>) -> Result<ChildRow> {
    Ok(ChildRow {
        execution: LocalId(row.get(0)?),
        path: text(row, 1)?,
        token: Token::new(text(row, 2)?),
        pid: row.get(3)?,
        started_ticks: count(row, 4)?,
        boot_id: row.get(5)?,
        cgroup: row.get(6)?,
    })
}

/// A row of `resource, execution, path, state, priority, since`.
pub(super) fn permit(row: &Row<'_>) -> Result<PermitRow> {
    let word: String = row.get(3)?;
    Ok(PermitRow {
        resource: row.get(0)?,
        execution: LocalId(row.get(1)?),
        path: text(row, 2)?,
        state: PermitState::parse(&word).ok_or_else(|| bad(3, format!("no place is {word:?}")))?,
        priority: row.get(4)?,
        since: Timestamp(row.get(5)?),
    })
}

/// A row of `name, state`.
pub(super) fn breaker(row: &Row<'_>) -> Result<BreakerRow> {
    Ok(BreakerRow { name: row.get(0)?, state: row.get(1)? })
}

/// A row of `definition_hash, at, report`.
pub(super) fn validation(row: &Row<'_>) -> Result<ValidationRow> {
    Ok(ValidationRow { definition_hash: hash(row, 0)?, at: Timestamp(row.get(1)?), report: row.get(2)? })
}

/// A row of `workflow, key, execution, digest`.
pub(super) fn start_key(row: &Row<'_>) -> Result<StartKeyRow> {
    Ok(StartKeyRow { workflow: row.get(0)?, key: row.get(1)?, execution: LocalId(row.get(2)?), digest: hash(row, 3)? })
}
