//! Time travel: every event in words, and the state after any of them.

use serde_json::{Value, json};
use skep_model::event::Turn;
use skep_model::time::Timestamp;
use skep_views::execution::Execution;
use skep_views::replay::{follow, state_at};

use super::Reading;
use crate::error::Error;
use crate::fold;

/// The history of an execution.
#[derive(Clone, Debug)]
pub struct Replay {
    /// In order, numbered from 1.
    pub events: Vec<ReplayedEvent>,
    /// The answer object as it was after event `at`, if one was asked for.
    pub state: Option<Value>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct ReplayedEvent {
    /// From 1 over all turns.
    pub number: u64,
    /// Number of its turn.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// As the journal has it.
    pub event: Value,
    /// One line for people.
    pub description: String,
}

impl Reading {
    /// The events of an execution up to number `at` (all without it), and the state after that one.
    ///
    /// # Errors
    /// Unknown execution, an `at` beyond the last event, trouble with the store.
    pub fn replay(&self, execution: &str, at: Option<u64>) -> Result<Replay, Error> {
        let located = self.locate(execution)?;
        let row = &located.row;
        let plan = fold::plan(located.reader(), row.plan_hash)?;
        let mut turns = Vec::new();
        let mut view = Execution::new(&plan);
        let mut events = Vec::new();
        fold::each_turn(located.reader(), row.local, 1, |turn| {
            events.extend(described(&mut view, turn));
            turns.push(turn.clone());
            Ok(())
        })?;
        let Some(at) = at else { return Ok(Replay { events, state: None }) };
        if at > events.len() as u64 {
            return Err(Error::BadRequest {
                message: format!("execution {} has {} events, not {at}", row.id, events.len()),
                hint: "`skep replay EXECUTION` lists them with their numbers".to_owned(),
            });
        }
        events.truncate(usize::try_from(at).unwrap_or(usize::MAX));
        Ok(Replay { events, state: Some(self.answer(&state_at(&plan, &turns, at))) })
    }
}

fn described(view: &mut Execution, turn: &Turn) -> Vec<ReplayedEvent> {
    let lines = follow(view, turn, &skep_definition::moment::print);
    let described = lines.into_iter().zip(&turn.events).map(|(line, event)| ReplayedEvent {
        number: line.number,
        seq: line.seq,
        at: line.at,
        event: json!(event),
        description: line.text,
    });
    described.collect()
}
