//! Which step an event is about.

use super::Event;
use crate::ids::StepPath;

impl Event {
    /// The step that the event is about, if one.
    pub fn path(&self) -> Option<&StepPath> {
        match self {
            Self::Scheduled { path, .. }
            | Self::Redelivered { path, .. }
            | Self::AttemptFailed { path, .. }
            | Self::Proposed { path, .. }
            | Self::Completed { path, .. }
            | Self::Failed { path, .. }
            | Self::Skipped { path, .. }
            | Self::StopAsked { path, .. }
            | Self::Cancelled { path }
            | Self::CaseTaken { path, .. }
            | Self::Forked { path }
            | Self::BranchEnded { path, .. }
            | Self::LoopBegan { path, .. }
            | Self::IterationBegan { path, .. }
            | Self::IterationEnded { path, .. }
            | Self::ApprovalAsked { path, .. }
            | Self::Escalated { path, .. }
            | Self::Decided { path, .. }
            | Self::FormAsked { path, .. }
            | Self::FormFilled { path, .. }
            | Self::WaitBegan { path, .. }
            | Self::SignalTaken { path, .. }
            | Self::UndoKept { path, .. }
            | Self::CompensationAsked { path, .. }
            | Self::RolledBack { path, .. }
            | Self::UndoFailed { path, .. }
            | Self::UndoConfirmed { path }
            | Self::UndoDropped { path }
            | Self::Doubted { path, .. }
            | Self::QuestionAsked { path, .. }
            | Self::Answered { path, .. }
            | Self::Queued { path }
            | Self::ChildAsked { path, .. } => Some(path),
            Self::Judged(judged) => Some(&judged.path),
            Self::PermitAsked { path, .. } | Self::PermitGranted { path, .. } | Self::PointMade { path, .. } => {
                path.as_ref()
            }
            Self::Started(_)
            | Self::SignalKept { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::CancelAsked { .. }
            | Self::ForceAsked { .. }
            | Self::TimedOut
            | Self::Held { .. }
            | Self::FinallyBegan { .. }
            | Self::Ended { .. }
            | Self::RollbackAsked { .. }
            | Self::GraceOver
            | Self::Returned { .. }
            | Self::RollbackBegan { .. }
            | Self::RollbackStopAsked { .. }
            | Self::RollbackEnded { .. }
            | Self::Rerun { .. } => None,
        }
    }
}
