//! What a check of a data directory finds, and what a repair would do about it.
//!
//! The checks of single rows and pages are [`crate::sqlite::SqliteReader`]'s; whoever knows what events mean adds
//! theirs as the same [`Finding`].

use skep_model::ids::{Hash, LocalId};

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable word, for programs.
    pub kind: &'static str,
    /// The file, table or row.
    pub place: String,
    /// What does not fit.
    pub problem: String,
    /// What a repair does.
    pub mend: Mend,
    /// Whose, if it belongs to one execution: its id, or its number where the id is not known.
    pub execution: Option<String>,
}

/// What a repair does about a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mend {
    /// Row by row into a new file.
    Recover,
    /// All indexes are built anew.
    Reindex,
    /// The rows of the execution go into a file, the list says why it is held.
    SetAside(LocalId),
    /// The list says why it is held; its turns stay, they are intact.
    Hold(LocalId),
    /// The list row is made from the journal.
    Row(LocalId),
    /// A plan is made from its definition.
    Plan(Hash),
    /// A row of the library is made from its definition and its neighbours.
    Library(String),
    /// Counters are counted again.
    Counters,
    /// Snapshots are dropped; they are made anew.
    Snapshots,
    /// A value that lies under another name is copied to its own.
    Blob(Hash),
    /// Lines that cannot be read leave the log; the file is kept aside.
    Log(String),
    /// A row without an execution goes.
    Child,
    /// Nothing can be done by a program: this is what a person can do.
    Nothing(&'static str),
}

impl Mend {
    /// What a repair would do, in words.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Recover => "copies what can be read into a new store",
            Self::Reindex => "builds the indexes anew",
            Self::SetAside(_) => "sets the execution aside: its rows go into a file, the list says held",
            Self::Hold(_) => "holds the execution; its turns stay",
            Self::Row(_) => "makes the row anew from the journal",
            Self::Plan(_) => "makes the plan anew from its definition, or holds the executions that need it",
            Self::Library(_) => "makes the row anew from its definition",
            Self::Counters => "counts anew",
            Self::Snapshots => "drops it; it is made anew",
            Self::Blob(_) => "copies the value from another file that holds it, if there is one",
            Self::Log(_) => "takes out the lines that cannot be read and keeps the old file",
            Self::Child => "drops the row",
            Self::Nothing(words) => words,
        }
    }
}

impl Finding {
    /// A finding that belongs to no execution.
    pub fn new(kind: &'static str, place: impl Into<String>, problem: impl ToString, mend: Mend) -> Self {
        Self { kind, place: place.into(), problem: problem.to_string(), mend, execution: None }
    }

    /// The same, of an execution.
    #[must_use]
    pub fn of(mut self, execution: impl ToString) -> Self {
        self.execution = Some(execution.to_string());
        self
    }
}
