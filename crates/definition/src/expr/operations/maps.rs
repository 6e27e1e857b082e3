//! Operations on objects.

use serde_json::{Map, Value};

use super::super::error::Trouble;
use super::super::syntax::KeyKind;
use super::super::walk;
use super::budget::{NODE_BYTES, Weigh};
use super::table::Call;
use super::types::{integer, wrong};

type Answer = Result<Value, Trouble>;

fn object<'a>(call: &Call<'a>) -> Result<&'a Map<String, Value>, Trouble> {
    call.value(0).as_object().ok_or_else(|| wrong(&call.what(), "an object", call.value(0)))
}

pub(super) fn keys(call: &Call<'_>) -> Answer {
    let map = object(call)?;
    call.budget.charge(map.keys().map(|key| NODE_BYTES + key.len() as u64).sum())?;
    Ok(map.keys().map(String::as_str).collect())
}

pub(super) fn values(call: &Call<'_>) -> Answer {
    let map = object(call)?;
    call.budget.charge_copy(call.value(0))?;
    Ok(map.values().cloned().collect())
}

/// Pairs `[key, value]` in the order of the object.
pub(super) fn items(call: &Call<'_>) -> Answer {
    let map = object(call)?;
    call.budget.charge(call.value(0).weight() + 2 * NODE_BYTES * map.len() as u64)?;
    Ok(map.iter().map(|(key, value)| Value::Array(vec![key.as_str().into(), value.clone()])).collect())
}

/// The value of a key, else the other value, else null. On lists the key is a position.
pub(super) fn get(call: &Call<'_>) -> Answer {
    let value = call.value(0);
    let key = match value {
        Value::Object(_) => KeyKind::Name(call.text(1)?.to_owned()),
        Value::Array(_) => KeyKind::Position(integer("`get` on a list", call.value(1))?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(wrong("`get`", "an object or a list before it", value));
        }
    };
    let found = walk::step(value, &key, "").ok().or(call.optional(2)).unwrap_or(&Value::Null);
    call.budget.charge_copy(found)?;
    Ok(found.clone())
}
