//! Permission to go on that executions share: places in a group, and circuit breakers.
//!
//! The engine asks for one ([`crate::effect::Effect::AskPermit`]), the node answers
//! ([`crate::message::Message::Permit`]), and the engine gives it back ([`crate::effect::Effect::ReleasePermit`]).

use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::plan::{Breaker, Concurrency};

/// What is asked for, with its name evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Resource {
    /// A place in a group, kept until the step or the execution ends.
    Group(Concurrency),
    /// Leave of a circuit breaker for one attempt.
    Breaker(Breaker),
}

impl Resource {
    /// The name that it is shared by.
    pub fn name(&self) -> &str {
        match self {
            Self::Group(group) => &group.group,
            Self::Breaker(breaker) => &breaker.name,
        }
    }

    /// `group` or `breaker`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Group(_) => "group",
            Self::Breaker(_) => "breaker",
        }
    }
}

/// What the node answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Go on.
    Granted {
        /// It is the one attempt that a half-open breaker lets through to see whether the other side is back.
        probe: bool,
    },
    /// The attempt, or the execution, fails with this.
    Refused(Failure),
    /// The group is full and whoever asked wants to be left out then.
    Skipped,
}

/// What an attempt behind a breaker says about the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It answered, if only with a refusal: a success, or a permanent or business failure.
    Success,
    /// It did not: a transient or a system failure.
    Failure,
    /// Nothing: the attempt was stopped, or never began.
    Nothing,
}
