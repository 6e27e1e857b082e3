//! `value[index]` and `value[from:to]` with computed positions.

use serde_json::Value;

use super::super::codes;
use super::super::error::Trouble;
use super::super::syntax::KeyKind;
use super::super::walk;
use super::budget::Budget;
use super::types::{describe, integer};

/// `base[index]`; `shown` is the source text of the base.
pub(crate) fn index(base: &Value, index: &Value, shown: &str, budget: &Budget) -> Result<Value, Trouble> {
    let key = match index {
        Value::String(name) => KeyKind::Name(name.clone()),
        Value::Number(number) if number.as_i64().is_some() => KeyKind::Position(integer("an index", index)?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            let message = format!("an index is a text or a whole number, not {}", describe(index));
            return Err(Trouble::new(codes::KIND, message));
        }
    };
    let found = walk::step(base, &key, shown)?;
    budget.charge_copy(found)?;
    Ok(found.clone())
}

/// `base[from:to]` of a list, or of a text by characters; ends beyond the value are cut, as in Jinja.
pub(crate) fn slice(base: &Value, from: Option<&Value>, to: Option<&Value>, budget: &Budget) -> Result<Value, Trouble> {
    budget.charge_copy(base)?;
    let ends = |length: usize| -> Result<(usize, usize), Trouble> {
        let start = end_of_slice(from, 0, length)?;
        let stop = end_of_slice(to, length, length)?;
        Ok((start, stop.max(start)))
    };
    match base {
        Value::Array(items) => {
            let (start, stop) = ends(items.len())?;
            Ok(Value::Array(items[start..stop].to_vec()))
        }
        Value::String(text) => {
            let (start, stop) = ends(text.chars().count())?;
            Ok(Value::String(text.chars().skip(start).take(stop - start).collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(super::types::wrong("a slice", "a list or a text", base))
        }
    }
}

fn end_of_slice(end: Option<&Value>, otherwise: usize, length: usize) -> Result<usize, Trouble> {
    let Some(end) = end else { return Ok(otherwise) };
    let end = integer("the end of a slice", end)?;
    let distance = usize::try_from(end.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(if end < 0 { length.saturating_sub(distance) } else { distance.min(length) })
}
