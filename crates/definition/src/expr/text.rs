//! Values as text.

use std::io;

use serde_json::Value;
use skep_model::limits::EXPRESSION_RESULT_BYTES_MAX;

use super::codes;
use super::error::Trouble;
use super::operations::{Budget, Weigh};

/// Adds `value` as text: a text as it is, numbers and booleans in JSON form, lists and objects as compact JSON;
/// null is an error that names `shown`, the expression as written.
pub(crate) fn append(text: &mut String, value: &Value, shown: &str, budget: &Budget) -> Result<(), Trouble> {
    match value {
        Value::Null => {
            return Err(Trouble::new(codes::NULL, format!("`{}` is null and has no text", shorten(shown)))
                .hint("give a text for that case: `| default('none')`; or ask with `is none`"));
        }
        Value::String(piece) => {
            check_length(text.len() + piece.len())?;
            budget.charge(piece.len() as u64)?;
            text.push_str(piece);
        }
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::Array(_) | Value::Object(_) => {
            budget.charge(value.weight())?;
            text.push_str(&json(value)?);
        }
    }
    check_length(text.len())
}

/// Compact JSON, stopped as soon as it passes the limit of results: quotes and backslashes double each time.
pub(crate) fn json(value: &Value) -> Result<String, Trouble> {
    let mut bytes = Limited(Vec::new());
    if serde_json::to_writer(&mut bytes, value).is_err() {
        check_length(usize::MAX)?;
    }
    Ok(String::from_utf8(bytes.0).expect("serde_json writes UTF-8"))
}

/// A buffer that takes no more than the limit of results.
struct Limited(Vec<u8>);

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > EXPRESSION_RESULT_BYTES_MAX {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Refuses texts over the limit of results.
pub(crate) fn check_length(bytes: usize) -> Result<(), Trouble> {
    if bytes <= EXPRESSION_RESULT_BYTES_MAX {
        return Ok(());
    }
    Err(Trouble::new(codes::BUDGET, format!("the text is longer than {EXPRESSION_RESULT_BYTES_MAX} bytes"))
        .hint("hand over the parts, or write a file in a step"))
}

/// Longest piece of source that a message quotes, in characters.
const SHOWN_MAX: usize = 60;

/// An expression for a message.
pub(crate) fn shorten(shown: &str) -> String {
    let shown = shown.trim();
    match shown.char_indices().nth(SHOWN_MAX) {
        None => shown.to_owned(),
        Some((end, _)) => format!("{}..", &shown[..end]),
    }
}
