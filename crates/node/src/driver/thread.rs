//! The driver's thread: waits for inputs and timers, and turns the crank.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use skep_model::effect::Task;
use skep_model::error::Failure;
use skep_model::ids::{ExecutionId, StepPath, Token};
use skep_model::outcome::Outcome;
use skep_model::time::Timestamp;
use skep_runner::{Identity, Prepared, Runner};
use skep_store::WriterThread;
use skep_store::writer::Submission;

use super::ports::{Clock, Committer, Mailbox, Performer};
use super::{Driver, Input, RETRY_AFTER};
use crate::clock;
use crate::log_sink::LogSink;

/// Inputs handled in one pass before its turns are handed to the writer.
const INPUTS_PER_PASS: usize = 1_024;
/// Without a timer the thread wakes this often all the same, to notice a clock that was set.
const WAKE_AT_LEAST: Duration = Duration::from_secs(30);

/// Runs until it is told to stop and everything in flight is answered.
pub(crate) fn run(mut driver: Driver, inputs: &Receiver<Input>) {
    let mut deadline = None;
    loop {
        if let Some(patience) = driver.stopping() {
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
            if driver.is_drained(Instant::now() >= deadline) {
                return;
            }
        }
        match inputs.recv_timeout(patience(&mut driver, deadline)) {
            Ok(first) => {
                let more = std::iter::from_fn(|| inputs.try_recv().ok()).take(INPUTS_PER_PASS - 1);
                driver.turn(std::iter::once(first).chain(more));
            }
            Err(RecvTimeoutError::Timeout) => driver.turn(std::iter::empty()),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn patience(driver: &mut Driver, deadline: Option<Instant>) -> Duration {
    if let Some(deadline) = deadline {
        return deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    }
    driver.until_wake().unwrap_or(WAKE_AT_LEAST).min(WAKE_AT_LEAST)
}

/// The clock of the machine.
pub(crate) struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn elapsed_us(&self) -> i64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000)
    }
}

/// The runner of this machine, with the children that it holds parked.
pub(crate) struct LocalPerformer {
    pub runner: Arc<Runner>,
    pub logs: Arc<LogSink>,
    parked: HashMap<Token, Prepared>,
}

impl LocalPerformer {
    pub fn new(runner: Arc<Runner>, logs: Arc<LogSink>) -> Self {
        Self { runner, logs, parked: HashMap::new() }
    }
}

impl Performer for LocalPerformer {
    fn needs_child(&self, task: &Task) -> bool {
        Runner::needs_child(task)
    }

    fn prepare(&mut self, tasks: &[&Task]) -> Vec<Result<Identity, Failure>> {
        let prepared = self.runner.prepare(tasks);
        let mut identities = Vec::with_capacity(tasks.len());
        for (task, prepared) in tasks.iter().zip(prepared) {
            identities.push(prepared.map(|prepared| {
                let identity = prepared.identity.clone();
                self.parked.insert(task.token.clone(), prepared);
                identity
            }));
        }
        identities
    }

    fn perform(&mut self, task: Box<Task>) -> Option<Outcome> {
        match self.runner.perform_at_once(task) {
            Ok(outcome) => Some(outcome),
            Err(task) => {
                let prepared = self.parked.remove(&task.token);
                self.runner.perform(*task, prepared);
                None
            }
        }
    }

    fn discard(&mut self, token: &Token) {
        drop(self.parked.remove(token));
    }

    fn abort(&mut self, token: &Token) {
        self.runner.abort(token);
    }

    fn delivery_ended(&mut self, execution: &ExecutionId, path: &StepPath, delivery: u32) {
        self.logs.end_delivery(execution, path, delivery);
    }

    fn execution_ended(&mut self, execution: &ExecutionId) {
        self.logs.end_execution(execution);
    }
}

impl Committer for Arc<WriterThread> {
    fn submit(&mut self, submissions: Vec<Submission>) -> Result<(), skep_store::Error> {
        WriterThread::submit(self, submissions)
    }
}

/// Work that is done beside the driver's thread.
type Aside = Box<dyn FnOnce() -> Input + Send>;

/// The queue of the driver's thread.
pub(crate) struct Queue {
    inputs: Sender<Input>,
    /// One thread, so that a burst of such work takes one processor and not all. It ends with the queue.
    aside: Sender<Aside>,
}

impl Queue {
    /// A queue whose inputs arrive at the other end of `inputs`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(inputs: Sender<Input>) -> std::io::Result<Self> {
        let (aside, work) = channel::<Aside>();
        let results = inputs.clone();
        std::thread::Builder::new()
            .name("skep-aside".to_owned())
            .spawn(move || work.iter().for_each(|work| drop(results.send(work()))))?;
        Ok(Self { inputs, aside })
    }
}

impl Mailbox for Queue {
    fn send(&self, input: Input) {
        // The driver's thread holds the receiver, so this cannot fail while it runs.
        drop(self.inputs.send(input));
    }

    fn send_later(&self, input: Input) {
        let sender = self.inputs.clone();
        std::thread::spawn(move || {
            std::thread::sleep(RETRY_AFTER);
            drop(sender.send(input));
        });
    }

    fn aside(&self, work: Aside) {
        drop(self.aside.send(work));
    }
}
