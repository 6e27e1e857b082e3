//! One execution of one workflow with exactly one thing done to it.

use std::sync::Arc;

use serde_json::Value;
use skep_engine::Program;
use skep_model::Map;

use super::ports::{Machine, lock};
use super::scenario::{May, Scenario};
use super::{Ended, World, ended};
use crate::check::Verdict;
use crate::report::CrashPoint;

/// What is done to an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// The delivery of this number, from 1, fails.
    pub fails: Option<u32>,
    /// Every answer comes twice.
    pub twice: bool,
    /// The owner dies after so many turns, with the power or without.
    pub dies_after: Option<(u32, bool)>,
}

/// Runs one execution of a workflow.
pub fn run_trial(text: &str, program: &Arc<Program>, inputs: &Map<Value>, trial: Trial) -> Ended {
    let may = May {
        processes_die: false,
        power_fail: false,
        disks_fail: false,
        blobs_fail: false,
        clocks_jump: false,
        people_act: false,
    };
    let scenario = Scenario { seed: 1, workflows: Vec::new(), starts: vec![(0, 0)], moves: 0, may };
    let machine = Arc::new(std::sync::Mutex::new(Machine::new(1)));
    {
        let mut machine = lock(&machine);
        machine.outside.trial = Some(trial);
        machine.crash_at = trial.dies_after.map(|(after, power)| (CrashPoint::AfterCommit, after, power));
    }
    let programs = vec![(Arc::clone(program), text.to_owned())];
    let shared = Arc::clone(&machine);
    ended(&machine, || World::with(&scenario, programs, shared).tried(inputs))
}

impl World<'_> {
    fn tried(mut self, inputs: &Map<Value>) -> Verdict {
        self.inputs = inputs.clone();
        self.open()?;
        self.calm_down()?;
        self.end()
    }
}
