//! One execution in its virtual world: decide, hand effects out, jump to what is due next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use skep_engine::codes::{AT_POINT, MANUAL_ROLLBACK};
use skep_engine::{Decision, Program, Rejection, State, decide};
use skep_model::Map;
use skep_model::effect::{Child, Effect, Task, Work};
use skep_model::error::Failure;
use skep_model::event::{Event, Turn};
use skep_model::ids::{ExecutionId, Hash, StepPath, Token};
use skep_model::message::{ChildEnded, Decision as Decided, Message, Start};
use skep_model::outcome::{Ended, Outcome};
use skep_model::permit::Answer;
use skep_model::plan::{Kind, Priority};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use skep_runner::foresee;

use super::Bounds;
use super::clock::{Queue, Rank};
use super::outside::{AskedFor, Outside, Performed, Question, Said, Word};
use super::run::{Bound, End, Refused, Run, whole};
use super::trail::Trail;

/// How often the real clock is looked at.
const LOOK_EVERY: usize = 64;

/// The world of one execution.
pub(super) struct World<'a> {
    program: &'a Program,
    outside: &'a mut dyn Outside,
    bounds: Bounds,
    state: State,
    began: Timestamp,
    now: Timestamp,
    queue: Queue,
    /// Scripts that are being performed.
    busy: HashMap<Token, StepPath>,
    /// Scripts that wait for a slot: by priority, then by arrival.
    waiting: BTreeMap<(Reverse<Priority>, u64), Task>,
    arrived: u64,
    values: HashMap<Hash, Arc<Value>>,
    turns: Vec<Turn>,
    trail: Trail,
    refused: Vec<Refused>,
    messages: usize,
}

impl<'a> World<'a> {
    pub fn new(program: &'a Program, at: Timestamp, outside: &'a mut dyn Outside, bounds: Bounds) -> Self {
        Self {
            program,
            outside,
            bounds,
            state: State::default(),
            began: at,
            now: at,
            queue: Queue::default(),
            busy: HashMap::new(),
            waiting: BTreeMap::new(),
            arrived: 0,
            values: HashMap::new(),
            turns: Vec::new(),
            trail: Trail::default(),
            refused: Vec::new(),
            messages: 0,
        }
    }

    pub fn run(mut self, start: Start) -> Run {
        for sent in self.outside.signals() {
            let message = Message::Signal { name: sent.name, payload: sent.payload, actor: sent.by };
            self.queue.push(plus(self.began, sent.after), Rank::Signal, message);
        }
        let end = match self.tell(&Message::Start(Box::new(start))) {
            Ok(()) => self.go_on(),
            Err(broken) => End::Broken(broken),
        };
        self.into_run(end)
    }

    /// Until nothing is due.
    fn go_on(&mut self) -> End {
        loop {
            if self.state.status.is_terminal() {
                return End::Over;
            }
            if let Some(bound) = self.bound() {
                return End::Unfinished(bound);
            }
            let (queued, timer) = (self.queue.next(), self.state.next_timer());
            let is_queued = match (queued, timer) {
                (None, None) => return End::DeadEnd(self.waits_for()),
                (Some(queued), Some(timer)) => queued <= timer,
                (queued, None) => queued.is_some(),
                (None, Some(_)) => false,
            };
            let at = if is_queued { queued } else { timer }.unwrap_or(self.now).max(self.now);
            if at > plus(self.began, self.bounds.time) {
                return End::Unfinished(Bound::Time);
            }
            self.now = at;
            let message = if is_queued { self.queue.pop() } else { None }.unwrap_or(Message::TimerFired);
            if let Message::Outcome(outcome) = &message {
                self.leave(&outcome.token.clone());
            }
            if let Err(broken) = self.tell(&message) {
                return End::Broken(broken);
            }
        }
    }

    fn bound(&self) -> Option<Bound> {
        if self.messages > self.bounds.messages {
            return Some(Bound::Messages);
        }
        let looks = self.messages.is_multiple_of(LOOK_EVERY);
        let is_over = looks && self.bounds.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        is_over.then_some(Bound::Patience)
    }

    fn waits_for(&self) -> String {
        self.state.waiting_for().unwrap_or_else(|| "nothing that could come".to_owned())
    }

    /// Tells the engine, and everything that follows from it at once.
    fn tell(&mut self, message: &Message) -> Result<(), String> {
        let mut more = self.tell_once(message)?;
        while more {
            more = self.tell_once(&Message::TimerFired)?;
        }
        Ok(())
    }

    fn tell_once(&mut self, message: &Message) -> Result<bool, String> {
        self.messages += 1;
        let decision = match decide(&mut self.state, self.program, message, self.now, &self.values) {
            Ok(decision) => decision,
            Err(rejection @ (Rejection::Broken(_) | Rejection::NeedsBlob(_))) => return Err(rejection.to_string()),
            Err(rejection) => {
                self.refuse(message, rejection);
                return Ok(false);
            }
        };
        let Decision { turn, effects, blobs, more } = decision;
        for blob in blobs {
            let value = serde_json::from_slice(&blob.bytes).expect("a blob is the JSON text of its value");
            self.values.insert(blob.reference.blob, Arc::new(value));
        }
        turn.events.iter().for_each(|event| self.trail.note(self.program.plan(), event));
        for effect in effects {
            self.take(effect);
        }
        turn.events.iter().for_each(|event| self.ask(event));
        if !turn.events.is_empty() {
            self.turns.push(turn);
        }
        Ok(more && self.messages <= self.bounds.messages)
    }

    /// What somebody said and cannot be taken. Ends of work that nobody waits for any more are none of it.
    fn refuse(&mut self, message: &Message, why: Rejection) {
        let what = match message {
            Message::Signal { name, .. } | Message::KeepSignal { name, .. } => name.clone(),
            Message::Approve(Decided { path, .. }) | Message::Reject(Decided { path, .. }) => named(path.as_ref()),
            Message::Input { path, .. } | Message::Undone { path, .. } => named(path.as_ref()),
            Message::Resume { .. } | Message::Cancel { .. } => String::new(),
            Message::Start(_)
            | Message::Outcome(_)
            | Message::Progress(_)
            | Message::TimerFired
            | Message::Pause { .. }
            | Message::Recovered
            | Message::Rollback { .. }
            | Message::Checkpoint { .. }
            | Message::Rerun { .. }
            | Message::ChildEnded(_)
            | Message::Permit { .. } => return,
        };
        self.refused.push(Refused { what, after: since(self.began, self.now), why });
    }

    // ---- what the turn says --------------------------------------------------------------------------------

    /// Asks people what the event wants of them.
    fn ask(&mut self, event: &Event) {
        let plan = self.program.plan();
        let (path, about) = match event {
            Event::ApprovalAsked { path, .. } => (&**path, AskedFor::Decision),
            Event::FormAsked { path, .. } => match plan.steps.iter().find(|step| step.id == id_of(path)) {
                Some(step) => match &step.kind {
                    Kind::Input(form) => (&**path, AskedFor::Form(&form.fields)),
                    _ => return,
                },
                None => return,
            },
            Event::WaitBegan { path, signal: Some(signal), .. } => return self.await_signal(path, signal),
            Event::QuestionAsked { path, about, .. } => (&**path, AskedFor::Answer(*about)),
            Event::Held { reason } if reason.code == MANUAL_ROLLBACK.id => {
                (reason.step.as_deref().unwrap_or_default(), AskedFor::Undo)
            }
            Event::Held { reason } if reason.code == AT_POINT.id => ("", AskedFor::GoOn),
            _ => return,
        };
        if let Some(said) = self.outside.person(&Question { path, about }) {
            let at = plus(self.now, said.after);
            self.queue.push(at, Rank::Person, answer(path, about, said));
        }
    }

    fn await_signal(&mut self, path: &str, signal: &str) {
        if let Some(sent) = self.outside.awaited(path, signal) {
            let message = Message::Signal { name: sent.name, payload: sent.payload, actor: sent.by };
            self.queue.push(plus(self.now, sent.after), Rank::Signal, message);
        }
    }

    // ---- effects -------------------------------------------------------------------------------------------

    fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Perform(task) => self.perform(*task),
            Effect::Abort { path, token } => self.abort(path, token),
            Effect::StartChild(child) => self.start_child(&child),
            Effect::CancelChild { path, child } => self.cancel_child(path, child),
            Effect::AskPermit { path, resource, .. } => {
                let answer = Answer::Granted { probe: false };
                self.queue.push(self.now, Rank::Permit, Message::Permit { path, resource, answer });
            }
            Effect::ReleasePermit { .. } => {}
        }
    }

    fn perform(&mut self, task: Task) {
        if !matches!(task.work, Work::Script(_)) {
            return self.begin(&task);
        }
        if self.busy.len() >= self.bounds.slots.max(1) {
            self.arrived += 1;
            self.waiting.insert((Reverse(task.priority), self.arrived), task);
            return;
        }
        self.busy.insert(task.token.clone(), task.path.clone());
        self.begin(&task);
    }

    fn begin(&mut self, task: &Task) {
        let Performed { result, takes } = bounded(task, self.outside.work(task));
        let (began_at, ended_at) = (self.now, plus(self.now, takes));
        let (path, token) = (task.path.clone(), task.token.clone());
        let outcome = Outcome { path, token, began_at, ended_at, result };
        self.queue.push(ended_at, Rank::Outcome, Message::Outcome(Box::new(outcome)));
    }

    /// A script that has ended gives its slot to the next one.
    fn leave(&mut self, token: &Token) {
        if self.busy.remove(token).is_some()
            && let Some((_, task)) = self.waiting.pop_first()
        {
            self.perform(task);
        }
    }

    fn abort(&mut self, path: StepPath, token: Token) {
        let known = self.queue.forget_outcome(&token);
        let waited = self.waiting.len();
        self.waiting.retain(|_, task| task.token != token);
        if known || self.waiting.len() < waited {
            let (began_at, ended_at) = (self.now, self.now);
            let outcome = Outcome { path, token, began_at, ended_at, result: Ended::Aborted };
            self.queue.push(self.now, Rank::Outcome, Message::Outcome(Box::new(outcome)));
        }
    }

    fn start_child(&mut self, child: &Child) {
        let gave = self.outside.child(child);
        let ended = ChildEnded {
            path: child.path.clone(),
            child: child.id.clone(),
            status: gave.status,
            outputs: gave.outputs,
            failure: gave.failure,
            can_be_undone: gave.can_be_undone,
        };
        self.queue.push(plus(self.now, gave.takes), Rank::Child, Message::ChildEnded(Box::new(ended)));
    }

    fn cancel_child(&mut self, path: StepPath, child: ExecutionId) {
        self.queue.forget(|message| matches!(message, Message::ChildEnded(ended) if ended.child == child));
        let ended = ChildEnded {
            path,
            child,
            status: Status::Cancelled,
            outputs: Map::new(),
            failure: None,
            can_be_undone: false,
        };
        self.queue.push(self.now, Rank::Child, Message::ChildEnded(Box::new(ended)));
    }

    fn into_run(self, end: End) -> Run {
        let last = self.turns.last().map_or(self.began, |turn| turn.at);
        let mut outputs = Map::new();
        let mut failure: Option<Failure> = self.state.failure.clone();
        let ends = self.turns.iter().flat_map(|turn| &turn.events).rev();
        for event in ends {
            if let Event::Ended { outputs: given, failure: why, .. } = event {
                outputs = given.iter().map(|(name, value)| (name.clone(), whole(value, &self.values))).collect();
                failure = why.clone().or(failure);
                break;
            }
        }
        Run {
            end,
            status: self.state.status,
            outputs,
            failure,
            turns: self.turns,
            state: self.state,
            path: self.trail.path,
            rollback: self.trail.rollback,
            took: since(self.began, last),
            refused: self.refused,
            values: self.values,
        }
    }
}

/// What becomes of a task: what somebody says, within its time, or what it gives by itself.
fn bounded(task: &Task, given: Option<Performed>) -> Performed {
    let given = given.unwrap_or_else(|| {
        let result = foresee::at_once(task).unwrap_or_else(|| foresee::succeeded(&task.work));
        Performed { result, takes: Duration::ZERO }
    });
    let bound = task.timeout_ms.filter(|ms| given.takes > Duration::from_millis(*ms));
    match bound.and_then(|ms| Some((ms, foresee::timed_out(task, ms)?))) {
        Some((ms, result)) => Performed { result, takes: Duration::from_millis(ms) },
        None => given,
    }
}

fn answer(path: &str, about: AskedFor<'_>, said: Said) -> Message {
    let Said { by: actor, word, comment, .. } = said;
    let (step, reason) = (Some(StepPath::from(path)), comment.clone());
    match (about, word) {
        (AskedFor::Form(_), word) => {
            let values = match word {
                Word::Values(values) => values,
                Word::Yes | Word::No => Map::new(),
            };
            Message::Input { path: step, values, actor }
        }
        (AskedFor::Undo, _) => Message::Undone { actor, path: step, comment },
        (AskedFor::GoOn, Word::No) => Message::Cancel { actor, reason },
        (AskedFor::GoOn, Word::Yes | Word::Values(_)) => Message::Resume { actor },
        (AskedFor::Decision | AskedFor::Answer(_), Word::No) => Message::Reject(Decided { path: step, actor, comment }),
        (AskedFor::Decision | AskedFor::Answer(_), Word::Yes | Word::Values(_)) => {
            Message::Approve(Decided { path: step, actor, comment })
        }
    }
}

fn named(path: Option<&StepPath>) -> String {
    path.map(ToString::to_string).unwrap_or_default()
}

/// The id of the step at a path.
pub(super) fn id_of(path: &str) -> &str {
    path.rfind("].").map_or(path, |at| &path[at + 2..])
}

fn plus(at: Timestamp, span: Duration) -> Timestamp {
    Timestamp(at.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
}

fn since(began: Timestamp, at: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(at.0 - began.0).unwrap_or(0))
}
