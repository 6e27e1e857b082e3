//! Prediction against reality: random workflows of real processes, whose outcomes are written down beforehand, must do on
//! a real node what a simulation says; and durations that were learned must fit executions that were held out.
//!
//! `SKEP_PREDICTIONS=300` for the full number of workflows (`cargo xtask predict`), `SKEP_SEED` for other ones.

mod durations;
mod generate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use skep_engine::Program;
use skep_model::Map;
use skep_model::effect::{Task, Work};
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::plan::{Kind, Plan};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use skep_runner::foresee;

use super::{request, settle};
use crate::config::Config;
use crate::fold;
use crate::simulate::{Bounds, End, Outside, Performed, Trail, simulate, start_of};
use crate::{Node, Settings};
use generate::{Generated, Outcome};

/// Workflows in the usual run.
const WORKFLOWS_USUAL: u64 = 40;
/// Executions at a time.
const IN_FLIGHT: u64 = 6;

/// What an execution did, so that two can be compared: how it ended, what began, and what was undone. Steps that run side
/// by side begin in any order; each lane for itself has one.
#[derive(Debug, PartialEq)]
struct Did {
    status: Status,
    /// What it waits for, if a person has to say whether a step was done.
    waits: Option<String>,
    lanes: BTreeMap<String, Vec<String>>,
    rollback: Vec<String>,
}

impl Did {
    fn new(plan: &Plan, (status, waits): (Status, Option<String>), path: &[StepPath], rollback: &[StepPath]) -> Self {
        let mut lanes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in path {
            lanes.entry(lane(plan, path)).or_default().push(path.to_string());
        }
        Self { status, waits, lanes, rollback: rollback.iter().map(ToString::to_string).collect() }
    }
}

/// The branches and the rounds beside others in which a step stands.
fn lane(plan: &Plan, path: &str) -> String {
    let id = path.rfind("].").map_or(path, |at| &path[at + 2..]);
    let index = plan.step_by_id(id).unwrap_or_else(|| panic!("`{path}` is no step"));
    let (mut lane, mut block) = (String::new(), plan.steps[index as usize].block);
    let mut rounds = path.rmatch_indices("].").map(|(at, _)| &path[..at]);
    while let Some(owner) = plan.blocks[block as usize].owner {
        let owner = &plan.steps[owner as usize];
        let round = if owner.kind.is_loop() { rounds.next() } else { None };
        match &owner.kind {
            Kind::Parallel { .. } => lane.push_str(&format!("/{block}")),
            Kind::Foreach { max_parallel, .. } if *max_parallel > 1 => {
                lane.push_str(&format!("/{}", round.unwrap_or_default()));
            }
            _ => {}
        }
        block = owner.block;
    }
    // Rounds of a loop inside a lane stay apart from those of the same loop in another round.
    let outer = path.rfind("].").filter(|_| !lane.is_empty()).map_or("", |at| &path[..at]);
    format!("{lane}|{}", outer.split('[').next().unwrap_or_default())
}

/// The outcomes that were written down.
struct Written<'a>(&'a Generated);

impl Outside for Written<'_> {
    fn work(&mut self, task: &Task) -> Option<Performed> {
        let Work::Script(script) = &task.work else { return None };
        let Outcome { takes, code, out } = self.0.outcome(&task.path, task.attempt);
        Some(Performed { result: foresee::exited(script, code, &out, ""), takes })
    }
}

fn predict(generated: &Generated, program: &Program) -> Did {
    let start = start_of(program, Map::new(), Map::new());
    let run = simulate(program, start, Timestamp(1_800_000_000_000_000), &mut Written(generated), Bounds::default());
    let waits = match run.end {
        End::Over => None,
        End::DeadEnd(what) => Some(what),
        End::Unfinished(_) | End::Broken(_) => panic!("{:?}\n{}", run.end, generated.text),
    };
    Did::new(program.plan(), (run.status, waits), &run.path, &run.rollback)
}

/// The program that starts scripts: an example of this crate, which cargo builds beside its tests.
fn helper() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples/helper");
    assert!(program.exists(), "build it first: cargo build -p skep-node --example helper");
    program
}

fn open(directory: &Path) -> Node {
    let spawner = Some(helper());
    Node::open(Settings { data_dir: directory.join("data"), config: Config::default(), spawner }).unwrap()
}

fn begin(node: &Node, text: &str, folder: &Path, inputs: Map<Value>) -> ExecutionId {
    let mut request = request(text);
    request.base_dir = Some(folder.display().to_string());
    request.environment = [("PATH".to_owned(), std::env::var("PATH").unwrap_or_default())].into();
    request.inputs = inputs;
    node.start(request).unwrap_or_else(|error| panic!("{error}\n{text}")).execution
}

fn really_did(node: &Node, plan: &Plan, execution: &ExecutionId) -> Did {
    settle(node, execution);
    let reading = node.reading();
    let row = reading.find(execution.as_str()).unwrap();
    let mut trail = Trail::default();
    fold::each_turn(reading.reader(), row.local, 1, |turn| {
        turn.events.iter().for_each(|event| trail.note(plan, event));
        Ok(())
    })
    .unwrap();
    Did::new(plan, (row.status, row.waiting), &trail.path, &trail.rollback)
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn random_workflows_do_what_was_predicted() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let (seed, count) = (number("SKEP_SEED", 1), number("SKEP_PREDICTIONS", WORKFLOWS_USUAL));
    let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut undone = 0;
    let numbers: Vec<u64> = (seed..seed + count).collect();
    for chunk in numbers.chunks(IN_FLIGHT as usize) {
        let begun: Vec<_> = chunk
            .iter()
            .map(|number| {
                let generated = Generated::new(*number);
                let folder = directory.path().join(format!("w{number}"));
                generated.write_down(&folder);
                let execution = begin(&node, &generated.text, &folder, Map::new());
                (number, generated, execution)
            })
            .collect();
        for (number, generated, execution) in begun {
            let program = generated.program();
            let (predicted, real) = (predict(&generated, &program), really_did(&node, program.plan(), &execution));
            assert_eq!(predicted, real, "SKEP_SEED={number} SKEP_PREDICTIONS=1\n{}", generated.text);
            *seen.entry(real.status.as_str()).or_default() += 1;
            undone += u64::from(!real.rollback.is_empty());
        }
    }
    node.close();
    println!("{seen:?}, {undone} with compensations");
    // A comparison of executions that all do the same says little.
    if count >= WORKFLOWS_USUAL {
        assert!(seen.len() >= 3 && undone * 10 >= count, "{seen:?} {undone}");
    }
}

/// The comparison can fail: one exit code that is not what was written down changes what is predicted.
#[test]
fn another_outcome_is_another_prediction() {
    let changed = (1..=100).filter(|seed| {
        let mut generated = Generated::new(*seed);
        let program = generated.program();
        let before = predict(&generated, &program);
        let Some(first) = before.lanes.values().flatten().find(|path| generated.has_outcomes(path)) else {
            return false;
        };
        let first = first.clone();
        generated.turn(&first);
        predict(&generated, &program) != before
    });
    let changed = changed.count();
    assert!(changed >= 50, "{changed} of 100 predictions changed");
}
