//! Inputs become durable turns, and durable turns become effects: decides, has children forked and blobs written,
//! hands turns to the writer, and acts on what the writer acknowledges. No thread and no clock of its own: [`thread`]
//! turns the crank in an owner, the simulator turns it in a world of its own.
//!
//! Order of one turn: decide -> blobs fsynced -> children forked, parked before their exec -> commit (with the
//! children's identities in it) -> acknowledged: children released, other effects performed, callers answered.
//! A crash between any two of these leaves either nothing, or a turn whose effects follow from the fold.

mod backlog;
mod children;
mod evict;
mod flight;
mod flights;
mod input;
mod left;
mod park;
mod permits;
mod ports;
mod recovery;
mod snapshots;
mod start_keys;
mod stored;
pub(crate) mod thread;
mod turn;
mod values;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use foldhash::{HashMap, HashMapExt};
use skep_model::catalogue::Catalogue;
use skep_model::error::Failure;
use skep_model::ids::{ExecutionId, LocalId, StepPath, Token};
use skep_model::message::Message;
use skep_model::outcome::Outcome;
use skep_model::time::Timestamp;
use skep_runner::Identity;
use skep_store::blobs::Blobs;
use skep_store::{Ack, Reader};

use crate::core::Core;
use crate::fold::Programs;
use crate::gates::Gates;
use crate::watch::Watcher;

use backlog::Backlog;
pub(crate) use backlog::SCRIPTS_AT_A_TIME;
use flight::Flight;
use flights::Flights;
pub use input::{Answer, Creation, Input, Receipt, Reply};
pub use ports::{Clock, Committer, Mailbox, Performer};
pub use start_keys::StartKey;
use start_keys::Starting;

/// Pause before a turn whose commit failed is decided again.
pub const RETRY_AFTER: Duration = Duration::from_millis(500);

/// So many turns are handed to a writer that has nothing to do while there is more to decide: it commits them meanwhile.
const TURNS_PER_SUBMISSION: usize = 64;
/// And so many to one that is busy: what gathers is one commit, and handing it over costs both sides.
const TURNS_PER_LATER_SUBMISSION: usize = 128;

/// Stands for no execution, in flights that only carry rows.
pub(super) const NO_EXECUTION: LocalId = LocalId(0);

/// Executions in memory and everything between a message and its effects.
pub struct Driver {
    pub(crate) core: Core,
    programs: Programs,
    reader: Box<dyn Reader>,
    blobs: Arc<dyn Blobs>,
    watcher: Watcher,
    next_local: LocalId,
    clock: Box<dyn Clock>,
    performer: Box<dyn Performer>,
    committer: Box<dyn Committer>,
    mailbox: Box<dyn Mailbox>,
    flights: Flights,
    /// Turns decided in this pass, with the children that were forked for them.
    pending: Vec<flight::Boxed>,
    locals: HashMap<ExecutionId, LocalId>,
    /// Deliveries that are performed, with what it takes to answer for them.
    delivered: HashMap<Token, Delivered>,
    /// Outcomes that were there as soon as their work was asked for; they are taken in this pass.
    at_once: VecDeque<AtOnce>,
    /// Set when it is told to end: how long running work is waited for.
    stopping: Option<Duration>,
    backlog: Backlog,
    children: children::Children,
    gates: Gates,
    starting: Starting,
    unready: recovery::Unready,
    stored: stored::Stored,
    left: left::Left,
}

/// A delivery that is performed.
pub(crate) struct Delivered {
    pub execution: ExecutionId,
    pub path: StepPath,
    pub delivery: u32,
    pub has_child: bool,
}

/// The outcome of a delivery that took no waiting.
struct AtOnce {
    local: LocalId,
    delivery: u32,
    outcome: Outcome,
}

/// What the driver starts with.
pub struct Parts {
    /// Reads what was committed, the newest state at each call.
    pub reader: Box<dyn Reader>,
    /// Large values.
    pub blobs: Arc<dyn Blobs>,
    /// Told of each commit.
    pub watcher: Watcher,
    /// See [`Clock`].
    pub clock: Box<dyn Clock>,
    /// See [`Performer`].
    pub performer: Box<dyn Performer>,
    /// See [`Committer`].
    pub committer: Box<dyn Committer>,
    /// See [`Mailbox`].
    pub mailbox: Box<dyn Mailbox>,
}

impl Driver {
    /// A driver over what the store has; it has taken nothing on yet.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn new(parts: Parts) -> Result<Self, skep_store::Error> {
        let Parts { reader, blobs, watcher, clock, performer, committer, mailbox } = parts;
        let (gates, stale) = permits::rebuild(&*reader)?;
        let backlog = Backlog::new(watcher.slots().clone());
        let pending = if stale.is_empty() { Vec::new() } else { vec![Box::new(Flight::of_rows(stale))] };
        Ok(Self {
            core: Core::new(reader.last_at()?.unwrap_or(Timestamp(0))),
            next_local: reader.next_local_id()?,
            programs: Programs::default(),
            reader,
            blobs,
            watcher,
            clock,
            performer,
            committer,
            mailbox,
            flights: Flights::default(),
            pending,
            locals: HashMap::new(),
            delivered: HashMap::new(),
            at_once: VecDeque::new(),
            stopping: None,
            children: children::Children::default(),
            backlog,
            gates,
            starting: Starting::default(),
            unready: recovery::Unready::default(),
            stored: stored::Stored::default(),
            left: left::Left::default(),
        })
    }

    /// One turn of the crank: takes the inputs, fires due timers, gives slots to waiting scripts, and hands what was
    /// decided to the committer as one submission.
    pub fn turn(&mut self, inputs: impl IntoIterator<Item = Input>) {
        for input in inputs {
            self.take(input);
            self.launch_many();
        }
        self.fire_timers();
        self.serve_backlog();
        self.launch();
    }

    /// How long until the next timer is due; `None` without one.
    pub fn until_wake(&mut self) -> Option<Duration> {
        let at = self.core.next_wake()?;
        let microseconds = at.0.saturating_sub(self.now().0);
        Some(Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)))
    }

    /// By what children are planned, if not by the built-in table of decisions.
    pub fn use_catalogue(&mut self, catalogue: Arc<Catalogue>) {
        self.children.use_catalogue(catalogue);
    }

    /// Another bound than the usual one for executions in memory that only wait.
    pub fn keep_idle(&mut self, idle_max: usize) {
        self.core.keep_idle(idle_max);
    }

    /// Another bound than the usual one for events after which a snapshot is made.
    pub fn snapshot_after(&mut self, events: usize) {
        self.core.snapshot_after(events);
    }

    /// What it has in memory.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Once it was told to end: how long running work is waited for.
    pub fn stopping(&self) -> Option<Duration> {
        self.stopping
    }

    /// True if it was told to end and nothing is in flight; what is performed is waited for unless it is `overdue`.
    pub fn is_drained(&self, overdue: bool) -> bool {
        self.stopping.is_some() && self.flights.is_empty() && (overdue || self.delivered.is_empty())
    }

    fn now(&mut self) -> Timestamp {
        let (wall, elapsed_us) = (self.clock.now(), self.clock.elapsed_us());
        self.core.tick(wall, elapsed_us)
    }

    fn fire_timers(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        let now = self.now();
        for local in self.core.due(now) {
            if self.is_left(local) {
                continue;
            }
            self.decide(local, Message::TimerFired, None);
        }
    }

    /// The writer begins while there is more to decide.
    fn launch_many(&mut self) {
        let enough = if self.flights.is_empty() { TURNS_PER_SUBMISSION } else { TURNS_PER_LATER_SUBMISSION };
        if self.pending.len() >= enough {
            self.launch();
        }
    }

    /// Hands what was decided to the writer, as one submission.
    fn launch(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let flights = std::mem::replace(&mut self.pending, Vec::with_capacity(TURNS_PER_LATER_SUBMISSION));
        let (mut flights, unstored) = self.store_values(flights);
        self.prepare_children(&mut flights);
        test_pause_before_commit();
        let mut submissions = Vec::with_capacity(flights.len());
        for mut flight in flights {
            submissions.push(flight.submission(self.flights.next_ticket()));
            self.flights.add(flight);
        }
        if let Err(error) = self.committer.submit(submissions) {
            tracing::error!("the writer takes no more turns: {error}");
            self.stopping = Some(Duration::ZERO);
            self.flights.clear();
        }
        unstored.into_iter().for_each(|turn| self.not_storable(turn));
    }

    /// Forks the children that have a slot; the others wait in the backlog once their turn is durable.
    fn prepare_children(&mut self, flights: &mut [Box<Flight>]) {
        if self.stopping.is_some() {
            return;
        }
        let mut wanted: Vec<(usize, usize)> =
            flights.iter().enumerate().flat_map(|(at, flight)| flight.wants(at, &*self.performer)).collect();
        // What waited already comes first, then by priority; what is new waits behind it.
        wanted.sort_by_key(|(flight, effect)| {
            let priority = flights[*flight].task(*effect).map(|task| task.priority);
            (!flights[*flight].from_backlog, std::cmp::Reverse(priority))
        });
        let waited = wanted.iter().filter(|(flight, _)| flights[*flight].from_backlog).count();
        let slots = if self.backlog.is_empty() { self.backlog.free().max(waited) } else { waited };
        for (flight, effect) in wanted.split_off(slots.min(wanted.len())) {
            flights[flight].deferred.insert(effect);
        }
        if wanted.is_empty() {
            return;
        }
        let tasks: Vec<_> = wanted.iter().filter_map(|(flight, effect)| flights[*flight].task(*effect)).collect();
        let prepared: Vec<Result<Identity, Failure>> = self.performer.prepare(&tasks);
        for ((flight, effect), prepared) in wanted.into_iter().zip(prepared) {
            self.backlog.children += usize::from(prepared.is_ok());
            flights[flight].keep_child(effect, prepared);
        }
    }

    /// Summaries are published before callers are answered, so that who was answered never sees an older one.
    fn acknowledged(&mut self, acks: Vec<Ack>) {
        let flights = acks.into_iter().filter_map(|ack| Some((self.flights.remove(ack.ticket.0)?, ack.result)));
        let flights: Vec<_> = flights.collect();
        let landed = flights.iter().filter(|(_, result)| result.is_ok()).map(|(flight, _)| &**flight);
        let ended = landed.clone().filter_map(Flight::ended);
        let turns = landed
            .filter(|flight| flight.has_summary() && !self.is_left(flight.local))
            .map(|flight| (flight.local, flight.summary, flight.seq));
        self.watcher.publish_turns(turns, ended);
        let changed: Vec<LocalId> = flights.iter().map(|(flight, _)| flight.local).collect();
        self.publish_parents(&changed);
        self.warm_up(&changed);
        for (flight, result) in flights {
            self.fold_if_quiet(flight.local);
            match result {
                Ok(_) => self.landed(flight),
                Err(error) => self.lost(flight, &error),
            }
            // At once, while what it concerns is at hand.
            while let Some(done) = self.at_once.pop_front() {
                self.done_at_once(done);
            }
            self.launch_many();
        }
        self.programs.sweep();
    }

    /// What the turns of these executions will read: the reads of one wait for each other, those of several do not.
    fn warm_up(&self, locals: &[LocalId]) {
        let executions = locals.iter().filter_map(|local| self.core.get(*local));
        std::hint::black_box(executions.map(|live| live.state.warm_up()).sum::<usize>());
    }
}

/// Lets a test kill the owner between `decide` and the commit.
fn test_pause_before_commit() {
    #[cfg(debug_assertions)]
    if let Some(pause) = std::env::var("SKEP_TEST_PAUSE_BEFORE_COMMIT_MS").ok().and_then(|text| text.parse().ok()) {
        std::thread::sleep(Duration::from_millis(pause));
    }
}
