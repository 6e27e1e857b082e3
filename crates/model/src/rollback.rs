//! Words of undoing: how and how far an execution is undone, why, what a person is asked, and the work beside a step.

use serde::{Deserialize, Serialize};

use crate::decision::Action;
use crate::ids::StepPath;

/// How an execution is undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// What runs is stopped, then all is undone.
    Immediate,
    /// What runs may end within [`crate::limits::ROLLBACK_GRACE_MS`], then all is undone.
    #[default]
    Graceful,
    /// As graceful, but only what came after a rollback point is undone; then the execution is held, and a resume goes
    /// on from the point.
    Checkpoint,
    /// As graceful, but nothing is executed: a person undoes one step after the other and says so.
    Manual,
}

impl Strategy {
    /// All, in the order of help texts.
    pub const ALL: [Self; 4] = [Self::Immediate, Self::Graceful, Self::Checkpoint, Self::Manual];

    /// The word that people and programs see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Graceful => "graceful",
            Self::Checkpoint => "checkpoint",
            Self::Manual => "manual",
        }
    }

    /// The strategy with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == word)
    }

    pub(crate) fn is_graceful(&self) -> bool {
        *self == Self::Graceful
    }
}

/// Why there is a rollback point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointKind {
    /// The execution began, or was run again.
    Start,
    /// So many steps have completed since the last one.
    Interval,
    /// A step with `checkpoint: true` has completed.
    Step,
    /// Somebody asked for it.
    Asked,
}

impl PointKind {
    /// The word that people and programs see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Interval => "interval",
            Self::Step => "step",
            Self::Asked => "asked",
        }
    }
}

/// Code of the hold at a rollback point: by it folds tell this hold from others.
pub const AT_POINT_CODE: &str = "SKEP-X032";

/// What a person is asked about a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Was its work done?
    Unknown,
    /// It failed: shall it be tried again?
    Escalated,
}

impl Question {
    /// The question in a few words: `was it done?`; `suggestion`: what a yes to a failure means.
    pub fn asks(self, suggestion: Option<Action>) -> &'static str {
        match (self, suggestion) {
            (Self::Unknown, _) => "was it done?",
            (Self::Escalated, Some(Action::Skip)) => "skip it?",
            (Self::Escalated, Some(Action::Continue)) => "go on without it?",
            (Self::Escalated, Some(Action::Retry | Action::Abort | Action::Escalate) | None) => "try it again?",
        }
    }
}

/// Why an execution is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackCause {
    /// It failed.
    Failure,
    /// A step with `on_error: compensate` failed.
    Compensate,
    /// It was cancelled and `on_cancel` is `rollback`.
    Cancel,
    /// Somebody asked for it.
    Asked,
}

impl RollbackCause {
    /// The word that people and programs see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Compensate => "compensate",
            Self::Cancel => "cancel",
            Self::Asked => "asked",
        }
    }
}

/// Which of a step's pieces of work a task path names. A step's id has no `.`, so the ending tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Part {
    /// The step itself: `rollout[0].deploy`.
    Step,
    /// Telling whether its work was done: `deploy.verify`.
    Verify,
    /// Its compensation: `deploy.rollback`.
    Rollback,
    /// Telling whether its compensation worked: `deploy.rollback.verify`.
    RollbackVerify,
}

impl Part {
    /// The task path of this part of the step at `step`.
    pub fn of(self, step: &str) -> StepPath {
        match self {
            Self::Step => step.into(),
            Self::Verify | Self::Rollback | Self::RollbackVerify => format!("{step}{}", self.ending()).into(),
        }
    }

    /// The step's path and the part that a task path names.
    pub fn split(path: &str) -> (&str, Self) {
        // The longest ending first: `.verify` ends both verifications.
        for part in [Self::RollbackVerify, Self::Rollback, Self::Verify] {
            // After a `]` begins the id of a step in a loop's body, which may be called `verify`.
            if let Some(step) = path.strip_suffix(part.ending()).filter(|step| !step.ends_with(']')) {
                return (step, part);
            }
        }
        (path, Self::Step)
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Step => "",
            Self::Verify => ".verify",
            Self::Rollback => ".rollback",
            Self::RollbackVerify => ".rollback.verify",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_path_is_the_step_and_its_part() {
        for part in [Part::Step, Part::Verify, Part::Rollback, Part::RollbackVerify] {
            assert_eq!(Part::split(&part.of("rollout[0].deploy")), ("rollout[0].deploy", part));
        }
    }

    #[test]
    fn a_step_in_a_loop_may_be_called_like_a_part() {
        // `loop[0].verify` is a step of a loop's body, not the verification of something.
        assert_eq!(Part::split("loop[0].verify"), ("loop[0].verify", Part::Step));
        assert_eq!(Part::split("loop[0].rollback.verify"), ("loop[0].rollback", Part::Verify));
        assert_eq!(Part::split("rollback"), ("rollback", Part::Step));
    }
}
