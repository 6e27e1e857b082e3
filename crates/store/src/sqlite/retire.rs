//! Rows that leave the store, and what is known of them afterwards.

use std::path::Path;

use rusqlite::{Connection, Row, params};
use skep_model::ids::{ExecutionId, LocalId};
use skep_model::time::Timestamp;

use super::decode::{self, to_integer};
use super::trouble::trouble;
use crate::error::{Committed, Error};
use crate::retire::{ArchivedRow, AsideRow, Retire};

const ARCHIVED_COLUMNS: &str = "id, local, file, turns, ended_at, archived_at";
/// Tables of what belongs to one execution; their rows go with it.
const BELONGINGS: &[&str] = &["DELETE FROM child WHERE execution = ?1"];
const DELETE_EXECUTION: &str = "DELETE FROM execution WHERE local = ?1";
const INSERT_ARCHIVED: &str = "INSERT INTO archived(id, local, file, turns, ended_at, archived_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const DELETE_TURNS: &str = "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE execution = ?1 AND EXISTS \
    (SELECT 1 FROM archived WHERE local = ?1) ORDER BY seq LIMIT ?2)";
const COUNT_REMOVED: &str = "UPDATE counter SET value = value + ?1 WHERE name = 'removed'";
const DELETE_PLANS: &str = "DELETE FROM plan WHERE hash NOT IN (SELECT plan_hash FROM execution)";
const DELETE_DEFINITIONS: &str = "DELETE FROM definition WHERE hash NOT IN (SELECT definition_hash FROM execution) \
    AND hash NOT IN (SELECT definition_hash FROM workflow_version)";
const DELETE_ACTS: &str = "DELETE FROM audit_act WHERE id <= ?1";
const DELETE_ARCHIVED: &str = "DELETE FROM archived WHERE id = ?1";

/// Executions whose archive row `condition` admits.
pub(super) fn archived_where(condition: &str) -> String {
    format!("SELECT {ARCHIVED_COLUMNS} FROM archived WHERE {condition} LIMIT ?2")
}

/// Which archived executions still have turns in the journal: an owner died between two batches.
pub(super) const LEAVING: &str = "EXISTS (SELECT 1 FROM journal WHERE execution = archived.local) AND ?1 IS NULL";
pub(super) const ASIDE: &str = "SELECT execution, reason, file, at FROM aside WHERE execution = ?1";

/// A row of [`archived_where`].
pub(super) fn archived(row: &Row<'_>) -> rusqlite::Result<ArchivedRow> {
    Ok(ArchivedRow {
        id: ExecutionId::new(row.get::<_, String>(0)?),
        local: LocalId(row.get(1)?),
        file: row.get(2)?,
        turns: decode::count(row, 3)?,
        ended_at: Timestamp(row.get(4)?),
        archived_at: Timestamp(row.get(5)?),
    })
}

/// A row of [`ASIDE`].
pub(super) fn aside(row: &Row<'_>) -> rusqlite::Result<AsideRow> {
    Ok(AsideRow { execution: LocalId(row.get(0)?), reason: row.get(1)?, file: row.get(2)?, at: Timestamp(row.get(3)?) })
}

/// Writes `retire` of the group's write number `write` inside the open transaction.
pub(super) fn write(connection: &Connection, file: &Path, write: usize, retire: &Retire) -> Result<(), Error> {
    let failed = trouble("retiring an execution", file, Committed::Nothing);
    let done = match retire {
        Retire::Archived(row) => archive(connection, row).map(|known| known.then_some(()).ok_or(row.local)),
        Retire::Turns { execution, limit } => drop_turns(connection, *execution, *limit).map(Ok),
        Retire::Unused => drop_unused(connection).map(Ok),
        Retire::Gone { id } => connection.execute(DELETE_ARCHIVED, [id.as_str()]).map(|_| Ok(())),
        Retire::Acts { through } => connection.execute(DELETE_ACTS, [through]).map(|_| Ok(())),
    };
    done.map_err(failed)?.map_err(|execution| Error::UnknownExecution { write, execution })
}

fn archive(connection: &Connection, row: &ArchivedRow) -> rusqlite::Result<bool> {
    for statement in BELONGINGS {
        connection.execute(statement, [row.local.0])?;
    }
    let known = connection.execute(DELETE_EXECUTION, [row.local.0])? > 0;
    if known {
        let (turns, ended_at) = (to_integer(row.turns), row.ended_at.0);
        let values = params![row.id.as_str(), row.local.0, row.file, turns, ended_at, row.archived_at.0];
        connection.execute(INSERT_ARCHIVED, values)?;
    }
    Ok(known)
}

fn drop_turns(connection: &Connection, execution: LocalId, limit: u32) -> rusqlite::Result<()> {
    let removed = connection.execute(DELETE_TURNS, (execution.0, limit))?;
    connection.execute(COUNT_REMOVED, [to_integer(removed as u64)]).map(drop)
}

fn drop_unused(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(DELETE_PLANS, [])?;
    connection.execute(DELETE_DEFINITIONS, []).map(drop)
}
