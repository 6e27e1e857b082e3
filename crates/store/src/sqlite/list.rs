//! Pages of the execution list.
//!
//! Each page is merged from streams that an index gives in order (one per status, or one per way of naming a
//! workflow), so that a page costs what it returns and not what the store holds: a single query with `OR` or
//! `IN` would sort every matching row.

use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};
use skep_model::ids::LocalId;
use skep_model::status::Execution as Status;

use super::decode::{self, EXECUTION_COLUMNS};
use crate::reader::Filter;
use crate::rows::ExecutionRow;

/// The newest `limit` executions that `filter` admits, older than `before`, newest first.
pub(super) fn newest(
    connection: &Connection,
    filter: &Filter,
    before: Option<LocalId>,
    limit: usize,
) -> Result<Vec<ExecutionRow>> {
    let mut rows = Vec::new();
    for stream in streams(filter) {
        rows.extend(stream.read(connection, filter, before, limit)?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.local));
    rows.dedup_by_key(|row| row.local);
    rows.truncate(limit);
    Ok(rows)
}

/// The oldest `limit` executions that ended before `before`, oldest first.
pub(super) fn finished(
    connection: &Connection,
    before: skep_model::time::Timestamp,
    limit: usize,
) -> Result<Vec<ExecutionRow>> {
    let sql = format!(
        "SELECT {EXECUTION_COLUMNS} FROM execution WHERE status = ?1 AND ended_at < ?2 ORDER BY local LIMIT ?3"
    );
    let mut rows = Vec::new();
    for status in Status::ALL.into_iter().filter(|status| status.is_terminal()) {
        let mut statement = connection.prepare_cached(&sql)?;
        for row in statement.query_map((status.as_str(), before.0, size(limit)), decode::execution)? {
            rows.push(row?);
        }
    }
    rows.sort_by_key(|row| row.local);
    rows.truncate(limit);
    Ok(rows)
}

/// The oldest `limit` executions that are not terminal, after `after`, oldest first.
pub(super) fn open(connection: &Connection, after: Option<LocalId>, limit: usize) -> Result<Vec<ExecutionRow>> {
    let sql =
        format!("SELECT {EXECUTION_COLUMNS} FROM execution WHERE status = ?1 AND local > ?2 ORDER BY local LIMIT ?3");
    let after = after.map_or(i64::MIN, |local| local.0);
    let mut rows = Vec::new();
    for status in Status::ALL.into_iter().filter(|status| !status.is_terminal()) {
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_map((status.as_str(), after, size(limit)), decode::execution)?;
        for row in found {
            rows.push(row?);
        }
    }
    rows.sort_by_key(|row: &ExecutionRow| row.local);
    rows.truncate(limit);
    Ok(rows)
}

fn size(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Rows that one index gives, newest first.
enum Stream<'a> {
    All,
    InStatus(Status),
    OfWorkflow(&'a str),
    AtPath(&'a str),
}

fn streams(filter: &Filter) -> Vec<Stream<'_>> {
    match (filter.workflow.as_deref(), filter.statuses.is_empty()) {
        (Some(name), _) => vec![Stream::OfWorkflow(name), Stream::AtPath(name)],
        (None, true) => vec![Stream::All],
        (None, false) => {
            Status::ALL.into_iter().filter(|status| filter.statuses.contains(status)).map(Stream::InStatus).collect()
        }
    }
}

impl Stream<'_> {
    fn read(
        &self,
        connection: &Connection,
        filter: &Filter,
        before: Option<LocalId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRow>> {
        let (condition, key) = match self {
            Self::All => ("?1 IS NULL", Value::Null),
            Self::InStatus(status) => ("status = ?1", Value::from(status.as_str().to_owned())),
            Self::OfWorkflow(name) => ("workflow = ?1", Value::from((*name).to_owned())),
            Self::AtPath(name) => ("workflow_path = ?1", Value::from((*name).to_owned())),
        };
        let mut sql = format!("SELECT {EXECUTION_COLUMNS} FROM execution WHERE {condition} AND local < ?2");
        let mut values = vec![key, Value::from(before.map_or(i64::MAX, |local| local.0))];
        if let Some(since) = filter.started_since {
            values.push(Value::from(since.0));
            sql.push_str(&format!(" AND started_at >= ?{}", values.len()));
        }
        if let Some(actor) = &filter.not_by {
            values.push(Value::from(actor.clone()));
            sql.push_str(&format!(" AND actor <> ?{}", values.len()));
        }
        if filter.workflow.is_some() && !filter.statuses.is_empty() {
            sql.push_str(&format!(" AND +status IN ({})", words(&filter.statuses)));
        }
        values.push(Value::from(size(limit)));
        sql.push_str(&format!(" ORDER BY local DESC LIMIT ?{}", values.len()));
        connection.prepare_cached(&sql)?.query_map(params_from_iter(values), decode::execution)?.collect()
    }
}

/// The words of our own enum, quoted; the `+` before the column keeps the planner on the other index.
fn words(statuses: &[Status]) -> String {
    let quoted: Vec<String> = statuses.iter().map(|status| format!("'{}'", status.as_str())).collect();
    quoted.join(", ")
}
