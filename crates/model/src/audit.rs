//! The audit's words: what a record says, which kinds there are, how bad they are.
//!
//! Pure data. Which event of the journal becomes a record is the node's table (`node/src/audit/table.rs`); how records
//! are sealed and kept is the store's (`store/src/audit`). Words are part of a format that was released: never reused
//! for another meaning.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::{Map, Value};

/// How much a person should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Part of the day's work.
    Info,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
    /// Somebody has to act: undoing failed, or the audit itself was tampered with.
    Critical,
}

impl Severity {
    /// Every one, the mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word in records and options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// The one that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word)
    }
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventType { $($(#[$doc])* #[serde(rename = $word)] $name),* }

        impl EventType {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word in records and options.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

event_types! {
    /// An execution was started.
    ExecutionStarted = "execution_started",
    /// It ended well.
    ExecutionCompleted = "execution_completed",
    /// It failed.
    ExecutionFailed = "execution_failed",
    /// It ended cancelled.
    ExecutionCancelled = "execution_cancelled",
    /// It ended undone.
    ExecutionRolledBack = "execution_rolled_back",
    /// It ended with something that could not be undone.
    RollbackFailed = "rollback_failed",
    /// Somebody asked it to stop.
    CancelAsked = "cancel_asked",
    /// Somebody paused it.
    ExecutionPaused = "execution_paused",
    /// Somebody let it go on.
    ExecutionResumed = "execution_resumed",
    /// Somebody ran it again.
    ExecutionRerun = "execution_rerun",
    /// Its time was over.
    ExecutionTimedOut = "execution_timed_out",
    /// The engine stopped it until a person looks.
    ExecutionHeld = "execution_held",
    /// A step failed for good.
    StepFailed = "step_failed",
    /// The table of decisions judged a failure.
    FailureJudged = "failure_judged",
    /// The engine left out a step that failed.
    StepSkipped = "step_skipped",
    /// The engine tries a step again.
    StepRetried = "step_retried",
    /// A new owner delivers a step again.
    StepRedelivered = "step_redelivered",
    /// Nobody knows whether a step's work was done.
    OutcomeUnknown = "outcome_unknown",
    /// A person is asked to decide.
    ApprovalAsked = "approval_asked",
    /// A decision was made.
    ApprovalDecided = "approval_decided",
    /// Nobody decided in time, the next person is told.
    Escalated = "escalated",
    /// A form was filled in.
    InputGiven = "input_given",
    /// A signal came.
    SignalReceived = "signal_received",
    /// The engine asks a person about a step.
    QuestionAsked = "question_asked",
    /// They answered.
    QuestionAnswered = "question_answered",
    /// A failed step asks for the execution to be undone.
    CompensationAsked = "compensation_asked",
    /// Undoing began.
    RollbackBegan = "rollback_began",
    /// Somebody wants an execution undone that is not over.
    RollbackAsked = "rollback_asked",
    /// Somebody made a rollback point.
    RollbackPointMade = "rollback_point_made",
    /// An execution went back to a rollback point and goes on from it.
    ExecutionReturned = "execution_returned",
    /// A step stays as it is, and so does what it was built on.
    UndoFailed = "undo_failed",
    /// A step was undone.
    StepRolledBack = "step_rolled_back",
    /// A step could not be undone.
    CompensationFailed = "compensation_failed",
    /// Somebody stopped a rollback.
    RollbackStopped = "rollback_stopped",
    /// Undoing is over.
    RollbackEnded = "rollback_ended",
    /// A workflow, or a new version of it, came into the library.
    WorkflowAdded = "workflow_added",
    /// A workflow was taken off the list.
    WorkflowRemoved = "workflow_removed",
    /// Old executions were archived or removed.
    Pruned = "pruned",
    /// A data directory was mended.
    Repaired = "repaired",
    /// A copy of the data directory was made.
    BackupMade = "backup_made",
    /// The configuration is not what it was when the last owner began.
    ConfigurationChanged = "configuration_changed",
    /// A process became the owner of the data directory.
    ServerStarted = "server_started",
    /// It ended in order.
    ServerStopped = "server_stopped",
    /// An API key was made.
    KeyCreated = "key_created",
    /// One was revoked.
    KeyRevoked = "key_revoked",
    /// A user was added.
    UserCreated = "user_created",
    /// One may not sign in any more.
    UserDisabled = "user_disabled",
    /// One may again.
    UserEnabled = "user_enabled",
    /// Somebody's password was set.
    PasswordSet = "password_set",
    /// A caller was refused.
    AccessDenied = "access_denied",
    /// The journal is behind what the audit has seen of it: another one was put in its place.
    JournalReplaced = "journal_replaced",
    /// A turn of the journal could not be read.
    SystemError = "system_error",
    /// The first record of a segment: where the chain stands.
    Head = "head",
    /// What a crash left half written was cut off; nothing that had been sealed is missing.
    AuditRepaired = "audit_repaired",
    /// The owner found the log changed when it began.
    AuditDamaged = "audit_damaged",
}

impl EventType {
    /// The one that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// How far the audit is: everything up to here has its records. Stands in every record, so that the log itself says
/// where to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The turn, by its place in the whole journal; 0 before the first.
    pub position: i64,
    /// How many of that turn's events are done; [`Cursor::ALL`] if all are.
    pub events: u32,
    /// The number of the last act.
    pub act: i64,
}

impl Cursor {
    /// All events of a turn, however many it has.
    pub const ALL: u32 = u32::MAX;

    /// The first turn that has events without their records, and how many of it have them already.
    pub fn next(self) -> (i64, u32) {
        if self.events == Self::ALL { (self.position + 1, 0) } else { (self.position, self.events) }
    }

    /// What both say together.
    #[must_use]
    pub fn furthest(self, other: Self) -> Self {
        let (position, events) = (self.position, self.events).max((other.position, other.events));
        Self { position, events, act: self.act.max(other.act) }
    }
}

/// What a record says, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened, as people write moments, in UTC.
    pub timestamp: String,
    /// What happened.
    pub event_type: EventType,
    /// How much a person should care.
    pub severity: Severity,
    /// Who.
    pub actor: Actor,
    /// From where: `journal`, `unix uid=0 pid=12`.
    pub source: String,
    /// On which execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
    /// On which workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// On which step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// One sentence.
    pub message: String,
    /// What was there before, where something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// How it went: `done`, `failed`, `refused`, `approved` ..
    pub outcome: String,
    /// Anything else. Never a value of an input, an output or a secret.
    #[serde(default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
    pub details: Map<Value>,
}

impl Entry {
    /// A mild one of `actor`, without anything that can be left out.
    pub fn new(timestamp: String, event_type: EventType, actor: Actor, message: impl Into<String>) -> Self {
        Self {
            timestamp,
            event_type,
            severity: Severity::Info,
            actor,
            source: "owner".to_owned(),
            execution_id: None,
            workflow: None,
            step: None,
            message: message.into(),
            before: None,
            after: None,
            outcome: "done".to_owned(),
            details: Map::new(),
        }
    }

    /// The same with a detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// A record without its checksum, which covers every byte of this as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without gaps, over all segments.
    pub sequence: u64,
    /// What it is about, the same however often it is written: `turn-120-3`, `act-7`, `owner-9`.
    pub event_id: String,
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
    /// How far the audit is with it.
    pub cursor: Cursor,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for kind in EventType::ALL {
            assert_eq!(EventType::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
        for severity in Severity::ALL {
            assert_eq!(Severity::parse(severity.as_str()), Some(severity));
            assert_eq!(serde_json::json!(severity), severity.as_str());
        }
        assert_eq!((EventType::parse("nope"), Severity::parse("nope")), (None, None));
        assert!(Severity::Info < Severity::Critical);
    }
}
