//! The node's loop as a synchronous function: a message and the time go in; a write, effects and a wake-up
//! come out. No thread, no clock, no tokio; the driver and the simulator both turn this crank.
//!
//! What it promises: the state in memory may be ahead of the store by what was handed out and not yet
//! acknowledged. If a write is not committed, its execution is forgotten and folded again.

mod history;
mod rest;

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use serde_json::Value;
use skep_engine::{Decision, Program, Rejection, State, decide};
use skep_model::effect::Effect;
use skep_model::event::{Event, Turn};
use skep_model::ids::{Hash, LocalId};
use skep_model::message::{Message, Start};
use skep_model::payload::{BlobRef, NewBlob};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use skep_store::blobs::Blobs;
use skep_store::{ExecutionChange, ExecutionRow, IdleChange, NewTurn, Row, Write};

use crate::shard_time::ShardTime;
pub use history::History;

/// How many fetched blobs an execution keeps at hand before it begins anew.
const BLOBS_AT_HAND_MAX: usize = 256;
/// And how many bytes of JSON text they may be; values take some times as much.
const BLOB_BYTES_AT_HAND_MAX: u64 = 16 * 1024 * 1024;

/// Executions in memory, by their local number.
#[derive(Default)]
pub struct Core {
    live: HashMap<LocalId, Live>,
    wakes: BTreeSet<(Timestamp, LocalId)>,
    time: ShardTime,
    rest: rest::Rest,
    /// Events after which a snapshot is due, if not [`skep_model::limits::SNAPSHOT_EVENTS`].
    snapshot_events: Option<usize>,
}

/// An execution in memory.
pub struct Live {
    /// Its number in the store.
    pub local: LocalId,
    /// The fold of its turns.
    pub state: State,
    /// Its plan, compiled; shared by all executions of the plan.
    pub program: Arc<Program>,
    blobs: HashMap<Hash, Arc<Value>>,
    wake: Option<Timestamp>,
    /// Bytes of JSON text in `blobs`.
    blob_bytes: u64,
    /// What its row says of whether it waits; `None` if that is not known.
    recorded: Option<IdleChange>,
    /// Its last turn was cut: something follows by itself.
    cut: bool,
    /// Turns on their way to the disk.
    aloft: u32,
    /// When it began to rest, in the order of all that did; 0 if it does not rest.
    touched: u64,
    history: History,
}

/// What follows from a message, to be made durable.
#[derive(Debug)]
#[must_use]
pub struct Accepted {
    /// The turn and the rows beside it; without a turn there is nothing to commit.
    pub write: Write,
    /// To be performed after the commit.
    pub effects: Vec<Effect>,
    /// To be durable before the commit.
    pub blobs: Vec<NewBlob>,
    /// The turn was cut: hand in [`Message::TimerFired`] at once.
    pub more: bool,
}

/// Why a message was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The engine said no; nothing changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The execution is not in memory.
    #[error("the execution is not open in this process")]
    NotOpen,
    /// What its last owner left, or a commit that failed, has to be made good first, and that did not succeed yet.
    #[error("the execution is being taken on again after trouble with the disk")]
    NotReady,
    /// A value of it cannot be read.
    #[error("the value {} of this execution cannot be read: {problem}", .reference.blob.short())]
    Blob {
        /// Which value.
        reference: BlobRef,
        /// Why.
        problem: String,
    },
}

impl Live {
    /// An execution that was folded from the journal, or a new one.
    pub fn new(local: LocalId, state: State, program: Arc<Program>) -> Self {
        Self {
            local,
            state,
            program,
            blobs: HashMap::new(),
            wake: None,
            blob_bytes: 0,
            recorded: None,
            cut: false,
            aloft: 0,
            touched: 0,
            history: History::default(),
        }
    }

    /// An execution with what was folded of it.
    pub(crate) fn folded(local: LocalId, state: State, program: Arc<Program>, history: History) -> Self {
        Self { history, ..Self::new(local, state, program) }
    }
}

impl Core {
    /// Times handed out never go below this: the last journalled one.
    pub fn new(floor: Timestamp) -> Self {
        Self { time: ShardTime::new(floor), ..Self::default() }
    }

    /// Takes an execution into memory.
    pub fn open(&mut self, live: Live) {
        let local = live.local;
        self.forget(local);
        self.live.insert(local, live);
        self.set_wake(local);
    }

    /// Takes an execution out of memory: it is over, or has to be folded again.
    pub fn forget(&mut self, local: LocalId) {
        self.touch(local);
        self.unrest(local);
        if let Some(live) = self.live.remove(&local)
            && let Some(at) = live.wake
        {
            self.wakes.remove(&(at, local));
        }
    }

    /// An execution in memory.
    pub fn get(&self, local: LocalId) -> Option<&Live> {
        self.live.get(&local)
    }

    /// All executions in memory.
    pub fn locals(&self) -> Vec<LocalId> {
        self.live.keys().copied().collect()
    }

    /// When the next timer of any execution is due.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// The time of a turn; see [`ShardTime`].
    pub fn tick(&mut self, wall: Timestamp, elapsed_us: i64) -> Timestamp {
        self.time.tick(wall, elapsed_us)
    }

    /// Decides on a message.
    ///
    /// # Errors
    /// [`Refusal`]; then nothing changed, unless it is [`Rejection::Broken`]: then the execution must be forgotten.
    pub fn handle(
        &mut self,
        local: LocalId,
        message: &Message,
        now: Timestamp,
        blobs: &dyn Blobs,
    ) -> Result<Accepted, Refusal> {
        self.touch(local);
        let live = self.live.get_mut(&local).ok_or(Refusal::NotOpen)?;
        let decision = live.decide(message, now, blobs)?;
        live.cut = decision.more;
        let mut write = live.write(&decision.turn);
        live.history.add(decision.turn.events.len(), write.turn.as_ref().map_or(0, |turn| turn.events.len()));
        write.rows.extend(live.idle_change().map(Row::Idle));
        if !skep_model::mutant!("second-timer-lost") || live.wake.is_none() {
            self.set_wake(local);
        } else if let Some(old) = live.wake.take() {
            self.wakes.remove(&(old, local));
        }
        let Decision { effects, blobs, more, .. } = decision;
        Ok(Accepted { write, effects, blobs, more })
    }

    fn set_wake(&mut self, local: LocalId) {
        let Some(live) = self.live.get_mut(&local) else { return };
        let next = live.state.next_wake();
        if live.wake == next {
            return;
        }
        if let Some(old) = live.wake {
            self.wakes.remove(&(old, local));
        }
        live.wake = next;
        self.wakes.extend(next.map(|at| (at, local)));
    }
}

impl Live {
    /// Decides, and fetches what the engine asks for, one value after the other.
    fn decide(&mut self, message: &Message, now: Timestamp, blobs: &dyn Blobs) -> Result<Decision, Refusal> {
        if self.blobs.len() > BLOBS_AT_HAND_MAX || self.blob_bytes > BLOB_BYTES_AT_HAND_MAX {
            self.blobs.clear();
            self.blob_bytes = 0;
        }
        loop {
            match decide(&mut self.state, &self.program, message, now, &self.blobs) {
                Err(Rejection::NeedsBlob(reference)) => {
                    let value = fetch(blobs, reference)?;
                    self.blobs.insert(reference.blob, Arc::new(value));
                    self.blob_bytes += reference.size_bytes;
                }
                Err(rejection) => return Err(rejection.into()),
                Ok(decision) => return Ok(decision),
            }
        }
    }

    fn write(&self, turn: &Turn) -> Write {
        if turn.events.is_empty() {
            return Write::default();
        }
        let events = serde_json::to_string(&turn.events).expect("events are plain data and always serialize");
        let new = NewTurn { execution: self.local, seq: turn.seq, at: turn.at, events };
        let rows = if turn.events.iter().any(changes_row) { vec![self.row_change(turn)] } else { Vec::new() };
        Write { turn: Some(new), rows }
    }

    /// The list row after this turn.
    pub(crate) fn row_change(&self, turn: &Turn) -> Row {
        let status = self.state.status;
        let failure = self.state.failure.as_ref().or(self.state.held.as_ref());
        Row::ExecutionChanged(ExecutionChange {
            local: self.local,
            status,
            updated_at: turn.at,
            ended_at: status.is_terminal().then_some(turn.at),
            waiting: self.state.waiting_for(),
            error: failure.map(|failure| failure.message.clone()),
            seq: turn.seq,
        })
    }
}

/// The list row of an execution with its first turn, which was decided at `at`. Its path in the library, if it has one,
/// is not in the journal.
pub fn first_row(local: LocalId, start: &Start, program: &Program, at: Timestamp) -> ExecutionRow {
    let head = &program.plan().workflow;
    ExecutionRow {
        local,
        id: start.execution.clone(),
        workflow: head.id.clone(),
        workflow_path: None,
        version: head.version.clone(),
        plan_hash: start.plan_hash,
        definition_hash: start.definition_hash,
        status: Status::Running,
        started_at: at,
        updated_at: at,
        ended_at: None,
        base_dir: Some(start.base_dir.to_string()),
        waiting: None,
        error: None,
        actor: start.actor.label(),
        seq: 1,
    }
}

fn fetch(blobs: &dyn Blobs, reference: BlobRef) -> Result<Value, Refusal> {
    let refusal = |problem: String| Refusal::Blob { reference, problem };
    let bytes = blobs.get(reference.blob).map_err(|error| refusal(error.to_string()))?;
    let bytes = bytes.ok_or_else(|| refusal("it is missing in the blob store".to_owned()))?;
    serde_json::from_slice(&bytes).map_err(|error| refusal(error.to_string()))
}

/// Events after which the list row says something else. Work that begins and ends does not change it, so
/// the hot path writes one journal row per turn and nothing else.
pub(crate) fn changes_row(event: &Event) -> bool {
    matches!(
        event,
        Event::ApprovalAsked { .. }
            | Event::Decided { .. }
            | Event::FormAsked { .. }
            | Event::FormFilled { .. }
            | Event::WaitBegan { .. }
            | Event::PermitAsked { .. }
            | Event::PermitGranted { .. }
            | Event::AttemptFailed { .. }
            | Event::Scheduled { attempt: 2.., .. }
            | Event::SignalTaken { .. }
            | Event::Paused { .. }
                if !skep_model::mutant!("row-not-changed")
    ) || matches!(
        event,
        Event::Resumed { .. }
            | Event::CancelAsked { .. }
            | Event::TimedOut
            | Event::Held { .. }
            | Event::FinallyBegan { .. }
            | Event::Ended { .. }
            | Event::RollbackAsked { .. }
            | Event::Returned { .. }
            | Event::RollbackBegan { .. }
            | Event::RollbackEnded { .. }
            | Event::QuestionAsked { .. }
            | Event::Answered { .. }
            | Event::Rerun { .. }
    )
}
