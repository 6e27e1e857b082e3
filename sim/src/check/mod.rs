//! The invariants. Each has a name, a sentence, and code that knows nothing of the engine's: it reads committed events
//! and what the world saw.
//!
//! ```text
//! every commit   -> Books::commit   journal rules (steps, order, limits, stops, waits), what is shared, replay = live,
//!                                   views
//! every effect   -> Deliveries      durable before acted upon, once, one key, never side by side
//! every answer   -> Promises        what was acknowledged is durable; everybody is answered
//! every takeover -> Store           what SQLite has is what was committed
//! the end        -> all of it again from the first turn, and every execution has ended
//! ```

mod books;
mod deliveries;
mod journal;
mod limits;
mod order;
mod promises;
mod shared;
mod steps;
mod stops;
mod store;
mod undo;
mod waits;

pub use books::{Account, Books};
pub use deliveries::Deliveries;
pub use journal::Journal;
pub use promises::{Promise, Promises};
pub use store::Store;

/// What must always hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// A turn is on the disk before anything that follows from it happens.
    DurableBeforeActedUpon,
    /// A step whose result is on record is not performed again.
    NoRecordedStepRunsAgain,
    /// A delivery is performed at most once.
    DeliveredOnce,
    /// All attempts and deliveries of a step have one key and the same arguments.
    OneKey,
    /// Two deliveries of a step never run at one time.
    NeverSideBySide,
    /// A child that runs is on record, and one that is gone is not.
    ChildrenOnRecord,
    /// What somebody was told is done is on the disk.
    AcknowledgedIsDurable,
    /// Every request gets an answer.
    EverybodyIsAnswered,
    /// The store has what was committed and nothing else.
    StoreIsWhatWasCommitted,
    /// The database has no damage.
    StoreIsSound,
    /// The fold of the journal is the state in memory.
    ReplayIsLive,
    /// A view that followed is the view that is built anew.
    ViewsAgree,
    /// The list row says what the state says.
    RowsAgree,
    /// Turns are numbered without a gap, and their time does not go back.
    TurnsFollow,
    /// Nothing happens after the end, and the end says what happened.
    TerminalMeansTerminal,
    /// Attempts and deliveries count up, retries follow the plan, a final step stays so.
    StepsFollowTheirRules,
    /// A step begins when what comes before it has ended.
    Order,
    /// What was done is undone in the reverse order, one at a time, and nothing else is.
    CompensationOrder,
    /// After a rollback the world has of what can be undone exactly what the rollback leaves, and the state says so.
    UndoneIsGone,
    /// Bounds of parallel work and of rounds hold.
    Limits,
    /// A group holds no more than it may, and an open breaker lets nothing but one probe through, over all executions.
    SharedLimits,
    /// Nothing begins in an execution that stands still, and what was asked to stop ends.
    StopsStop,
    /// No timer fires early.
    TimersKeepTime,
    /// A signal that came too early is kept, and taken once.
    SignalsAreKept,
    /// A recorded result is one that the world gave.
    ResultsAreTheWorlds,
    /// Once faults stop, every execution ends, but those that wait for what never comes.
    EverythingEnds,
    /// The engine accepts what follows from its own events.
    NothingIsBroken,
}

impl Invariant {
    /// Every one, for tables.
    pub const ALL: [Self; 27] = [
        Self::DurableBeforeActedUpon,
        Self::NoRecordedStepRunsAgain,
        Self::DeliveredOnce,
        Self::OneKey,
        Self::NeverSideBySide,
        Self::ChildrenOnRecord,
        Self::AcknowledgedIsDurable,
        Self::EverybodyIsAnswered,
        Self::StoreIsWhatWasCommitted,
        Self::StoreIsSound,
        Self::ReplayIsLive,
        Self::ViewsAgree,
        Self::RowsAgree,
        Self::TurnsFollow,
        Self::TerminalMeansTerminal,
        Self::StepsFollowTheirRules,
        Self::Order,
        Self::CompensationOrder,
        Self::UndoneIsGone,
        Self::Limits,
        Self::SharedLimits,
        Self::StopsStop,
        Self::TimersKeepTime,
        Self::SignalsAreKept,
        Self::ResultsAreTheWorlds,
        Self::EverythingEnds,
        Self::NothingIsBroken,
    ];
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// What was seen.
    pub what: String,
}

impl Violation {
    /// A violation.
    pub fn new(invariant: Invariant, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }
}

/// Whether something holds.
pub type Verdict = Result<(), Violation>;

/// Fails with a violation if `holds` is false.
pub(crate) fn demand(holds: bool, invariant: Invariant, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Violation::new(invariant, what())) }
}
