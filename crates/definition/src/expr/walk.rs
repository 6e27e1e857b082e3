//! Accesses by written keys: the whole work of a plain path, and a part of every other expression.

use serde_json::Value;

use super::codes;
use super::error::{Error, Trouble};
use super::operations::describe;
use super::suggest;
use super::syntax::{Key, KeyKind};
use super::text::shorten;

/// Follows `keys` from `value`.
pub(crate) fn walk<'a>(mut value: &'a Value, keys: &[Key]) -> Result<&'a Value, Error> {
    for key in keys {
        value = step(value, &key.at, &key.subject).map_err(|trouble| trouble.at(key.span))?;
    }
    Ok(value)
}

/// Follows `keys` from `value`; `None` where a key is missing, or stands after a null.
///
/// A name asked of a list, a position asked of an object and any key of a scalar are errors even here.
pub(crate) fn walk_if_there<'a>(mut value: &'a Value, keys: &[Key]) -> Result<Option<&'a Value>, Error> {
    for key in keys {
        match step(value, &key.at, &key.subject) {
            Ok(next) => value = next,
            Err(trouble) if [codes::MISSING, codes::NULL].contains(&trouble.code) => return Ok(None),
            Err(trouble) => return Err(trouble.at(key.span)),
        }
    }
    Ok(Some(value))
}

/// One access; `subject` is the source text of `value`, for the message.
pub(crate) fn step<'a>(value: &'a Value, key: &KeyKind, subject: &str) -> Result<&'a Value, Trouble> {
    match (value, key) {
        (Value::Object(map), KeyKind::Name(name)) => map.get(name).ok_or_else(|| missing_name(value, name, subject)),
        (Value::Array(items), KeyKind::Position(position)) => {
            at_position(items, *position).ok_or_else(|| missing_position(items.len(), *position, subject))
        }
        (Value::Null, KeyKind::Name(_) | KeyKind::Position(_)) => Err(of_null(key, subject)),
        _ => Err(no_such_access(value, key, subject)),
    }
}

fn at_position(items: &[Value], position: i64) -> Option<&Value> {
    let distance = usize::try_from(position.unsigned_abs()).ok()?;
    let index = if position < 0 { items.len().checked_sub(distance)? } else { distance };
    items.get(index)
}

fn shown(key: &KeyKind) -> String {
    match key {
        KeyKind::Name(name) => format!("`{}`", shorten(name)),
        KeyKind::Position(position) => format!("`[{position}]`"),
    }
}

fn missing_name(value: &Value, name: &str, subject: &str) -> Trouble {
    let keys = value.as_object().into_iter().flat_map(|map| map.keys()).map(String::as_str);
    let exists = suggest::hint(name, keys);
    Trouble::new(codes::MISSING, format!("`{}` has no key `{}`", shorten(subject), shorten(name)))
        .hint(format!("{exists}; if it may be missing: `.get('{}', ..)`", shorten(name)))
}

fn missing_position(length: usize, position: i64, subject: &str) -> Trouble {
    let entries = if length == 1 { "entry" } else { "entries" };
    Trouble::new(
        codes::MISSING,
        format!("`{}` has no position {position}: it has {length} {entries}", shorten(subject)),
    )
    .hint("positions count from 0; `[-1]` is the last")
}

fn of_null(key: &KeyKind, subject: &str) -> Trouble {
    Trouble::new(codes::NULL, format!("`{}` is null and has no {}", shorten(subject), shown(key)))
        .hint("outputs of a skipped step are null; ask first with `is none`, or give `| default(..)`")
}

fn no_such_access(value: &Value, key: &KeyKind, subject: &str) -> Trouble {
    let message = format!("`{}` is {} and has no {}", shorten(subject), describe(value), shown(key));
    let hint = match (value, key) {
        (Value::Array(_), KeyKind::Name(_)) => "a list is read by position, `[0]`, or with `| map('name')`",
        (Value::Object(_), KeyKind::Position(_)) => "an object is read by name, `.name` or `['name']`",
        (Value::String(_), KeyKind::Name(_)) => "if it holds JSON, read it with `(.. | fromjson).name`",
        (Value::String(_), KeyKind::Position(_)) => "a part of a text is a slice: `[0:1]`",
        _ => "only objects have names and only lists have positions",
    };
    Trouble::new(codes::KIND, message).hint(hint)
}
