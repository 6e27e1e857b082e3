//! Why a call failed, for people and for programs.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The request is wrong.
    User,
    /// What it names does not exist.
    NotFound,
    /// It does not fit the state that things are in.
    Conflict,
    /// Try again later.
    Transient,
    /// What is stored is damaged, or of another version.
    Corrupt,
    /// There is no room for it.
    Full,
}

impl Class {
    /// The HTTP status that carries it.
    pub fn http_status(self) -> u16 {
        match self {
            Self::User => 400,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Transient => 503,
            Self::Corrupt => 500,
            Self::Full => 507,
        }
    }
}

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// True if it can be started.
    pub valid: bool,
    /// `{code, message, file, line, column, hint}` each.
    pub errors: Vec<Value>,
    /// The same for warnings.
    pub warnings: Vec<Value>,
    /// All of it for people, with source lines and terminal colours; whoever prints it strips the colours where
    /// they are not wanted.
    pub text: String,
}

impl Report {
    /// The object of the outer contract: `{"valid", "errors", "warnings"}`.
    pub fn to_contract(&self) -> Value {
        json!({ "valid": self.valid, "errors": self.errors, "warnings": self.warnings })
    }
}

/// A call that failed. Nothing was recorded unless the message says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Stable code such as `SKEP-N003`.
    pub code: String,
    /// What was tried, on what, what happened.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Whose fault.
    pub class: Class,
    /// The exit code of a command that ends with it.
    pub exit: u8,
    /// For a definition that cannot be started: what is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<Report>>,
}

impl Failure {
    /// A failure that ends a command with exit code 1.
    pub fn new(code: &str, class: Class, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into()).filter(|text: &String| !text.is_empty());
        Self { code: code.to_owned(), message: message.into(), hint, class, exit: 1, report: None }
    }

    /// The object of the outer contract: `{"error": {code, message, hint}}`, or the object of `validate` for a
    /// definition that cannot be started.
    pub fn to_contract(&self) -> Value {
        match &self.report {
            Some(report) => report.to_contract(),
            None => json!({ "error": { "code": self.code, "message": self.message, "hint": self.hint } }),
        }
    }
}
