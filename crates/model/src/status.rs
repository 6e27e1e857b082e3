//! The states of executions and steps, one enum per fact.

use serde::{Deserialize, Serialize};

/// The state of an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Execution {
    /// Recorded, not begun.
    #[default]
    Pending,
    /// Steps run, or something is waited for.
    Running,
    /// A person asked it to stop starting new steps.
    Paused,
    /// The engine needs a person before it goes on.
    Held,
    /// A cancel was accepted; running work is being stopped, then `finally` runs.
    Cancelling,
    /// Compensations run.
    RollingBack,
    /// Every step that had to run succeeded.
    Completed,
    /// A step failed and nothing handled it.
    Failed,
    /// A person stopped it.
    Cancelled,
    /// Its effects were undone.
    RolledBack,
    /// Undoing its effects failed.
    RollbackFailed,
}

impl Execution {
    /// Every state, for tables.
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Running,
        Self::Paused,
        Self::Held,
        Self::Cancelling,
        Self::RollingBack,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::RolledBack,
        Self::RollbackFailed,
    ];

    /// True if nothing will ever happen in it again without a rerun.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled | Self::RolledBack | Self::RollbackFailed => true,
            Self::Pending | Self::Running | Self::Paused | Self::Held | Self::Cancelling | Self::RollingBack => false,
        }
    }

    /// The word that people and programs see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Cancelling => "cancelling",
            Self::RollingBack => "rolling_back",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::RolledBack => "rolled_back",
            Self::RollbackFailed => "rollback_failed",
        }
    }

    /// The state that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// The state of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Not reached yet.
    #[default]
    Pending,
    /// Its work is being done, or the steps inside it run.
    Running,
    /// It waits: for a person, a timer, a signal, the next attempt.
    Waiting,
    /// It succeeded.
    Completed,
    /// It failed for good.
    Failed,
    /// It did not run; its reason says why.
    Skipped,
    /// It was stopped.
    Cancelled,
    /// Whether its work was done cannot be told.
    Unknown,
    /// Its work was undone.
    RolledBack,
}

impl Step {
    /// True if the step will not change any more in this execution.
    pub fn is_final(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Skipped | Self::Cancelled | Self::RolledBack => true,
            Self::Pending | Self::Running | Self::Waiting | Self::Unknown => false,
        }
    }

    /// The word that people, programs and expressions see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// Why a step ended `skipped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The flow ended or failed before it.
    NotReached,
    /// Its `if` was false.
    Condition,
    /// A step it depends on failed or was skipped.
    Dependency,
    /// A person rejected it.
    Rejected,
    /// It failed and `on_error: skip` let the flow go on.
    OnError,
    /// Its group was full and it wants to be left out then.
    Concurrency,
}

impl SkipReason {
    /// The word that people, programs and expressions see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotReached => "not_reached",
            Self::Condition => "condition",
            Self::Dependency => "dependency",
            Self::Rejected => "rejected",
            Self::OnError => "on_error",
            Self::Concurrency => "concurrency",
        }
    }
}
