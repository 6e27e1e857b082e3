//! People: they start executions, answer questions, send signals, pause, resume and cancel, at any moment.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::ids::{ExecutionId, Hash, LocalId, StepPath};
use skep_model::message::{Choices, Decision, Message, Start};
use skep_model::plan;
use skep_model::rollback::Strategy;
use skep_model::status::Execution as Status;
use skep_node::driver::{Creation, Input, Reply};
use skep_views::step::Waiting;

use super::World;
use super::ports::lock;
use crate::check::Promise;
use crate::generate::{NEVER, SIGNALS};
use crate::report::Deed;
use crate::torture::sample;

/// What a step of an execution waits for from people.
pub(super) enum Wish {
    Decision(StepPath),
    Form(StepPath),
    Answer(StepPath),
    Signal(String),
}

impl World<'_> {
    /// Somebody asks the owner for something.
    pub(super) fn ask(&mut self, promise: Promise, input: impl FnOnce(Reply) -> Input) {
        let (reply, answer) = tokio::sync::oneshot::channel();
        lock(&self.machine).mail.push_back(input(reply));
        self.promises.ask(answer, promise);
    }

    /// Starts the next execution, if one is left.
    pub(super) fn start_next(&mut self) -> bool {
        let Some((number, workflow)) = self.scenario.starts.get(self.started).copied() else { return false };
        self.started += 1;
        let (program, text) = &self.programs[workflow];
        let execution = ExecutionId::new(format!("sim-{}-{number}", self.scenario.seed));
        let definition: std::sync::Arc<str> = text.as_str().into();
        let definition_hash = Hash::of(definition.as_bytes());
        let start = Start {
            execution: execution.clone(),
            plan_hash: program.hash(),
            definition_hash,
            inputs: self.inputs.clone(),
            base_dir: "/sim".into(),
            environment: Map::new(),
            actor: Actor::person("starter"),
            event: Value::Null,
            seed: self.scenario.seed ^ number as u64,
            parent: None,
            choices: Choices::default(),
        };
        let program = std::sync::Arc::clone(program);
        let creation = Creation { start, program, definition, workflow_path: None, key: None };
        self.ask(Promise::Started(execution), |reply| Input::Create(Box::new(creation), reply));
        true
    }

    pub(super) fn somebody(&mut self) -> (Actor, String) {
        self.people += 1;
        let actor = Actor::person(format!("p{}", self.people));
        let label = actor.label();
        (actor, label)
    }

    pub(super) fn tell(&mut self, local: LocalId, message: Message, promise: Promise) {
        self.ask(promise, |reply| Input::Message(local, Box::new(message), Some(reply)));
    }

    /// Somebody does something to some execution.
    pub(super) fn act(&mut self) {
        let over = self.books.over();
        if !over.is_empty() && self.random.percent(8) {
            let local = self.random.pick(&over);
            return self.again(local);
        }
        let open = self.books.open();
        if open.is_empty() {
            return;
        }
        let local = self.random.pick(&open);
        let at_point = self.held_by(local) == Some(skep_engine::codes::AT_POINT.id);
        if at_point && self.random.percent(60) {
            return self.resume(local);
        }
        match self.random.weighted(&[30, 10, 40, 3, 4, 6, 2, 3, 2, 3]) {
            0 => self.answer(local),
            1 => {
                let name = self.random.pick(&SIGNALS);
                self.signal(local, name);
            }
            2 => self.answer_somebody(&open),
            3 => self.cancel(local),
            4 => self.pause(local),
            5 => self.resume(local),
            7 => self.roll_back(local),
            8 => self.checkpoint(local),
            9 => self.undone(local),
            // At any moment: also where nobody asked.
            _ => self.decide(local, None),
        }
    }

    fn answer_somebody(&mut self, open: &[LocalId]) {
        let waiting: Vec<LocalId> = open.iter().copied().filter(|local| !self.wishes(*local).is_empty()).collect();
        if !waiting.is_empty() {
            let local = self.random.pick(&waiting);
            self.answer(local);
        }
    }

    fn answer(&mut self, local: LocalId) {
        let wishes = self.wishes(local);
        if wishes.is_empty() {
            return;
        }
        let at = self.random.below(wishes.len());
        self.fulfil(local, &wishes[at], true);
    }

    /// Gives a step what it waits for. `freely`: a no is an answer too.
    pub(super) fn fulfil(&mut self, local: LocalId, wish: &Wish, freely: bool) {
        match wish {
            // In the end too: what cannot be tried again has to be given up.
            Wish::Answer(path) => self.decide(local, Some(path.clone())),
            Wish::Decision(path) if freely => self.decide(local, Some(path.clone())),
            Wish::Decision(path) => self.approve(local, Some(path.clone()), true),
            Wish::Form(path) => {
                let (actor, label) = self.somebody();
                let values = self.form(local, path);
                let message = Message::Input { path: Some(path.clone()), values, actor };
                self.tell(local, message, Promise::Said(local, label, Deed::Fill));
            }
            Wish::Signal(name) => self.signal(local, &name.clone()),
        }
    }

    /// Values for what a form has to have.
    fn form(&self, local: LocalId, path: &StepPath) -> Map<Value> {
        let plan = self.books.accounts[&local].program.plan();
        let asked = plan.steps.iter().find_map(|step| match &step.kind {
            plan::Kind::Input(form) if path.to_string().ends_with(&step.id) => Some(form),
            _ => None,
        });
        let fields = asked.into_iter().flat_map(|form| form.fields.iter());
        fields.filter(|(_, field)| field.required).map(|(name, field)| (name.clone(), sample(field))).collect()
    }

    fn decide(&mut self, local: LocalId, path: Option<StepPath>) {
        let yes = self.random.percent(75);
        self.approve(local, path, yes);
    }

    pub(super) fn approve(&mut self, local: LocalId, path: Option<StepPath>, yes: bool) {
        let (actor, label) = self.somebody();
        let decision = Decision { path, actor, comment: None };
        let (message, deed) =
            if yes { (Message::Approve(decision), Deed::Approve) } else { (Message::Reject(decision), Deed::Reject) };
        self.tell(local, message, Promise::Said(local, label, deed));
    }

    fn signal(&mut self, local: LocalId, name: &str) {
        let (actor, label) = self.somebody();
        let message = Message::Signal { name: name.to_owned(), payload: json!(self.people), actor };
        self.tell(local, message, Promise::Said(local, label, Deed::Signal));
    }

    pub(super) fn cancel(&mut self, local: LocalId) {
        let (actor, _) = self.somebody();
        let again = self.books.accounts.get(&local).is_some_and(|account| account.journal.cancelled);
        let deed = if again { Deed::CancelAgain } else { Deed::Cancel };
        self.tell(local, Message::Cancel { actor, reason: None }, Promise::Stopped(local, deed));
    }

    /// Somebody wants an execution undone that is over, or run again.
    fn again(&mut self, local: LocalId) {
        if self.random.percent(50) {
            return self.roll_back(local);
        }
        let (actor, label) = self.somebody();
        let from = self.books.accounts.get(&local).and_then(|account| {
            let plan = account.program.plan();
            let steps = &plan.blocks[plan.root as usize].steps;
            let at = self.random.below(steps.len() + 1);
            steps.get(at).map(|step| StepPath::from(plan.steps[*step as usize].id.as_str()))
        });
        let message = Message::Rerun { actor, from, inputs: None };
        self.tell(local, message, Promise::Said(local, label, Deed::Rerun));
    }

    /// Somebody wants an execution undone, in one way or another.
    fn roll_back(&mut self, local: LocalId) {
        let (actor, label) = self.somebody();
        let strategy = match self.random.below(5) {
            0 => None,
            at => Some(Strategy::ALL[at - 1]),
        };
        let points = self.books.accounts.get(&local).map(|account| account.view.points.len()).unwrap_or_default();
        let to = match strategy {
            Some(Strategy::Checkpoint) if points > 0 && self.random.percent(60) => {
                let at = self.random.below(points);
                self.books.accounts.get(&local).map(|account| account.view.points[at].number)
            }
            _ => None,
        };
        let message = Message::Rollback { actor, reason: None, strategy, to };
        self.tell(local, message, Promise::Said(local, label, Deed::Rollback));
    }

    fn checkpoint(&mut self, local: LocalId) {
        let (actor, label) = self.somebody();
        self.tell(local, Message::Checkpoint { actor, note: None }, Promise::Said(local, label, Deed::Checkpoint));
    }

    /// Somebody says that the next step of a manual rollback is undone.
    pub(super) fn undone(&mut self, local: LocalId) {
        let (actor, label) = self.somebody();
        let message = Message::Undone { actor, path: None, comment: None };
        self.tell(local, message, Promise::Said(local, label, Deed::Undone));
    }

    /// Why it is held, by the code of the reason.
    pub(super) fn held_by(&self, local: LocalId) -> Option<&str> {
        let state = self.books.accounts.get(&local).map(|account| &account.state)?;
        state.held.as_ref().map(|reason| reason.code.as_str())
    }

    fn pause(&mut self, local: LocalId) {
        let (actor, _) = self.somebody();
        self.tell(local, Message::Pause { actor }, Promise::Taken(Deed::Pause));
    }

    pub(super) fn resume(&mut self, local: LocalId) {
        let (actor, _) = self.somebody();
        // Somebody else may be faster, and then there is nothing to resume.
        let at_point = self.held_by(local) == Some(skep_engine::codes::AT_POINT.id);
        let deed = if at_point { Deed::GoBack } else { Deed::Resume };
        self.tell(local, Message::Resume { actor }, Promise::Taken(deed));
    }

    /// What an execution waits for from people, as far as anybody will give it.
    pub(super) fn wishes(&self, local: LocalId) -> Vec<Wish> {
        let Some(account) = self.books.accounts.get(&local) else { return Vec::new() };
        let waiting = account.view.waiting();
        waiting
            .filter_map(|step| match step.waiting.as_ref()? {
                Waiting::Decision { .. } => Some(Wish::Decision(step.path.clone())),
                Waiting::Answer { .. } => Some(Wish::Answer(step.path.clone())),
                Waiting::Form { .. } => Some(Wish::Form(step.path.clone())),
                Waiting::Signal { name, .. } if name != NEVER => Some(Wish::Signal(name.clone())),
                _ => None,
            })
            .collect()
    }

    /// True if it stands still until a person lets it go on.
    pub(super) fn stands_still(&self, local: LocalId) -> bool {
        let status = self.books.accounts.get(&local).map(|account| account.state.status);
        matches!(status, Some(Status::Paused | Status::Held))
    }
}
