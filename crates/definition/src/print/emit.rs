//! A document tree as text: blocks where asked for, brackets where they are short.

use serde_json::{Map, Value};

use super::scalar;

/// Columns that a line in brackets may reach.
const COLUMNS_MAX: usize = 100;

/// Brackets in brackets in brackets are the most that is read at a glance.
const HEIGHT_MAX: usize = 3;

/// What is printed.
pub enum Doc {
    /// A value: in brackets if it is small, else on lines.
    Value(Value),
    /// A mapping on lines.
    Block(Vec<(String, Doc)>),
    /// A list on lines.
    Items(Vec<Doc>),
}

impl Doc {
    /// The same as JSON.
    pub fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Block(entries) => {
                Value::Object(entries.into_iter().map(|(key, doc)| (key, doc.into_value())).collect())
            }
            Self::Items(items) => Value::Array(items.into_iter().map(Self::into_value).collect()),
        }
    }
}

/// The whole text, with a final line break.
pub fn document(doc: &Doc) -> String {
    let mut out = String::new();
    match doc {
        Doc::Block(entries) => block(&mut out, entries, 0),
        Doc::Items(items) => list(&mut out, items.iter().map(Node::of), 0),
        Doc::Value(Value::Object(entries)) if !entries.is_empty() => object(&mut out, entries, 0),
        Doc::Value(value) => {
            after(&mut out, Node::Value(value), 0, 0);
            if out.starts_with([' ', '\n']) {
                out.remove(0);
            }
        }
    }
    out
}

/// A document node without its owner.
#[derive(Clone, Copy)]
enum Node<'d> {
    Value(&'d Value),
    Block(&'d [(String, Doc)]),
    Items(&'d [Doc]),
}

impl<'d> Node<'d> {
    fn of(doc: &'d Doc) -> Self {
        match doc {
            Doc::Value(value) => Self::Value(value),
            Doc::Block(entries) => Self::Block(entries),
            Doc::Items(items) => Self::Items(items),
        }
    }
}

fn block(out: &mut String, entries: &[(String, Doc)], indent: usize) {
    for (key, doc) in entries {
        entry(out, key, Node::of(doc), indent);
    }
}

fn object(out: &mut String, entries: &Map<String, Value>, indent: usize) {
    for (key, value) in entries {
        entry(out, key, Node::Value(value), indent);
    }
}

fn entry(out: &mut String, key: &str, node: Node<'_>, indent: usize) {
    pad(out, indent);
    let begin = out.len();
    out.push_str(&scalar::inline(key, false));
    out.push(':');
    let column = indent + out[begin..].chars().count();
    after(out, node, indent, column);
}

/// What follows `key:` or `-`: on the same line, or below it, deeper than `indent`.
fn after(out: &mut String, node: Node<'_>, indent: usize, column: usize) {
    match node {
        Node::Value(value) => match one_line(value, column) {
            Some(line) => {
                out.push(' ');
                out.push_str(&line);
                out.push('\n');
            }
            None => value_below(out, value, indent),
        },
        Node::Block(entries) => {
            out.push('\n');
            block(out, entries, indent + 2);
        }
        Node::Items(items) => {
            out.push('\n');
            list(out, items.iter().map(Node::of), indent + 2);
        }
    }
}

fn value_below(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(text) => block_text(out, text, indent),
        Value::Object(entries) => {
            out.push('\n');
            object(out, entries, indent + 2);
        }
        Value::Array(items) => {
            out.push('\n');
            list(out, items.iter().map(Node::Value), indent + 2);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => unreachable!("these fit one line"),
    }
}

fn block_text(out: &mut String, text: &str, indent: usize) {
    let (header, lines) = scalar::block(text).expect("only block texts do not fit one line");
    out.push(' ');
    out.push_str(header);
    out.push('\n');
    for line in lines {
        if !line.is_empty() {
            pad(out, indent + 2);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn list<'d>(out: &mut String, items: impl Iterator<Item = Node<'d>>, indent: usize) {
    for item in items {
        pad(out, indent);
        let begin = out.len();
        out.push('-');
        after(out, item, indent, indent + 1);
        // The first entry of a mapping stands beside the dash, two columns in, where it belongs.
        let below = format!("-\n{}", " ".repeat(indent + 2));
        if out[begin..].starts_with(&below) {
            out.replace_range(begin..begin + below.len(), "- ");
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// The value on one line, if a person would write it so.
fn one_line(value: &Value, column: usize) -> Option<String> {
    match value {
        Value::String(text) if scalar::block(text).is_some() => None,
        Value::String(text) => Some(scalar::inline(text, false)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => {
            let line = (height(value) <= HEIGHT_MAX).then(|| flow(value)).flatten()?;
            let is_empty = line.len() == 2;
            (is_empty || column + 1 + line.chars().count() <= COLUMNS_MAX).then_some(line)
        }
    }
}

/// How deep brackets nest in it, at most one more than is allowed.
fn height(value: &Value) -> usize {
    fn within(value: &Value, left: usize) -> usize {
        match value {
            _ if left == 0 => 0,
            Value::Array(items) => 1 + items.iter().map(|item| within(item, left - 1)).max().unwrap_or_default(),
            Value::Object(entries) => {
                1 + entries.values().map(|value| within(value, left - 1)).max().unwrap_or_default()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
    within(value, HEIGHT_MAX + 1)
}

/// In brackets; `None` if a text in it wants lines of its own, or if it is far too long.
fn flow(value: &Value) -> Option<String> {
    let parts: Option<Vec<String>> = match value {
        Value::String(text) if scalar::block(text).is_some() || text.len() > COLUMNS_MAX => return None,
        Value::String(text) => return Some(scalar::inline(text, true)),
        Value::Null | Value::Bool(_) | Value::Number(_) => return Some(value.to_string()),
        Value::Array(items) if items.len() > COLUMNS_MAX => return None,
        Value::Array(items) => items.iter().map(flow).collect(),
        Value::Object(entries) if entries.len() > COLUMNS_MAX => return None,
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| Some(format!("{}: {}", scalar::inline(key, true), flow(value)?)))
            .collect(),
    };
    let inside = parts?.join(", ");
    Some(if value.is_array() { format!("[{inside}]") } else { format!("{{{inside}}}") })
}
