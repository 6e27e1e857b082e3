//! Threads, clock and writer around [`Core`]: one thread that takes inputs, decides, has children forked
//! and blobs written, hands turns to the writer, and acts on what the writer acknowledges.
//!
//! Order of one turn: decide -> children forked, parked before their exec -> blobs fsynced -> commit (with the
//! children's identities in it) -> acknowledged: children released, other effects performed, callers answered.
//! A crash between any two of these leaves either nothing, or a turn whose effects follow from the fold.

mod backlog;
mod flight;
mod input;
mod park;
mod turn;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use skep_model::ids::{ExecutionId, LocalId, StepPath, Token};
use skep_model::time::Timestamp;
use skep_runner::{Prepared, Runner};
use skep_store::blobs::Blobs;
use skep_store::{Ack, Reader, WriterThread};

use crate::clock;
use crate::core::Core;
use crate::fold::Programs;
use crate::log_sink::LogSink;
use crate::watch::Watcher;

use backlog::Backlog;
use flight::Flight;
pub(crate) use input::{Creation, Input, Receipt, Reply};

/// Inputs handled in one pass before its turns are handed to the writer.
const INPUTS_PER_PASS: usize = 1_024;
/// Without a timer the thread wakes this often all the same, to notice a clock that was set.
const WAKE_AT_LEAST: Duration = Duration::from_secs(30);
/// Pause before a turn whose commit failed is decided again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Stands for no execution, in flights that only carry rows.
pub(super) const NO_EXECUTION: LocalId = LocalId(0);

/// What the driver thread owns.
pub(crate) struct Driver {
    pub core: Core,
    pub programs: Programs,
    pub reader: Box<dyn Reader>,
    pub blobs: Arc<dyn Blobs>,
    pub runner: Runner,
    pub writer: WriterThread,
    pub watcher: Watcher,
    pub logs: Arc<LogSink>,
    pub next_local: LocalId,
    inputs: Receiver<Input>,
    sender: Sender<Input>,
    flights: HashMap<u64, Flight>,
    next_ticket: u64,
    /// Turns decided in this pass, with the children that were forked for them.
    pending: Vec<Flight>,
    locals: HashMap<ExecutionId, LocalId>,
    /// Deliveries that the runner has, with what it takes to answer for them.
    delivered: HashMap<Token, Delivered>,
    /// Set when it is told to end: until when running work is waited for.
    stopping: Option<Instant>,
    backlog: Backlog,
}

/// A delivery that the runner has.
pub(crate) struct Delivered {
    pub execution: ExecutionId,
    pub path: StepPath,
    pub delivery: u32,
    pub has_child: bool,
}

/// What the driver starts with.
pub(crate) struct Parts {
    pub core: Core,
    pub reader: Box<dyn Reader>,
    pub blobs: Arc<dyn Blobs>,
    pub runner: Runner,
    pub writer: WriterThread,
    pub watcher: Watcher,
    pub logs: Arc<LogSink>,
    pub next_local: LocalId,
    pub inputs: Receiver<Input>,
    pub sender: Sender<Input>,
}

impl Driver {
    pub fn new(parts: Parts) -> Self {
        let Parts { core, reader, blobs, runner, writer, watcher, logs, next_local, inputs, sender } = parts;
        Self {
            core,
            programs: Programs::default(),
            reader,
            blobs,
            runner,
            writer,
            watcher,
            logs,
            next_local,
            inputs,
            sender,
            flights: HashMap::new(),
            next_ticket: 0,
            pending: Vec::new(),
            locals: HashMap::new(),
            delivered: HashMap::new(),
            stopping: None,
            backlog: Backlog::default(),
        }
    }

    /// Runs until it is told to stop and everything in flight is answered; gives the parts back to end them.
    pub fn run(mut self) -> (Runner, WriterThread) {
        while !self.is_drained() {
            match self.inputs.recv_timeout(self.patience()) {
                Ok(first) => self.pass(first),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.fire_timers();
            self.serve_backlog();
            self.launch();
        }
        (self.runner, self.writer)
    }

    fn is_drained(&self) -> bool {
        let Some(deadline) = self.stopping else { return false };
        self.flights.is_empty() && (self.delivered.is_empty() || Instant::now() >= deadline)
    }

    fn pass(&mut self, first: Input) {
        self.take(first);
        for _ in 1..INPUTS_PER_PASS {
            match self.inputs.try_recv() {
                Ok(input) => self.take(input),
                Err(_) => return,
            }
        }
    }

    fn patience(&self) -> Duration {
        if let Some(deadline) = self.stopping {
            return deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        }
        let Some(at) = self.core.next_wake() else { return WAKE_AT_LEAST };
        let microseconds = at.0.saturating_sub(clock::now().0).max(0);
        Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)).min(WAKE_AT_LEAST)
    }

    fn now(&mut self) -> Timestamp {
        self.core.tick(clock::now())
    }

    fn fire_timers(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        let now = self.now();
        for local in self.core.due(now) {
            self.decide(local, &skep_model::message::Message::TimerFired, None);
        }
    }

    /// Hands what was decided in this pass to the writer, as one submission.
    fn launch(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut flights = std::mem::take(&mut self.pending);
        self.prepare_children(&mut flights);
        test_pause_before_commit();
        let mut submissions = Vec::with_capacity(flights.len());
        for mut flight in flights {
            self.next_ticket += 1;
            submissions.push(flight.submission(self.next_ticket));
            self.flights.insert(self.next_ticket, flight);
        }
        if let Err(error) = self.writer.submit(submissions) {
            tracing::error!("the writer takes no more turns: {error}");
            self.stopping = Some(Instant::now());
            self.flights.clear();
        }
    }

    /// Forks the children that have a slot; the others wait in the backlog once their turn is durable.
    fn prepare_children(&mut self, flights: &mut [Flight]) {
        if self.stopping.is_some() {
            return;
        }
        let mut wanted: Vec<(usize, usize)> =
            flights.iter().enumerate().flat_map(|(at, flight)| flight.wants(at)).collect();
        // What waited longest comes first; what is new waits behind it.
        wanted.sort_by_key(|(flight, _)| !flights[*flight].from_backlog);
        let waited = wanted.iter().filter(|(flight, _)| flights[*flight].from_backlog).count();
        let slots = if self.backlog.is_empty() { self.backlog.free().max(waited) } else { waited };
        for (flight, effect) in wanted.split_off(slots.min(wanted.len())) {
            flights[flight].deferred.insert(effect);
        }
        if wanted.is_empty() {
            return;
        }
        let tasks: Vec<_> = wanted.iter().filter_map(|(flight, effect)| flights[*flight].task(*effect)).collect();
        let prepared: Vec<Result<Prepared, _>> = self.runner.prepare(&tasks);
        for ((flight, effect), prepared) in wanted.into_iter().zip(prepared) {
            self.backlog.children += usize::from(prepared.is_ok());
            flights[flight].keep_child(effect, prepared);
        }
    }

    /// Summaries are published before callers are answered, so that who was answered never sees an older one.
    fn acknowledged(&mut self, acks: Vec<Ack>) {
        let flights = acks.into_iter().filter_map(|ack| Some((self.flights.remove(&ack.ticket.0)?, ack.result)));
        let flights: Vec<_> = flights.collect();
        let landed = flights.iter().filter(|(_, result)| result.is_ok()).map(|(flight, _)| flight);
        self.watcher.publish(landed.filter(|flight| flight.has_summary()).map(|f| (f.local, f.summary)));
        for (flight, result) in flights {
            match result {
                Ok(_) => self.landed(flight),
                Err(error) => self.lost(flight, &error),
            }
        }
        self.programs.sweep();
    }
}

/// Lets a test kill the owner between `decide` and the commit.
fn test_pause_before_commit() {
    #[cfg(debug_assertions)]
    if let Some(pause) = std::env::var("SKEP_TEST_PAUSE_BEFORE_COMMIT_MS").ok().and_then(|text| text.parse().ok()) {
        std::thread::sleep(Duration::from_millis(pause));
    }
}
