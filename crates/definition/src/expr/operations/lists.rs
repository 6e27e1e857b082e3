//! Operations on lists.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::Value;

use super::super::codes;
use super::super::error::Trouble;
use super::super::syntax::{Arithmetic, Comparison, KeyKind};
use super::super::text::append;
use super::super::walk;
use super::arithmetic::chain;
use super::budget::Weigh;
use super::compare::{compare, natural};
use super::table::Call;
use super::types::{describe, is_true, wrong};

type Answer = Result<Value, Trouble>;

/// Entries of a list or an object, characters of a text.
pub(super) fn length(call: &Call<'_>) -> Answer {
    let length = match call.value(0) {
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        Value::String(text) => {
            call.budget.charge(text.len() as u64)?;
            text.chars().count()
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => {
            return Err(wrong("`length`", "a list, an object or a text", other));
        }
    };
    Ok(length.into())
}

pub(super) fn join(call: &Call<'_>) -> Answer {
    let items = with_attribute(call, call.list(0)?, 2)?;
    let separator = call.optional(1).map_or(Ok(""), |_| call.text(1))?;
    join_with(call, &items, separator)
}

pub(super) fn join_method(call: &Call<'_>) -> Answer {
    let items: Vec<&Value> = call.list(1)?.iter().collect();
    join_with(call, &items, call.text(0)?)
}

fn join_with(call: &Call<'_>, items: &[&Value], separator: &str) -> Answer {
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            call.budget.charge(separator.len() as u64)?;
            text.push_str(separator);
        }
        append(&mut text, item, "an entry of the joined list", call.budget)?;
    }
    Ok(text.into())
}

pub(super) fn first(call: &Call<'_>) -> Answer {
    end(call, |items| items.first())
}

pub(super) fn last(call: &Call<'_>) -> Answer {
    end(call, |items| items.last())
}

fn end(call: &Call<'_>, pick: fn(&[Value]) -> Option<&Value>) -> Answer {
    let found = pick(call.list(0)?).ok_or_else(|| empty(call))?;
    call.budget.charge_copy(found)?;
    Ok(found.clone())
}

fn empty(call: &Call<'_>) -> Trouble {
    Trouble::new(codes::MISSING, format!("`{}` of an empty list", call.operation.name))
        .hint("ask for `| length` first, or write `LIST.get(0, OTHER)`")
}

/// The entries, or one key of each of them where parameter `index` names it.
fn with_attribute<'a>(call: &Call<'a>, items: &'a [Value], index: usize) -> Result<Vec<&'a Value>, Trouble> {
    call.budget.charge(items.len() as u64 * size_of::<&Value>() as u64)?;
    match call.optional(index) {
        None | Some(Value::Null) => Ok(items.iter().collect()),
        Some(_) => {
            let name = KeyKind::Name(call.text(index)?.to_owned());
            items.iter().map(|item| walk::step(item, &name, "an entry of the list")).collect()
        }
    }
}

fn cloned(call: &Call<'_>, items: Vec<&Value>) -> Answer {
    call.budget.charge(items.iter().map(|item| item.weight()).sum())?;
    Ok(items.into_iter().cloned().collect())
}

pub(super) fn map(call: &Call<'_>) -> Answer {
    cloned(call, with_attribute(call, call.list(0)?, 1)?)
}

pub(super) fn select(call: &Call<'_>) -> Answer {
    filtered(call, true)
}

pub(super) fn reject(call: &Call<'_>) -> Answer {
    filtered(call, false)
}

/// Keeps the entries whose key is true, or compares as asked: `selectattr('size', '>', 3)`.
fn filtered(call: &Call<'_>, keep: bool) -> Answer {
    let items = call.list(0)?;
    let keys = with_attribute(call, items, 1)?;
    let comparison = call.optional(2).map(|_| call.text(2).and_then(comparison_named)).transpose()?;
    let mut kept = Vec::new();
    for (item, key) in items.iter().zip(keys) {
        let holds = match comparison {
            None => is_true(key),
            Some(comparison) => compare(comparison, key, call.optional(3).unwrap_or(&Value::Null), call.budget)?,
        };
        if holds == keep {
            kept.push(item);
        }
    }
    cloned(call, kept)
}

fn comparison_named(name: &str) -> Result<Comparison, Trouble> {
    Ok(match name {
        "==" | "eq" | "equalto" => Comparison::Equal,
        "!=" | "ne" => Comparison::NotEqual,
        "<" | "lt" => Comparison::Less,
        "<=" | "le" => Comparison::LessOrEqual,
        ">" | "gt" => Comparison::Greater,
        ">=" | "ge" => Comparison::GreaterOrEqual,
        "in" => Comparison::In,
        "not in" => Comparison::NotIn,
        _ => {
            return Err(Trouble::new(codes::ARGUMENTS, format!("`{name}` is not a comparison"))
                .hint("known are == != < <= > >= in, `not in`"));
        }
    })
}

pub(super) fn sort(call: &Call<'_>) -> Answer {
    let items = call.list(0)?;
    let keys = with_attribute(call, items, 1)?;
    check_sortable(call, &keys)?;
    let rounds = u64::from(items.len().max(2).ilog2());
    call.budget.charge(keys.iter().map(|key| key.weight()).sum::<u64>().saturating_mul(rounds) / 4)?;
    let mut pairs: Vec<(&Value, &Value)> = keys.into_iter().zip(items).collect();
    pairs.sort_by(|(left, _), (right, _)| natural(left, right).unwrap_or(Ordering::Equal));
    if call.optional(2).is_some_and(is_true) {
        pairs.reverse();
    }
    cloned(call, pairs.into_iter().map(|(_, item)| item).collect())
}

/// All numbers or all texts.
fn check_sortable(call: &Call<'_>, keys: &[&Value]) -> Result<(), Trouble> {
    let Some(first) = keys.first() else { return Ok(()) };
    match keys.iter().find(|key| natural(first, key).is_none()) {
        None => Ok(()),
        Some(other) => {
            let message = format!("`{}` cannot order {} and {}", call.operation.name, describe(first), describe(other));
            Err(Trouble::new(codes::KIND, message).hint("all entries must be numbers, or all texts"))
        }
    }
}

pub(super) fn reverse(call: &Call<'_>) -> Answer {
    call.budget.charge_copy(call.value(0))?;
    Ok(call.list(0)?.iter().rev().cloned().collect())
}

/// The first of all entries with the same JSON text, in their order.
pub(super) fn unique(call: &Call<'_>) -> Answer {
    let items = call.list(0)?;
    call.budget.charge(call.value(0).weight())?;
    let mut seen = HashSet::new();
    cloned(call, items.iter().filter(|item| seen.insert(item.to_string())).collect())
}

pub(super) fn min(call: &Call<'_>) -> Answer {
    extreme(call, Ordering::Less)
}

pub(super) fn max(call: &Call<'_>) -> Answer {
    extreme(call, Ordering::Greater)
}

fn extreme(call: &Call<'_>, wanted: Ordering) -> Answer {
    let items = call.list(0)?;
    let keys = with_attribute(call, items, 1)?;
    check_sortable(call, &keys)?;
    call.budget.charge_copy(call.value(0))?;
    let mut best = keys.first().zip(items.first()).ok_or_else(|| empty(call))?;
    for pair in keys.iter().zip(items) {
        if natural(pair.0, best.0) == Some(wanted) {
            best = pair;
        }
    }
    Ok(best.1.clone())
}

pub(super) fn sum(call: &Call<'_>) -> Answer {
    let items = with_attribute(call, call.list(0)?, 1)?;
    if let Some(other) = items.iter().find(|item| !item.is_number()) {
        return Err(wrong("`sum`", "numbers", other));
    }
    let rest: Vec<(Arithmetic, &Value)> = items.into_iter().map(|item| (Arithmetic::Add, item)).collect();
    chain(&Value::from(0), &rest, &[], call.budget)
}
