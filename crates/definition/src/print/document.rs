//! From the workflow to what is printed: every field back to its key.

use serde_json::{Map as Object, Value, json};
use skep_model::Map;
use skep_model::decision::Autonomy;
use skep_model::plan::{Backoff, Join, OnCancel, OnReject, OnSilence, OnTimeout, Order, RetryOn};
use skep_model::span::print_duration_ms;

use super::emit::Doc;
use crate::keys::{self, Key, Role};
use crate::workflow::{Approval, Asking, Branch, Case, Defaults, Gate, Kind, OnError, Retry, Step, Wait, Workflow};

/// Entries in the making: what is absent is left out.
#[derive(Default)]
struct Entries(Vec<(String, Doc)>);

impl Entries {
    fn doc(&mut self, key: &str, doc: Doc) {
        self.0.push((key.to_owned(), doc));
    }

    fn value(&mut self, key: &str, value: impl Into<Value>) {
        self.doc(key, Doc::Value(value.into()));
    }

    fn some<T: Into<Value> + Clone>(&mut self, key: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.value(key, value.clone());
        }
    }

    fn duration(&mut self, key: &str, milliseconds: Option<u64>) {
        self.some(key, &milliseconds.map(print_duration_ms));
    }

    fn flag(&mut self, key: &str, is_set: bool) {
        if is_set {
            self.value(key, true);
        }
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.value(key, texts.to_vec());
        }
    }

    /// A mapping with an entry per line, each as short as it can be.
    fn lines(&mut self, key: &str, map: &Map<Value>) {
        if !map.is_empty() {
            let entries = map.iter().map(|(name, value)| (name.clone(), Doc::Value(value.clone()))).collect();
            self.doc(key, Doc::Block(entries));
        }
    }

    fn text_map(&mut self, key: &str, map: &Map<String>) {
        if !map.is_empty() {
            self.value(key, map.iter().map(|(name, text)| (name.clone(), json!(text))).collect::<Object<_, _>>());
        }
    }

    fn escalations(&mut self, chain: &[(u64, String)]) {
        if !chain.is_empty() {
            let entry = |(after_ms, to): &(u64, String)| json!({"after": print_duration_ms(*after_ms), "to": to});
            self.value("escalate", chain.iter().map(entry).collect::<Vec<Value>>());
        }
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Sequence => {}
            Order::Graph => self.value("order", "graph"),
        }
    }

    /// Notes under their own keys; those that are no keys under `annotations`.
    fn notes(&mut self, notes: &Map<Value>, table: &'static [Key]) {
        let mut others = Object::new();
        for (name, value) in notes {
            let known = keys::find(table, name).filter(|key| key.role == Role::Note && key.name != "annotations");
            match known {
                Some(_) if !value.is_null() => self.value(name, value.clone()),
                Some(_) | None => _ = others.insert(name.clone(), value.clone()),
            }
        }
        if !others.is_empty() {
            self.value("annotations", others);
        }
    }
}

/// The whole workflow.
pub fn workflow(workflow: &Workflow) -> Doc {
    let mut entries = Entries::default();
    entries.some("id", &workflow.id);
    entries.value("name", workflow.name.clone());
    if !workflow.description.is_empty() {
        entries.value("description", workflow.description.clone());
    }
    entries.some("version", &workflow.version);
    entries.some("category", &workflow.category);
    entries.some("author", &workflow.author);
    entries.texts("tags", &workflow.tags);
    entries.notes(&workflow.annotations, keys::WORKFLOW);
    entries.lines("inputs", &workflow.inputs);
    policies(&mut entries, workflow);
    entries.text_map("env", &workflow.env);
    entries.lines("vars", &workflow.vars);
    if !workflow.triggers.is_empty() {
        entries.doc("triggers", Doc::Items(workflow.triggers.iter().cloned().map(Doc::Value).collect()));
    }
    if !workflow.fallback_actions.is_empty() {
        entries.value("fallback_actions", workflow.fallback_actions.clone());
    }
    entries.order(workflow.order);
    entries.doc("steps", steps(&workflow.steps));
    if !workflow.finally.is_empty() {
        entries.doc("finally", steps(&workflow.finally));
    }
    entries.lines("outputs", &workflow.outputs);
    Doc::Block(entries.0)
}

fn policies(entries: &mut Entries, workflow: &Workflow) {
    if workflow.defaults != Defaults::default() {
        entries.value("defaults", defaults(&workflow.defaults));
    }
    entries.some("concurrency", &workflow.concurrency);
    entries.some("rollback", &workflow.rollback);
    entries.some("autonomy", &workflow.autonomy.map(Autonomy::as_str));
    entries.some("max_parallel", &workflow.max_parallel);
    entries.duration("timeout", workflow.timeout_ms);
    match workflow.on_cancel {
        Some(OnCancel::Finally) => entries.value("on_cancel", "finally"),
        Some(OnCancel::Abandon) => entries.value("on_cancel", "abandon"),
        Some(OnCancel::Rollback) => entries.value("on_cancel", "rollback"),
        None => {}
    }
    entries.some("idempotency", &workflow.idempotency);
    entries.some("policy", &workflow.policy);
}

fn defaults(defaults: &Defaults) -> Value {
    let mut entries = Entries::default();
    entries.duration("timeout", defaults.timeout_ms);
    entries.some("retry", &defaults.retry.as_ref().map(retry));
    entries.some("policy", &defaults.policy);
    entries.some("shell", &defaults.shell);
    entries.some("working_dir", &defaults.working_dir);
    Doc::Block(entries.0).into_value()
}

fn steps(steps: &[Step]) -> Doc {
    if steps.is_empty() {
        return Doc::Value(json!([]));
    }
    Doc::Items(steps.iter().map(step).collect())
}

fn step(step: &Step) -> Doc {
    let mut entries = Entries::default();
    entries.value("id", step.id.clone());
    entries.some("name", &step.name);
    entries.some("description", &step.description);
    entries.notes(&step.annotations, keys::STEP);
    entries.texts("depends_on", &step.depends_on);
    entries.some("if", &step.condition);
    entries.some("approve", &step.approve.as_ref().map(gate));
    kind(&mut entries, &step.kind);
    entries.duration("timeout", step.timeout_ms);
    entries.duration("total_timeout", step.total_timeout_ms);
    entries.some("retry", &step.retry.as_ref().map(retry));
    entries.some("on_error", &step.on_error.as_ref().map(on_error));
    entries.some("rollback", &step.rollback);
    entries.flag("irreversible", step.irreversible);
    entries.flag("read_only", step.read_only);
    entries.flag("checkpoint", step.checkpoint);
    entries.flag("critical", step.critical);
    entries.some("policy", &step.policy);
    entries.text_map("env", &step.env);
    entries.some("working_dir", &step.working_dir);
    if let Some(outputs) = &step.outputs {
        entries.value("outputs", outputs.clone().into_iter().collect::<Object<_, _>>());
    }
    for (key, value) in &step.later {
        entries.value(key, value.clone());
    }
    body(&mut entries, &step.kind);
    Doc::Block(entries.0)
}

/// The key that says what a step does, and those that belong to it.
fn kind(entries: &mut Entries, kind: &Kind) {
    match kind {
        Kind::Run { script, shell } => {
            entries.some("shell", shell);
            entries.value("run", script.clone());
        }
        Kind::Uses { action, with } => {
            entries.value("uses", action.clone());
            if !with.is_empty() {
                entries.value("with", with.clone().into_iter().collect::<Object<_, _>>());
            }
        }
        Kind::Agent(config) => entries.value("agent", config.clone()),
        Kind::Ai(config) => entries.value("ai", config.clone()),
        Kind::Workflow(config) => entries.value("workflow", config.clone()),
        Kind::Approval(settings) => entries.value("approval", approval(settings)),
        Kind::Input { fields, message, assignee } => {
            entries.some("message", message);
            entries.some("assignee", assignee);
            let fields = fields.iter().map(|(name, field)| (name.clone(), Doc::Value(field.clone()))).collect();
            entries.doc("input", Doc::Block(fields));
        }
        Kind::Wait(settings) => entries.value("wait", wait(settings)),
        Kind::Switch { cases, default } => entries.doc("switch", switch(cases, default.as_deref())),
        Kind::Parallel { branches, join, fail_fast } => {
            entries.some("join", &join.map(join_value));
            entries.some("fail_fast", fail_fast);
            let branches = branches.iter().map(|it| (it.name.clone(), branch(it))).collect();
            entries.doc("parallel", Doc::Block(branches));
        }
        Kind::Foreach { items, max_parallel, fail_fast, max_iterations, .. } => {
            entries.value("foreach", items.clone());
            entries.some("max_parallel", max_parallel);
            entries.some("fail_fast", fail_fast);
            entries.some("max_iterations", max_iterations);
        }
        Kind::While { condition, max_iterations, .. } => {
            entries.value("while", condition.clone());
            entries.some("max_iterations", max_iterations);
        }
        Kind::Repeat { times, until, max_iterations, .. } => {
            let mut repeat = Entries::default();
            repeat.some("times", times);
            repeat.some("until", until);
            entries.value("repeat", Doc::Block(repeat.0).into_value());
            entries.some("max_iterations", max_iterations);
        }
    }
}

/// The steps of a loop: last, because they are long.
fn body(entries: &mut Entries, kind: &Kind) {
    match kind {
        Kind::Foreach { order, steps: list, .. }
        | Kind::While { order, steps: list, .. }
        | Kind::Repeat { order, steps: list, .. } => {
            entries.order(*order);
            entries.doc("steps", steps(list));
        }
        Kind::Run { .. }
        | Kind::Uses { .. }
        | Kind::Agent(_)
        | Kind::Ai(_)
        | Kind::Workflow(_)
        | Kind::Approval(_)
        | Kind::Input { .. }
        | Kind::Wait(_)
        | Kind::Switch { .. }
        | Kind::Parallel { .. } => {}
    }
}

fn switch(cases: &[Case], default: Option<&[Step]>) -> Doc {
    let mut entries = Entries::default();
    let cases = cases.iter().map(|case| {
        let mut entries = Entries::default();
        entries.value("when", case.when.clone());
        entries.order(case.order);
        entries.doc("steps", steps(&case.steps));
        Doc::Block(entries.0)
    });
    entries.doc("cases", Doc::Items(cases.collect()));
    if let Some(default) = default {
        entries.doc("default", steps(default));
    }
    Doc::Block(entries.0)
}

fn branch(branch: &Branch) -> Doc {
    match branch.order {
        Order::Sequence => steps(&branch.steps),
        Order::Graph => {
            let mut entries = Entries::default();
            entries.order(branch.order);
            entries.doc("steps", steps(&branch.steps));
            Doc::Block(entries.0)
        }
    }
}

fn join_value(join: Join) -> Value {
    match join {
        Join::All => json!("all"),
        Join::Any => json!("any"),
        Join::Count(count) => json!(count),
    }
}

/// `retry` as written.
pub fn retry(retry: &Retry) -> Value {
    let mut entries = Entries::default();
    entries.some("max_attempts", &retry.max_attempts);
    entries.duration("delay", retry.delay_ms);
    entries.duration("max_delay", retry.max_delay_ms);
    entries.some(
        "backoff",
        &retry.backoff.map(|backoff| match backoff {
            Backoff::Fixed => "fixed",
            Backoff::Linear => "linear",
            Backoff::Exponential => "exponential",
        }),
    );
    entries.some("jitter", &retry.jitter);
    if !retry.on.is_empty() {
        entries.value("on", retry.on.iter().map(retry_on).collect::<Vec<Value>>());
    }
    Doc::Block(entries.0).into_value()
}

fn retry_on(on: &RetryOn) -> Value {
    match on {
        RetryOn::Class(class) => json!(class.as_str()),
        RetryOn::Kind(kind) => json!(kind.as_str()),
        RetryOn::ExitCode(code) => json!(code),
        RetryOn::HttpStatus(status) => json!(status),
    }
}

fn on_error(on_error: &OnError) -> Value {
    match on_error {
        OnError::Fail => json!("fail"),
        OnError::Skip => json!("skip"),
        OnError::Compensate { step: None } => json!("compensate"),
        OnError::Compensate { step: Some(step) } => json!({"strategy": "compensate", "compensation_step": step}),
        OnError::Escalate(asking) if *asking == Asking::default() => json!("escalate"),
        OnError::Escalate(asking) => {
            let mut entries = Entries::default();
            entries.value("strategy", "escalate");
            asking_into(&mut entries, asking);
            Doc::Block(entries.0).into_value()
        }
    }
}

/// Who is asked, as written.
pub fn asking(asking: &Asking) -> Value {
    let mut entries = Entries::default();
    asking_into(&mut entries, asking);
    Doc::Block(entries.0).into_value()
}

fn asking_into(entries: &mut Entries, asking: &Asking) {
    entries.some("escalation_target", &asking.target);
    entries.escalations(&asking.escalate);
    entries.duration("timeout", asking.timeout_ms);
    let on_timeout = asking.on_timeout.map(|on_timeout| match on_timeout {
        OnSilence::Fail => "fail",
        OnSilence::Retry => "retry",
    });
    entries.some("on_timeout", &on_timeout);
}

fn gate(gate: &Gate) -> Value {
    let when = if gate.before { "before" } else { "after" };
    if gate.approval == Approval::default() {
        return json!(when);
    }
    let mut entries = Entries::default();
    entries.value("when", when);
    approval_into(&mut entries, &gate.approval);
    Doc::Block(entries.0).into_value()
}

fn approval(approval: &Approval) -> Value {
    let mut entries = Entries::default();
    approval_into(&mut entries, approval);
    Doc::Block(entries.0).into_value()
}

fn approval_into(entries: &mut Entries, approval: &Approval) {
    entries.some("message", &approval.message);
    entries.some("assignee", &approval.assignee);
    entries.duration("timeout", approval.timeout_ms);
    entries.escalations(&approval.escalate);
    entries.some(
        "on_timeout",
        &approval.on_timeout.map(|on_timeout| match on_timeout {
            OnTimeout::Reject => "reject",
            OnTimeout::Approve => "approve",
            OnTimeout::Fail => "fail",
        }),
    );
    entries.some(
        "on_reject",
        &approval.on_reject.map(|on_reject| match on_reject {
            OnReject::Fail => "fail",
            OnReject::Continue => "continue",
        }),
    );
}

fn wait(wait: &Wait) -> Value {
    let mut entries = Entries::default();
    match wait {
        Wait::Duration(duration) => entries.value("for", duration.clone()),
        Wait::Moment(until) => entries.value("until", until.clone()),
        Wait::Signal { name, timeout_ms } => {
            entries.value("signal", name.clone());
            entries.duration("timeout", *timeout_ms);
        }
        Wait::Condition { condition, every_ms, timeout_ms } => {
            entries.value("condition", condition.clone());
            entries.duration("every", *every_ms);
            entries.duration("timeout", *timeout_ms);
        }
    }
    Doc::Block(entries.0).into_value()
}
