//! What a run has covered: every kind of fault, crash, deed and step, with how often.

use std::collections::BTreeMap;
use std::fmt;

use crate::disk::Fault;
use crate::generate::Kind;

/// Where a process ends, seen from the turn that it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrashPoint {
    /// Between two turns.
    Idle,
    /// A turn is decided, its children are not forked.
    BeforePrepare,
    /// Its children are parked, the turn is not handed to the writer.
    AfterPrepare,
    /// A large value is not written.
    BeforeBlob,
    /// A large value is written, its turn is not.
    AfterBlob,
    /// The turn is with the writer, its commit has not begun.
    BeforeCommit,
    /// In the middle of what SQLite does with the disk.
    InCommit,
    /// The turn is durable, nobody knows.
    AfterCommit,
    /// Before one of its effects.
    BeforeEffect,
    /// After one of its effects.
    AfterEffect,
    /// Before something is stopped.
    BeforeAbort,
    /// After it was told to stop.
    AfterAbort,
    /// While a new owner takes on what the last one left.
    InRecovery,
}

impl CrashPoint {
    /// Every one, for tables.
    pub const ALL: [Self; 13] = [
        Self::Idle,
        Self::BeforePrepare,
        Self::AfterPrepare,
        Self::BeforeBlob,
        Self::AfterBlob,
        Self::BeforeCommit,
        Self::InCommit,
        Self::AfterCommit,
        Self::BeforeEffect,
        Self::AfterEffect,
        Self::BeforeAbort,
        Self::AfterAbort,
        Self::InRecovery,
    ];
}

/// What goes wrong above the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Trouble {
    StepFails,
    StepIsSlow,
    StepTimesOut,
    StepNeverAnswers,
    StepDies,
    ChildCannotFork,
    AnswerComesTwice,
    AnswerComesAfterStop,
    SuccessAfterStop,
    StaleAnswer,
    LargeAnswer,
    ClockSetForward,
    ClockSetBack,
    BlobNotWritten,
    BlobNotRead,
    OrphanKeepsRunning,
    AnswerAtOnce,
}

impl Trouble {
    /// Every one, for tables.
    pub const ALL: [Self; 17] = [
        Self::StepFails,
        Self::StepIsSlow,
        Self::StepTimesOut,
        Self::StepNeverAnswers,
        Self::StepDies,
        Self::ChildCannotFork,
        Self::AnswerComesTwice,
        Self::AnswerComesAfterStop,
        Self::SuccessAfterStop,
        Self::StaleAnswer,
        Self::LargeAnswer,
        Self::ClockSetForward,
        Self::ClockSetBack,
        Self::BlobNotWritten,
        Self::BlobNotRead,
        Self::OrphanKeepsRunning,
        Self::AnswerAtOnce,
    ];
}

/// What people do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Deed {
    Start,
    Signal,
    Approve,
    Reject,
    Fill,
    Cancel,
    CancelAgain,
    Pause,
    Resume,
    Adopt,
    Rollback,
    Rerun,
    Checkpoint,
    Undone,
    GoBack,
}

impl Deed {
    /// Every one, for tables.
    pub const ALL: [Self; 15] = [
        Self::Start,
        Self::Signal,
        Self::Approve,
        Self::Reject,
        Self::Fill,
        Self::Cancel,
        Self::CancelAgain,
        Self::Pause,
        Self::Resume,
        Self::Adopt,
        Self::Rollback,
        Self::Rerun,
        Self::Checkpoint,
        Self::Undone,
        Self::GoBack,
    ];
}

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hit {
    /// A fault of the disk that struck.
    Disk(Fault),
    /// The end of a process; with a loss of power or without.
    Crash(CrashPoint, bool),
    /// Something above the disk.
    Trouble(Trouble),
    /// What people did, and it was taken.
    Deed(Deed),
    /// A step of this kind that began.
    Kind(Kind),
}

impl fmt::Display for Hit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(fault) => write!(out, "disk: {fault:?}"),
            Self::Crash(point, false) => write!(out, "process dies: {point:?}"),
            Self::Crash(point, true) => write!(out, "power fails: {point:?}"),
            Self::Trouble(trouble) => write!(out, "trouble: {trouble:?}"),
            Self::Deed(deed) => write!(out, "people: {deed:?}"),
            Self::Kind(kind) => write!(out, "step: {kind:?}"),
        }
    }
}

/// What a run has covered.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Worlds.
    pub worlds: u64,
    /// Executions that were started durably.
    pub executions: u64,
    /// Events that were committed.
    pub events: u64,
    /// Turns that were committed.
    pub turns: u64,
    /// Deliveries that were performed.
    pub deliveries: u64,
    /// Times that a new owner took over.
    pub owners: u64,
    hits: BTreeMap<Hit, u64>,
}

impl Report {
    /// Counts one.
    pub fn hit(&mut self, hit: Hit) {
        *self.hits.entry(hit).or_default() += 1;
    }

    /// Adds another report.
    pub fn add(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.executions += other.executions;
        self.events += other.events;
        self.turns += other.turns;
        self.deliveries += other.deliveries;
        self.owners += other.owners;
        for (hit, count) in &other.hits {
            *self.hits.entry(*hit).or_default() += count;
        }
    }

    /// How often a process died or the power failed.
    pub fn crashes(&self) -> u64 {
        let crashes =
            self.hits.iter().filter(|(hit, _)| matches!(hit, Hit::Crash(point, _) if *point != CrashPoint::InRecovery));
        crashes.map(|(_, count)| count).sum()
    }

    /// How often each of `expected` occurred.
    pub fn counts(&self, expected: &[Hit]) -> Vec<(Hit, u64)> {
        expected.iter().map(|hit| (*hit, self.hits.get(hit).copied().unwrap_or(0))).collect()
    }
}

/// Everything that has to occur on a node with these features.
pub fn expected(catalogue: &skep_model::catalogue::Catalogue) -> Vec<Hit> {
    let mut all: Vec<Hit> = Fault::ALL.into_iter().map(Hit::Disk).collect();
    for point in CrashPoint::ALL {
        all.extend([Hit::Crash(point, false), Hit::Crash(point, true)]);
    }
    all.extend(Trouble::ALL.into_iter().map(Hit::Trouble));
    all.extend(Deed::ALL.into_iter().map(Hit::Deed));
    let built = |kind: &Kind| kind.feature().is_none_or(|feature| catalogue.features.contains(&feature));
    all.extend(Kind::ALL.into_iter().filter(built).map(Hit::Kind));
    all
}
