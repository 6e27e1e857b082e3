//! A driver on ports of a test: time stands still until it is moved, actions succeed at once unless they hang (`log`
//! does until the test says how it ends), and commits are made inline, or held back until they are let go or lost.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use skep_engine::{Program, State, apply_turn};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::effect::{Task, Work};
use skep_model::error::{Failure, Kind};
use skep_model::ids::{ExecutionId, Hash, LocalId, StepPath, Token};
use skep_model::message::{Choices, Message, Start};
use skep_model::outcome::{Ended, Outcome};
use skep_model::payload::NewBlob;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use skep_runner::Identity;
use skep_store::blobs::{self, Blobs, MemoryBlobs};
use skep_store::writer::{Submission, commit_group};
use skep_store::{Ack, Error, Memory, Reader, Stats};
use tokio::sync::oneshot;

use crate::core::Live;
use crate::driver::{Answer, Clock, Committer, Creation, Driver, Input, Mailbox, Parts, Performer};
use crate::fold;
use crate::watch::Watcher;

/// What outlives the driver, and what the test turns.
#[derive(Clone, Default)]
pub(super) struct Outside {
    pub store: Memory,
    pub blobs: Arc<MendableBlobs>,
    queue: Arc<Mutex<VecDeque<Input>>>,
    held: Arc<Mutex<Vec<Submission>>>,
    hold: Arc<AtomicBool>,
    now: Arc<AtomicI64>,
    hanging: Arc<Mutex<Vec<Task>>>,
}

/// Blobs in memory that can refuse to be stored.
#[derive(Default)]
pub(super) struct MendableBlobs {
    stored: MemoryBlobs,
    pub broken: AtomicBool,
}

impl Blobs for MendableBlobs {
    fn put(&self, blob: &NewBlob) -> Result<(), blobs::Error> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(blobs::Error::Misnamed { reference: blob.reference, size_bytes: 0 });
        }
        self.stored.put(blob)
    }

    fn get(&self, hash: Hash) -> Result<Option<Vec<u8>>, blobs::Error> {
        self.stored.get(hash)
    }

    fn contains(&self, hash: Hash) -> Result<bool, blobs::Error> {
        self.stored.contains(hash)
    }
}

impl Outside {
    fn push(&self, input: Input) {
        self.queue.lock().unwrap().push_back(input);
    }

    fn commit(&self, submissions: Vec<Submission>) {
        let mut store = self.store.clone();
        let acks = commit_group(&mut store, submissions, &mut Stats::default());
        self.push(Input::Acks(acks));
    }
}

impl Clock for Outside {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Relaxed))
    }

    fn elapsed_us(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }
}

impl Committer for Outside {
    fn submit(&mut self, submissions: Vec<Submission>) -> Result<(), skep_store::Error> {
        if self.hold.load(Ordering::Relaxed) {
            self.held.lock().unwrap().extend(submissions);
        } else {
            self.commit(submissions);
        }
        Ok(())
    }
}

impl Mailbox for Outside {
    fn send(&self, input: Input) {
        self.push(input);
    }

    fn send_later(&self, input: Input) {
        self.push(input);
    }
}

impl Performer for Outside {
    fn needs_child(&self, _: &Task) -> bool {
        false
    }

    fn prepare(&mut self, _: &[&Task]) -> Vec<Result<Identity, Failure>> {
        Vec::new()
    }

    fn perform(&mut self, task: Box<Task>) -> Option<Outcome> {
        let Work::Action { name, with, .. } = &task.work else { panic!("these tests run no scripts") };
        if &**name == "log" {
            self.hanging.lock().unwrap().push(*task);
            return None;
        }
        let outputs = with.as_object().cloned().unwrap_or_default().into_iter().collect();
        let at = self.now();
        let result = Ended::Succeeded(outputs);
        let is_noop = &**name == "noop";
        let outcome = Outcome { path: task.path, token: task.token, began_at: at, ended_at: at, result };
        if is_noop {
            return Some(outcome);
        }
        self.push(Input::Outcome(task.execution, Box::new(outcome)));
        None
    }

    fn discard(&mut self, _: &Token) {}

    fn abort(&mut self, _: &Token) {}

    fn delivery_ended(&mut self, _: &ExecutionId, _: &StepPath, _: u32) {}

    fn execution_ended(&mut self, _: &ExecutionId) {}
}

pub(super) struct World {
    pub outside: Outside,
    pub driver: Driver,
    pub watcher: Watcher,
    idle_max: usize,
}

impl World {
    /// A world in which so many idle executions stay in memory.
    pub fn new(idle_max: usize) -> Self {
        let outside = Outside::default();
        outside.now.store(1_000_000, Ordering::Relaxed);
        Self::over(outside, idle_max)
    }

    fn over(outside: Outside, idle_max: usize) -> Self {
        let watcher = Watcher::default();
        let parts = Parts {
            reader: Box::new(outside.store.clone()),
            blobs: Arc::clone(&outside.blobs) as Arc<dyn Blobs>,
            watcher: watcher.clone(),
            clock: Box::new(outside.clone()),
            performer: Box::new(outside.clone()),
            committer: Box::new(outside.clone()),
            mailbox: Box::new(outside.clone()),
        };
        let mut driver = Driver::new(parts).unwrap();
        driver.core.keep_idle(idle_max);
        Self { outside, driver, watcher, idle_max }
    }

    /// The owner dies, and a new one comes that has taken nothing on.
    pub fn crash(self) -> Self {
        let Self { outside, idle_max, .. } = self;
        outside.queue.lock().unwrap().clear();
        outside.held.lock().unwrap().clear();
        Self::over(outside, idle_max)
    }

    /// What was held back is committed, and the owner dies before it hears of it.
    pub fn commit_and_crash(self) -> Self {
        self.outside.hold.store(false, Ordering::Relaxed);
        let held = std::mem::take(&mut *self.outside.held.lock().unwrap());
        self.outside.commit(held);
        self.crash()
    }

    /// Turns the crank until nothing comes by itself any more.
    pub fn settle(&mut self) {
        loop {
            let inputs: Vec<Input> = self.outside.queue.lock().unwrap().drain(..).collect();
            let due = self.driver.core.next_wake().is_some_and(|at| at <= self.outside.now());
            if inputs.is_empty() && !due {
                return;
            }
            self.driver.turn(inputs);
        }
    }

    /// Inputs of one pass.
    pub fn give(&mut self, inputs: Vec<Input>) {
        self.driver.turn(inputs);
        self.settle();
    }

    pub fn pass_ms(&mut self, milliseconds: i64) {
        self.outside.now.fetch_add(milliseconds * 1_000, Ordering::Relaxed);
        self.settle();
    }

    /// From now on commits wait, or those that waited are made.
    pub fn hold(&mut self, hold: bool) {
        self.outside.hold.store(hold, Ordering::Relaxed);
        if !hold {
            let held = std::mem::take(&mut *self.outside.held.lock().unwrap());
            self.outside.commit(held);
            self.settle();
        }
    }

    /// The first of the commits that waited fails, the others are made; what comes then is not turned yet.
    pub fn lose_first(&mut self) {
        self.outside.hold.store(false, Ordering::Relaxed);
        let mut held = std::mem::take(&mut *self.outside.held.lock().unwrap());
        let lost = held.remove(0).ticket;
        let error = Error::UnknownExecution { write: 0, execution: LocalId(0) };
        self.outside.push(Input::Acks(vec![Ack { ticket: lost, result: Err(Arc::new(error)) }]));
        self.outside.commit(held);
    }

    /// The delivery that has hung longest fails, in a way that another time may not.
    pub fn fail_oldest(&mut self) {
        let task = self.outside.hanging.lock().unwrap().remove(0);
        let at = self.outside.now();
        let result = Ended::Failed { failure: Failure::new(Kind::Network, "TEST", "no answer"), outputs: Map::new() };
        let outcome = Outcome { path: task.path, token: task.token, began_at: at, ended_at: at, result };
        self.give(vec![Input::Outcome(task.execution, Box::new(outcome))]);
    }

    pub fn start(&mut self, text: &str) -> LocalId {
        let local = self.outside.store.next_local_id().unwrap();
        let creation = creation(text, &format!("execution-{}", local.0));
        let (reply, mut answer) = oneshot::channel();
        self.give(vec![Input::Create(Box::new(creation), reply)]);
        answer.try_recv().unwrap().unwrap().local
    }

    /// What it answers; `None` while the commit is held.
    pub fn tell(&mut self, local: LocalId, message: Message) -> Option<Answer> {
        let (input, mut answer) = message_to(local, message);
        self.give(vec![input]);
        answer.try_recv().ok()
    }

    /// Takes on what only waits; gives its number.
    pub fn recover_idle(&mut self) -> usize {
        let (reply, mut idle) = oneshot::channel();
        self.give(vec![Input::TakeIdle(reply)]);
        idle.try_recv().unwrap().unwrap()
    }

    /// Takes on what is open, as `skep serve` does; gives the number of those that only wait.
    pub fn recover(&mut self) -> usize {
        let (reply, mut idle) = oneshot::channel();
        self.give(vec![Input::TakeIdle(reply)]);
        for local in self.outside.store.busy_executions(None, 1_000).unwrap() {
            let (reply, mut answer) = oneshot::channel();
            self.give(vec![Input::Adopt(local, reply)]);
            answer.try_recv().unwrap().unwrap();
        }
        idle.try_recv().unwrap().unwrap()
    }

    pub fn status(&self, local: LocalId) -> Status {
        self.outside.store.execution_by_local(local).unwrap().unwrap().status
    }

    pub fn in_memory(&self) -> usize {
        self.driver.core.locals().len()
    }

    /// The events of an execution, turn by turn.
    pub fn journal(&self, local: LocalId) -> Vec<String> {
        let turns = self.outside.store.turns(local, 1, 10_000).unwrap();
        turns.into_iter().map(|turn| format!("{} {} {}", turn.seq, turn.at.0, turn.events)).collect()
    }

    /// The fold of the whole journal up to turn `seq`.
    pub fn folded(&self, local: LocalId, seq: u64) -> (State, Arc<Program>) {
        let row = self.outside.store.execution_by_local(local).unwrap().unwrap();
        let program = fold::Programs::default().get(&self.outside.store, row.plan_hash).unwrap();
        let mut state = State::default();
        fold::each_turn(&self.outside.store, local, 1, |turn| {
            if turn.seq <= seq {
                apply_turn(&mut state, &program, turn).unwrap();
            }
            Ok(())
        })
        .unwrap();
        (state, program)
    }

    /// What a new owner would have in memory.
    pub fn brought(&self, local: LocalId) -> Live {
        fold::live(&self.outside.store, &mut fold::Programs::default(), local).unwrap()
    }
}

pub(super) fn message_to(local: LocalId, message: Message) -> (Input, oneshot::Receiver<Answer>) {
    let (reply, answer) = oneshot::channel();
    (Input::Message(local, Box::new(message), Some(reply)), answer)
}

pub(super) fn ada() -> Actor {
    Actor::person("ada")
}

pub(super) fn signal(name: &str, payload: Value) -> Message {
    Message::Signal { name: name.to_owned(), payload, actor: ada() }
}

pub(super) fn creation(text: &str, id: &str) -> Creation {
    let text = format!("name: sample\ndescription: A sample.\n{text}");
    let workflow = skep_definition::load::load(&text).workflow.unwrap();
    let plan = skep_definition::plan::plan(&workflow, &crate::catalogue::build()).unwrap();
    let program = Program::new(plan).unwrap();
    let definition_hash = Hash::of(text.as_bytes());
    let start = Start {
        execution: ExecutionId::new(id),
        plan_hash: program.hash(),
        definition_hash,
        inputs: Map::new(),
        base_dir: "/".into(),
        environment: Map::new(),
        actor: ada(),
        parent: None,
        choices: Choices::default(),
        event: json!(null),
        seed: 7,
    };
    Creation { start, program: Arc::new(program), definition: text.into(), workflow_path: None, key: None }
}
