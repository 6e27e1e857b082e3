//! `+ - * / // % ~` and the unary `-`.

use serde_json::{Number, Value};

use super::super::codes;
use super::super::error::Trouble;
use super::super::syntax::Arithmetic;
use super::super::text::append;
use super::budget::{Budget, Weigh};
use super::types::describe;

/// `first OP operand OP operand ..`, from left to right. `first` is copied once, the rest is added in place.
pub(crate) fn chain(
    first: &Value,
    rest: &[(Arithmetic, &Value)],
    shown: &[&str],
    budget: &Budget,
) -> Result<Value, Trouble> {
    if rest.iter().all(|(operator, _)| *operator == Arithmetic::Concatenate) {
        return concatenate(first, rest, shown, budget);
    }
    budget.charge_copy(first)?;
    let mut result = first.clone();
    for (operator, operand) in rest {
        result = apply(result, *operator, operand, budget)?;
    }
    Ok(result)
}

fn concatenate(
    first: &Value,
    rest: &[(Arithmetic, &Value)],
    shown: &[&str],
    budget: &Budget,
) -> Result<Value, Trouble> {
    let mut text = String::new();
    let operands = std::iter::once(first).chain(rest.iter().map(|(_, operand)| *operand));
    for (index, operand) in operands.enumerate() {
        append(&mut text, operand, shown.get(index).copied().unwrap_or_default(), budget)?;
    }
    Ok(Value::String(text))
}

fn apply(left: Value, operator: Arithmetic, right: &Value, budget: &Budget) -> Result<Value, Trouble> {
    match (operator, left, right) {
        (Arithmetic::Add, Value::String(mut left), Value::String(right)) => {
            budget.charge(right.len() as u64)?;
            left.push_str(right);
            Ok(Value::String(left))
        }
        (Arithmetic::Add, Value::Array(mut left), Value::Array(right)) => {
            budget.charge(right.iter().map(Weigh::weight).sum())?;
            left.extend(right.iter().cloned());
            Ok(Value::Array(left))
        }
        (operator, Value::Number(left), Value::Number(right)) => calculate(&left, operator, right),
        (operator, left, right) => Err(unsuitable(operator, &left, right)),
    }
}

fn unsuitable(operator: Arithmetic, left: &Value, right: &Value) -> Trouble {
    let message = format!("`{}` does not fit {} and {}", operator.sign(), describe(left), describe(right));
    let hint = match operator {
        Arithmetic::Add => "`+` adds numbers, joins two texts or two lists; `~` joins anything as text",
        Arithmetic::Subtract => "for a name with a hyphen that is no step, input or output write `['a-b']`",
        Arithmetic::Multiply
        | Arithmetic::Divide
        | Arithmetic::DivideFloor
        | Arithmetic::Remainder
        | Arithmetic::Concatenate => "numbers are needed; `| int` and `| float` make a number of a text",
    };
    Trouble::new(codes::KIND, message).hint(hint)
}

pub(crate) fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// A JSON number of a whole number, or a complaint that it does not fit 64 bits.
pub(crate) fn from_whole(number: i128) -> Result<Value, Trouble> {
    i64::try_from(number)
        .map(Value::from)
        .or_else(|_| u64::try_from(number).map(Value::from))
        .map_err(|_| Trouble::new(codes::NUMBER, "the result does not fit a whole number of 64 bits"))
}

/// A JSON number of a float, or a complaint that it is not finite.
pub(crate) fn from_float(number: f64) -> Result<Value, Trouble> {
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or_else(|| Trouble::new(codes::NUMBER, "the result is not a finite number"))
}

fn calculate(left: &Number, operator: Arithmetic, right: &Number) -> Result<Value, Trouble> {
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) if operator != Arithmetic::Divide => calculate_whole(left, operator, right),
        _ => {
            let float = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
            calculate_float(float(left), operator, float(right))
        }
    }
}

fn calculate_whole(left: i128, operator: Arithmetic, right: i128) -> Result<Value, Trouble> {
    // Both sides fit 65 bits: only a product can pass i128, and then it does not fit 64 bits either.
    let result = match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left.checked_mul(right).unwrap_or(i128::MAX),
        Arithmetic::DivideFloor | Arithmetic::Remainder if right == 0 => return Err(by_zero()),
        Arithmetic::DivideFloor => floor(left, right),
        Arithmetic::Remainder => left - right * floor(left, right),
        Arithmetic::Divide | Arithmetic::Concatenate => {
            return calculate_float(left as f64, operator, right as f64);
        }
    };
    from_whole(result)
}

fn floor(left: i128, right: i128) -> i128 {
    left.div_euclid(right) - i128::from(right < 0 && left.rem_euclid(right) != 0)
}

fn calculate_float(left: f64, operator: Arithmetic, right: f64) -> Result<Value, Trouble> {
    let result = match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide | Arithmetic::DivideFloor | Arithmetic::Remainder if right == 0.0 => return Err(by_zero()),
        Arithmetic::Divide => left / right,
        Arithmetic::DivideFloor => (left / right).floor(),
        Arithmetic::Remainder => left - right * (left / right).floor(),
        Arithmetic::Concatenate => return Err(unsuitable(operator, &left.into(), &right.into())),
    };
    from_float(result)
}

fn by_zero() -> Trouble {
    Trouble::new(codes::NUMBER, "a division by zero")
}

/// `-value`.
pub(crate) fn negate(value: &Value) -> Result<Value, Trouble> {
    match value {
        Value::Number(number) => match whole(number) {
            Some(number) => from_whole(-number),
            None => from_float(-number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(super::types::wrong("a minus sign", "a number", value))
        }
    }
}
