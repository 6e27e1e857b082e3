//! A hundred thousand executions that wait for a signal.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::Row;
use crate::Plan;
use crate::disk::Scratch;
use crate::server::{Connection, Server};

const EXECUTIONS: usize = 100_000;
/// Starts at a time: they share commits.
const CONNECTIONS: usize = 16;
/// Far longer than one execution needs to end.
const TIMEOUT: Duration = Duration::from_secs(60);

const WORKFLOW: &str = "\
name: waiting
description: One step, then a wait for a signal, then one more.
steps:
  - {id: first, uses: set, with: {value: 1}}
  - {id: go, wait: {signal: go}}
  - {id: last, uses: noop}
";

/// Starts them, looks at the memory, starts the server again, and lets one go on.
///
/// # Errors
/// A start is refused, or the one that got its signal does not complete.
pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    println!("A hundred thousand executions that wait ..");
    let data = Scratch::new(&plan.folder, "endurance-waiting")?;
    let server = Server::start(plan.skep()?, data.path())?;
    let began = Instant::now();
    let some = start_all(&server)?;
    let took = began.elapsed();
    let (now, peak) = server.memory_mb()?;
    server.kill()?;
    let server = Server::start(plan.skep()?, data.path())?;
    let (now_again, peak_again) = server.memory_mb()?;
    let woken = Instant::now();
    let mut socket = server.connect()?;
    socket.call("signal", &json!({"execution": some, "name": "go", "payload": null}))?;
    wait_for_end(&mut socket, &some)?;
    let went_on = woken.elapsed();
    Ok(vec![
        ("100,000 waiting executions: memory now (peak)", format!("{now} MB ({peak} MB)")),
        ("starting them over the socket", format!("{:.0} s", took.as_secs_f64())),
        ("restart after `kill -9` until the server answers", format!("{:.1} s", server.ready_after.as_secs_f64())),
        ("memory after the restart (peak)", format!("{now_again} MB ({peak_again} MB)")),
        ("one of them, from its signal to its end", format!("{} ms", went_on.as_millis())),
    ])
}

/// Gives the id of one of them.
fn start_all(server: &Server) -> Result<String> {
    let share = EXECUTIONS / CONNECTIONS;
    let mut threads = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut socket = server.connect()?;
        threads.push(thread::spawn(move || -> Result<String> {
            let mut last = String::new();
            for _ in 0..share {
                last = socket.start(WORKFLOW)?;
            }
            Ok(last)
        }));
    }
    let mut some = None;
    for thread in threads {
        let last = thread.join().map_err(|_| anyhow::anyhow!("a thread that starts executions panicked"))??;
        some = Some(last);
    }
    some.context("nothing was started")
}

fn wait_for_end(socket: &mut Connection, execution: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        let answer = socket.call("execution", &json!({"execution": execution}))?;
        match answer["status"].as_str() {
            Some("completed") => return Ok(()),
            Some("running") if began.elapsed() < TIMEOUT => thread::sleep(Duration::from_millis(1)),
            other => bail!("the execution that got its signal is {other:?}"),
        }
    }
}
