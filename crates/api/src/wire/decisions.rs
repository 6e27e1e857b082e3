//! Use cases of decisions about failed attempts.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::{Call, Needs};

/// The decisions of one execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
}

/// A decision about a failed attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Path of the step.
    pub step: String,
    /// The attempt that failed, from 1; 0: before the first one.
    pub attempt: u32,
    /// What kind of failure it is, or looks like.
    pub kind: String,
    /// `continue`, `retry`, `skip`, `abort` or `escalate`.
    pub decision: String,
    /// Who decided: `definition`, or the workflow's `autonomy`: `off`, `suggest`, `act`.
    pub autonomy: String,
    /// The rule, or the key of the definition.
    pub rule: String,
    /// Why, for people.
    pub reason: String,
    /// What the rules looked at: `priority, attempts_left, progress, health`; null where the definition decided.
    pub facts: Value,
    /// What else there was: `[{rule, action, not}]`.
    pub alternatives: Value,
    /// How it turned out, for people.
    pub outcome: Option<String>,
    /// Whether it was worth it.
    pub worth_it: Option<bool>,
}

/// The decisions of the newest 1,000 executions, by rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecisionStats {
    /// Only of this workflow.
    #[serde(default)]
    pub workflow: Option<String>,
    /// Only of executions accepted at or after this instant, in microseconds since 1970 UTC.
    #[serde(default)]
    pub since_us: Option<i64>,
}

/// How rules did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleStats {
    /// Executions that were looked at.
    pub executions: usize,
    /// There were more, which were not.
    pub has_more: bool,
    /// By rule and decision.
    pub rules: Vec<RuleCount>,
}

/// How often a rule decided, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleCount {
    /// The rule, or the key of the definition.
    pub rule: String,
    /// What it decided.
    pub decision: String,
    /// How often.
    pub decided: u64,
    /// How often it was worth it.
    pub worth_it: u64,
    /// How often not; the rest is open, or nothing can be said.
    pub not_worth_it: u64,
}

/// The table of decisions that is in force, as YAML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRules {}

super::writes::calls! {
    Decisions "decisions" Reading -> Vec<Decision>;
    DecisionStats "decision-stats" Reading -> RuleStats;
    DecisionRules "decision-rules" Reading -> String;
}
