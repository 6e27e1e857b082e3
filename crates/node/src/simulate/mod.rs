//! Simulated executions: the real engine over a virtual clock, with outcomes that somebody gives.
//!
//! ```text
//!            +--------- Run: turns, state, path, time, how it ended
//!            |
//!   simulate(program, start, outside, bounds)
//!     queue of due things --earliest--> engine::decide --effects--> outside: what becomes of it, and when
//!            ^                                                          |
//!            +----------------------------------------------------------+
//! ```
//! Nothing is executed, written or waited for: the clock jumps to what is due next. What takes no waiting and touches
//! nothing (`set`, `log`, `noop`) is really done. At one moment, what was performed ends before children, these before
//! what is granted, then come people, then signals, then timers; among equals the one that was asked for first.
//!
//! ```no_run
//! # use skep_node::simulate::{Bounds, Outside, Performed, simulate, start_of};
//! # use skep_model::effect::{Task, Work};
//! # fn demo(program: &skep_engine::Program, at: skep_model::time::Timestamp) {
//! struct Scripts;
//! impl Outside for Scripts {
//!     fn work(&mut self, task: &Task) -> Option<Performed> {
//!         let Work::Script(script) = &task.work else { return None };
//!         let result = skep_runner::foresee::exited(script, 0, "{\"n\": 2}", "");
//!         Some(Performed { result, takes: std::time::Duration::from_secs(3) })
//!     }
//! }
//! let start = start_of(program, Default::default(), Default::default());
//! let run = simulate(program, start, at, &mut Scripts, Bounds::default());
//! println!("{:?} {:?} {:?} {:?}", run.end, run.status, run.path, run.rollback);
//! let view = run.view(program.plan()); // status, attempts and outputs of each step
//! # }
//! ```
//! A child execution is simulated by another call of [`simulate`], whose [`Run::as_child`] is the answer. The turns of
//! a run are those of a journal: what folds a journal (timeline, undo plan, replay) folds them.
//!
//! It must not know where outcomes come from: whoever calls it brings them as an [`Outside`].

mod clock;
mod outside;
mod run;
#[cfg(test)]
mod tests;
mod trail;
mod world;

use std::time::{Duration, Instant};

use serde_json::Value;
use skep_engine::Program;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::ids::{ExecutionId, Hash};
use skep_model::message::{Choices, Start};
use skep_model::time::Timestamp;

pub use outside::{AskedFor, ChildGave, Outside, Performed, Question, Said, Sent, Word};
pub use run::{Bound, End, Refused, Run};
#[cfg(test)]
pub(crate) use trail::Trail;

/// Scripts at a time that a node performs, and so a simulated one.
pub const SLOTS: usize = crate::driver::SCRIPTS_AT_A_TIME;

/// What a simulation may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Messages to the engine.
    pub messages: usize,
    /// Virtual time.
    pub time: Duration,
    /// Real time; `None`: as long as it takes.
    pub deadline: Option<Instant>,
    /// Scripts that are performed at a time.
    pub slots: usize,
}

/// Longer than anybody waits: ten years.
const TIME_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);
/// A loop of the largest number of rounds with a step in each takes less.
const MESSAGES_MAX: usize = 400_000;

impl Default for Bounds {
    fn default() -> Self {
        Self { messages: MESSAGES_MAX, time: TIME_MAX, deadline: None, slots: SLOTS }
    }
}

/// An execution of `program` from its start at `at` to where nothing moves it any more.
pub fn simulate(program: &Program, start: Start, at: Timestamp, outside: &mut dyn Outside, bounds: Bounds) -> Run {
    world::World::new(program, at, outside, bounds).run(start)
}

/// A start of `program` that nobody's real start can be mistaken for.
pub fn start_of(program: &Program, inputs: Map<Value>, environment: Map<String>) -> Start {
    Start {
        execution: ExecutionId::new("simulated"),
        plan_hash: program.hash(),
        definition_hash: Hash::of(b""),
        inputs,
        base_dir: "/".into(),
        environment,
        actor: Actor::person("nobody"),
        event: Value::Null,
        seed: 1,
        parent: None,
        choices: Choices::default(),
    }
}
