//! Equality, order, membership.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::super::codes;
use super::super::error::Trouble;
use super::super::syntax::Comparison;
use super::budget::{Budget, Weigh};
use super::types::{kind, text};

/// `left COMPARISON right`.
pub(crate) fn compare(comparison: Comparison, left: &Value, right: &Value, budget: &Budget) -> Result<bool, Trouble> {
    Ok(match comparison {
        Comparison::Equal => same_charged(left, right, budget)?,
        Comparison::NotEqual => !same_charged(left, right, budget)?,
        Comparison::Less => order(comparison, left, right, budget)? == Ordering::Less,
        Comparison::LessOrEqual => order(comparison, left, right, budget)? != Ordering::Greater,
        Comparison::Greater => order(comparison, left, right, budget)? == Ordering::Greater,
        Comparison::GreaterOrEqual => order(comparison, left, right, budget)? != Ordering::Less,
        Comparison::In => contains(left, right, budget)?,
        Comparison::NotIn => !contains(left, right, budget)?,
    })
}

fn same_charged(left: &Value, right: &Value, budget: &Budget) -> Result<bool, Trouble> {
    budget.charge(left.weight().min(right.weight()))?;
    Ok(same(left, right))
}

/// Equality of JSON values; `1` and `1.0` are the same number, values of other unlike kinds are not equal.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => numbers(left, right) == Ordering::Equal,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

/// The order of two numbers, exact for integers. JSON has no NaN.
pub(crate) fn numbers(left: &Number, right: &Number) -> Ordering {
    let whole = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (None, None) | (Some(_), None) | (None, Some(_)) => {
            let float = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
            float(left).partial_cmp(&float(right)).unwrap_or(Ordering::Equal)
        }
    }
}

/// The order of two values of one kind that has an order: numbers, texts.
pub(crate) fn natural(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Some(numbers(left, right)),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn order(comparison: Comparison, left: &Value, right: &Value, budget: &Budget) -> Result<Ordering, Trouble> {
    budget.charge(left.weight().min(right.weight()))?;
    natural(left, right).ok_or_else(|| {
        let message = format!("`{}` cannot order {} and {}", comparison.sign(), kind(left), kind(right));
        Trouble::new(codes::KIND, message).hint("compare two numbers or two texts; `| int` makes a number of a text")
    })
}

fn contains(needle: &Value, hay: &Value, budget: &Budget) -> Result<bool, Trouble> {
    budget.charge(hay.weight())?;
    match hay {
        Value::Array(items) => {
            budget.charge(needle.weight().saturating_mul(items.len() as u64 / 16))?;
            Ok(items.iter().any(|item| same(item, needle)))
        }
        Value::Object(map) => Ok(map.contains_key(text("`in` on an object", needle)?)),
        Value::String(hay) => Ok(hay.contains(text("`in` on a text", needle)?)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let message = format!("`in` wants a list, an object or a text on its right, not {}", kind(hay));
            Err(Trouble::new(codes::KIND, message))
        }
    }
}
