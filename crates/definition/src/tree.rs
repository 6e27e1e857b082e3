//! YAML and JSON as one tree in which every node knows its place.
//!
//! This module must not know any workflow key. Dialects rewrite trees; `lower` reads them.
//!
//! ```text
//! text --read (events, limits)--> tape --build (aliases, merge keys, duplicate keys)--> Node
//! ```
//! The tape is flat, so that depth and size are known before anything nested is built: no hostile text
//! reaches recursion or memory that its limits do not bound.

mod build;
mod place;
mod read;
mod scalar;
mod scan_error;
#[cfg(test)]
mod tests;

use serde_json::{Number, Value};
use skep_model::limits;
use skep_model::problem::{Place, Problem, Severity};

use crate::codes;
use crate::diagnostic::{Collector, Hint, error};

/// How deep lists and mappings nest in a text. A nested list of steps takes up to four levels of the tree
/// (list, step, the kind's mapping, the branch), hence four times the limit of step lists.
pub const TREE_DEPTH_MAX: usize = 4 * limits::NESTING_MAX;

/// A node of the tree. Aliases are expanded, anchors gone, duplicate keys were reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it holds.
    pub content: Content,
    /// Where it stands; nodes that a dialect makes take the place of what they stand for.
    pub place: Place,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false` and no other word (YAML 1.2).
    Bool(bool),
    /// An integer that fits 64 bits.
    Integer(i64),
    /// Any other number, with its text as written (`1.10`).
    Float(f64, String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the text.
    Map(Vec<Entry>),
}

/// An entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key; YAML keys that are not text become their text.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub value: Node,
}

/// A text that was read: the tree as far as there is one, and everything to say about the text.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// `None` if the text is no YAML. With duplicate keys there is a tree (the first ones win) and an error.
    pub node: Option<Node>,
    /// Errors and warnings in the order of the text.
    pub problems: Vec<Problem>,
}

/// Reads YAML 1.2 or JSON and returns the tree, or all errors. Warnings are dropped: see [`parse_all`].
///
/// # Errors
/// Syntax, limits, duplicate keys, an empty text, more than one document: each with its place.
pub fn parse(text: &str) -> Result<Node, Vec<Problem>> {
    let Parsed { node, mut problems } = parse_all(text);
    problems.retain(|problem| problem.severity == Severity::Error);
    match node {
        Some(node) if problems.is_empty() => Ok(node),
        Some(_) | None => Err(problems),
    }
}

/// Reads YAML 1.2 or JSON and keeps warnings, and the tree even where it has duplicate keys.
pub fn parse_all(text: &str) -> Parsed {
    let mut problems = Collector::default();
    let node = parse_into(text, &mut problems);
    Parsed { node, problems: problems.finish() }
}

fn parse_into(text: &str, problems: &mut Collector) -> Option<Node> {
    if text.len() > limits::DEFINITION_BYTES_MAX {
        problems.push(
            error(
                &codes::TOO_LONG,
                Some(Place { line: 1, column: 1, start: 0, end: 0 }),
                format!(
                    "the text has {} bytes; a definition has at most {} (DEFINITION_BYTES_MAX)",
                    text.len(),
                    limits::DEFINITION_BYTES_MAX
                ),
            )
            .hint("move long scripts and data into files beside the definition, or split the workflow"),
        );
        return None;
    }
    let tape = read::tape(text).map_err(|problem| problems.push(problem)).ok()?;
    build::tree(&tape, problems)
}

/// As [`parse_all`], from bytes: broken UTF-8 is an error with its place.
pub fn parse_bytes(bytes: &[u8]) -> Parsed {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse_all(text),
        Err(broken) => {
            let good = broken.valid_up_to();
            let text = std::str::from_utf8(&bytes[..good]).expect("from_utf8 said that this part is valid");
            let mut place = place::exactly_at(text, good);
            place.end = good + 1;
            let message = format!("byte {good} (0x{:02x}) is not valid UTF-8", bytes[good]);
            let problem = error(&codes::NOT_UTF8, Some(place), message)
                .hint("save the file as UTF-8, for example `iconv -f latin1 -t utf-8 FILE`");
            Parsed { node: None, problems: vec![problem] }
        }
    }
}

impl Node {
    /// A node that holds `content` and stands at `place`.
    pub fn new(content: Content, place: Place) -> Self {
        Self { content, place }
    }

    /// A text.
    pub fn text(text: impl Into<String>, place: Place) -> Self {
        Self::new(Content::Text(text.into()), place)
    }

    /// An integer.
    pub fn integer(number: i64, place: Place) -> Self {
        Self::new(Content::Integer(number), place)
    }

    /// `true` or `false`.
    pub fn boolean(value: bool, place: Place) -> Self {
        Self::new(Content::Bool(value), place)
    }

    /// A list.
    pub fn list(items: Vec<Self>, place: Place) -> Self {
        Self::new(Content::List(items), place)
    }

    /// A mapping.
    pub fn map(entries: Vec<Entry>, place: Place) -> Self {
        Self::new(Content::Map(entries), place)
    }

    /// The entries, if it is a mapping.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            Content::Null
            | Content::Bool(_)
            | Content::Integer(_)
            | Content::Float(..)
            | Content::Text(_)
            | Content::List(_) => None,
        }
    }

    /// The entries to change, if it is a mapping.
    pub fn as_map_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match &mut self.content {
            Content::Map(entries) => Some(entries),
            Content::Null
            | Content::Bool(_)
            | Content::Integer(_)
            | Content::Float(..)
            | Content::Text(_)
            | Content::List(_) => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.content {
            Content::List(items) => Some(items),
            Content::Null
            | Content::Bool(_)
            | Content::Integer(_)
            | Content::Float(..)
            | Content::Text(_)
            | Content::Map(_) => None,
        }
    }

    /// The text, if it is one (numbers and booleans are not).
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Null
            | Content::Bool(_)
            | Content::Integer(_)
            | Content::Float(..)
            | Content::List(_)
            | Content::Map(_) => None,
        }
    }

    /// The text of a text, number or boolean, numbers as they were written; `None` for the others.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.content {
            Content::Text(text) | Content::Float(_, text) => Some(text.clone()),
            Content::Bool(value) => Some(value.to_string()),
            Content::Integer(number) => Some(number.to_string()),
            Content::Null | Content::List(_) | Content::Map(_) => None,
        }
    }

    /// True for `null`, `~` and nothing.
    pub fn is_null(&self) -> bool {
        self.content == Content::Null
    }

    /// The value under `key`, if it is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of `key`, if it is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.iter().find(|entry| entry.key == key)
    }

    /// Takes the entry of `key` out, if it is a mapping that has it.
    pub fn take(&mut self, key: &str) -> Option<Entry> {
        let entries = self.as_map_mut()?;
        let at = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(at))
    }

    /// Appends an entry; does nothing if it is no mapping. The caller sees to it that the key is new.
    pub fn insert(&mut self, key: impl Into<String>, value: Self) {
        let entry = Entry { key: key.into(), key_place: value.place, value };
        if let Some(entries) = self.as_map_mut() {
            entries.push(entry);
        }
    }

    /// What it is, for messages: `a list`, `the number 3`, `the text "x"`.
    pub fn describe(&self) -> String {
        match &self.content {
            Content::Null => "nothing".to_owned(),
            Content::Bool(value) => format!("`{value}`"),
            Content::Integer(number) => format!("the number {number}"),
            Content::Float(_, text) => format!("the number {text}"),
            Content::Text(text) if text.chars().count() <= DESCRIBED_CHARACTERS_MAX && !text.contains('\n') => {
                format!("the text \"{text}\"")
            }
            Content::Text(_) => "a long text".to_owned(),
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The same as JSON. Numbers that JSON cannot hold (there are none after [`parse`]) become null.
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Integer(number) => Value::from(*number),
            Content::Float(number, _) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Content::Map(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect())
            }
        }
    }

    /// JSON as a tree whose every node stands at `place`.
    pub fn from_value(value: &Value, place: Place) -> Self {
        let content = match value {
            Value::Null => Content::Null,
            Value::Bool(value) => Content::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Content::Integer(number),
                None => Content::Float(number.as_f64().unwrap_or(f64::MAX), number.to_string()),
            },
            Value::String(text) => Content::Text(text.clone()),
            Value::Array(items) => Content::List(items.iter().map(|item| Self::from_value(item, place)).collect()),
            Value::Object(entries) => Content::Map(
                entries
                    .iter()
                    .map(|(key, value)| Entry::new(key.clone(), place, Self::from_value(value, place)))
                    .collect(),
            ),
        };
        Self { content, place }
    }
}

/// A longer text is named, not quoted, in a message that has to stay one line.
const DESCRIBED_CHARACTERS_MAX: usize = 60;

impl Entry {
    /// An entry whose key stands at `key_place`.
    pub fn new(key: impl Into<String>, key_place: Place, value: Node) -> Self {
        Self { key: key.into(), key_place, value }
    }
}
