//! Operations on numbers.

use serde_json::Value;

use super::super::codes;
use super::super::error::Trouble;
use super::arithmetic::{from_float, from_whole, negate, whole};
use super::budget::NODE_BYTES;
use super::table::Call;
use super::types::{describe, integer, wrong};

type Answer = Result<Value, Trouble>;

/// Digits that `round` keeps at most: a float has no more.
const DIGITS_MAX: i64 = 15;

pub(super) fn abs(call: &Call<'_>) -> Answer {
    let value = call.value(0);
    let negative = value.as_f64().ok_or_else(|| wrong("`abs`", "a number", value))? < 0.0;
    if negative { negate(value) } else { Ok(value.clone()) }
}

/// Half away from zero; without digits the result is a whole number.
pub(super) fn round(call: &Call<'_>) -> Answer {
    let value = call.value(0);
    let number = value.as_number().ok_or_else(|| wrong("`round`", "a number", value))?;
    let digits = call.optional(1).map_or(Ok(0), |digits| integer("the digits of `round`", digits))?;
    if whole(number).is_some() {
        return Ok(value.clone());
    }
    let float = number.as_f64().unwrap_or(f64::NAN);
    if digits == 0 {
        return to_whole(float.round());
    }
    let scale = 10f64.powi(i32::try_from(digits.clamp(-DIGITS_MAX, DIGITS_MAX)).unwrap_or(0));
    let scaled = float * scale;
    from_float(if scaled.is_finite() { scaled.round() / scale } else { float })
}

fn to_whole(float: f64) -> Answer {
    // Beyond this a float is no exact whole number of 64 bits; `as` would cut it silently.
    if float.is_finite() && float.abs() < 1.9e19 {
        return from_whole(float as i128);
    }
    Err(Trouble::new(codes::NUMBER, "the number does not fit a whole number of 64 bits"))
}

/// A whole number of a number (cut towards zero), a text or a boolean; `otherwise` where that is impossible.
pub(super) fn int(call: &Call<'_>) -> Answer {
    let value = call.value(0);
    let made = match value {
        Value::Number(number) if whole(number).is_some() => Ok(value.clone()),
        Value::Number(number) => to_whole(number.as_f64().unwrap_or(f64::NAN).trunc()),
        Value::Bool(flag) => Ok(i64::from(*flag).into()),
        Value::String(text) => text.trim().parse().map_err(|_| unreadable(call, "whole number")).and_then(from_whole),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(unreadable(call, "whole number")),
    };
    otherwise(call, made)
}

/// A float of a number or a text; `otherwise` where that is impossible.
pub(super) fn float(call: &Call<'_>) -> Answer {
    let made = match call.value(0) {
        Value::Number(number) => from_float(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => text.trim().parse().map_err(|_| unreadable(call, "number")).and_then(from_float),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(unreadable(call, "number")),
    };
    otherwise(call, made)
}

fn otherwise(call: &Call<'_>, made: Answer) -> Answer {
    match (made, call.optional(1)) {
        (Err(_), Some(other)) => Ok(other.clone()),
        (made, _) => made,
    }
}

fn unreadable(call: &Call<'_>, wanted: &str) -> Trouble {
    let name = call.operation.name;
    Trouble::new(codes::KIND, format!("`{name}` cannot make a {wanted} of {}", describe(call.value(0))))
        .hint(format!("give a number for that case: `| {name}(0)`"))
}

pub(super) fn even(call: &Call<'_>) -> Result<bool, Trouble> {
    let value = call.value(0);
    let number = value.as_number().and_then(whole).ok_or_else(|| wrong(&call.what(), "a whole number", value))?;
    Ok(number % 2 == 0)
}

/// `range(to)`, `range(from, to)`, `range(from, to, step)`: whole numbers, `to` excluded.
pub(super) fn range(call: &Call<'_>) -> Answer {
    let number = |index: usize| call.optional(index).map(|value| integer("`range`", value)).transpose();
    let (first, second, step) = (number(0)?, number(1)?, number(2)?.unwrap_or(1));
    let (from, to) = match (first.unwrap_or(0), second) {
        (from, Some(to)) => (i128::from(from), i128::from(to)),
        (to, None) => (0, i128::from(to)),
    };
    if step == 0 {
        return Err(Trouble::new(codes::NUMBER, "the step of `range` is 0"));
    }
    let step = i128::from(step);
    let count = ((to - from + step - step.signum()) / step).max(0);
    call.budget.charge(u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(NODE_BYTES))?;
    (0..count).map(|index| from_whole(from + index * step)).collect()
}
