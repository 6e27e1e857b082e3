//! The state of one execution: what the fold of its events is, and nothing else.
//!
//! A **frame** is a running list of steps (the root, a branch, one iteration ..), an **instance** is a step
//! that was reached in a frame. Both live in slabs and name each other by number. Only `apply` changes any
//! of it. Iterations leave the state when they end, so a loop costs what runs of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use skep_model::Map;
use skep_model::decision::Action;
use skep_model::error::Failure;
use skep_model::event::Then;
use skep_model::ids::{ExecutionId, StepPath, Token};
use skep_model::message::Start;
use skep_model::payload::Payload;
use skep_model::permit::Resource;
use skep_model::plan::{BlockIndex, StepIndex};
use skep_model::rollback::{Part, Question};
use skep_model::status::{Execution as Status, SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use crate::asking::Asked;
use crate::ids::Ids;
use crate::index::Index;
use crate::payload::KnownBlobs;
use crate::results::Results;
use crate::rollback::Undo;
use crate::slab::Slab;

/// Number of a frame in [`State::frames`].
pub type FrameId = u32;
/// Number of an instance in [`State::instances`].
pub type InstanceId = u32;

/// The state of one execution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// See [`Status`].
    pub status: Status,
    /// Number of the last turn.
    pub seq: u64,
    /// Time of the last turn.
    pub at: Timestamp,
    /// Inputs, environment, base directory; `None` before the start.
    pub start: Option<Arc<Start>>,
    /// When it started.
    pub started_at: Timestamp,
    /// The first failure that nothing handled.
    pub failure: Option<Failure>,
    /// Every failure for good, in order, up to a bound.
    pub errors: Arc<Vec<Failure>>,
    /// Why it ends before its flow does, if so.
    pub ending: Option<Ending>,
    /// What it would end as, known when `finally` begins.
    pub tentative: Option<Status>,
    /// Why it is held.
    pub held: Option<Failure>,
    /// Deliveries lost since the last outcome.
    pub lost_deliveries: u32,
    /// Bytes of outputs that its events carry.
    pub inline_bytes: usize,
    pub(crate) blobs: KnownBlobs,
    pub(crate) frames: Slab<Frame>,
    pub(crate) instances: Slab<Instance>,
    /// Follows from `frames`; see [`State::index`].
    #[serde(skip)]
    pub(crate) frame_by_place: Index<(StepPath, BlockIndex)>,
    /// Follows from `instances`.
    #[serde(skip)]
    pub(crate) instance_by_path: Index<StepPath>,
    pub(crate) root: Option<FrameId>,
    pub(crate) finally: Option<FrameId>,
    pub(crate) timers: BTreeSet<(Timestamp, Timer)>,
    /// Ends and escalations of questions about steps: these fire while it is held.
    pub(crate) question_timers: BTreeSet<(Timestamp, InstanceId)>,
    pub(crate) signals: Arc<VecDeque<KeptSignal>>,
    /// Instances whose work a runner does now.
    pub(crate) performing: Ids,
    /// What can be undone, and how far undoing it is.
    pub(crate) undo: Undo,
    /// It is held because deliveries were lost: what counts as performed runs nowhere.
    pub(crate) undelivered: bool,
    /// How often it was run again.
    pub(crate) reruns: u32,
    /// Instances that wait for a condition.
    pub(crate) asking: Ids,
    /// When conditions were asked last. No part of the fold, see [`crate::asking`].
    #[serde(skip)]
    pub(crate) asked: Asked,
    /// Instances that do work or pause between attempts: what `max_parallel` of a workflow bounds.
    pub(crate) working: Ids,
    /// Instances that wait for a child execution.
    pub(crate) children: Ids,
    /// Instances that wait until fewer do: by turn, then in plan order.
    pub(crate) queued: BTreeSet<(u64, StepIndex, InstanceId)>,
    /// Whether its first step may begin.
    pub(crate) entry: Entry,
}

/// Whether the steps of an execution may begin, as far as its own group says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// It has no group.
    #[default]
    Open,
    /// It waits for a place; nothing has begun.
    Queued { resource: Resource, since: Timestamp },
    /// It has its place.
    Granted(Resource),
}

/// Why an execution ends before its flow does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// A person cancelled it at this moment.
    Cancelled(Timestamp),
    /// Its `timeout` is over.
    TimedOut,
    /// A step with `on_error: compensate` failed, or one whose failure is critical.
    Compensating,
    /// Somebody wants it undone.
    Asked,
}

/// A durable timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// What an instance waits for.
    Phase(InstanceId),
    /// The bound of an instance with all that it does.
    Deadline(InstanceId),
    /// The bound of the execution.
    Execution,
    /// A second cancel's patience.
    Force,
    /// The time that what runs has when somebody wants the execution undone.
    Grace,
}

/// A signal that came before its wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptSignal {
    pub(crate) name: String,
    pub(crate) payload: Payload,
    pub(crate) by: String,
}

/// What a frame is to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    Root,
    Finally,
    Case,
    Branch(u32),
    Iteration(u32),
}

/// A running list of steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frame {
    pub block: BlockIndex,
    pub role: Role,
    pub owner: Option<InstanceId>,
    /// Path prefix per depth of loops around it: `[""]`, `["", "rollout[0]."]`.
    pub prefixes: Arc<[StepPath]>,
    /// The loop iterations around it, outermost first.
    pub loops: Arc<[(StepIndex, u32)]>,
    /// Instance per position of the block.
    pub slots: Vec<Option<InstanceId>>,
    /// Sequence: the next position to look at.
    pub position: usize,
    /// Graph: dependencies not ended yet, per position.
    pub missing: Vec<u32>,
    /// Graph: positions whose dependencies have all ended and which were not reached yet.
    pub ready: BTreeSet<u32>,
    /// Instances that are not final.
    pub active: u32,
    /// The first failure in it that nothing handled.
    pub failure: Option<Failure>,
    /// No new step begins; what ran was asked to stop.
    pub stopping: bool,
    /// Set by the event that says so.
    pub ended: Option<StepStatus>,
}

/// A step that was reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub step: StepIndex,
    pub frame: FrameId,
    pub path: StepPath,
    pub status: StepStatus,
    pub phase: Phase,
    /// Attempts begun.
    pub attempt: u32,
    /// Deliveries begun, over all attempts.
    pub delivery: u32,
    /// System failures so far: they are repeated once.
    pub system_failures: u32,
    pub arguments: Option<Payload>,
    pub outputs: Map<Payload>,
    pub failure: Option<Failure>,
    pub reason: Option<SkipReason>,
    /// It was asked to stop.
    pub stop: Option<Then>,
    /// It was asked so for a rollback that lets what runs end.
    pub lingers: bool,
    /// It or something before it in its graph failed.
    pub tainted: bool,
    pub deadline: Option<Timestamp>,
    /// Which of the step's pieces of work it is. Only steps stand in their frame's slots.
    pub part: Part,
    /// In which run of the execution it was reached; from 1.
    pub generation: u32,
    /// The newest child execution that it asked for; stays when that has ended.
    pub child: Option<ExecutionId>,
    /// What it was granted and has not given back.
    pub granted: Vec<Resource>,
    /// Its work is done, and a person decides on what came of it.
    pub proposed: bool,
    /// An attempt or a delivery before the present one may have done its work, and nobody looked.
    pub unsure: bool,
    /// See [`State::token`].
    #[serde(skip)]
    pub token: KnownToken,
}

/// The token of a delivery, once somebody has asked for it: it follows from the rest, so it makes no difference.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownToken(OnceLock<(u32, u32, Token)>);

impl PartialEq for KnownToken {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What an instance is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Nothing any more.
    Over,
    /// A decision allowed it; it begins as soon as the execution runs.
    Ready,
    /// A runner works on it.
    Performing,
    /// The next attempt begins then.
    Retrying { at: Timestamp },
    /// A person decides.
    Deciding { until: Option<Timestamp>, escalations: VecDeque<(Timestamp, String)>, proposed: bool },
    /// A person fills in a form.
    Filling { until: Option<Timestamp> },
    /// Time passes.
    Sleeping { until: Timestamp },
    /// A signal is awaited.
    Listening { signal: String, until: Option<Timestamp> },
    /// A case runs.
    Choosing { frame: Option<FrameId> },
    /// Branches run.
    Forking { frames: Vec<FrameId>, halted: bool },
    /// Iterations run.
    Looping(Box<Looping>),
    /// It cannot be told whether its work was done: its verification runs, or a person is asked.
    Doubtful { failure: Option<Failure>, asked: bool },
    /// It failed and a person is asked what is done about it.
    Questioned(Box<Questioned>),
    /// A condition is awaited, asked every `every_ms` from `since` on.
    Asking { since: Timestamp, every_ms: u64, until: Option<Timestamp> },
    /// It may begin, but too many steps do work; since which turn.
    Queued { turn: u64 },
    /// A child execution runs; `until` bounds this attempt.
    Child { id: ExecutionId, until: Option<Timestamp> },
    /// It waits for something that executions share.
    AwaitingPermit { resource: Box<Resource>, since: Timestamp },
}

/// What a person is asked about a step that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Questioned {
    pub failure: Failure,
    /// Who was told last.
    pub to: String,
    /// What a yes means; `None`: it is tried again.
    pub suggestion: Option<Action>,
    pub until: Option<Timestamp>,
    pub escalations: VecDeque<(Timestamp, String)>,
    /// What the step holds.
    pub inside: Phase,
}

impl Questioned {
    /// What a yes means.
    pub fn yes(&self) -> Action {
        self.suggestion.unwrap_or(Action::Retry)
    }
}

/// The progress of a loop: counters and collected results; only what runs is materialised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Looping {
    pub items: Option<Arc<Payload>>,
    /// Rounds to make, where it is known.
    pub count: Option<u32>,
    /// Rounds begun.
    pub begun: u32,
    /// Frames of running rounds, by index.
    pub running: BTreeMap<u32, FrameId>,
    /// Results of ended rounds in item order.
    pub results: Results,
    /// The first failure of a round.
    pub failure: Option<Failure>,
}

/// What one round gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RoundResult {
    pub status: StepStatus,
    pub outputs: Map<Map<Payload>>,
}

impl State {
    /// Reads what an outcome will be looked up by, so that it is at hand then; the number means nothing.
    pub fn warm_up(&self) -> usize {
        let root = self.root.and_then(|root| self.frames.try_get(root));
        let performed = self.performing.first().and_then(|id| self.instances.try_get(id));
        let found = performed.and_then(|instance| self.find(&instance.path));
        root.map_or(0, |root| root.slots.len()) + found.map_or(0, |id| id as usize)
    }

    /// The public id; the empty text before the start.
    pub fn execution(&self) -> ExecutionId {
        self.start.as_ref().map_or_else(|| ExecutionId::new(""), |start| start.execution.clone())
    }

    /// When the next timer is due; `None` while nothing fires (no timer, paused, terminal; held, but for questions).
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.next_wake_after(self.asked)
    }

    /// The same without conditions that are asked again. They change only with steps, and are asked then too; so where
    /// no step is going to end, this is what will happen.
    pub fn next_timer(&self) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(at, _)| *at);
        timer.filter(|_| self.flows())
    }

    /// The same as whoever folds the state sees it: conditions were not asked yet, so the moment may be past.
    pub fn next_wake_when_folded(&self) -> Option<Timestamp> {
        self.next_wake_after(Asked::default())
    }

    fn next_wake_after(&self, asked: Asked) -> Option<Timestamp> {
        if skep_model::mutant!("timer-lost") && self.timers.len() == 1 {
            return None;
        }
        let question = self.next_question();
        if !self.flows() {
            return question;
        }
        let timer = self.timers.first().map(|(at, _)| *at);
        [timer, self.next_asking(asked), question].into_iter().flatten().min()
    }

    /// When the next end or escalation of a question is due; they do not wait for the execution to go on.
    pub(crate) fn next_question(&self) -> Option<Timestamp> {
        let asks = self.flows() || (self.status == Status::Held && !self.undelivered);
        self.question_timers.first().filter(|_| asks).map(|(at, _)| *at)
    }

    /// What pauses are drawn by.
    pub(crate) fn seed(&self) -> u64 {
        self.start.as_ref().map_or(0, |start| start.seed)
    }

    /// Which run of it this is: from 1, one more with each rerun.
    pub fn generation(&self) -> u32 {
        self.reruns + 1
    }

    /// True while new steps may begin and timers fire.
    pub fn flows(&self) -> bool {
        matches!(self.status, Status::Running | Status::Cancelling | Status::RollingBack)
    }

    /// False while it waits for its own group: then nothing begins. Its end does not wait.
    pub(crate) fn is_admitted(&self) -> bool {
        !matches!(self.entry, Entry::Queued { .. }) || self.ending.is_some()
    }

    /// Number of steps that a runner works on now.
    pub fn performing_count(&self) -> usize {
        self.performing.len()
    }

    /// True if nothing is performed for it and it is not over: it waits for a person, a signal, a moment, or a
    /// condition. Between two halves of a turn that was cut it is not to be asked.
    ///
    /// False for what others look at while it waits, or what a new owner has to ask again: parents and children, who
    /// find each other in memory only, and those that wait for something that executions share.
    pub fn is_idle(&self) -> bool {
        let waits = self.performing.is_empty() && self.status != Status::Pending && !self.status.is_terminal();
        waits && !self.has_family() && !self.awaits_permit()
    }

    fn has_family(&self) -> bool {
        self.has_children() || self.start.as_ref().is_some_and(|start| start.parent.is_some())
    }

    fn awaits_permit(&self) -> bool {
        let waits = |instance: &Instance| matches!(instance.phase, Phase::AwaitingPermit { .. });
        matches!(self.entry, Entry::Queued { .. }) || self.instances.iter().any(waits)
    }

    /// True if only a person or a signal can move it: nothing is performed, no timer runs that ends a wait
    /// by itself, and at least one step waits for somebody; also when it is paused or held.
    ///
    /// A child execution counts as something that moves; see [`State::waits_for_people_beside`].
    pub fn waits_for_people(&self) -> bool {
        self.waits_for_people_beside(&mut |_| false)
    }

    /// The same, where `waits` tells of each child execution that it waits for whether that waits for people.
    pub fn waits_for_people_beside(&self, waits: &mut dyn FnMut(&ExecutionId) -> bool) -> bool {
        match self.status {
            Status::Paused | Status::Held => self.performing.is_empty(),
            Status::Running | Status::Cancelling | Status::RollingBack => {
                self.performing.is_empty() && self.somebody_is_awaited(waits)
            }
            Status::Pending => false,
            Status::Completed | Status::Failed | Status::Cancelled | Status::RolledBack | Status::RollbackFailed => {
                false
            }
        }
    }

    /// What it waits for, for people: `decision: gate`, `signal go: pause`, `held: ..`; `None` if for nothing.
    pub fn waiting_for(&self) -> Option<String> {
        if self.status.is_terminal() {
            return None;
        }
        let questions = self.questions();
        if let Some(reason) = self.held.as_ref().filter(|_| questions.is_empty() || self.undelivered) {
            return Some(format!("held: {}", reason.message));
        }
        if let Entry::Queued { resource, .. } = &self.entry {
            return Some(format!("{} {}", resource.word(), resource.name()));
        }
        let mut waits: Vec<String> = self.instances.iter().filter_map(Instance::waiting_for).collect();
        let asks = |path: &StepPath, about: &Question| about.asks(self.suggestion(path));
        waits.extend(questions.iter().map(|(path, about)| format!("answer: {path} ({})", asks(path, about))));
        waits.sort();
        let more = waits.len().saturating_sub(WAITS_NAMED_MAX);
        waits.truncate(WAITS_NAMED_MAX);
        if more > 0 {
            waits.push(format!("{more} more"));
        }
        (!waits.is_empty()).then(|| waits.join(", "))
    }

    /// What is proposed about a step that failed, if a person is asked about it with a proposal.
    fn suggestion(&self, path: &str) -> Option<Action> {
        let phase = self.find(path).map(|id| &self.instance(id).phase);
        if let Some(Phase::Questioned(question)) = phase { question.suggestion } else { None }
    }

    /// True if something that it did can be undone.
    pub fn can_be_undone(&self) -> bool {
        !self.undo.kept.is_empty()
    }

    /// True if it waits for a child execution.
    pub fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    fn somebody_is_awaited(&self, waits: &mut dyn FnMut(&ExecutionId) -> bool) -> bool {
        let mut awaited = false;
        for instance in self.instances.iter() {
            match &instance.phase {
                Phase::Deciding { .. } | Phase::Filling { .. } | Phase::Listening { .. } => awaited = true,
                Phase::Doubtful { asked: true, .. } | Phase::Questioned(_) => awaited = true,
                Phase::Child { id, .. } if instance.stop.is_none() && waits(id) => awaited = true,
                Phase::Child { .. } | Phase::Asking { .. } => return false,
                Phase::Ready | Phase::Retrying { .. } | Phase::Sleeping { .. } => return false,
                Phase::AwaitingPermit { .. } => return false,
                Phase::Queued { .. }
                | Phase::Over
                | Phase::Performing
                | Phase::Choosing { .. }
                | Phase::Forking { .. }
                | Phase::Looping(_)
                | Phase::Doubtful { asked: false, .. } => {}
            }
        }
        awaited || self.undo.asked
    }

    /// The questions that are open, by the path of their step, in a stable order.
    pub(crate) fn questions(&self) -> BTreeMap<StepPath, Question> {
        let mut open = BTreeMap::new();
        for instance in self.instances.iter() {
            if matches!(instance.phase, Phase::Doubtful { asked: true, .. }) {
                open.insert(instance.path.clone(), Question::Unknown);
            } else if matches!(instance.phase, Phase::Questioned(_)) {
                open.insert(instance.path.clone(), Question::Escalated);
            }
        }
        let about_undoing = self.undo.next_kept().filter(|_| self.undo.asked);
        open.extend(about_undoing.map(|kept| (kept.path.clone(), Question::Unknown)));
        open
    }

    /// True if the delivery `token` of the step at `path` is to be performed: nothing answered or stopped it.
    pub fn awaits(&self, path: &str, token: &Token) -> bool {
        let Some(instance) = self.find(path).map(|id| self.instance(id)) else { return false };
        instance.phase == Phase::Performing && !self.is_stopping(instance) && self.token(instance) == *token
    }

    /// It was asked to stop, and is not just let end its work.
    pub(crate) fn is_stopping(&self, instance: &Instance) -> bool {
        instance.stop.is_some() && !(instance.lingers && self.undo.gentle)
    }

    pub(crate) fn frame(&self, id: FrameId) -> &Frame {
        self.frames.get(id)
    }

    pub(crate) fn instance(&self, id: InstanceId) -> &Instance {
        self.instances.get(id)
    }

    pub(crate) fn find(&self, path: &str) -> Option<InstanceId> {
        self.instance_by_path.get(path).copied()
    }

    pub(crate) fn token(&self, instance: &Instance) -> Token {
        let execution = &self.start.as_ref().expect("an instance exists only after the start").execution;
        let (generation, delivery) = (instance.generation, instance.delivery);
        let derive = || (generation, delivery, Token::derive(execution, &instance.path, generation, delivery));
        let (of_generation, of_delivery, token) = instance.token.0.get_or_init(derive);
        match (*of_generation, *of_delivery) == (generation, delivery) {
            true => token.clone(),
            false => derive().2,
        }
    }
}

/// How many waiting steps a list row names.
const WAITS_NAMED_MAX: usize = 3;

impl Instance {
    fn waiting_for(&self) -> Option<String> {
        let what = match &self.phase {
            Phase::Deciding { .. } => "decision",
            Phase::Filling { .. } => "form",
            Phase::Sleeping { .. } => "time",
            Phase::Listening { signal, .. } => return Some(format!("signal {signal}: {}", self.path)),
            Phase::Asking { .. } => "condition",
            // Both move by themselves.
            Phase::Queued { .. } | Phase::Child { .. } => return None,
            Phase::AwaitingPermit { resource, .. } => {
                return Some(format!("{} {}: {}", resource.word(), resource.name(), self.path));
            }
            Phase::Retrying { .. } => "next attempt",
            Phase::Over | Phase::Ready | Phase::Performing => return None,
            Phase::Choosing { .. } | Phase::Forking { .. } | Phase::Looping(_) => return None,
            // Questions are listed by the state, with the one that a rollback asks.
            Phase::Doubtful { .. } | Phase::Questioned(_) => return None,
        };
        Some(format!("{what}: {}", self.path))
    }
}
