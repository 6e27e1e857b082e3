//! Durations: the range that is learned from some executions holds for others of the same kind. `SKEP_DURATIONS=200` for
//! the full number of each.

use std::time::Duration;

use serde_json::json;
use skep_model::Map;

use super::generate::Random;
use super::{IN_FLIGHT, begin, number, open, settle};
use crate::forecast;

/// Executions to learn from, and as many to compare with, in the usual run; there the bounds are wide.
const EXECUTIONS_USUAL: u64 = 40;
/// More than this is a full run, with the bounds that are promised.
const EXECUTIONS_FULL: u64 = 100;

/// A sequence, two branches and a loop, whose pauses are inputs that are drawn for each execution.
const TEXT: &str = "
description: Pauses.
inputs: {a: {type: string, default: '0'}, b: {type: string, default: '0'}, c: {type: string, default: '0'}, d: {type: string, default: '0'}, fails: {type: string, default: '1'}}
steps:
  - {id: first, shell: sh, run: 'sleep \"${{ inputs.a }}\"'}
  - {id: again, shell: sh, run: 'sleep 0.02; test \"$SKEP_ATTEMPT\" -gt \"${{ inputs.fails }}\"', retry: {max_attempts: 3, delay: 60ms, backoff: fixed, jitter: false}}
  - id: both
    parallel:
      left: [{id: left, shell: sh, run: 'sleep \"${{ inputs.b }}\"'}]
      right: [{id: right, shell: sh, run: 'sleep \"${{ inputs.c }}\"'}]
  - {id: last, shell: sh, run: 'sleep \"${{ inputs.d }}\"'}
";

/// A pause with a long tail, in seconds.
fn pause(random: &mut Random) -> String {
    let share = (random.below(1_000) as f64 + 0.5) / 1_000.0;
    format!("{:.4}", 0.02 - 0.06 * share.ln())
}

#[test]
fn four_in_five_executions_take_what_was_learned() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let count = number("SKEP_DURATIONS", EXECUTIONS_USUAL);
    let mut random = Random::new(number("SKEP_SEED", 1));
    // Both kinds in turn, so that a machine that becomes busy does so for both.
    let text = |name: &str| format!("name: {name}{TEXT}");
    let (mut held_out, mut in_flight) = (Vec::new(), Vec::new());
    for number in 0..2 * count {
        let name = if number % 2 == 0 { "learned" } else { "held-out" };
        let pauses = ["a", "b", "c", "d"].map(|input| (input.to_owned(), json!(pause(&mut random))));
        let mut inputs: Map<serde_json::Value> = pauses.into();
        inputs.insert("fails".to_owned(), json!(if random.percent(30) { "1" } else { "0" }));
        in_flight.push((number % 2 == 1, begin(&node, &text(name), directory.path(), inputs)));
        if in_flight.len() as u64 >= IN_FLIGHT || number + 1 == 2 * count {
            for (is_held_out, execution) in in_flight.drain(..) {
                settle(&node, &execution);
                let row = node.reading().find(execution.as_str()).unwrap();
                let took = row.ended_at.expect("it is over").0 - row.started_at.0;
                if is_held_out {
                    held_out.push(Duration::from_micros(u64::try_from(took).unwrap_or(0)));
                }
            }
        }
    }
    let loaded = skep_definition::load::load(&text("learned"));
    let plan =
        skep_definition::plan::plan(&loaded.workflow.expect("it is usable"), &crate::catalogue::build()).unwrap();
    let history = forecast::learn(node.reading().reader(), &plan).unwrap();
    assert_eq!(history.executions as u64, count);
    let found = forecast::forecast(&plan, &Map::new(), &Map::new(), &history, crate::clock::now()).unwrap();
    let spread = found.spread.expect("it has a duration");
    assert!(spread.guessed.is_empty(), "{spread:?}");
    let inside = held_out.iter().filter(|took| (spread.p10..=spread.p90).contains(*took)).count();
    let percent = inside * 100 / held_out.len();
    println!("{percent} % of {} executions within {:?} to {:?}", held_out.len(), spread.p10, spread.p90);
    // Forty executions say that the range is neither a point nor everything; two hundred that it is what it says.
    let bounds = if count >= EXECUTIONS_FULL { 70..=90 } else { 45..=99 };
    assert!(bounds.contains(&percent), "{percent} % within {spread:?}: {held_out:?}");
    node.close();
}
