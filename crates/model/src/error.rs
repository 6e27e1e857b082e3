//! Why a step, or an execution, failed: one table of classes and kinds (durability.md, "Errors: one table").

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What kind of failure it is; the class and whether it is retried by default follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No connection, reset, name not resolved.
    Network,
    /// The attempt took longer than its `timeout`.
    Timeout,
    /// The other side asked to slow down (HTTP 429); its Retry-After is the least pause.
    RateLimit,
    /// The other side is not able now (HTTP 502, 503, 504; a busy database).
    Unavailable,
    /// A process ended with a non-zero exit code and no finer kind fits.
    Exit,
    /// Not allowed.
    Permission,
    /// Something named does not exist.
    NotFound,
    /// The input is wrong; doing it again gives the same.
    Invalid,
    /// A `success_criteria` expression was false.
    Criterion,
    /// A validation check failed.
    Check,
    /// A person rejected it, or nobody answered in time and `on_timeout: reject` held.
    Rejected,
    /// The result does not match `output_schema`.
    OutputSchema,
    /// A limit of memory, size, count or disk.
    ResourceLimit,
    /// A process died by a signal.
    Crash,
    /// The sandbox could not be set up or stopped the step.
    Sandbox,
    /// Skep itself did something impossible.
    Bug,
}

/// The class of a [`Kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// May pass by itself.
    Transient,
    /// Will not.
    Permanent,
    /// The result was not what the business wanted.
    Business,
    /// The machine or Skep.
    System,
}

impl Kind {
    /// Every kind, for tables.
    pub const ALL: [Self; 16] = [
        Self::Network,
        Self::Timeout,
        Self::RateLimit,
        Self::Unavailable,
        Self::Exit,
        Self::Permission,
        Self::NotFound,
        Self::Invalid,
        Self::Criterion,
        Self::Check,
        Self::Rejected,
        Self::OutputSchema,
        Self::ResourceLimit,
        Self::Crash,
        Self::Sandbox,
        Self::Bug,
    ];

    /// The class it belongs to.
    pub fn class(self) -> Class {
        match self {
            Self::Network | Self::Timeout | Self::RateLimit | Self::Unavailable | Self::Exit => Class::Transient,
            Self::Permission | Self::NotFound | Self::Invalid => Class::Permanent,
            Self::Criterion | Self::Check | Self::Rejected | Self::OutputSchema => Class::Business,
            Self::ResourceLimit | Self::Crash | Self::Sandbox | Self::Bug => Class::System,
        }
    }

    /// True if an attempt that ended so may have done its work all the same.
    pub fn leaves_unknown(self) -> bool {
        match self {
            Self::Network | Self::Timeout | Self::Crash => true,
            Self::RateLimit
            | Self::Unavailable
            | Self::Exit
            | Self::Permission
            | Self::NotFound
            | Self::Invalid
            | Self::Criterion
            | Self::Check
            | Self::Rejected
            | Self::OutputSchema
            | Self::ResourceLimit
            | Self::Sandbox
            | Self::Bug => false,
        }
    }

    /// The word in definitions (`retry.on`), answers and expressions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::RateLimit => "rate_limit",
            Self::Unavailable => "unavailable",
            Self::Exit => "exit",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::Criterion => "criterion",
            Self::Check => "check",
            Self::Rejected => "rejected",
            Self::OutputSchema => "output_schema",
            Self::ResourceLimit => "resource_limit",
            Self::Crash => "crash",
            Self::Sandbox => "sandbox",
            Self::Bug => "bug",
        }
    }

    /// The kind that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Class {
    /// Every class, for tables.
    pub const ALL: [Self; 4] = [Self::Transient, Self::Permanent, Self::Business, Self::System];

    /// The word in definitions (`retry.on`), answers and expressions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Business => "business",
            Self::System => "system",
        }
    }

    /// The class that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

/// Why a step or an execution failed. Serializes as the outer contract wants it:
/// `{class, kind, code, message, hint, step, exit_code}`. Small, and cheap to copy: what may fail carries one wherever
/// it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Failure(Arc<FailureParts>);

/// What a [`Failure`] says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureParts {
    /// Follows from the kind; written out for readers.
    pub class: Class,
    /// What kind of failure.
    pub kind: Kind,
    /// Stable code such as `SKEP-R002`.
    pub code: String,
    /// One sentence: what was tried, on what, what happened.
    pub message: String,
    /// What to do next.
    #[serde(default)]
    pub hint: Option<String>,
    /// Path of the step that failed; in an execution's error, the first one.
    #[serde(default)]
    pub step: Option<String>,
    /// Exit code of the process, if there was one.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// HTTP status, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The kind that it looks like, where `kind` is coarse: by its exit code, or by what was printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_like: Option<Kind>,
    /// The least pause before the next attempt that the other side asked for, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure of `kind` with its stable `code`.
    pub fn new(kind: Kind, code: &str, message: impl Into<String>) -> Self {
        Self(Arc::new(FailureParts {
            class: kind.class(),
            kind,
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            step: None,
            exit_code: None,
            http_status: None,
            looks_like: None,
            retry_after_ms: None,
        }))
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Its kind as precisely as it is known.
    pub fn finest_kind(&self) -> Kind {
        self.looks_like.unwrap_or(self.kind)
    }

    /// The same, as it looks like this kind; nothing changes for `None`.
    #[must_use]
    pub fn looking_like(mut self, kind: Option<Kind>) -> Self {
        if kind.is_some() {
            self.looks_like = kind;
        }
        self
    }

    /// The same, about the step at `path`.
    #[must_use]
    pub fn at_step(mut self, path: &str) -> Self {
        if self.step.is_none() {
            self.step = Some(path.to_owned());
        }
        self
    }
}

impl Deref for Failure {
    type Target = FailureParts;

    fn deref(&self) -> &FailureParts {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut FailureParts {
        Arc::make_mut(&mut self.0)
    }
}
