//! The one application interface: one file per use case. Every face calls these and nothing deeper.
//!
//! Reads are on [`Reading`] and work with or without an owner; what changes something is on
//! [`Node`](crate::Node). All of it blocks until the answer is there, a change until it is durable.

mod access;
mod audit;
mod backup;
mod check;
mod children;
mod control;
mod decisions;
mod definitions;
mod dry_run;
mod library;
mod listing;
mod logs;
mod outlook;
mod places;
mod prune;
mod reading;
mod recover;
mod repair;
mod replay;
mod rerun;
mod rollback;
mod start;
mod start_key;
mod statistics;
mod status;
mod suggest;
mod surroundings;
mod templates;
mod undoing;
mod validation;
mod verify;

pub(crate) use access::Callers;
pub use access::{Denied, KeyEntry, KeyState, NewKey, NewUser, UserEntry};
pub use audit::{AuditQuery, AuditVerified, audit_export, audit_list, audit_verify, record_directly};
pub use backup::backup;
pub(crate) use check::read_and_check;
pub use check::{Report, validate};
pub(crate) use children::creation as child_creation;
pub use children::library_warnings;
pub use control::Decide;
pub use decisions::{DecisionQuery, DecisionStats};
pub(crate) use definitions::Definitions;
pub use dry_run::dry_run;
pub use library::{WorkflowEntry, library_path_of};
pub use listing::{ExecutionSummary, ListQuery, Listing, would_move};
pub use prune::Pruned;
pub use reading::Reading;
pub use recover::{Orphan, Verdict};
pub use repair::{Repaired, repair};
pub use replay::{Replay, ReplayedEvent};
pub use rerun::RerunRequest;
pub use rollback::RollbackRequest;
pub use skep_store::audit::Bad as AuditBad;
pub use skep_store::backup::{Amount as BackupAmount, Part as BackupPart, Summary as BackupSummary};
pub use skep_store::check::{Finding, Mend};
pub use skep_store::logs::{Cursor as LogCursor, LogPage, Record as LogRecord, Stream as LogStream};
pub use start::{Source, StartRequest, Started, Starting};
pub use statistics::{Statistics, Usage};
pub use suggest::{Suggestion, suggest};
pub(crate) use surroundings::Seen;
pub use templates::Template;
pub(crate) use undoing::cannot_be_undone;
pub use validation::{Look, ValidatedWorkflow, Validation, validate_closely};
pub use verify::{Verified, verify};

/// What this build can execute.
pub fn catalogue() -> skep_model::catalogue::Catalogue {
    crate::catalogue::build()
}
