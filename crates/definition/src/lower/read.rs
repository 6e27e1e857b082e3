//! Typed values out of mappings. Every reader reports what it cannot take and answers as if it were absent.

use std::collections::HashMap;

use serde_json::Value;
use skep_model::Map;
use skep_model::code::Code;
use skep_model::problem::{Place, Problem};
use skep_model::span::parse_duration_ms;

use crate::codes;
use crate::diagnostic::{Collector, Hint, error};
use crate::keys::{self, Key, Role, STEP, Type, WORKFLOW};
use crate::tree::{Content, Entry, Node};

/// What lowering knows while it reads.
#[derive(Default)]
pub struct Lowering {
    /// Found so far.
    pub problems: Collector,
    /// Step ids with their places: unique in the whole workflow.
    pub ids: HashMap<String, Place>,
    /// Steps seen.
    pub steps: usize,
}

/// A mapping with its table of keys.
#[derive(Clone, Copy)]
pub struct Fields<'n> {
    /// Its entries.
    pub entries: &'n [Entry],
    /// Where it stands.
    pub place: Place,
    table: &'static [Key],
}

/// A written key with its value.
#[derive(Clone, Copy)]
pub struct Field<'n> {
    /// Its row in the table.
    pub key: &'static Key,
    /// Where the key stands.
    pub key_place: Place,
    /// Its value, never null.
    pub node: &'n Node,
}

impl<'n> Fields<'n> {
    /// The entries whose keys the table does not have.
    fn unknown(&self) -> impl Iterator<Item = &'n Entry> {
        let table = self.table;
        self.entries.iter().filter(move |entry| keys::find(table, &entry.key).is_none())
    }

    /// True if an unknown key was probably meant to be one of these: then it is not missing, too.
    pub fn misspells(&self, is_meant: impl Fn(&Key) -> bool) -> bool {
        let unknown = self.unknown().take(UNKNOWN_KEYS_MAX);
        let names = || self.table.iter().map(|key| key.name);
        let mut meant =
            unknown.filter_map(|entry| keys::find(self.table, crate::suggest::nearest(&entry.key, names())?));
        meant.any(is_meant)
    }

    /// The names with this role, in the order in which they were written.
    pub fn written(&self, table: &'static [Key], role: Role) -> Vec<&'static str> {
        let keys = self.entries.iter().filter_map(|entry| keys::find(table, &entry.key));
        keys.filter(|key| key.role == role).map(|key| key.name).collect()
    }

    /// True if the key was written with a value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The field of this name, if the mapping can have it and it was written with a value.
    pub fn get(&self, name: &str) -> Option<Field<'n>> {
        let key = keys::find(self.table, name)?;
        let entry = self.entries.iter().find(|entry| entry.key == name && !entry.value.is_null())?;
        Some(Field { key, key_place: entry.key_place, node: &entry.value })
    }
}

impl Lowering {
    /// Adds an error with its remedy.
    pub fn error(&mut self, code: &Code, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(error(code, Some(place), message).hint(hint));
    }

    /// The mapping with the keys of `table`; unknown and missing keys are reported. `what` names it in messages.
    pub fn fields<'n>(&mut self, node: &'n Node, table: &'static [Key], what: &str) -> Option<Fields<'n>> {
        let Some(entries) = node.as_map() else {
            let message = format!("{what} is a mapping, this is {}", node.describe());
            self.error(&codes::WRONG_TYPE, node.place, message, shape_of(table));
            return None;
        };
        let fields = Fields { entries, place: node.place, table };
        self.refuse_unknown(fields, what);
        for key in table.iter().filter(|key| key.required) {
            if !fields.has(key.name) && !self.problems.is_full() && !fields.misspells(|meant| meant.name == key.name) {
                let message = format!("{what} needs `{}`", key.name);
                self.error(&codes::MISSING_KEY, first_line(node.place), message, format!("add `{}`", key.example));
            }
        }
        Some(fields)
    }

    fn refuse_unknown(&mut self, fields: Fields<'_>, what: &str) {
        for (index, entry) in fields.unknown().enumerate() {
            if index < UNKNOWN_KEYS_MAX && !self.problems.is_full() {
                self.problems.push(unknown_key(entry, fields.table, what));
            } else {
                self.problems.count(1);
            }
        }
    }

    /// Reports that the value of a field is not what its key wants.
    pub fn wrong_type(&mut self, field: Field<'_>) {
        let wanted = field.key.of.describe();
        let message = format!("`{}` is {wanted}, this is {}", field.key.name, field.node.describe());
        self.error(&codes::WRONG_TYPE, field.node.place, message, format!("for example `{}`", field.key.example));
    }

    /// A text; numbers and booleans give their text.
    pub fn text(&mut self, fields: Fields<'_>, name: &str) -> Option<String> {
        let field = fields.get(name)?;
        let text = field.node.scalar_text();
        if text.is_none() {
            self.wrong_type(field);
        }
        text
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, fields: Fields<'_>, name: &str) -> Option<bool> {
        let field = fields.get(name)?;
        if let Content::Bool(value) = field.node.content {
            return Some(value);
        }
        self.wrong_type(field);
        None
    }

    /// A whole number within the bounds of its key.
    pub fn integer(&mut self, fields: Fields<'_>, name: &str) -> Option<u32> {
        let field = fields.get(name)?;
        self.integer_of(field)
    }

    /// The same of a field.
    pub fn integer_of(&mut self, field: Field<'_>) -> Option<u32> {
        let Content::Integer(number) = field.node.content else {
            self.wrong_type(field);
            return None;
        };
        let (min, max) = bounds(&field.key.of);
        if (min..=max).contains(&number) {
            return u32::try_from(number).ok();
        }
        let message = format!("`{}` is a whole number from {min} to {max}, this is {number}", field.key.name);
        self.error(&codes::OUT_OF_RANGE, field.node.place, message, format!("for example `{}`", field.key.example));
        None
    }

    /// A number, whole or not.
    pub fn number_of(&mut self, field: Field<'_>) -> Option<f64> {
        match &field.node.content {
            Content::Integer(number) => Some(*number as f64),
            Content::Float(number, _) => Some(*number),
            Content::Null | Content::Bool(_) | Content::Text(_) | Content::List(_) | Content::Map(_) => {
                self.wrong_type(field);
                None
            }
        }
    }

    /// A length of time in milliseconds.
    pub fn duration(&mut self, fields: Fields<'_>, name: &str) -> Option<u64> {
        let field = fields.get(name)?;
        self.duration_of(field.node, name)
    }

    /// A length of time in milliseconds, out of the value of the key `name`.
    pub fn duration_of(&mut self, node: &Node, name: &str) -> Option<u64> {
        let read = node.as_text().and_then(parse_duration_ms);
        if read.is_none() {
            let hint = match &node.content {
                Content::Integer(number) if name == "timeout" => format!(
                    "write the unit: `{name}: {number}s` for seconds, `{name}: {number}ms` for milliseconds; `timeout_seconds: {number}` is seconds, too"
                ),
                Content::Integer(number) => {
                    format!("write the unit: `{name}: {number}s` for seconds, `{name}: {number}ms` for milliseconds")
                }
                _ if node.as_text().is_some_and(|text| text.contains("${{")) => {
                    "an expression cannot stand here: the time is fixed before the start".to_owned()
                }
                _ => format!("write a number and its unit: `{name}: 10s`, `5m`, `8h`, `3d`, `1h30m`"),
            };
            let message = format!("`{name}` is a length of time with its unit, this is {}", node.describe());
            self.error(&codes::DURATION, node.place, message, hint);
        }
        read
    }

    /// `timeout` or `timeout_seconds`, in milliseconds.
    pub fn timeout(&mut self, fields: Fields<'_>) -> Option<u64> {
        if let (Some(_), Some(second)) = (fields.get("timeout"), fields.get("timeout_seconds")) {
            self.conflict(second.key_place, "`timeout` and `timeout_seconds` say the same thing", "keep one of them");
        }
        let seconds = self.integer(fields, "timeout_seconds").map(|seconds| u64::from(seconds) * 1_000);
        self.duration(fields, "timeout").or(seconds)
    }

    /// Reports two keys that exclude each other.
    pub fn conflict(&mut self, place: Place, message: impl Into<String>, hint: &str) {
        self.error(&codes::CONFLICT, place, message, hint);
    }

    /// One of the words of its key.
    pub fn word(&mut self, fields: Fields<'_>, name: &str) -> Option<&'static str> {
        let field = fields.get(name)?;
        let Type::Words(words) = field.key.of else { unreachable!("only keys of words are read as words") };
        self.word_of(field.node, name, words)
    }

    /// One of these words, out of the value of the key `name`.
    pub fn word_of(&mut self, node: &Node, name: &str, words: &'static [&'static str]) -> Option<&'static str> {
        let written = node.scalar_text().unwrap_or_default();
        let found = words.iter().copied().find(|word| *word == written);
        if found.is_none() {
            let message = format!("`{name}` is {}, this is {}", keys::one_of(words), node.describe());
            let hint = match crate::suggest::nearest(&written, words.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("for example `{name}: {}`", words[0]),
            };
            self.error(&codes::UNKNOWN_WORD, node.place, message, hint);
        }
        found
    }

    /// What `parse` makes of the value of the key `name`, which is one of the `known` words.
    pub fn one_of<T>(&mut self, node: &Node, name: &str, known: &[&str], parse: fn(&str) -> Option<T>) -> Option<T> {
        let written = node.scalar_text().unwrap_or_default();
        let read = parse(&written);
        if read.is_none() {
            let hint = match crate::suggest::nearest(&written, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => keys::one_of(known),
            };
            let message = format!("`{name}` does not know {}", node.describe());
            self.error(&codes::UNKNOWN_WORD, node.place, message, hint);
        }
        read
    }

    /// A list of texts, or one text.
    pub fn texts(&mut self, fields: Fields<'_>, name: &str) -> Vec<String> {
        let Some(field) = fields.get(name) else { return Vec::new() };
        if let Some(text) = field.node.scalar_text() {
            return vec![text];
        }
        let texts = field.node.as_list().and_then(|items| items.iter().map(Node::scalar_text).collect());
        if texts.is_none() {
            self.wrong_type(field);
        }
        texts.unwrap_or_default()
    }

    /// Names to texts; numbers and booleans give their text, nothing gives an empty one.
    pub fn text_map(&mut self, fields: Fields<'_>, name: &str) -> Map<String> {
        let Some(field) = fields.get(name) else { return Map::new() };
        let Some(entries) = field.node.as_map() else {
            self.wrong_type(field);
            return Map::new();
        };
        let mut texts = Map::new();
        for entry in entries {
            match entry.value.scalar_text() {
                Some(text) => _ = texts.insert(entry.key.clone(), text),
                None if entry.value.is_null() => _ = texts.insert(entry.key.clone(), String::new()),
                None => {
                    let message = format!("`{}` in `{name}` is a text, this is {}", entry.key, entry.value.describe());
                    let hint = "pass structured values as JSON: \"${{ inputs.x | tojson }}\"";
                    self.error(&codes::WRONG_TYPE, entry.value.place, message, hint);
                }
            }
        }
        texts
    }

    /// Names to values as written; their shape is compared with the key's type.
    pub fn value_map(&mut self, fields: Fields<'_>, name: &str) -> Map<Value> {
        let Some(field) = fields.get(name) else { return Map::new() };
        self.check_shape(field);
        let entries = field.node.as_map().unwrap_or_default();
        entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect()
    }

    /// A value as written; its shape is compared with the key's type.
    pub fn value(&mut self, fields: Fields<'_>, name: &str) -> Option<Value> {
        let field = fields.get(name)?;
        self.check_shape(field).then(|| field.node.to_value())
    }

    /// A list of values as written.
    pub fn values(&mut self, fields: Fields<'_>, name: &str) -> Vec<Value> {
        let Some(field) = fields.get(name) else { return Vec::new() };
        self.check_shape(field);
        field.node.as_list().unwrap_or_default().iter().map(Node::to_value).collect()
    }
}

/// Where something is missing: the beginning of what it is missing in.
fn first_line(place: Place) -> Place {
    Place { end: (place.start + 1).min(place.end), ..place }
}

/// Bounds of a whole number in a type.
fn bounds(of: &Type) -> (i64, i64) {
    match of {
        Type::Integer { min, max } => (*min, *max),
        Type::Either(types) => {
            types.iter().find(|of| matches!(of, Type::Integer { .. })).map_or((0, i64::from(u32::MAX)), bounds)
        }
        Type::Text
        | Type::Boolean
        | Type::Number
        | Type::Duration
        | Type::Words(_)
        | Type::Texts
        | Type::TextMap
        | Type::ValueMap
        | Type::Values
        | Type::Any
        | Type::Object(_)
        | Type::Objects(_)
        | Type::ObjectMap(_)
        | Type::Steps
        | Type::Branches => (0, i64::from(u32::MAX)),
    }
}

/// How a mapping of this table looks, for a hint.
fn shape_of(table: &'static [Key]) -> String {
    let first = table.iter().find(|key| key.required).unwrap_or(&table[0]);
    format!("write it as `{{{}, ..}}`", first.example)
}

fn unknown_key(entry: &Entry, table: &'static [Key], what: &str) -> Problem {
    let mut shown = entry.key.clone();
    shown.truncate(shown.char_indices().nth(60).map_or(shown.len(), |(at, _)| at));
    let hint = match crate::suggest::nearest(&entry.key, table.iter().map(|key| key.name)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => elsewhere(&entry.key).unwrap_or_else(|| known_keys(table)),
    };
    error(&codes::UNKNOWN_KEY, Some(entry.key_place), format!("{what} has no key `{shown}`")).hint(hint)
}

fn elsewhere(key: &str) -> Option<String> {
    if keys::find(STEP, key).is_some() {
        return Some(format!("`{key}` is a key of a step"));
    }
    keys::find(WORKFLOW, key).map(|_| format!("`{key}` is a key of the workflow"))
}

fn known_keys(table: &'static [Key]) -> String {
    // Notes are read, not recommended; a list of forty names helps nobody.
    let names: Vec<&str> =
        table.iter().filter(|key| key.role != Role::Note).map(|key| key.name).take(KEYS_LISTED_MAX).collect();
    let more = if table.len() > KEYS_LISTED_MAX { " .." } else { "" };
    format!("its keys are {}{more}", names.join(", "))
}

/// Unknown keys of one mapping that are reported: a mapping with more of them is not one of ours at all, and
/// looking for what was meant costs time for each.
const UNKNOWN_KEYS_MAX: usize = 50;

/// Keys that a hint lists at most: more than a line of them is not read.
const KEYS_LISTED_MAX: usize = 16;
