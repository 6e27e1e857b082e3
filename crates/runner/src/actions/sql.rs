//! `sql`: a query, or a list of statements in one transaction, on an SQLite file.
//!
//! Values are bound, never written into the text of a statement.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use serde::Deserialize;
use serde_json::{Value, json};
use skep_model::Map;
use skep_model::catalogue::Action;
use skep_model::error::{Failure, Kind};

use super::context::{Context, Result};
use super::sql_values::{Problem, Table, bind, rows};
use crate::codes;

/// How long a statement waits for another writer of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    database: String,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    statements: Vec<Value>,
    #[serde(default)]
    read_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    query: String,
    #[serde(default)]
    params: Value,
}

pub(super) fn entry() -> Action {
    let params =
        json!({"type": ["array", "object"], "description": "bound to ?1, ?2 .. or to :name; never part of the text"});
    Action {
        summary: "Query or change an SQLite database file".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "database": {"type": "string", "description": "path of the file; made if it does not exist"},
                "query": {"type": "string", "description": "one statement"},
                "params": params,
                "statements": {
                    "type": "array",
                    "description": "several statements, all or none",
                    "items": {"anyOf": [
                        {"type": "string"},
                        {
                            "type": "object",
                            "properties": {"query": {"type": "string"}, "params": params},
                            "required": ["query"],
                            "additionalProperties": false,
                        },
                    ]},
                },
                "read_only": {"type": "boolean", "default": false},
            },
            "required": ["database"],
            "oneOf": [{"required": ["query"]}, {"required": ["statements"]}],
            "additionalProperties": false,
        }),
        outputs: ["rows", "columns", "row_count", "rows_affected", "last_insert_id"].map(str::to_owned).to_vec(),
        read_only: false,
    }
}

pub(super) fn perform(context: &Context) -> Result {
    let arguments: Arguments = context.arguments()?;
    let path = context.path(&arguments.database)?;
    let statements = statements(context, &arguments)?;
    let done = open(&path, arguments.read_only).map_err(Problem::from).and_then(|mut connection| {
        let handle = connection.get_interrupt_handle();
        context.cancel.set_interrupt(move || handle.interrupt());
        run(&mut connection, &statements, arguments.read_only)
    });
    let (table, affected, last_insert_id) = done.map_err(|problem| failure(context, &path, problem))?;
    Ok(Map::from_iter([
        ("row_count".to_owned(), json!(table.rows.len())),
        ("rows".to_owned(), Value::Array(table.rows)),
        ("columns".to_owned(), json!(table.columns)),
        ("rows_affected".to_owned(), json!(affected)),
        ("last_insert_id".to_owned(), json!(last_insert_id)),
    ]))
}

fn statements(context: &Context, arguments: &Arguments) -> std::result::Result<Vec<Statement>, Failure> {
    let parse = |value: &Value| match value {
        Value::String(query) => Ok(Statement { query: query.clone(), params: Value::Null }),
        other => serde_json::from_value(other.clone()).map_err(|problem| context.invalid(&problem.to_string())),
    };
    match (&arguments.query, arguments.statements.as_slice()) {
        (Some(query), []) => Ok(vec![Statement { query: query.clone(), params: arguments.params.clone() }]),
        (None, [_, ..]) if arguments.params.is_null() => arguments.statements.iter().map(parse).collect(),
        (None, [_, ..]) => Err(context.invalid("`params` stands beside each of the `statements`, as {query, params}")),
        (Some(_), [_, ..]) | (None, []) => Err(context.invalid("give either `query` or a list of `statements`")),
    }
}

/// Opens the file. The flag for URIs is left out: a path stays a path.
fn open(path: &Path, read_only: bool) -> rusqlite::Result<Connection> {
    let access = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Runs the statements; more than one in a transaction. Gives the last table of rows, the rows changed by all
/// and the id of the last inserted row.
fn run(
    connection: &mut Connection,
    statements: &[Statement],
    read_only: bool,
) -> std::result::Result<(Table, u64, i64), Problem> {
    let before = connection.total_changes();
    let table = if let [single] = statements {
        run_one(connection, single)?
    } else {
        let behavior = if read_only { TransactionBehavior::Deferred } else { TransactionBehavior::Immediate };
        let transaction = connection.transaction_with_behavior(behavior)?;
        let mut last = Table::default();
        for statement in statements {
            let table = run_one(&transaction, statement)?;
            if !table.columns.is_empty() {
                last = table;
            }
        }
        transaction.commit()?;
        last
    };
    Ok((table, connection.total_changes().saturating_sub(before), connection.last_insert_rowid()))
}

fn run_one(connection: &Connection, statement: &Statement) -> std::result::Result<Table, Problem> {
    let mut prepared = connection.prepare(&statement.query)?;
    bind(&mut prepared, &statement.params)?;
    rows(&mut prepared)
}

fn failure(context: &Context, path: &Path, problem: Problem) -> Failure {
    let path = path.display();
    match problem {
        Problem::Params(text) => context.invalid(&text),
        Problem::TooMuch(text) => {
            Failure::new(Kind::ResourceLimit, codes::SQL_TOO_LARGE, format!("the query on {path} {text}"))
                .with_hint("add a LIMIT, or select fewer columns")
        }
        Problem::Database(problem) => {
            let (kind, code, hint) = classify(&problem);
            Failure::new(kind, code, format!("the database {path} refused: {problem}")).with_hint(hint)
        }
    }
}

fn classify(problem: &rusqlite::Error) -> (Kind, &'static str, &'static str) {
    match problem.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (Kind::Unavailable, codes::SQL_BUSY, "another program writes to it; a `retry` on the step waits for that")
        }
        Some(ErrorCode::CannotOpen) => (Kind::NotFound, codes::SQL, "see the path and its folder"),
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied) => {
            (Kind::Permission, codes::SQL, "see the mode of the file and of its folder, and `read_only`")
        }
        Some(ErrorCode::DiskFull | ErrorCode::OutOfMemory | ErrorCode::TooBig) => {
            (Kind::ResourceLimit, codes::SQL_TOO_LARGE, "see the space on the disk and the size of the values")
        }
        Some(ErrorCode::OperationInterrupted) => {
            (Kind::Timeout, codes::ACTION_TIMEOUT, "the step's `timeout` ended, or it was cancelled")
        }
        Some(ErrorCode::SystemIoFailure) => (Kind::Unavailable, codes::SQL, "see the disk under the file"),
        _ => (Kind::Invalid, codes::SQL, "correct the statement; nothing of it was kept"),
    }
}

#[cfg(test)]
mod tests;
