//! The operational rows as they are read back. They exist for lists and for recovery; whatever an
//! execution's state is follows from its journal alone.

use skep_model::ids::{ExecutionId, Hash, LocalId, StepPath, Token};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

/// One execution in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionRow {
    /// The store's own number; keys the journal.
    pub local: LocalId,
    /// The public id.
    pub id: ExecutionId,
    /// Id of the workflow.
    pub workflow: String,
    /// Where the workflow lies in the library (`category/name`), if it came from there.
    pub workflow_path: Option<String>,
    /// The version that the definition declares.
    pub version: String,
    /// The plan that the execution is pinned to.
    pub plan_hash: Hash,
    /// The source text that the plan was made of.
    pub definition_hash: Hash,
    /// As of the row's last change.
    pub status: Status,
    /// When it was accepted.
    pub started_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
    /// When it became terminal.
    pub ended_at: Option<Timestamp>,
    /// The directory in which its steps run.
    pub base_dir: Option<String>,
    /// What it waits for, in words for people.
    pub waiting: Option<String>,
    /// Why it failed or is held, in words for people.
    pub error: Option<String>,
    /// Who started it, as a label.
    pub actor: String,
    /// The sequence number of the turn that last changed the row.
    pub seq: u64,
}

/// What changes in an [`ExecutionRow`]: every field here replaces the one in the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionChange {
    /// Which execution.
    pub local: LocalId,
    /// Its status now.
    pub status: Status,
    /// When.
    pub updated_at: Timestamp,
    /// When it became terminal, if it is.
    pub ended_at: Option<Timestamp>,
    /// What it waits for now.
    pub waiting: Option<String>,
    /// Why it failed or is held.
    pub error: Option<String>,
    /// The sequence number of the turn that causes the change.
    pub seq: u64,
}

impl ExecutionChange {
    /// Puts the change into `row`.
    pub fn apply_to(&self, row: &mut ExecutionRow) {
        row.status = self.status;
        row.updated_at = self.updated_at;
        row.ended_at = self.ended_at;
        row.waiting.clone_from(&self.waiting);
        row.error.clone_from(&self.error);
        row.seq = self.seq;
    }
}

/// A local process that runs a step, recorded before it may exec: a new owner finds and kills it by this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildRow {
    /// Whose step it runs.
    pub execution: LocalId,
    /// Which step.
    pub path: StepPath,
    /// The delivery; in the process's environment too. Unique.
    pub token: Token,
    /// Process id.
    pub pid: i32,
    /// Start time in clock ticks since boot (`/proc/PID/stat`, field 22): tells a reused pid apart.
    pub started_ticks: u64,
    /// The boot in which pid and ticks mean something.
    pub boot_id: String,
    /// Its control group, where one could be made.
    pub cgroup: Option<String>,
}

/// One version of a workflow in the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowVersion {
    /// `category/name`.
    pub path: String,
    /// From 1, grows by one per new definition at this path; never reused, not even after a removal.
    pub number: u32,
    /// Id of the workflow.
    pub workflow: String,
    /// Its name for people.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The version that the definition declares.
    pub version: String,
    /// Its source text, see [`crate::Reader::definition`].
    pub definition_hash: Hash,
    /// When it was added.
    pub added_at: Timestamp,
    /// Who added it, as a label.
    pub actor: String,
}

/// A place in a group: taken, or waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermitRow {
    /// Which group; the node's own word for it.
    pub resource: String,
    /// Who.
    pub execution: LocalId,
    /// Which step of it; empty: the execution itself.
    pub path: StepPath,
    /// Whether it has it.
    pub state: PermitState,
    /// Higher is served first.
    pub priority: i32,
    /// Since when it asks for it.
    pub since: Timestamp,
}

/// Whether a place is taken or waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermitState {
    /// In line.
    Waiting,
    /// In.
    Held,
}

impl PermitState {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
        }
    }

    /// The state that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Held].into_iter().find(|state| state.as_str() == word)
    }
}

/// A circuit breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerRow {
    /// Its name.
    pub name: String,
    /// JSON of the node; opaque here.
    pub state: String,
}

/// What was found when a definition was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationRow {
    /// Of the definition's text.
    pub definition_hash: Hash,
    /// When.
    pub at: Timestamp,
    /// The node's own JSON.
    pub report: String,
}

/// The key that a start was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartKeyRow {
    /// Id of the workflow.
    pub workflow: String,
    /// The key.
    pub key: String,
    /// The execution that it stands for.
    pub execution: LocalId,
    /// Of the definition and the inputs.
    pub digest: Hash,
}

/// What somebody did, waiting for its record in the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActRow {
    /// From 1.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// JSON of the node; opaque here.
    pub entry: String,
}
