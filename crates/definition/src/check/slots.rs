//! Every place of a workflow that may hold an expression, in the order of the text.
//!
//! This module knows where expressions stand and from where they look; it must not compile them.
//! Text without `${{` is passed over, unless it is a condition or a script.

use serde_json::Value;
use skep_model::Map;

use super::criteria;
use super::visibility::View;
use crate::outline::{Outline, StepNumber, pointer_part};
use crate::workflow::{Approval, Kind, OnError, Step, Wait, Workflow};

/// From where an expression looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A step, before it acts.
    Step(StepNumber),
    /// The condition of a `wait`, asked again and again while others run.
    Waiting(StepNumber),
    /// The condition of a loop, asked between rounds.
    Rounds(StepNumber),
    /// `outputs` of a step.
    OwnOutputs(StepNumber),
    /// `rollback` of a step.
    Compensation(StepNumber),
    /// `concurrency` and `idempotency` of the workflow, asked before there is an execution.
    Start,
    /// `vars`, `env`, `defaults` of the workflow.
    Workflow,
    /// `triggers`.
    Trigger,
    /// `outputs` of the workflow.
    End,
}

impl Scope {
    /// The step that it belongs to.
    pub fn step(self) -> Option<StepNumber> {
        match self {
            Self::Step(step) | Self::Waiting(step) | Self::Rounds(step) => Some(step),
            Self::OwnOutputs(step) | Self::Compensation(step) => Some(step),
            Self::Start | Self::Workflow | Self::Trigger | Self::End => None,
        }
    }

    /// The view on steps; `None` where no step can be named.
    pub fn view(self) -> Option<View> {
        match self {
            Self::Step(step) | Self::Waiting(step) => Some(View::Before(step)),
            Self::Rounds(step) => Some(View::Rounds(step)),
            Self::OwnOutputs(step) | Self::Compensation(step) => Some(View::After(step)),
            Self::End => Some(View::End),
            Self::Start | Self::Workflow | Self::Trigger => None,
        }
    }
}

/// What the text of a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form<'w> {
    /// A template.
    Template,
    /// The `if` of a step: a condition.
    If,
    /// A condition, with or without `${{ }}`.
    Condition,
    /// A script of this interpreter.
    Script(&'w str, ScriptOf),
}

/// Which script of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ScriptOf {
    /// `run`.
    Step,
    /// `verify`.
    Verify,
    /// `rollback`.
    Rollback,
    /// `verify` inside `rollback`.
    RollbackVerify,
}

/// One place.
pub(crate) struct Slot<'w> {
    pub scope: Scope,
    pub form: Form<'w>,
    pub text: &'w str,
    pub pointer: String,
}

/// The interpreter of scripts that name none.
pub(crate) const SHELL_DEFAULT: &str = "bash";

/// Calls `visit` for every slot.
pub(crate) fn each<'w>(workflow: &'w Workflow, outline: &Outline<'w>, visit: &mut dyn FnMut(Slot<'w>)) {
    let mut walk = Walk { workflow, visit, scope: Scope::Workflow, pointer: String::new() };
    walk.texts("/env", &workflow.env);
    walk.values("/vars", &workflow.vars);
    walk.optional("/defaults/working_dir", workflow.defaults.working_dir.as_deref());
    walk.scope = Scope::Start;
    if let Some(concurrency) = &workflow.concurrency {
        walk.member("/concurrency", concurrency, "group");
    }
    if let Some(idempotency) = &workflow.idempotency {
        walk.text_or_member("/idempotency", idempotency, "key");
    }
    walk.scope = Scope::Trigger;
    for (index, trigger) in workflow.triggers.iter().enumerate() {
        walk.within(&format!("/triggers/{index}"), |walk| walk.value(trigger));
    }
    for (number, entry) in outline.steps.iter().enumerate() {
        walk.pointer.clone_from(&entry.pointer);
        walk.step(number, entry.step);
        walk.pointer.clear();
    }
    walk.scope = Scope::End;
    walk.values("/outputs", &workflow.outputs);
}

struct Walk<'w, 'v> {
    workflow: &'w Workflow,
    visit: &'v mut dyn FnMut(Slot<'w>),
    scope: Scope,
    /// The pointer of what is being walked: grows and shrinks in place.
    pointer: String,
}

impl<'w> Walk<'w, '_> {
    fn within(&mut self, part: &str, walk: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push_str(part);
        walk(self);
        self.pointer.truncate(length);
    }

    fn emit(&mut self, part: &str, form: Form<'w>, text: &'w str) {
        let (scope, pointer) = (self.scope, format!("{}{part}", self.pointer));
        (self.visit)(Slot { scope, form, text, pointer });
    }

    fn text(&mut self, part: &str, text: &'w str) {
        if text.contains("${{") {
            self.emit(part, Form::Template, text);
        }
    }

    fn optional(&mut self, part: &str, text: Option<&'w str>) {
        if let Some(text) = text {
            self.text(part, text);
        }
    }

    fn texts(&mut self, part: &str, map: &'w Map<String>) {
        for (key, text) in map {
            if text.contains("${{") {
                self.text(&format!("{part}/{}", pointer_part(key)), text);
            }
        }
    }

    fn values(&mut self, part: &str, map: &'w Map<Value>) {
        for (key, value) in map {
            self.within(&format!("{part}/{}", pointer_part(key)), |walk| walk.value(value));
        }
    }

    fn value(&mut self, value: &'w Value) {
        match value {
            Value::String(text) => self.text("", text),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.within(&format!("/{index}"), |walk| walk.value(item));
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    self.within(&format!("/{}", pointer_part(key)), |walk| walk.value(item));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The text under `key` of an object at `part`.
    fn member(&mut self, part: &str, object: &'w Value, key: &str) {
        if let Some(Value::String(text)) = object.get(key) {
            self.text(&format!("{part}/{key}"), text);
        }
    }

    fn text_or_member(&mut self, part: &str, value: &'w Value, key: &str) {
        match value {
            Value::String(text) => self.text(part, text),
            other => self.member(part, other, key),
        }
    }

    fn step(&mut self, number: StepNumber, step: &'w Step) {
        self.scope = Scope::Step(number);
        if let Some(condition) = &step.condition {
            self.emit("/if", Form::If, condition);
        }
        self.texts("/env", &step.env);
        self.optional("/working_dir", step.working_dir.as_deref());
        if let Some(gate) = &step.approve {
            self.approval("/approve", &gate.approval);
        }
        self.kind(number, &step.kind);
        self.scope = Scope::Step(number);
        for (key, member) in [("concurrency", "group"), ("circuit_breaker", "name")] {
            if let Some(settings) = step.later.get(key) {
                self.member(&format!("/{key}"), settings, member);
            }
        }
        if let Some(OnError::Escalate(asking)) = &step.on_error {
            self.within("/on_error", |walk| {
                walk.optional("/escalation_target", asking.target.as_deref());
                walk.escalations(&asking.escalate);
            });
        }
        if let Some(verify) = step.later.get("verify") {
            self.side("/verify", verify, ScriptOf::Verify);
        }
        self.scope = Scope::OwnOutputs(number);
        if let Some(outputs) = &step.outputs {
            self.values("/outputs", outputs);
        }
        if let Some(criteria) = step.later.get("success_criteria") {
            for (part, criterion) in criteria::written(criteria).filter(|(_, text)| !criteria::is_named_check(text)) {
                self.emit(&format!("/success_criteria{part}"), Form::Condition, criterion);
            }
        }
        self.scope = Scope::Compensation(number);
        if let Some(rollback) = &step.rollback {
            self.side("/rollback", rollback, ScriptOf::Rollback);
        }
    }

    fn kind(&mut self, number: StepNumber, kind: &'w Kind) {
        match kind {
            Kind::Run { script, shell } => self.script("/run", script, shell.as_deref(), ScriptOf::Step),
            Kind::Uses { with, .. } => self.values("/with", with),
            Kind::Agent(config) => self.within("/agent", |walk| walk.value(config)),
            Kind::Ai(config) => self.within("/ai", |walk| walk.value(config)),
            Kind::Workflow(config) => {
                if let Some(inputs) = config.get("inputs") {
                    self.within("/workflow/inputs", |walk| walk.value(inputs));
                }
            }
            Kind::Approval(approval) => self.approval("/approval", approval),
            Kind::Input { message, assignee, .. } => {
                self.optional("/message", message.as_deref());
                self.optional("/assignee", assignee.as_deref());
            }
            Kind::Wait(wait) => self.wait(number, wait),
            Kind::Switch { cases, .. } => {
                for (index, case) in cases.iter().enumerate() {
                    self.emit(&format!("/switch/cases/{index}/when"), Form::Condition, &case.when);
                }
            }
            Kind::Parallel { .. } => {}
            Kind::Foreach { items, .. } => self.within("/foreach", |walk| walk.value(items)),
            Kind::While { condition, .. } => {
                self.scope = Scope::Rounds(number);
                self.emit("/while", Form::Condition, condition);
            }
            Kind::Repeat { times, until, .. } => {
                if let Some(times) = times {
                    self.within("/repeat/times", |walk| walk.value(times));
                }
                self.scope = Scope::Rounds(number);
                if let Some(until) = until {
                    self.emit("/repeat/until", Form::Condition, until);
                }
            }
        }
    }

    fn script(&mut self, part: &str, script: &'w str, shell: Option<&'w str>, of: ScriptOf) {
        let shell = shell.or(self.workflow.defaults.shell.as_deref()).unwrap_or(SHELL_DEFAULT);
        if script.contains("${{") {
            self.emit(part, Form::Script(shell, of), script);
        }
    }

    fn approval(&mut self, part: &str, approval: &'w Approval) {
        self.within(part, |walk| {
            walk.optional("/message", approval.message.as_deref());
            walk.optional("/assignee", approval.assignee.as_deref());
            walk.escalations(&approval.escalate);
        });
    }

    fn escalations(&mut self, chain: &'w [(u64, String)]) {
        for (index, (_, to)) in chain.iter().enumerate() {
            self.text(&format!("/escalate/{index}/to"), to);
        }
    }

    fn wait(&mut self, number: StepNumber, wait: &'w Wait) {
        match wait {
            Wait::Duration(duration) => self.text("/wait/for", duration),
            Wait::Moment(until) => self.text("/wait/until", until),
            Wait::Signal { name, .. } => self.text("/wait/signal", name),
            Wait::Condition { condition, .. } => {
                let scope = std::mem::replace(&mut self.scope, Scope::Waiting(number));
                self.emit("/wait/condition", Form::Condition, condition);
                self.scope = scope;
            }
        }
    }

    /// A step in short form: `run`, or a bare text, is a script, the rest are templates.
    fn side(&mut self, part: &str, side: &'w Value, of: ScriptOf) {
        if let Value::String(script) = side {
            return self.script(part, script, None, of);
        }
        let shell = side.get("shell").and_then(Value::as_str);
        if let Some(Value::String(script)) = side.get("run") {
            // A text in the place of the mapping is a script, too, and has its place there.
            let long = format!("{}{part}/run", self.pointer);
            let is_short = of == ScriptOf::Rollback && !self.workflow.places.0.contains_key(&long);
            let part = if is_short { part.to_owned() } else { format!("{part}/run") };
            self.script(&part, script, shell, of);
        }
        for key in ["with", "env", "working_dir", "agent", "ai"] {
            if let Some(value) = side.get(key) {
                self.within(&format!("{part}/{key}"), |walk| walk.value(value));
            }
        }
        if let Some(verify) = side.get("verify") {
            self.side(&format!("{part}/verify"), verify, ScriptOf::RollbackVerify);
        }
    }
}
