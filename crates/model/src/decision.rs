//! What is done about a failed attempt, and why: the ladder of autonomy, the table of rules, and the record of each
//! decision.
//!
//! Pure data. The table is read from text by `definition`, applied by `engine`, kept in the plan of an execution that
//! uses it.

use serde::{Deserialize, Serialize};

use crate::error::{Class, Kind};
use crate::ids::StepPath;
use crate::plan::{Asking, Priority, Retry};

/// How much a workflow lets the engine decide by itself where its definition says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Autonomy {
    /// Nothing: a person decides.
    Off,
    /// The table makes a proposal, a person decides.
    Suggest,
    /// The table decides.
    Act,
}

impl Autonomy {
    /// The ladder from its foot.
    pub const ALL: [Self; 3] = [Self::Off, Self::Suggest, Self::Act];

    /// The word in definitions and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Suggest => "suggest",
            Self::Act => "act",
        }
    }

    /// The rung that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|autonomy| autonomy.as_str() == word)
    }
}

/// What is done about a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The step has failed and what needs it does not run; everything else goes on.
    Continue,
    /// It is tried again.
    Retry,
    /// The step counts as done, without a result.
    Skip,
    /// What it belongs to fails.
    Abort,
    /// A person is asked.
    Escalate,
}

impl Action {
    /// All, in the order of help texts.
    pub const ALL: [Self; 5] = [Self::Continue, Self::Retry, Self::Skip, Self::Abort, Self::Escalate];

    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Abort => "abort",
            Self::Escalate => "escalate",
        }
    }

    /// The action that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// How much a step matters, from its `priority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// From 100.
    Critical,
    /// From 75.
    High,
    /// From 50, as without a `priority`.
    Medium,
    /// Below.
    Low,
}

impl Weight {
    /// All, the heaviest first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The weight of a priority.
    pub fn of(priority: Priority) -> Self {
        match priority.0 {
            100.. => Self::Critical,
            75..100 => Self::High,
            50..75 => Self::Medium,
            i32::MIN..50 => Self::Low,
        }
    }

    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// The weight that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|weight| weight.as_str() == word)
    }
}

/// What is decided by: the first rule that applies and whose action is possible.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// What failures look like; the first that fits says the kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Pattern>,
    /// In order.
    pub rules: Vec<Rule>,
    /// How a step is tried again that has no `retry` of its own; `None`: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Who is asked.
    #[serde(default)]
    pub escalation: Asking,
}

/// What a failure looks like. Everything that is given must fit; a pattern without anything fits nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// Then it is of this kind.
    pub kind: Kind,
    /// Regular expression, looked for in the message and at the end of what was printed to stderr.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// One of these exit codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exit_codes: Vec<i32>,
    /// One of these HTTP statuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<u16>,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Unique in the table.
    pub name: String,
    /// When it applies.
    #[serde(default)]
    pub when: When,
    /// What is done.
    pub then: Action,
}

/// When a rule applies: everything that is given must hold; without anything it always does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct When {
    /// The step weighs as much as one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priority: Vec<Weight>,
    /// The failure is of one of these classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class: Vec<Class>,
    /// It is, or looks like, one of these kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<Kind>,
    /// There are attempts left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts_left: Option<bool>,
    /// See [`Facts::progress`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Range>,
    /// See [`Facts::health`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Range>,
    /// The step is `critical: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<bool>,
    /// The step is `read_only: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// The step is `irreversible: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub irreversible: Option<bool>,
}

/// Bounds of a share from 0 to 1; the bounds themselves are outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// More than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// Less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
}

impl Range {
    /// True if `share` is inside.
    pub fn holds(self, share: f64) -> bool {
        self.above.is_none_or(|above| share > above) && self.below.is_none_or(|below| share < below)
    }
}

/// A failed attempt was judged. What follows from it stands in the same turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The step.
    #[serde(rename = "p")]
    pub path: StepPath,
    /// The attempt that failed, from 1; 0: it failed before its first one.
    #[serde(rename = "a")]
    pub attempt: u32,
    /// What is done, or proposed.
    pub action: Action,
    /// Who decided: `None`, the definition; else the table (`act`), the table for a person (`suggest`), or nobody but a
    /// person (`off`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autonomy: Option<Autonomy>,
    /// The rule's name; where the definition decided, the key that says so: `retry`, `on_error`.
    pub rule: String,
    /// Why, for people.
    pub reason: String,
    /// What kind of failure it is, or looks like.
    pub kind: Kind,
    /// What the rules looked at; not where the definition decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// What else could have been done, and what could not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Alternative>,
}

/// What the rules looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// How much the step matters.
    pub priority: Weight,
    /// Attempts that it may still make.
    pub attempts_left: u32,
    /// Share of the main list's steps that are over.
    pub progress: f64,
    /// Mean of that share and, per action or interpreter that the execution has used, of 1 - failed attempts / 10.
    pub health: f64,
}

/// What else could have been done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// The rule's name, or the definition's key.
    pub rule: String,
    /// What it says.
    pub action: Action,
    /// Why it was not possible; `None`: another rule came first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not: Option<String>,
}
