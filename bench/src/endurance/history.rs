//! One execution: a loop of 100,000 rounds, a million events, killed half-way.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Row;
use crate::Plan;
use crate::disk::Scratch;
use crate::server::{Connection, Server};

/// Ten events a round: it begins, four steps are scheduled and completed, it ends.
const WORKFLOW: &str = "\
name: history
description: A hundred thousand rounds of four steps.
steps:
  - id: rounds
    repeat: {times: 100000}
    steps:
      - {id: a, uses: noop}
      - {id: b, uses: noop}
      - {id: c, uses: set, with: {value: \"${{ index }}\"}}
      - {id: d, uses: noop}
";
/// The kill comes after this turn: half of the four hundred thousand.
const KILL_AFTER_TURN: u64 = 200_000;
/// More turns than are committed between the last look and the kill.
const MARGIN_TURNS: u64 = 2_000;
/// A machine that is busy with other things takes longer than this one, but not this long.
const TIMEOUT: Duration = Duration::from_secs(1_800);
/// Between two looks.
const POLL: Duration = Duration::from_millis(10);

/// Runs it, kills the owner, starts it again.
///
/// # Errors
/// It does not complete.
pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    println!("One execution with a million events ..");
    let data = Scratch::new(&plan.folder, "endurance-history")?;
    let server = Server::start(plan.skep()?, data.path())?;
    let began = Instant::now();
    let execution = server.connect()?.start(WORKFLOW)?;
    let last = turns_up_to(&mut server.connect()?, &execution, KILL_AFTER_TURN)?;
    let (_, peak_before) = server.memory_mb()?;
    server.kill()?;
    let killed_at = Instant::now();
    let server = Server::start(plan.skep()?, data.path())?;
    turns_up_to(&mut server.connect()?, &execution, last + MARGIN_TURNS)?;
    let going_on_after = killed_at.elapsed();
    let ended = end(&mut server.connect()?, &execution)?;
    let took = began.elapsed();
    let (_, peak_after) = server.memory_mb()?;
    if ended != "completed" {
        bail!("the execution ended {ended}");
    }
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    Ok(vec![
        ("an execution of 1,000,000 events, peak memory up to `kill -9` half-way", format!("{peak_before} MB")),
        ("the same after the restart, to its end", format!("{peak_after} MB")),
        ("from the kill until it has gone on by 2,000 turns", seconds(going_on_after)),
        ("the whole, restart included", seconds(took)),
    ])
}

/// Waits until this turn is durable; gives the last one that is seen then.
fn turns_up_to(socket: &mut Connection, execution: &str, turn: u64) -> Result<u64> {
    let began = Instant::now();
    loop {
        let answer = follow(socket, execution, turn)?;
        let turns = answer["turns"].as_array().context("an answer without turns")?;
        if let Some(last) = turns.last() {
            return last["seq"].as_u64().context("a turn without a number");
        }
        if began.elapsed() > TIMEOUT {
            bail!("the execution does not get to turn {turn}");
        }
        thread::sleep(POLL);
    }
}

fn end(socket: &mut Connection, execution: &str) -> Result<String> {
    let began = Instant::now();
    loop {
        let answer = socket.call("execution", &json!({"execution": execution}))?;
        let status = answer["status"].as_str().unwrap_or_default();
        if status != "running" {
            return Ok(status.to_owned());
        }
        if began.elapsed() > TIMEOUT {
            bail!("the execution is still running");
        }
        thread::sleep(POLL);
    }
}

fn follow(socket: &mut Connection, execution: &str, from_seq: u64) -> Result<Value> {
    let body = json!({"execution": execution, "from_seq": from_seq});
    socket.call("follow", &body)
}
