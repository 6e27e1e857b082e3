//! Small plans and short events for the tables.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::{Event, Turn};
use skep_model::ids::{ExecutionId, Hash};
use skep_model::message::{Choices, Start};
use skep_model::payload::Payload;
use skep_model::plan::{
    Approval, Block, Branch, Case, ENGINE_SEMANTICS, Head, Join, Kind, OnCancel, Order, PLAN_FORMAT, Plan, Step,
};
use skep_model::status::{Execution as Status, SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use crate::execution::Execution;

/// A step before it has its place.
pub struct Draft {
    id: &'static str,
    kind: DraftKind,
    names: Vec<&'static str>,
}

enum DraftKind {
    Run,
    Approval,
    Foreach(Vec<Draft>),
    Parallel(Vec<Vec<Draft>>),
    Switch(Vec<Vec<Draft>>, Option<Vec<Draft>>),
}

fn draft(id: &'static str, kind: DraftKind, names: &[&'static str]) -> Draft {
    Draft { id, kind, names: names.to_vec() }
}

pub fn run(id: &'static str) -> Draft {
    draft(id, DraftKind::Run, &["stdout", "exit_code"])
}

pub fn approval(id: &'static str) -> Draft {
    draft(id, DraftKind::Approval, &["approved"])
}

pub fn foreach(id: &'static str, body: Vec<Draft>) -> Draft {
    draft(id, DraftKind::Foreach(body), &["results"])
}

pub fn parallel(id: &'static str, branches: Vec<Vec<Draft>>) -> Draft {
    draft(id, DraftKind::Parallel(branches), &[])
}

pub fn switch(id: &'static str, cases: Vec<Vec<Draft>>, default: Option<Vec<Draft>>) -> Draft {
    draft(id, DraftKind::Switch(cases, default), &[])
}

pub fn plan(root: Vec<Draft>, finally: Vec<Draft>) -> Plan {
    let mut plan = Plan {
        autonomy: None,
        rules: None,
        plan_format: PLAN_FORMAT,
        engine_semantics: ENGINE_SEMANTICS,
        workflow: Head { id: "release".to_owned(), ..Head::default() },
        inputs: Map::new(),
        vars: Map::new(),
        env: Map::new(),
        outputs: Map::new(),
        timeout_ms: None,
        on_cancel: OnCancel::Finally,
        max_parallel: None,
        concurrency: None,
        idempotency_key: None,
        keeps_effects: false,
        rollback: None,
        root: 0,
        finally: None,
        blocks: Vec::new(),
        steps: Vec::new(),
    };
    plan.root = place(&mut plan, root, None);
    if !finally.is_empty() {
        plan.finally = Some(place(&mut plan, finally, None));
    }
    plan
}

fn place(plan: &mut Plan, drafts: Vec<Draft>, owner: Option<u32>) -> u32 {
    let block = plan.blocks.len() as u32;
    plan.blocks.push(Block { order: Order::Sequence, steps: Vec::new(), owner });
    for draft in drafts {
        let index = plan.steps.len() as u32;
        plan.blocks[block as usize].steps.push(index);
        plan.steps.push(step(draft.id, block, &draft.names));
        plan.steps[index as usize].kind = kind(plan, draft.kind, index);
    }
    block
}

fn kind(plan: &mut Plan, kind: DraftKind, owner: u32) -> Kind {
    match kind {
        DraftKind::Run => work(),
        DraftKind::Approval => Kind::Approval(Approval::default()),
        DraftKind::Foreach(body) => {
            let block = place(plan, body, Some(owner));
            Kind::Foreach { items: json!([]), max_parallel: 1, fail_fast: true, max_iterations: 100_000, block }
        }
        DraftKind::Parallel(branches) => {
            let branch = |steps| Branch { name: String::new(), block: place(plan, steps, Some(owner)) };
            let branches = branches.into_iter().map(branch).collect();
            Kind::Parallel { branches, join: Join::All, fail_fast: true }
        }
        DraftKind::Switch(cases, default) => {
            let mut case = |steps| place(plan, steps, Some(owner));
            let cases = cases.into_iter().map(|steps| Case { when: String::new(), block: case(steps) }).collect();
            Kind::Switch { cases, default: default.map(case) }
        }
    }
}

fn work() -> Kind {
    Kind::Run { shell: "bash".to_owned(), script: "true".to_owned(), values: Map::new() }
}

fn step(id: &str, block: u32, names: &[&str]) -> Step {
    let output_names = names.iter().map(|name| (*name).to_owned()).collect();
    Step { output_names, ..Step::new(id, block, work()) }
}

pub fn ada() -> Actor {
    Actor::person("ada")
}

pub fn started() -> Event {
    Event::Started(Box::new(Start {
        execution: ExecutionId::new("x1"),
        plan_hash: Hash::of(b"plan"),
        definition_hash: Hash::of(b"definition"),
        inputs: Map::from_iter([("env".to_owned(), json!("test"))]),
        base_dir: "/".into(),
        environment: Map::new(),
        actor: ada(),
        event: Value::Null,
        seed: 1,
        parent: None,
        choices: Choices::default(),
    }))
}

pub fn scheduled(path: &str, attempt: u32) -> Event {
    Event::Scheduled { path: path.into(), attempt, delivery: attempt, arguments: None }
}

pub fn completed(path: &str) -> Event {
    Event::Completed { path: path.into(), outputs: Map::new() }
}

pub fn gave(path: &str, name: &str, value: Value) -> Event {
    Event::Completed { path: path.into(), outputs: Map::from_iter([(name.to_owned(), Payload::inline(value))]) }
}

pub fn failure() -> Failure {
    Failure::new(FailureKind::Network, "SKEP-R001", "no connection to host")
}

pub fn failed(path: &str) -> Event {
    Event::Failed { path: path.into(), failure: failure().at_step(path), outputs: Map::new(), handled: false }
}

pub fn skipped(path: &str, reason: SkipReason) -> Event {
    Event::Skipped { path: path.into(), reason, failure: None }
}

pub fn loop_began(path: &str, count: u32) -> Event {
    Event::LoopBegan { path: path.into(), items: None, count: Some(count) }
}

pub fn round_began(path: &str, index: u32) -> Event {
    Event::IterationBegan { path: path.into(), index }
}

pub fn round_ended(path: &str, index: u32, status: StepStatus) -> Event {
    Event::IterationEnded { path: path.into(), index, status }
}

pub fn asked(path: &str) -> Event {
    let (message, assignee) = ("Ship it?".to_owned(), "manager@example.org".to_owned());
    Event::ApprovalAsked { path: path.into(), message, assignee, until: Some(Timestamp(90)), escalations: Vec::new() }
}

pub fn ended(status: Status) -> Event {
    Event::Ended { status, outputs: Map::new(), failure: (status == Status::Failed).then(failure) }
}

/// One turn per event, at 10, 20, 30 ..
pub fn turns(events: Vec<Event>) -> Vec<Turn> {
    let turn = |(at, event)| Turn { seq: at as u64 + 1, at: Timestamp((at as i64 + 1) * 10), events: vec![event] };
    events.into_iter().enumerate().map(turn).collect()
}

pub fn fold(plan: &Plan, events: Vec<Event>) -> Execution {
    let mut execution = Execution::new(plan);
    for turn in turns(events) {
        execution.apply(&turn);
    }
    execution
}

/// A line per listed step: `path status` and the reason.
pub fn listing(execution: &Execution) -> String {
    let line = |step: &crate::step::Step| {
        let reason = step.reason.map(|reason| format!(" ({})", reason.as_str())).unwrap_or_default();
        format!("{} {}{reason}", step.path, step.status.as_str())
    };
    execution.steps().into_iter().map(line).collect::<Vec<_>>().join("\n")
}

pub fn clock(at: Timestamp) -> String {
    format!("T{}", at.0)
}
