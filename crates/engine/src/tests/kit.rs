//! A harness that plays the node: it keeps state, time and journal, answers effects, and checks after every
//! decision what must always hold.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::catalogue::{Action, Catalogue, Feature};
use skep_model::effect::{Child, Effect, Task};
use skep_model::error::{Failure, Kind};
use skep_model::event::{Event, Turn};
use skep_model::ids::{ExecutionId, Hash, StepPath, Token};
use skep_model::message::{ChildEnded, Message};
use skep_model::outcome::{Ended, Outcome};
use skep_model::permit::{Resource, Verdict};
use skep_model::plan::Plan;
use skep_model::rollback::Part;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::{Program, Rejection, State, apply_turn, decide, outstanding};

pub(super) use super::messages::*;

/// What the world answers to one delivery.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Gives(Value),
    Fails(Failure),
    Hangs,
}

pub(super) struct Harness {
    pub program: Program,
    pub state: State,
    pub now: Timestamp,
    pub journal: Vec<Turn>,
    /// Work that runs: path to its newest task.
    pub running: BTreeMap<StepPath, Task>,
    /// Work that was asked to stop and has not answered.
    pub stopping: BTreeMap<StepPath, Token>,
    /// Every task ever performed, in order.
    pub performed: Vec<Task>,
    /// Children that were asked for and have not ended: path to the newest asking.
    pub children: BTreeMap<StepPath, Child>,
    /// Children that were told to end.
    pub cancelled_children: Vec<ExecutionId>,
    pub more: bool,
    /// Blobs written, and those at hand.
    pub stored: HashMap<Hash, Arc<Value>>,
    pub fetched: HashMap<Hash, Arc<Value>>,
    /// False: a missing blob ends `try_tell` with the rejection.
    pub fetches: bool,
    answers: BTreeMap<String, VecDeque<Answer>>,
    hanging: BTreeSet<StepPath>,
    /// What was asked for and neither answered nor given back, by path (the execution's own is at the empty one).
    pub asked: BTreeMap<String, Resource>,
    /// Whether children that end leave something that can be undone.
    pub children_can_be_undone: bool,
    /// `group db a`, `breaker api a failure`: what was given back, in order.
    pub released: Vec<String>,
}

pub(super) fn catalogue() -> Catalogue {
    let action = || Action { summary: String::new(), schema: json!({}), outputs: Vec::new(), read_only: false };
    let actions = ["noop", "set", "log", "http"].into_iter().map(|name| (name.to_owned(), action())).collect();
    Catalogue { actions, features: BTreeSet::from([Feature::Escalation]), rules: None }
}

/// An execution of this workflow that has not begun; a name and a description are put before it.
pub(super) fn flow(yaml: &str) -> Harness {
    flow_with(yaml, |_| {})
}

/// The same with a plan that `edit` has changed: what the language of this build cannot say yet.
pub(super) fn flow_with(yaml: &str, edit: impl FnOnce(&mut Plan)) -> Harness {
    edited(&format!("name: sample\ndescription: A sample.\n{yaml}"), edit)
}

fn edited(text: &str, edit: impl FnOnce(&mut Plan)) -> Harness {
    let loaded = skep_definition::load::load(text);
    assert!(loaded.is_usable(), "{text}\n{:#?}", loaded.problems);
    let workflow = loaded.workflow.expect("a usable text has a workflow");
    let mut plan =
        skep_definition::plan::plan(&workflow, &catalogue()).unwrap_or_else(|found| panic!("{text}\n{found:#?}"));
    edit(&mut plan);
    of_plan(plan)
}

fn of_plan(plan: Plan) -> Harness {
    Harness {
        program: Program::new(plan).expect("a checked plan compiles"),
        state: State::default(),
        now: Timestamp(1_000_000_000),
        journal: Vec::new(),
        running: BTreeMap::new(),
        stopping: BTreeMap::new(),
        performed: Vec::new(),
        children: BTreeMap::new(),
        cancelled_children: Vec::new(),
        more: false,
        stored: HashMap::new(),
        fetched: HashMap::new(),
        fetches: true,
        answers: BTreeMap::new(),
        hanging: BTreeSet::new(),
        asked: BTreeMap::new(),
        children_can_be_undone: false,
        released: Vec::new(),
    }
}

impl Harness {
    // ---- the script of the world ----------------------------------------------------------------------

    fn answer(mut self, path: &str, answer: Answer) -> Self {
        self.answers.entry(path.to_owned()).or_default().push_back(answer);
        self
    }

    /// The next delivery of `path` succeeds with these outputs; without a script all succeed.
    pub fn gives(self, path: &str, outputs: Value) -> Self {
        self.answer(path, Answer::Gives(outputs))
    }

    /// The next delivery of `path` fails.
    pub fn fails(self, path: &str, kind: Kind) -> Self {
        self.answer(path, Answer::Fails(failure(kind)))
    }

    pub fn fails_with(self, path: &str, failure: Failure) -> Self {
        self.answer(path, Answer::Fails(failure))
    }

    /// The next delivery of `path` gives no outcome by itself.
    pub fn hangs(self, path: &str) -> Self {
        self.answer(path, Answer::Hangs)
    }

    // ---- messages ---------------------------------------------------------------------------------------

    pub fn start(self) -> Self {
        self.start_with(json!({}))
    }

    pub fn start_with(mut self, inputs: Value) -> Self {
        let message = start_message(&self.program, inputs);
        self.tell(&message);
        self
    }

    /// Starts with choices over the definition, and answers everything.
    pub fn run_choosing(mut self, choices: skep_model::message::Choices) -> Self {
        let mut message = start_message(&self.program, json!({}));
        if let Message::Start(start) = &mut message {
            start.choices = choices;
        }
        self.tell(&message);
        self.settle();
        self
    }

    /// Starts and answers everything.
    pub fn run(self) -> Self {
        let mut harness = self.start();
        harness.settle();
        harness
    }

    /// Sends a message that must be accepted.
    pub fn tell(&mut self, message: &Message) {
        if let Err(rejection) = self.try_tell(message) {
            panic!("{message:?} was rejected: {rejection}\n{}", self.trace());
        }
    }

    /// Sends a message; checks what must hold after every decision.
    pub fn try_tell(&mut self, message: &Message) -> Result<(), Rejection> {
        loop {
            let before = self.state.clone();
            match decide(&mut self.state, &self.program, message, self.now, &self.fetched) {
                Ok(decision) => {
                    for blob in decision.blobs {
                        let value = serde_json::from_slice(&blob.bytes).expect("a blob is JSON text");
                        self.stored.insert(blob.reference.blob, Arc::new(value));
                    }
                    self.more = decision.more;
                    self.record(before, decision.turn, decision.effects);
                    return Ok(());
                }
                Err(Rejection::NeedsBlob(reference)) if self.fetches => {
                    assert!(self.state == before, "asking for a blob changed the state");
                    let value = self.stored.get(&reference.blob).expect("only stored blobs are asked for");
                    let old = self.fetched.insert(reference.blob, Arc::clone(value));
                    assert!(old.is_none(), "a fetched blob was asked for again");
                }
                Err(rejection) => {
                    let broken = matches!(rejection, Rejection::Broken(_));
                    assert!(!broken, "{message:?}: {rejection}\n{}", self.trace());
                    assert!(self.state == before, "the rejected {message:?} changed the state");
                    return Err(rejection);
                }
            }
        }
    }

    fn record(&mut self, before: State, turn: Turn, effects: Vec<Effect>) {
        let text = serde_json::to_string(&turn).expect("a turn is JSON");
        let back: Turn = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(back, turn, "a turn survives its JSON text");
        if turn.events.is_empty() {
            assert!(self.state == before, "a turn without events changed the state");
            // Asking again after a crash is no event: it follows from the fold.
            let again = |effect: &Effect| {
                matches!(effect, Effect::StartChild(_) | Effect::CancelChild { .. } | Effect::AskPermit { .. })
            };
            assert!(effects.iter().all(again), "effects follow from events");
        } else {
            let mut folded = before;
            apply_turn(&mut folded, &self.program, &turn).expect("an emitted turn fits");
            assert!(folded == self.state, "apply gave another state than decide\n{turn:#?}");
            self.follow(&turn);
            self.journal.push(turn);
        }
        for effect in effects {
            self.take(effect);
        }
        self.check_outstanding();
    }

    /// Which work the events end.
    fn follow(&mut self, turn: &Turn) {
        let last = self.journal.last().and_then(|turn| turn.events.last());
        let over = matches!(last, Some(Event::Ended { .. }));
        let again = matches!(turn.events.first(), Some(Event::Rerun { .. } | Event::RollbackBegan { .. }));
        assert!(!over || again, "nothing follows the end but a rerun or a rollback: {turn:?}");
        for (at, event) in turn.events.iter().enumerate() {
            match event {
                Event::ChildAsked { path, .. } => drop(self.children.remove(path)),
                Event::Completed { path, .. }
                | Event::Failed { path, .. }
                | Event::Skipped { path, .. }
                | Event::Cancelled { path }
                | Event::AttemptFailed { path, .. }
                | Event::Doubted { path, .. }
                | Event::QuestionAsked { path, .. }
                | Event::Proposed { path, .. } => {
                    self.running.remove(path);
                    self.stopping.remove(path);
                    self.hanging.remove(path);
                    self.children.remove(path);
                }
                Event::StopAsked { path, .. } if self.lingers(path) => {}
                Event::StopAsked { path, .. } => drop(self.running.remove(path)),
                Event::PermitGranted { path, .. } => drop(self.asked.remove(path.as_deref().unwrap_or_default())),
                Event::Ended { .. } => {
                    assert_eq!(at + 1, turn.events.len(), "nothing follows the end");
                    self.running.clear();
                    self.stopping.clear();
                    self.children.clear();
                }
                _ => {}
            }
        }
    }

    /// It was asked to stop for a rollback, and may end what it does.
    fn lingers(&self, path: &str) -> bool {
        let instance = self.state.find(path).map(|id| self.state.instance(id));
        instance.is_some_and(|instance| !self.state.is_stopping(instance))
    }

    fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Perform(task) => {
                // A verification may be asked more than once, and a compensation again in another rollback.
                let (_, part) = Part::split(&task.path);
                let events: Vec<&Event> = self.events().collect();
                let anew = |event: &&Event| matches!(event, Event::Rerun { .. } | Event::Returned { .. });
                let begin = events.iter().rposition(anew).unwrap_or(0);
                let ends = |event: &&Event| matches!(event, Event::Completed { path, .. } if *path == task.path);
                let completed = part == Part::Step && events[begin..].iter().any(ends);
                assert!(!completed, "`{}` completed and is performed again", task.path);
                let alone = self.running.keys().all(|path| *path == task.path) && self.stopping.is_empty();
                assert!(part != Part::Rollback || alone, "`{}` begins beside other work", task.path);
                self.hanging.remove(&task.path);
                self.performed.push((*task).clone());
                self.running.insert(task.path.clone(), *task);
            }
            Effect::Abort { path, token } => {
                // What begins and is stopped in one turn is performed and aborted, in this order.
                self.running.remove(&path);
                if !self.state.status.is_terminal() {
                    self.stopping.insert(path, token);
                }
            }
            Effect::StartChild(child) => {
                let known = self.children.insert(child.path.clone(), (*child).clone());
                assert!(known.is_none_or(|known| known == *child), "a child is asked for again as it was");
            }
            Effect::CancelChild { child, .. } => self.cancelled_children.push(child),
            Effect::AskPermit { path, resource, .. } => {
                self.asked.insert(path.as_deref().unwrap_or_default().to_owned(), resource);
            }
            Effect::ReleasePermit { path, resource, verdict } => {
                let path = path.as_deref().unwrap_or_default();
                if self.asked.get(path) == Some(&resource) {
                    self.asked.remove(path);
                }
                let verdict = match (&resource, verdict) {
                    (Resource::Group(_), _) | (_, Verdict::Nothing) => "",
                    (_, Verdict::Success) => " success",
                    (_, Verdict::Failure) => " failure",
                };
                self.released.push(format!("{} {} {path}{verdict}", resource.word(), resource.name()));
            }
        }
    }

    fn check_outstanding(&self) {
        let effects = outstanding(&self.state, &self.program, &self.stored).expect("every blob is at hand");
        self.check_children();
        let mut tasks: BTreeMap<StepPath, Task> = BTreeMap::new();
        let mut asked = BTreeMap::new();
        for effect in effects {
            match effect {
                Effect::Perform(task) => drop(tasks.insert(task.path.clone(), *task)),
                Effect::AskPermit { path, resource, .. } => {
                    asked.insert(path.as_deref().unwrap_or_default().to_owned(), resource);
                }
                Effect::Abort { .. }
                | Effect::ReleasePermit { .. }
                | Effect::StartChild(_)
                | Effect::CancelChild { .. } => {}
            }
        }
        assert_eq!(tasks, self.running, "what is outstanding is what was asked for and not answered");
        assert_eq!(asked, self.asked, "what is waited for is what was asked for and not answered");
    }

    fn check_children(&self) {
        let effects = outstanding(&self.state, &self.program, &self.stored).expect("every blob is at hand");
        let owed = effects.into_iter().filter_map(|effect| match effect {
            Effect::StartChild(child) => Some(child.id.clone()),
            Effect::CancelChild { child, .. } => Some(child),
            Effect::Perform(_) | Effect::Abort { .. } | Effect::AskPermit { .. } | Effect::ReleasePermit { .. } => None,
        });
        let owed: BTreeSet<ExecutionId> = owed.collect();
        let asked: BTreeSet<ExecutionId> = self.children.values().map(|child| child.id.clone()).collect();
        assert_eq!(owed, asked, "the children that are owed are those that were asked for and have not ended");
    }

    /// The child of the step at `path` has ended.
    pub fn child_ended(&mut self, path: &str, status: Status, outputs: Value, failure: Option<Failure>) {
        let message = self.child_message(path, status, outputs, failure);
        self.tell(&message);
    }

    pub fn child_message(&self, path: &str, status: Status, outputs: Value, failure: Option<Failure>) -> Message {
        let child = self.children.get(path).unwrap_or_else(|| panic!("`{path}` has no child\n{}", self.trace()));
        let (path, child) = (path.into(), child.id.clone());
        let (outputs, can_be_undone) = (object(outputs), self.children_can_be_undone);
        Message::ChildEnded(Box::new(ChildEnded { path, child, status, outputs, failure, can_be_undone }))
    }

    // ---- the world --------------------------------------------------------------------------------------

    /// Answers everything that answers by itself, until nothing moves.
    pub fn settle(&mut self) {
        loop {
            if self.more {
                self.tell(&Message::TimerFired);
            } else if let Some(path) = self.stopping.keys().next().cloned() {
                self.outcome(&path, Ended::Aborted);
            } else if !self.answer_one() {
                return;
            }
        }
    }

    /// One thing answers that answers by itself, or the next turn is taken.
    pub fn step_world(&mut self) {
        if self.more {
            self.tell(&Message::TimerFired);
        } else if let Some(path) = self.stopping.keys().next().cloned() {
            self.outcome(&path, Ended::Aborted);
        } else {
            self.answer_one();
        }
    }

    fn answer_one(&mut self) -> bool {
        let Some(path) = self.running.keys().find(|path| !self.hanging.contains(*path)).cloned() else { return false };
        let script = self.answers.get_mut(&*path).and_then(VecDeque::pop_front);
        match script.unwrap_or_else(|| Answer::Gives(json!({}))) {
            Answer::Gives(outputs) => self.outcome(&path, Ended::Succeeded(object(outputs))),
            Answer::Fails(failure) => self.outcome(&path, Ended::Failed { failure, outputs: Map::new() }),
            Answer::Hangs => drop(self.hanging.insert(path)),
        }
        true
    }

    /// Answers what the step at `path` (the empty one: the execution) asked for.
    pub fn permit(&mut self, path: &str, answer: skep_model::permit::Answer) {
        let message = self.permit_message(path, answer);
        self.tell(&message);
    }

    pub fn grant(&mut self, path: &str) {
        self.permit(path, skep_model::permit::Answer::Granted { probe: false });
    }

    /// Grants everything that is asked for, and what is asked for then.
    pub fn grant_all(&mut self) {
        while let Some(path) = self.asked.keys().next().cloned() {
            self.grant(&path);
        }
    }

    pub fn permit_message(&self, path: &str, answer: skep_model::permit::Answer) -> Message {
        let asked = self.asked.get(path).cloned();
        let resource = asked.unwrap_or_else(|| panic!("`{path}` asked for nothing\n{}", self.trace()));
        Message::Permit { path: Some(path).filter(|path| !path.is_empty()).map(StepPath::from), resource, answer }
    }

    pub fn outcome(&mut self, path: &str, result: Ended) {
        let message = self.outcome_message(path, result);
        self.tell(&message);
    }

    /// The outcome of the delivery of `path` that runs or is being stopped.
    pub fn outcome_message(&self, path: &str, result: Ended) -> Message {
        let running = self.running.get(path).map(|task| task.token.clone());
        let token = running.or_else(|| self.stopping.get(path).cloned());
        let token = token.unwrap_or_else(|| panic!("`{path}` is not performed\n{}", self.trace()));
        outcome_of(path, token, result)
    }

    pub fn succeed(&mut self, path: &str, outputs: Value) {
        self.outcome(path, Ended::Succeeded(object(outputs)));
    }

    pub fn fail(&mut self, path: &str, kind: Kind) {
        self.outcome(path, Ended::Failed { failure: failure(kind), outputs: Map::new() });
    }

    /// Lets time pass, then the timers fire and the world answers.
    pub fn pass_ms(&mut self, milliseconds: u64) {
        self.now = self.now.plus_ms(milliseconds);
        self.tell(&Message::TimerFired);
        self.settle();
    }

    /// The owner dies: the state comes back from the journal's text.
    pub fn crash(&mut self) {
        let mut folded = State::default();
        for turn in &self.journal {
            let text = serde_json::to_string(turn).expect("a turn is JSON");
            let turn = serde_json::from_str(&text).expect("its text is a turn");
            apply_turn(&mut folded, &self.program, &turn).expect("the journal fits");
        }
        assert!(folded == self.state, "the fold gives another state than the one that lived");
        self.state = folded;
        self.fetched.clear();
        self.more = false;
        self.stopping.clear();
        self.tell(&Message::Recovered);
    }

    // ---- answers ----------------------------------------------------------------------------------------

    pub fn status(&self) -> Status {
        self.state.status
    }

    pub fn failure_message(&self) -> String {
        self.state.failure.as_ref().map_or_else(String::new, |failure| failure.message.clone())
    }

    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.journal.iter().flat_map(|turn| &turn.events)
    }

    /// How a step ended, if it did.
    pub fn ended(&self, path: &str) -> Option<String> {
        self.events().filter(|event| event.path().is_some_and(|at| &**at == path)).filter_map(end_of).last()
    }

    /// `completed: a=completed b=skipped(condition)`, in the order in which they ended.
    pub fn summary(&self) -> String {
        let steps = self.events().filter_map(|event| Some(format!(" {}={}", event.path()?, end_of(event)?)));
        format!("{}:{}", self.state.status.as_str(), steps.collect::<String>())
    }

    /// Names and paths of the events of the last turn.
    pub fn last_turn(&self) -> String {
        self.journal.last().map_or_else(String::new, line)
    }

    pub fn trace(&self) -> String {
        self.journal.iter().map(|turn| format!("{}: {}\n", turn.seq, line(turn))).collect()
    }

    /// Paths in the order in which they were performed.
    pub fn order(&self) -> String {
        let paths: Vec<&str> = self.performed.iter().map(|task| &*task.path).collect();
        paths.join(" ")
    }

    /// The paths that run now.
    pub fn runs(&self) -> String {
        let paths: Vec<&str> = self.running.keys().map(|path| &**path).collect();
        paths.join(" ")
    }

    /// The arguments of the newest task of an action.
    pub fn with(&self, path: &str) -> Value {
        let task = self.performed.iter().rev().find(|task| &*task.path == path);
        match &task.unwrap_or_else(|| panic!("`{path}` was not performed\n{}", self.trace())).work {
            skep_model::effect::Work::Action { with, .. } => with.clone(),
            skep_model::effect::Work::Script(script) => json!(script.values),
            skep_model::effect::Work::UndoChild { child } => json!({ "child": child }),
        }
    }

    /// The outputs with which the execution ended.
    pub fn outputs(&self) -> Value {
        let ends = self.events().filter_map(|event| match event {
            Event::Ended { outputs, .. } => Some(outputs.clone()),
            _ => None,
        });
        let outputs = ends.last();
        crate::payload::load_map(&outputs.unwrap_or_default(), &|hash| self.stored.get(hash).cloned())
            .expect("every blob is stored")
    }
}

pub(super) fn outcome_of(path: &str, token: Token, result: Ended) -> Message {
    let at = Timestamp(0);
    Message::Outcome(Box::new(Outcome { path: path.into(), token, began_at: at, ended_at: at, result }))
}

fn end_of(event: &Event) -> Option<String> {
    match event {
        Event::Completed { .. } => Some("completed".to_owned()),
        Event::Failed { .. } => Some("failed".to_owned()),
        Event::Cancelled { .. } => Some("cancelled".to_owned()),
        Event::RolledBack { .. } => Some("rolled_back".to_owned()),
        Event::Skipped { reason, .. } => Some(format!("skipped({})", reason.as_str())),
        _ => None,
    }
}

fn line(turn: &Turn) -> String {
    names(&turn.events).join(", ")
}

/// `scheduled a`, `paused`: what stands in the journal, briefly. Reasons of decisions are left out: each stands before
/// what it is the reason of.
pub(super) fn names(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| {
        let value = json!(event);
        let word = value["t"].as_str().unwrap_or_default().to_owned();
        event.path().map_or_else(|| word.clone(), |path| format!("{word} {path}"))
    };
    events.iter().filter(|event| !matches!(event, Event::Judged(_))).map(name).collect()
}
