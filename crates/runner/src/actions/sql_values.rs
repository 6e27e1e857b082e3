//! Between JSON and SQLite's values.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Statement;
use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::{Value, json};

/// Rows that a query returns at most.
const ROWS_MAX: usize = 10_000;
/// Bytes of text and blobs in these rows at most.
const ROWS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Rows as JSON objects.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Value>,
}

/// Why a statement failed.
pub(super) enum Problem {
    /// The parameters do not fit the statement.
    Params(String),
    /// More rows, or larger ones, than an output may hold.
    TooMuch(String),
    /// SQLite says no.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Problem {
    fn from(problem: rusqlite::Error) -> Self {
        Self::Database(problem)
    }
}

/// Binds `params`: a list by position, an object by name (`:name`, `@name`, `$name`).
pub(super) fn bind(statement: &mut Statement<'_>, params: &Value) -> Result<(), Problem> {
    let wanted = statement.parameter_count();
    match params {
        Value::Null if wanted == 0 => Ok(()),
        Value::Array(values) if values.len() == wanted => {
            for (index, value) in values.iter().enumerate() {
                statement.raw_bind_parameter(index + 1, sql(value)?)?;
            }
            Ok(())
        }
        Value::Object(values) => bind_named(statement, values, wanted),
        Value::Null => Err(Problem::Params(format!("the statement has {wanted} parameters and `params` is not given"))),
        Value::Array(values) => Err(Problem::Params(format!(
            "the statement has {wanted} parameters and `params` has {} values",
            values.len()
        ))),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(Problem::Params("`params` is a list or an object".to_owned()))
        }
    }
}

fn bind_named(
    statement: &mut Statement<'_>,
    values: &serde_json::Map<String, Value>,
    wanted: usize,
) -> Result<(), Problem> {
    for index in 1..=wanted {
        let name = statement.parameter_name(index).unwrap_or("?").to_owned();
        let value = values
            .get(name.trim_start_matches([':', '@', '$']))
            .ok_or_else(|| Problem::Params(format!("the statement's parameter `{name}` has no value in `params`")))?;
        statement.raw_bind_parameter(index, sql(value)?)?;
    }
    Ok(())
}

/// The SQLite value of a JSON value: lists and objects as JSON text, true as 1.
fn sql(value: &Value) -> Result<Sql, Problem> {
    Ok(match value {
        Value::Null => Sql::Null,
        Value::Bool(value) => Sql::Integer(i64::from(*value)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Sql::Integer(integer),
            (None, Some(real)) if !number.is_u64() => Sql::Real(real),
            (None, _) => return Err(Problem::Params(format!("{number} is too large for SQLite's integers"))),
        },
        Value::String(text) => Sql::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => Sql::Text(value.to_string()),
    })
}

/// Runs the statement with what was bound and collects its rows.
pub(super) fn rows(statement: &mut Statement<'_>) -> Result<Table, Problem> {
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut table = Table { columns, rows: Vec::new() };
    let mut size = 0;
    let mut found = statement.raw_query();
    while let Some(row) = found.next()? {
        if table.rows.len() == ROWS_MAX {
            return Err(Problem::TooMuch(format!("gives more than {ROWS_MAX} rows")));
        }
        let mut object = serde_json::Map::new();
        for (index, name) in table.columns.iter().enumerate() {
            let value = row.get_ref(index)?;
            size += bytes(value);
            object.insert(name.clone(), json_of(value));
        }
        if size > ROWS_BYTES_MAX {
            return Err(Problem::TooMuch(format!("gives more than {ROWS_BYTES_MAX} bytes")));
        }
        table.rows.push(Value::Object(object));
    }
    Ok(table)
}

fn bytes(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 8,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
    }
}

/// The JSON value of an SQLite value: blobs as base64 text, what is no number in JSON (infinity) as null.
fn json_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => json!(integer),
        ValueRef::Real(real) => json!(real),
        ValueRef::Text(bytes) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Value::String(STANDARD.encode(bytes)),
    }
}
