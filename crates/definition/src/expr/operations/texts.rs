//! Operations on texts, and between values and texts.

use serde_json::Value;

use super::super::codes;
use super::super::error::Trouble;
use super::super::text::{append, check_length, json};
use super::budget::NODE_BYTES;
use super::table::Call;

type Answer = Result<Value, Trouble>;

/// Reads the subject as text and charges a result of about its length.
fn subject<'a>(call: &Call<'a>) -> Result<&'a str, Trouble> {
    let text = call.text(0)?;
    // Lower and upper case of some letters take up to three bytes for two.
    call.budget.charge(2 * text.len() as u64)?;
    Ok(text)
}

pub(super) fn lower(call: &Call<'_>) -> Answer {
    subject(call).map(|text| text.to_lowercase().into())
}

pub(super) fn upper(call: &Call<'_>) -> Answer {
    subject(call).map(|text| text.to_uppercase().into())
}

pub(super) fn trim(call: &Call<'_>) -> Answer {
    subject(call).map(|text| text.trim().into())
}

pub(super) fn replace(call: &Call<'_>) -> Answer {
    let (text, old, new) = (subject(call)?, call.text(1)?, call.text(2)?);
    if old.is_empty() {
        return Err(Trouble::new(codes::KIND, "`replace` wants a text to look for, not an empty one"));
    }
    let count = text.matches(old).count();
    let length = text.len() - count * old.len() + count.saturating_mul(new.len());
    check_length(length)?;
    call.budget.charge(length as u64)?;
    Ok(text.replace(old, new).into())
}

/// With a separator: the pieces between; without: the words.
pub(super) fn split(call: &Call<'_>) -> Answer {
    let text = subject(call)?;
    match call.optional(1) {
        None | Some(Value::Null) => pieces(call, || text.split_whitespace()),
        Some(_) => match call.text(1)? {
            "" => Err(Trouble::new(codes::KIND, "`split` wants a separator, not an empty text")),
            separator => pieces(call, || text.split(separator)),
        },
    }
}

pub(super) fn lines(call: &Call<'_>) -> Answer {
    let text = subject(call)?;
    pieces(call, || text.lines())
}

fn pieces<'a, I: Iterator<Item = &'a str>>(call: &Call<'_>, split: impl Fn() -> I) -> Answer {
    call.budget.charge(split().count() as u64 * NODE_BYTES)?;
    Ok(split().map(Value::from).collect())
}

pub(super) fn string(call: &Call<'_>) -> Answer {
    let mut text = String::new();
    append(&mut text, call.value(0), "the value before `string`", call.budget)?;
    Ok(text.into())
}

pub(super) fn to_json(call: &Call<'_>) -> Answer {
    call.budget.charge_copy(call.value(0))?;
    json(call.value(0)).map(Value::from)
}

pub(super) fn from_json(call: &Call<'_>) -> Answer {
    let text = call.text(0)?;
    // Every second byte can be a value of its own (`[0,0,0]`), and each costs a node.
    let values = text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{' | b':')).count() as u64 + 1;
    call.budget.charge(text.len() as u64 + values * NODE_BYTES)?;
    serde_json::from_str(text).map_err(|error| {
        Trouble::new(codes::KIND, format!("`fromjson` cannot read the text as JSON: {error}"))
            .hint("print the text to see what it is; `json` of a step is null where its output is not JSON")
    })
}

pub(super) fn starts_with(call: &Call<'_>) -> Answer {
    Ok(call.text(0)?.starts_with(call.text(1)?).into())
}

pub(super) fn ends_with(call: &Call<'_>) -> Answer {
    Ok(call.text(0)?.ends_with(call.text(1)?).into())
}

pub(super) fn contains(call: &Call<'_>) -> Answer {
    let (text, part) = (subject(call)?, call.text(1)?);
    Ok(text.contains(part).into())
}
