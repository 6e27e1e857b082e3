//! Columns as our types. What does not decode is a damaged store, never a default.

use std::str::FromStr;
use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use skep_model::ids::{ExecutionId, Hash, LocalId, Position, Token};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::reader::StoredTurn;
use crate::rows::{BreakerRow, ChildRow, ExecutionRow, PermitRow, PermitState, StartKeyRow, WorkflowVersion};

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

fn hash(row: &Row<'_>, column: usize) -> Result<Hash> {
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
    Ok(ExecutionRow {
        local: LocalId(row.get(0)?),
        id: ExecutionId::new(text(row, 1)?),
        workflow: row.get(2)?,
        workflow_path: row.get(3)?,
        version: row.get(4)?,
        plan_hash: hash(row, 5)?,
        definition_hash: hash(row, 6)?,
        status: status(row, 7)?,
        started_at: Timestamp(row.get(8)?),
        updated_at: Timestamp(row.get(9)?),
        ended_at: row.get::<_, Option<i64>>(10)?.map(Timestamp),
        base_dir: row.get(11)?,
        waiting: row.get(12)?,
        error: row.get(13)?,
        actor: row.get(14)?,
        seq: count(row, 15)?,
    })
}

/// A row of `id, execution, seq, at, events`.
pub(super) fn turn(row: &Row<'_>) -> Result<StoredTurn> {
    Ok(StoredTurn {
        position: Position(row.get(0)?),
        execution: LocalId(row.get(1)?),
        seq: count(row, 2)?,
        at: Timestamp(row.get(3)?),
        events: row.get(4)?,
    })
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

/// A row of `workflow, key, execution, digest`.
pub(super) fn start_key(row: &Row<'_>) -> Result<StartKeyRow> {
    Ok(StartKeyRow { workflow: row.get(0)?, key: row.get(1)?, execution: LocalId(row.get(2)?), digest: hash(row, 3)? })
}
