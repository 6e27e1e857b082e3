//! What can go wrong in the node, with what to do next.

use std::fmt::Display;

use skep_engine::Rejection;
use skep_model::code::Code;
use skep_model::problem::Problem;

use crate::codes;
use crate::core::Refusal;

/// An error of the application interface. Every face maps it with [`Error::code`], [`Error::hint`] and
/// [`Error::class`]; nothing was committed unless the text says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The definition is wrong, or wants what this node cannot execute.
    #[error("the definition has {} problem(s): nothing was started", .problems.len())]
    InvalidDefinition {
        /// The file, for messages; `None` for text from elsewhere.
        file: Option<String>,
        /// The text, for excerpts.
        text: String,
        /// All of them.
        problems: Vec<Problem>,
    },
    /// Inputs are missing or wrong.
    #[error("the inputs do not fit: {}", .problems.join("; "))]
    InvalidInputs {
        /// One sentence each.
        problems: Vec<String>,
    },
    /// No such execution.
    #[error("no execution `{given}`")]
    NoSuchExecution {
        /// As given.
        given: String,
    },
    /// A prefix that fits several.
    #[error("`{given}` fits several executions: {}", .candidates.join(", "))]
    AmbiguousExecution {
        /// As given.
        given: String,
        /// Some of them.
        candidates: Vec<String>,
    },
    /// No such workflow in the library.
    #[error("no workflow `{given}` in the library")]
    NoSuchWorkflow {
        /// As given.
        given: String,
        /// Names like it.
        similar: Vec<String>,
    },
    /// A name that fits several.
    #[error("`{given}` fits several workflows: {}", .candidates.join(", "))]
    AmbiguousWorkflow {
        /// As given.
        given: String,
        /// Their paths.
        candidates: Vec<String>,
    },
    /// No key, or user, of this name.
    #[error("there is no {named} `{given}`")]
    NoSuchCaller {
        /// Which of the two.
        named: skep_store::Named,
        /// As given.
        given: String,
    },
    /// The engine refused the message.
    #[error("{0}")]
    Rejected(Rejection),
    /// The execution cannot be worked with.
    #[error("{0}")]
    Refused(Refusal),
    /// Trouble with the store.
    #[error(transparent)]
    Store(#[from] skep_store::Error),
    /// Trouble with a file of the data directory.
    #[error(transparent)]
    DataDir(#[from] skep_store::data_dir::Error),
    /// Another process owns the data directory.
    #[error(transparent)]
    Owned(#[from] skep_store::lock::Error),
    /// Trouble with the blob store.
    #[error(transparent)]
    Blob(#[from] skep_store::blobs::Error),
    /// The runner could not be started.
    #[error("the runner could not be started: {0}")]
    Runner(String),
    /// A commit failed: nothing of this request was recorded.
    #[error("nothing was recorded: {0}")]
    Commit(std::sync::Arc<skep_store::Error>),
    /// What is stored does not fit together.
    #[error("what is stored of {what} is damaged: {problem}")]
    Damaged {
        /// Which execution, plan or row.
        what: String,
        /// What does not fit.
        problem: String,
    },
    /// Written by a newer version.
    #[error("the {what} was written by a newer version of Skep (number {found}; this one knows up to {known})")]
    NewerFormat {
        /// Plan or engine.
        what: &'static str,
        /// Its number.
        found: u32,
        /// The highest known.
        known: u32,
    },
    /// The configuration is wrong.
    #[error("{file}: {problem}")]
    Config {
        /// The file.
        file: String,
        /// What is wrong in it.
        problem: String,
    },
    /// The node is ending and takes no more requests.
    #[error("this process is ending and takes no more requests")]
    Ending,
    /// A request that does not make sense.
    #[error("{message}")]
    BadRequest {
        /// What does not.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A value could not be stored: nothing of this request was recorded.
    #[error("nothing was recorded: {0}")]
    Unstored(std::sync::Arc<skep_store::blobs::Error>),
    /// The key of a start stands for another start.
    #[error("the key `{key}` was given to the execution {execution} already, and {differs}: nothing was started")]
    StartKeyTaken {
        /// The key.
        key: String,
        /// Who has it.
        execution: String,
        /// What is not the same.
        differs: &'static str,
    },
    /// The execution is over and old: it lies in the archive and cannot change any more.
    #[error("execution {execution} is archived: it lies in {}", file.display())]
    Archived {
        /// The whole id.
        execution: String,
        /// Its file.
        file: std::path::PathBuf,
    },
    /// A file of the archive could not be written or read.
    #[error(transparent)]
    Archive(#[from] skep_store::archive::Error),
    /// A copy could not be made.
    #[error(transparent)]
    Backup(#[from] skep_store::backup::Error),
    /// The audit cannot be written or read.
    #[error(transparent)]
    Audit(#[from] skep_store::audit::Error),
    /// The disk is nearly full: nothing new is begun.
    #[error("nothing new is started: {} MiB are free on the disk of the data directory, {} MiB are kept in reserve", free_bytes / MIB, reserve_bytes / MIB)]
    DiskReserve {
        /// What is free.
        free_bytes: u64,
        /// What the configuration keeps.
        reserve_bytes: u64,
    },
}

const MIB: u64 = 1024 * 1024;

/// Whose fault an error is: decides exit codes and HTTP statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The request is wrong.
    User,
    /// What it names does not exist.
    NotFound,
    /// It does not fit the state that things are in.
    Conflict,
    /// Try again later: the disk, another owner.
    Transient,
    /// What is stored is damaged, or of another version.
    Corrupt,
    /// There is no room for it.
    Full,
}

impl Error {
    pub(crate) fn damaged(what: &dyn Display, problem: impl Display) -> Self {
        Self::Damaged { what: what.to_string(), problem: problem.to_string() }
    }

    /// Whose fault it is.
    pub fn class(&self) -> Class {
        match self {
            Self::InvalidDefinition { .. } | Self::InvalidInputs { .. } | Self::Config { .. } => Class::User,
            Self::BadRequest { .. } | Self::AmbiguousExecution { .. } | Self::AmbiguousWorkflow { .. } => Class::User,
            Self::NoSuchExecution { .. } | Self::NoSuchWorkflow { .. } | Self::NoSuchCaller { .. } => Class::NotFound,
            Self::Store(skep_store::Error::NameTaken { .. }) => Class::Conflict,
            Self::Rejected(_) | Self::Refused(Refusal::Rejected(_)) | Self::StartKeyTaken { .. } => Class::Conflict,
            Self::Store(error) if is_full(error) => Class::Full,
            Self::Commit(error) if is_full(error) => Class::Full,
            Self::Owned(_) | Self::Store(_) | Self::DataDir(_) | Self::Commit(_) => Class::Transient,
            Self::Runner(_) | Self::Ending | Self::Refused(Refusal::NotOpen | Refusal::NotReady) => Class::Transient,
            Self::Damaged { .. } | Self::NewerFormat { .. } | Self::Blob(_) => Class::Corrupt,
            Self::Refused(Refusal::Blob { .. }) => Class::Corrupt,
            Self::Unstored(_) => Class::Transient,
            Self::Archived { .. } => Class::Conflict,
            Self::Archive(skep_store::archive::Error::Damaged { .. }) => Class::Corrupt,
            Self::Archive(_) => Class::Transient,
            Self::Backup(skep_store::backup::Error::Exists { .. }) => Class::User,
            Self::Backup(_) => Class::Transient,
            Self::Audit(skep_store::audit::Error::File(_)) => Class::Transient,
            Self::Audit(_) => Class::Corrupt,
            Self::DiskReserve { .. } => Class::Full,
        }
    }

    /// Its stable code.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::InvalidDefinition { .. } => &codes::INVALID_DEFINITION,
            Self::InvalidInputs { .. } => &codes::INVALID_INPUTS,
            Self::NoSuchExecution { .. } | Self::AmbiguousExecution { .. } => &codes::NO_SUCH_EXECUTION,
            Self::NoSuchWorkflow { .. } | Self::AmbiguousWorkflow { .. } => &codes::NO_SUCH_WORKFLOW,
            Self::NoSuchCaller { .. } => &codes::NO_SUCH_CALLER,
            Self::Rejected(_) | Self::Refused(_) => &codes::REFUSED,
            Self::Store(error) => error.code(),
            Self::DataDir(error) => error.code(),
            Self::Owned(error) => error.code(),
            Self::Blob(error) => error.code(),
            Self::Commit(error) => error.code(),
            Self::Runner(_) => &codes::RUNNER,
            Self::Damaged { .. } | Self::NewerFormat { .. } => &codes::DAMAGED,
            Self::Config { .. } => &codes::CONFIG,
            Self::Ending => &codes::ENDING,
            Self::BadRequest { .. } => &codes::BAD_REQUEST,
            Self::Unstored(error) => error.code(),
            Self::StartKeyTaken { .. } => &codes::START_KEY_TAKEN,
            Self::Archived { .. } => &codes::ARCHIVED,
            Self::Archive(error) => error.code(),
            Self::Backup(error) => error.code(),
            Self::Audit(error) => error.code(),
            Self::DiskReserve { .. } => &codes::DISK_RESERVE,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::InvalidDefinition { .. } => {
                "mend what is listed, then try again; `skep explain CODE` says more".into()
            }
            Self::InvalidInputs { .. } => "give inputs as `-i name=value`, `--name=value` or `-i @file.json`".into(),
            Self::NoSuchExecution { .. } => "`skep list` shows the executions; `@latest` is the newest".into(),
            Self::AmbiguousExecution { .. } => "give more of the id".into(),
            Self::NoSuchWorkflow { similar, .. } if similar.is_empty() => {
                "`skep workflow list` shows the library; a file needs its ending or `./` before it".into()
            }
            Self::NoSuchWorkflow { similar, .. } => format!("did you mean {}?", similar.join(" or ")),
            Self::AmbiguousWorkflow { .. } => "give more of its path".into(),
            Self::NoSuchCaller { named, .. } => format!("`skep {named} list` shows those that there are"),
            Self::Rejected(rejection) | Self::Refused(Refusal::Rejected(rejection)) => rejection_hint(rejection).into(),
            Self::Refused(_) => "`skep status EXECUTION` shows its state".into(),
            Self::Store(error) => error.hint().into(),
            Self::DataDir(error) => error.hint().into(),
            Self::Owned(error) => error.hint().into(),
            Self::Blob(error) => error.hint().into(),
            Self::Commit(error) => error.hint().into(),
            Self::Runner(_) => "`skep doctor` checks what the runner needs".into(),
            Self::Damaged { .. } => {
                "restore the data directory from a backup, or report it with the output of `skep doctor`".into()
            }
            Self::NewerFormat { .. } => "use that version, or another data directory".into(),
            Self::Config { .. } => "`skep config show` prints what is known".into(),
            Self::Ending => "try again: the next command finds a new owner".into(),
            Self::BadRequest { hint, .. } => hint.clone(),
            Self::Unstored(error) => error.hint().into(),
            Self::StartKeyTaken { execution, .. } => {
                format!("`skep status {execution}` shows it; give another key to start anew")
            }
            Self::Archived { .. } => "`skep status` and `skep replay` read it; nothing can change it any more".into(),
            Self::Archive(error) => error.hint().into(),
            Self::Backup(error) => error.hint().into(),
            Self::Audit(error) => error.hint().into(),
            Self::DiskReserve { .. } => {
                "free space (`skep prune` archives and cleans up), or lower `disk_reserve` in config.toml".into()
            }
        }
    }
}

fn is_full(error: &skep_store::Error) -> bool {
    matches!(error, skep_store::Error::DiskFull(_))
}

fn rejection_hint(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::Ambiguous { .. } => "name one with `--step PATH`",
        Rejection::NothingWaiting { .. } | Rejection::NotWaiting { .. } | Rejection::UnknownStep { .. } => {
            "`skep status EXECUTION` shows what waits"
        }
        Rejection::BadInput(_) => "`skep status EXECUTION` shows the form",
        Rejection::TooManySignals(_) => "the workflow may wait for another name; `skep status EXECUTION` shows it",
        Rejection::Terminal(_) => "run it again with `skep rerun EXECUTION`",
        Rejection::BadRerun(_) => "`skep status EXECUTION` shows its steps",
        Rejection::WrongState { .. } | Rejection::AlreadyStarted | Rejection::NotStarted => {
            "`skep status EXECUTION` shows its state"
        }
        Rejection::NothingToUndo(_) => "`skep status EXECUTION` shows which steps are undone and which cannot be",
        Rejection::NoPoint { .. } => "`skep rollback-points EXECUTION` lists them",
        Rejection::Unanswered { .. } => {
            "look, then `skep approve EXECUTION --step PATH` (it was done) or `skep reject EXECUTION --step PATH` (it was not)"
        }
        Rejection::NeedsBlob(_) | Rejection::Stale { .. } => "nothing is to be done",
        Rejection::Broken(_) => "this is a bug: please report it with the output of `skep replay EXECUTION`",
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => Self::Rejected(rejection),
            other => Self::Refused(other),
        }
    }
}
