//! Use cases of validation.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, Needs};
use super::failure::Report;

/// Validates a workflow of the library and keeps what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidateWorkflow {
    /// A path, or the end of one.
    pub name: String,
    /// From 1; the newest if `None`.
    #[serde(default)]
    pub version: Option<u32>,
    /// `basic`, `standard`, `strict` or `paranoid`; what the configuration says if `None`.
    #[serde(default)]
    pub level: Option<String>,
    /// A warning makes it invalid, too; what the configuration says if `None`.
    #[serde(default)]
    pub strict_mode: Option<bool>,
    /// The list of folders in which its scripts find programs; the usual one if `None`.
    #[serde(default)]
    pub path: Option<String>,
    /// Inputs to simulate with at level paranoid, as text.
    #[serde(default)]
    pub arguments: Vec<(String, String)>,
}

/// Validates a definition that is in no library; nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidateText {
    /// The definition.
    pub text: String,
    /// `basic`, `standard`, `strict` or `paranoid`; what the configuration says if `None`.
    #[serde(default)]
    pub level: Option<String>,
    /// A warning makes it invalid, too; what the configuration says if `None`.
    #[serde(default)]
    pub strict_mode: Option<bool>,
    /// The list of folders in which its scripts find programs; the usual one if `None`.
    #[serde(default)]
    pub path: Option<String>,
    /// Inputs to simulate with at level paranoid, as text.
    #[serde(default)]
    pub arguments: Vec<(String, String)>,
}

/// Lists what was found when a workflow of the library was validated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationsOf {
    /// A path, or the end of one.
    pub name: String,
    /// From 1; the newest if `None`.
    #[serde(default)]
    pub version: Option<u32>,
}

/// What a validation found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Whether it may start; errors and warnings; all of it for people.
    pub report: Report,
    /// `{code, message, file, line, column, hint}` each.
    pub suggestions: Vec<Value>,
    /// How closely it was looked at.
    pub level: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// What it took, in seconds.
    pub validation_time: f64,
    /// Names of the checks that were made.
    pub checks_performed: Vec<String>,
    /// About the definition and the validation.
    pub metadata: Value,
}

impl Validation {
    /// The object of the outer contract: `{"valid", "level", "errors", "warnings", "suggestions", "confidence",
    /// "validation_time", "checks_performed", "metadata"}`.
    pub fn to_contract(&self) -> Value {
        json!({
            "valid": self.report.valid,
            "level": self.level,
            "errors": self.report.errors,
            "warnings": self.report.warnings,
            "suggestions": self.suggestions,
            "confidence": self.confidence,
            "validation_time": self.validation_time,
            "checks_performed": self.checks_performed,
            "metadata": self.metadata,
        })
    }
}

/// The history of one version, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validations {
    /// Where the workflow lies in the library.
    pub path: String,
    /// Its version, from 1.
    pub number: u32,
    /// `{valid, level, strict_mode, errors, warnings, suggestions, confidence, validation_time, validated_at, problems}`
    /// each, with numbers of errors, warnings and suggestions.
    pub validations: Vec<Value>,
}

impl Call for ValidateWorkflow {
    const NAME: &'static str = "workflow-validate";
    const NEEDS: Needs = Needs::Owner;
    type Answer = Validation;
}

impl Call for ValidateText {
    const NAME: &'static str = "validate";
    const NEEDS: Needs = Needs::Owner;
    type Answer = Validation;
}

impl Call for ValidationsOf {
    const NAME: &'static str = "workflow-validations";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Validations;
}
