//! The pure part of the engine turned by hand: a message in, a turn out, outcomes made up on the spot.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use skep_definition::check::Level;
use skep_definition::{load, plan};
use skep_engine::{Program, State, decide};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::effect::{Effect, Task};
use skep_model::event::Turn;
use skep_model::ids::{ExecutionId, Hash, LocalId};
use skep_model::message::{Choices, Message, Start};
use skep_model::outcome::{Ended, Outcome};
use skep_model::plan::PLAN_FORMAT;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use skep_node::core::{Core, Live, first_row};
use skep_store::blobs::MemoryBlobs;
use skep_store::{Row, Write};

/// Ten steps that do nothing, one after the other.
pub const SEQUENCE: &str = "\
name: sequence
description: Ten steps that do nothing, one after the other.
steps:
  - {id: s0, uses: noop}
  - {id: s1, uses: noop}
  - {id: s2, uses: noop}
  - {id: s3, uses: noop}
  - {id: s4, uses: noop}
  - {id: s5, uses: noop}
  - {id: s6, uses: noop}
  - {id: s7, uses: noop}
  - {id: s8, uses: noop}
  - {id: s9, uses: noop}
";
/// Steps of [`SEQUENCE`].
pub const STEPS: u64 = 10;
/// Turns of [`SEQUENCE`]: the start, and one for each outcome.
pub const TURNS: u64 = 11;

/// Long past, and the same in every run.
const BEGAN: Timestamp = Timestamp(1_700_000_000_000_000);

/// A definition that was checked and compiled as a node does it.
pub struct Prepared {
    text: String,
    hash: Hash,
    program: Arc<Program>,
}

impl Prepared {
    /// Checks and compiles `text`.
    ///
    /// # Errors
    /// It has errors.
    pub fn new(text: &str) -> Result<Self> {
        let workflow = load::load(text).workflow.context("the text is no workflow")?;
        let (problems, plan) = plan::check_and_plan(&workflow, &skep_node::catalogue::build(), Level::Standard);
        let Some(plan) = plan else { bail!("the workflow has errors: {problems:?}") };
        let program = Arc::new(Program::new(plan).context("compiling the plan")?);
        Ok(Self { text: text.to_owned(), hash: Hash::of(text.as_bytes()), program })
    }

    /// The compiled plan.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The start of execution `number`; the same number gives the same start.
    pub fn start(&self, number: u32) -> Start {
        let execution = ExecutionId::of_child(&ExecutionId::new("bench"), "start", 1, number, BEGAN);
        Start {
            execution,
            plan_hash: self.program.hash(),
            definition_hash: self.hash,
            inputs: Map::new(),
            base_dir: "/".into(),
            environment: Map::new(),
            actor: Actor::person("bench"),
            event: Value::Null,
            seed: u64::from(number),
            parent: None,
            choices: Choices::default(),
        }
    }

    /// The rows that a node writes beside the first turn of an execution.
    fn rows(&self, local: LocalId, start: &Start) -> Vec<Row> {
        let plan = self.program.plan();
        let row = first_row(local, start, &self.program, BEGAN);
        vec![
            Row::Plan { hash: start.plan_hash, format: PLAN_FORMAT, bytes: plan.to_bytes() },
            Row::Definition { hash: start.definition_hash, text: self.text.as_bytes().to_vec() },
            Row::ExecutionCreated(row),
        ]
    }
}

/// One execution, decided and nothing else.
pub struct Run<'a> {
    prepared: &'a Prepared,
    state: State,
    messages: VecDeque<Message>,
}

impl<'a> Run<'a> {
    /// Execution `number`, whose start is not decided yet.
    pub fn new(prepared: &'a Prepared, number: u32) -> Self {
        let start = Message::Start(Box::new(prepared.start(number)));
        Self { prepared, state: State::default(), messages: VecDeque::from([start]) }
    }

    /// The next turn; `None` when nothing follows any more.
    ///
    /// # Errors
    /// The engine refuses a message.
    pub fn turn(&mut self) -> Result<Option<Turn>> {
        let Some(message) = self.messages.pop_front() else { return Ok(None) };
        let decision = decide(&mut self.state, &self.prepared.program, &message, BEGAN, &()).context("deciding")?;
        self.messages.extend(answers(&decision.effects, decision.more));
        Ok(Some(decision.turn))
    }

    /// The fold of the turns so far.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What it is told next.
    pub fn next_message(&self) -> Option<&Message> {
        self.messages.front()
    }

    /// All turns to its end.
    ///
    /// # Errors
    /// As [`Run::turn`], and if it does not complete.
    pub fn to_the_end(mut self) -> Result<Vec<Turn>> {
        let mut turns = Vec::new();
        while let Some(turn) = self.turn()? {
            turns.push(turn);
        }
        if self.state.status != Status::Completed {
            bail!("the execution is {}", self.state.status.as_str());
        }
        Ok(turns)
    }
}

/// The node's loop without threads, clock and disk: what it hands out is what a node would commit.
#[derive(Default)]
pub struct Loop {
    core: Core,
    blobs: MemoryBlobs,
    waiting: VecDeque<(LocalId, Message)>,
}

impl Loop {
    /// Takes an execution on and gives the write of its start.
    ///
    /// # Errors
    /// The engine refuses the start.
    pub fn begin(&mut self, prepared: &Prepared, number: u32) -> Result<Write> {
        let local = LocalId(i64::from(number) + 1);
        let start = prepared.start(number);
        let rows = prepared.rows(local, &start);
        self.core.open(Live::new(local, State::default(), Arc::clone(&prepared.program)));
        let mut write = self.handle(local, &Message::Start(Box::new(start)))?;
        // A node knows that a new row says so already.
        write.rows.retain(|row| !matches!(row, Row::Idle(change) if !change.idle));
        write.rows.splice(0..0, rows);
        Ok(write)
    }

    /// Answers everything that is to be done, as done; gives the writes that follow from it.
    ///
    /// # Errors
    /// The engine refuses an answer.
    pub fn answer_all(&mut self) -> Result<Vec<Write>> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().map(|(local, message)| self.handle(local, &message)).collect()
    }

    /// Forgets executions, as a crash does.
    pub fn crash(&mut self) {
        *self = Self::default();
    }

    fn handle(&mut self, local: LocalId, message: &Message) -> Result<Write> {
        let accepted = self.core.handle(local, message, BEGAN, &self.blobs).context("deciding")?;
        let answers = answers(&accepted.effects, accepted.more);
        self.waiting.extend(answers.into_iter().map(|message| (local, message)));
        let over = self.core.get(local).is_some_and(|live| live.state.status.is_terminal());
        if over {
            self.core.forget(local);
        }
        Ok(accepted.write)
    }
}

/// What the world says to effects: all work is done at once and gives nothing.
fn answers(effects: &[Effect], more: bool) -> Vec<Message> {
    let tasks = effects.iter().filter_map(|effect| match effect {
        Effect::Perform(task) => Some(succeeded(task)),
        _ => None,
    });
    tasks.chain(more.then_some(Message::TimerFired)).collect()
}

fn succeeded(task: &Task) -> Message {
    let result = Ended::Succeeded(Map::new());
    let (path, token) = (task.path.clone(), task.token.clone());
    Message::Outcome(Box::new(Outcome { path, token, began_at: BEGAN, ended_at: BEGAN, result }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_comes_to_its_end_and_both_ways_say_the_same() {
        let prepared = Prepared::new(SEQUENCE).unwrap();
        let turns = Run::new(&prepared, 0).to_the_end().unwrap();
        assert_eq!(turns.len() as u64, TURNS);
        let mut node = Loop::default();
        let mut writes = vec![node.begin(&prepared, 0).unwrap()];
        loop {
            let more = node.answer_all().unwrap();
            if more.is_empty() {
                break;
            }
            writes.extend(more);
        }
        let events = |turn: &Turn| serde_json::to_string(&turn.events).unwrap();
        let written: Vec<String> = writes.into_iter().map(|write| write.turn.unwrap().events).collect();
        assert_eq!(written, turns.iter().map(events).collect::<Vec<_>>());
    }
}
