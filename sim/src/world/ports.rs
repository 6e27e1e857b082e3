//! What the driver has of the simulated world: its ports, each a handle on one shared [`Machine`].
//!
//! A process that is to end in the middle of a turn is marked dead at that point: from then on nothing that the driver
//! does reaches anything, and the world drops it as soon as the turn returns.

#![allow(clippy::result_large_err, reason = "the port gives failures as they are")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_model::effect::{Task, Work};
use skep_model::error::{Failure, Kind};
use skep_model::ids::{ExecutionId, Hash, StepPath, Token};
use skep_model::outcome::Outcome;
use skep_model::payload::NewBlob;
use skep_model::time::Timestamp;
use skep_node::driver::{Clock, Committer, Input, Mailbox, Performer, RETRY_AFTER};
use skep_runner::Identity;
use skep_store::blobs::{Blobs, Error as BlobError, MemoryBlobs};
use skep_store::writer::Submission;

use super::outside::Outside;
use super::time::Time;
use crate::check::Deliveries;
use crate::disk::Disk;
use crate::random::Random;
use crate::report::{CrashPoint, Hit, Report, Trouble};

/// The machine on which an owner runs, and what it remembers beyond one.
pub struct Machine {
    /// Its clocks.
    pub time: Time,
    /// What the owner's driver sent to itself.
    pub mail: VecDeque<Input>,
    /// What it sent to itself for later, by the monotonic clock.
    pub later: Vec<(i64, Input)>,
    /// What it handed to the writer.
    pub submitted: VecDeque<Submission>,
    /// Where effects happen.
    pub outside: Outside,
    /// Whether what is performed and stopped is on record.
    pub deliveries: Deliveries,
    /// The process has ended, and how.
    pub dead: Option<(CrashPoint, bool)>,
    /// Ends the process when this point is passed so many times more; with a loss of power or without.
    pub crash_at: Option<(CrashPoint, u32, bool)>,
    /// Blob calls that fail from now on.
    pub blob_trouble: Option<Trouble>,
    /// Counts what occurs.
    pub report: Report,
    /// Chance of the machine.
    pub random: Random,
    next_pid: u32,
}

/// Shared by the world and the ports.
pub type Shared = Arc<Mutex<Machine>>;

/// Locks it: there is only one thread, so nobody waits.
pub fn lock(machine: &Shared) -> MutexGuard<'_, Machine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Machine {
    /// A machine that has just been switched on.
    pub fn new(seed: u64) -> Self {
        Self {
            time: Time::default(),
            mail: VecDeque::new(),
            later: Vec::new(),
            submitted: VecDeque::new(),
            outside: Outside::new(seed),
            deliveries: Deliveries::default(),
            dead: None,
            crash_at: None,
            blob_trouble: None,
            report: Report::default(),
            random: Random::of(seed, "machine"),
            next_pid: 100,
        }
    }

    /// Passes a point; false once the process is dead.
    pub fn pass(&mut self, point: CrashPoint) -> bool {
        if self.dead.is_some() {
            return false;
        }
        if let Some((at, left, power)) = &mut self.crash_at
            && *at == point
        {
            if *left == 0 {
                self.dead = Some((point, *power));
                self.crash_at = None;
                return false;
            }
            *left -= 1;
        }
        true
    }

    /// A new process begins on this machine.
    pub fn begin_life(&mut self) {
        self.dead = None;
        self.mail.clear();
        self.later.clear();
        self.submitted.clear();
    }

    /// The owner's process has ended.
    pub fn outside_died(&mut self, with_power: bool) {
        self.crash_at = None;
        self.outside.owner_died(with_power, &mut self.report);
    }

    /// Lets the driver look at its timers, with an input that says nothing.
    pub fn nudge(&mut self) {
        if self.mail.is_empty() {
            self.mail.push_back(Input::Acks(Vec::new()));
        }
    }

    /// Counts trouble.
    pub fn note(&mut self, trouble: Trouble) {
        self.report.hit(Hit::Trouble(trouble));
    }
}

/// The clocks.
pub struct SimClock(pub Shared);

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        lock(&self.0).time.wall()
    }

    fn elapsed_us(&self) -> i64 {
        lock(&self.0).time.elapsed_us
    }
}

/// The driver's queue to itself.
pub struct SimMailbox(pub Shared);

impl Mailbox for SimMailbox {
    fn send(&self, input: Input) {
        let mut machine = lock(&self.0);
        if machine.dead.is_none() {
            machine.mail.push_back(input);
        }
    }

    fn send_later(&self, input: Input) {
        let mut machine = lock(&self.0);
        if machine.dead.is_none() {
            let pause = i64::try_from(RETRY_AFTER.as_micros()).expect("it is half a second");
            let due = machine.time.elapsed_us + pause;
            machine.later.push((due, input));
        }
    }
}

/// The writer's queue.
pub struct SimCommitter(pub Shared);

impl Committer for SimCommitter {
    fn submit(&mut self, submissions: Vec<Submission>) -> Result<(), skep_store::Error> {
        let mut machine = lock(&self.0);
        if machine.dead.is_none() {
            machine.submitted.extend(submissions);
        }
        Ok(())
    }
}

/// The runner.
pub struct SimPerformer(pub Shared);

impl Performer for SimPerformer {
    fn needs_child(&self, task: &Task) -> bool {
        match task.work {
            Work::Script(_) => true,
            Work::Action { .. } | Work::UndoChild { .. } => false,
        }
    }

    fn prepare(&mut self, tasks: &[&Task]) -> Vec<Result<Identity, Failure>> {
        let mut machine = lock(&self.0);
        machine.pass(CrashPoint::BeforePrepare);
        let prepared = tasks.iter().map(|task| prepare(&mut machine, task)).collect();
        machine.pass(CrashPoint::AfterPrepare);
        prepared
    }

    fn perform(&mut self, task: Box<Task>) -> Option<Outcome> {
        let mut machine = lock(&self.0);
        if !machine.pass(CrashPoint::BeforeEffect) {
            return None;
        }
        let Machine { outside, deliveries, time, report, .. } = &mut *machine;
        report.deliveries += 1;
        deliveries.performed(&task, outside);
        let token = task.token.clone();
        outside.begin(*task, *time, report);
        let outcome = outside.at_once(&token, *time, report);
        machine.pass(CrashPoint::AfterEffect);
        outcome
    }

    fn discard(&mut self, token: &Token) {
        let mut machine = lock(&self.0);
        if machine.dead.is_none() {
            machine.outside.unpark(token);
        }
    }

    fn abort(&mut self, token: &Token) {
        let mut machine = lock(&self.0);
        if !machine.pass(CrashPoint::BeforeAbort) {
            return;
        }
        let Machine { outside, deliveries, time, report, .. } = &mut *machine;
        deliveries.aborted(token);
        outside.stop(token, *time, report);
        machine.pass(CrashPoint::AfterAbort);
    }

    fn delivery_ended(&mut self, _execution: &ExecutionId, _path: &StepPath, _delivery: u32) {}

    fn execution_ended(&mut self, _execution: &ExecutionId) {}
}

fn prepare(machine: &mut Machine, task: &Task) -> Result<Identity, Failure> {
    if !machine.outside.is_calm && machine.random.percent(2) {
        machine.note(Trouble::ChildCannotFork);
        return Err(Failure::new(Kind::ResourceLimit, "SIM", "no process could be forked"));
    }
    machine.next_pid += 1;
    machine.outside.park(&task.token);
    Ok(Identity { pid: machine.next_pid, started_ticks: u64::from(machine.next_pid), boot_id: "sim".to_owned() })
}

/// Large values: durable once `put` returns, as the folder's are.
pub struct SimBlobs {
    /// What is on the disk.
    pub kept: MemoryBlobs,
    /// Fails and ends processes.
    pub machine: Shared,
}

impl SimBlobs {
    fn trouble(&self, kind: Trouble) -> Option<BlobError> {
        let mut machine = lock(&self.machine);
        if machine.blob_trouble != Some(kind) {
            return None;
        }
        machine.blob_trouble = None;
        machine.note(kind);
        let cause = std::io::Error::other("simulated");
        Some(BlobError::File(skep_store::data_dir::Error::File { attempt: "using", path: "blob".into(), cause }))
    }
}

impl Blobs for SimBlobs {
    fn put(&self, blob: &NewBlob) -> Result<(), BlobError> {
        if !lock(&self.machine).pass(CrashPoint::BeforeBlob) {
            return Ok(());
        }
        if let Some(error) = self.trouble(Trouble::BlobNotWritten) {
            return Err(error);
        }
        self.kept.put(blob)?;
        lock(&self.machine).pass(CrashPoint::AfterBlob);
        Ok(())
    }

    fn get(&self, hash: Hash) -> Result<Option<Vec<u8>>, BlobError> {
        match self.trouble(Trouble::BlobNotRead) {
            Some(error) => Err(error),
            None => self.kept.get(hash),
        }
    }

    fn contains(&self, hash: Hash) -> Result<bool, BlobError> {
        self.kept.contains(hash)
    }
}

/// Ends the disk with the process, if the process ended somewhere else.
pub fn settle_death(machine: &Shared, disk: &Disk) {
    if let Some((_, power)) = lock(machine).dead {
        disk.crash(power);
    }
}
