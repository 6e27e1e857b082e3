//! The one table of all keys of the language: what `lower` accepts, what messages suggest, what the JSON
//! Schema says.
//!
//! This module must not read documents; it is data. A new key is a row here, and a line in `lower` and `print`.

mod decisions;
mod kinds;
mod step;
mod test_file;
#[cfg(test)]
mod tests;
mod workflow;

pub use decisions::{ASKING, DECISIONS, PATTERN, RANGE, RULE, WHEN};
pub use kinds::{AGENT, AI, APPROVAL, BRANCH, CALL, CASE, ESCALATION, GATE, INPUT, REPEAT, SWITCH, WAIT};
pub use step::{CIRCUIT_BREAKER, COMPENSATION, CONCURRENCY, ON_ERROR, RETRY, STEP, VERIFICATION};
pub use test_file::{
    ANSWER, EXPECT, EXPECTED_ERROR, EXPECTED_STEP, EXPECTED_TIME, FAILING, OUTCOME, SENT, TEST, TEST_FILE,
};
pub(crate) use test_file::{ANSWERS, STEP_STATUSES};
pub use workflow::{DEFAULTS, ERROR_HANDLING, IDEMPOTENCY, ROLLBACK, TRIGGER, WORKFLOW};

/// A key of a mapping of the language.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As written.
    pub name: &'static str,
    /// What its value is.
    pub of: Type,
    /// One sentence for people.
    pub doc: &'static str,
    /// A whole entry, in YAML.
    pub example: &'static str,
    /// Must be written.
    pub required: bool,
    /// What it is for lowering.
    pub role: Role,
    /// Step kinds that it belongs to; empty: all.
    pub kinds: &'static [&'static str],
}

/// What a key is for lowering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has a field of its own.
    Field,
    /// Says what a step does: a step has exactly one such key.
    Kind,
    /// Kept as written; its execution is a feature of its own.
    Later,
    /// Kept as written; only describes or observes.
    Note,
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A text; a number or a boolean is taken as its text. May hold `${{ }}` where the doc says template.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number within bounds.
    Integer {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A number.
    Number,
    /// A length of time: `10s`.
    Duration,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A list of texts; a single text stands for a list of one.
    Texts,
    /// A mapping from name to text.
    TextMap,
    /// A mapping from name to any value.
    ValueMap,
    /// A list of any values.
    Values,
    /// Anything.
    Any,
    /// A mapping with these keys.
    Object(&'static [Key]),
    /// A list of mappings with these keys.
    Objects(&'static [Key]),
    /// A mapping from name to mappings with these keys.
    ObjectMap(&'static [Key]),
    /// A list of steps.
    Steps,
    /// A mapping from name to a list of steps, or to `{order, steps}`.
    Branches,
    /// One of several.
    Either(&'static [Type]),
}

impl Type {
    /// For messages: what is wanted.
    pub fn describe(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Integer { min, max } if *max == i64::MAX => format!("a whole number from {min}"),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number => "a number".to_owned(),
            Self::Duration => "a length of time such as `10s`".to_owned(),
            Self::Words(words) => one_of(words),
            Self::Texts => "a list of texts".to_owned(),
            Self::TextMap => "a mapping from names to texts".to_owned(),
            Self::ValueMap | Self::Object(_) => "a mapping".to_owned(),
            Self::ObjectMap(_) => "a mapping from names to mappings".to_owned(),
            Self::Values => "a list".to_owned(),
            Self::Any => "a value".to_owned(),
            Self::Objects(_) => "a list of mappings".to_owned(),
            Self::Steps => "a list of steps".to_owned(),
            Self::Branches => "a mapping from branch names to lists of steps".to_owned(),
            Self::Either(types) => types.iter().map(Self::describe).collect::<Vec<_>>().join(", or "),
        }
    }
}

/// `one of a, b, c`.
pub fn one_of(words: &[&str]) -> String {
    format!("one of `{}`", words.join("`, `"))
}

/// A field of its own.
const fn key(name: &'static str, of: Type, doc: &'static str, example: &'static str) -> Key {
    Key { name, of, doc, example, required: false, role: Role::Field, kinds: &[] }
}

impl Key {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn only(mut self, kinds: &'static [&'static str]) -> Self {
        self.kinds = kinds;
        self
    }

    const fn as_kind(mut self) -> Self {
        self.role = Role::Kind;
        self
    }

    const fn later(mut self) -> Self {
        self.role = Role::Later;
        self
    }

    const fn note(mut self) -> Self {
        self.role = Role::Note;
        self
    }
}

/// The key of this name in a table.
pub fn find(table: &'static [Key], name: &str) -> Option<&'static Key> {
    table.iter().find(|key| key.name == name)
}

/// The keys that say what a step does.
pub fn step_kinds() -> impl Iterator<Item = &'static Key> {
    STEP.iter().filter(|key| key.role == Role::Kind)
}
