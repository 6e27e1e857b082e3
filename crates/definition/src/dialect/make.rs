//! Making nodes, taking keys out of mappings, and the list of problems.

use skep_model::limits::PROBLEMS_MAX;
use skep_model::problem::{Place, Problem, Severity};
use skep_model::span::{parse_duration_ms, print_duration_ms};

use super::codes;
use crate::tree::{Content, Entry, Node};

/// Problems found so far.
#[derive(Default)]
pub(super) struct Report {
    /// In the order in which they were found, at most `PROBLEMS_MAX`.
    pub(super) problems: Vec<Problem>,
}

impl Report {
    fn push(&mut self, severity: Severity, code: &'static str, place: Place, message: String, hint: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            let hint = Some(hint.to_owned());
            self.problems.push(Problem { code, severity, message, place: Some(place), hint });
        }
    }

    /// Adds an error.
    pub(super) fn error(&mut self, code: &'static str, place: Place, message: impl Into<String>, hint: &str) {
        self.push(Severity::Error, code, place, message.into(), hint);
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, code: &'static str, place: Place, message: impl Into<String>, hint: &str) {
        self.push(Severity::Warning, code, place, message.into(), hint);
    }
}

/// A text.
pub(super) fn text(value: impl Into<String>, place: Place) -> Node {
    Node { content: Content::Text(value.into()), place }
}

/// An integer.
pub(super) fn integer(value: i64, place: Place) -> Node {
    Node { content: Content::Integer(value), place }
}

/// A truth value.
pub(super) fn boolean(value: bool, place: Place) -> Node {
    Node { content: Content::Bool(value), place }
}

/// A list.
pub(super) fn list(nodes: Vec<Node>, place: Place) -> Node {
    Node { content: Content::List(nodes), place }
}

/// A mapping.
pub(super) fn map(entries: Vec<Entry>, place: Place) -> Node {
    Node { content: Content::Map(entries), place }
}

/// An entry whose key stands where the value's reason stands.
pub(super) fn entry(key: &str, value: Node) -> Entry {
    Entry { key: key.to_owned(), key_place: value.place, value }
}

/// What a step does whose own words were refused: with it, `lower` does not complain about the same again.
pub(super) fn placeholder(place: Place) -> Entry {
    entry("uses", text("noop", place))
}

/// What a node is, for messages.
pub(super) fn describe(node: &Node) -> &'static str {
    match node.content {
        Content::Null => "nothing",
        Content::Bool(_) => "true or false",
        Content::Integer(_) | Content::Float(..) => "a number",
        Content::Text(_) => "text",
        Content::List(_) => "a list",
        Content::Map(_) => "a mapping",
    }
}

/// A scalar as the text of its value, `None` for lists and mappings.
pub(super) fn scalar_text(node: &Node) -> Option<String> {
    match &node.content {
        Content::Null => Some("null".to_owned()),
        Content::Bool(value) => Some(value.to_string()),
        Content::Integer(value) => Some(value.to_string()),
        Content::Float(_, written) => Some(written.clone()),
        Content::Text(value) => Some(value.clone()),
        Content::List(_) | Content::Map(_) => None,
    }
}

/// The value under `key` of a mapping.
pub(super) fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

/// The expression of a condition: the text without `${{ }}` around the whole, or `None` if a `${{` stands
/// inside a longer text.
pub(super) fn bare_expression(condition: &str) -> Option<&str> {
    let trimmed = condition.trim();
    let inner = match trimmed.strip_prefix("${{") {
        Some(rest) => rest.strip_suffix("}}")?.trim(),
        None => trimmed,
    };
    (!inner.contains("${{")).then_some(inner)
}

/// The entries of a mapping, from which keys are taken one by one.
pub(super) struct Fields {
    entries: Vec<Entry>,
    /// Where the mapping stands.
    pub(super) place: Place,
}

impl Fields {
    /// The entries of `node`; a value of another shape is a problem (nothing at all is an empty mapping).
    pub(super) fn of(node: Node, what: &str, report: &mut Report) -> Self {
        let place = node.place;
        let entries = match node.content {
            Content::Map(entries) => entries,
            Content::Null => Vec::new(),
            Content::Bool(_) | Content::Integer(_) | Content::Float(..) | Content::Text(_) | Content::List(_) => {
                let message = format!("{what} is a mapping, this is {}", describe(&node));
                report.error(codes::SHAPE, place, message, "write `key: value` pairs");
                Vec::new()
            }
        };
        Self { entries, place }
    }

    /// Takes an entry out; one whose value is nothing counts as not written.
    pub(super) fn take(&mut self, key: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        let entry = self.entries.remove(at);
        (entry.value.content != Content::Null).then_some(entry)
    }

    /// Takes the value of an entry out.
    pub(super) fn take_value(&mut self, key: &str) -> Option<Node> {
        self.take(key).map(|entry| entry.value)
    }

    /// True if an entry with this key is left.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && entry.value.content != Content::Null)
    }

    /// Moves the entries with these keys to `out`, in the order of `keys`.
    pub(super) fn pass(&mut self, keys: &[&str], out: &mut Vec<Entry>) {
        for key in keys {
            out.extend(self.take(key));
        }
    }

    /// What is left.
    pub(super) fn rest(self) -> Vec<Entry> {
        self.entries
    }
}

/// A number of seconds (300, 1.5, "300", or a duration such as 5m) in milliseconds; above 0.
pub(super) fn seconds_ms(node: &Node, what: &str, report: &mut Report) -> Option<u64> {
    let seconds = match &node.content {
        Content::Integer(value) => Some(*value as f64),
        Content::Float(value, _) => Some(*value),
        Content::Text(value) => {
            let number = value.trim().parse::<f64>().ok();
            number.or_else(|| parse_duration_ms(value).map(|ms| ms as f64 / 1_000.0))
        }
        Content::Null | Content::Bool(_) | Content::List(_) | Content::Map(_) => None,
    };
    // 10,000 years, as for every duration.
    let ms = seconds.filter(|seconds| *seconds > 0.0 && *seconds < 3.2e11).map(|seconds| (seconds * 1_000.0).round());
    let ms = ms.filter(|ms| *ms >= 1.0).map(|ms| ms as u64);
    if ms.is_none() {
        report.error(codes::SHAPE, node.place, format!("{what} is a number of seconds above 0"), "for example 300");
    }
    ms
}

/// `seconds_ms` as a duration text such as `5m`.
pub(super) fn seconds_as_duration(node: &Node, what: &str, report: &mut Report) -> Option<Node> {
    seconds_ms(node, what, report).map(|ms| text(print_duration_ms(ms), node.place))
}

/// A whole number from 0.
pub(super) fn count(node: &Node, what: &str, report: &mut Report) -> Option<u32> {
    let value = match &node.content {
        Content::Integer(value) => u32::try_from(*value).ok(),
        Content::Float(value, _) => (value.fract() == 0.0 && (0.0..1e9).contains(value)).then_some(*value as u32),
        Content::Text(value) => value.trim().parse().ok(),
        Content::Null | Content::Bool(_) | Content::List(_) | Content::Map(_) => None,
    };
    if value.is_none() {
        report.error(codes::SHAPE, node.place, format!("{what} is a whole number from 0"), "for example 3");
    }
    value
}

/// True or false.
pub(super) fn truth(node: &Node, what: &str, report: &mut Report) -> Option<bool> {
    match node.content {
        Content::Bool(value) => Some(value),
        Content::Null
        | Content::Integer(_)
        | Content::Float(..)
        | Content::Text(_)
        | Content::List(_)
        | Content::Map(_) => {
            let message = format!("{what} is true or false, this is {}", describe(node));
            report.error(codes::SHAPE, node.place, message, "write `true` or `false` without quotes");
            None
        }
    }
}
