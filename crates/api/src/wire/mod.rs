//! What travels between a face and its callers: requests, answers, failures, as JSON.
//!
//! One type per use case; its name is its route (`POST /v1/NAME`). Keys never change their meaning. These types must
//! not reach into the node: `local::uses` translates.

mod access;
mod audit;
mod call;
mod decisions;
mod failure;
mod keeping;
mod library;
mod reads;
mod recover;
mod rollback;
mod validation;
mod writes;

#[cfg(test)]
mod tests;

pub use access::{
    CreateKey, CreateUser, DisableUser, Grant, Key, KeyCreated, Keys, ListKeys, ListUsers, RevokeKey, SetPassword,
    User, Users,
};
pub use audit::{BackupMade, PassAudit, Recorded};
pub use call::{Call, Needs};
pub use decisions::{Decision, DecisionRules, DecisionStats, Decisions, RuleCount, RuleStats};
pub use failure::{Class, Failure, Report};
pub use keeping::{Prune, Pruned};
pub use library::{
    AddWorkflow, ListWorkflows, RemoveWorkflow, Removed, ShowWorkflow, Workflow, WorkflowText, WorkflowVersions,
    Workflows,
};
pub use reads::{
    Event, Events, Execution, Executions, Follow, Followed, Interrupted, List, LogCursor, LogLine, LogLines, Logs,
    Replay, Row, Settled, Status,
};
pub use recover::{Orphan, Orphans, Recover};
pub use rollback::{Checkpoint, Rollback, RollbackPlan, RollbackPoints, RollbackStatus, Undone};
pub use validation::{ValidateText, ValidateWorkflow, Validation, Validations, ValidationsOf};
pub use writes::{
    Approve, Cancel, Done, DryRun, Input, Pause, Ping, Pong, Reject, Rerun, Resume, Signal, Source, Start, Started,
    Stop, Stopping,
};
