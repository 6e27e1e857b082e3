//! One script from its release to its outcome.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use skep_model::effect::{Script, Task};
use skep_model::error::{Failure, Kind};
use skep_model::limits::PIPE_LINGER_MS;
use skep_model::outcome::Ended;
use tokio::sync::oneshot;

use super::launch::Launch;
use super::scratch::Scratch;
use super::streams::Streams;
use super::verdict::{self, Failed};
use crate::codes;
use crate::kill::{Hunter, Main, Target};
use crate::sink::Sink;
use crate::spawner::{Exit, Gate, Order, Parked};

/// How long the end of a main process that was killed may take to be told, before it counts as unknown.
const NOTICE_WAIT: Duration = Duration::from_secs(1);

/// A script that is about to go.
pub(crate) struct Life {
    pub task: Arc<Task>,
    pub parked: Parked,
    pub launch: Launch,
    pub sink: Arc<dyn Sink>,
    pub hunter: Arc<Hunter>,
    pub abort: oneshot::Receiver<()>,
}

/// A script that was let go.
pub(crate) struct Running {
    timeout_ms: Option<u64>,
    target: Target,
    streams: Streams,
    scratch: Scratch,
    gate: Gate,
    order: Order,
    exit: oneshot::Receiver<Exit>,
    abort: oneshot::Receiver<()>,
    hunter: Arc<Hunter>,
}

impl Life {
    /// Lets the script go into its folder. Must be called in the runtime. An error is its outcome: its child exits
    /// without having executed anything.
    pub fn release(self, scratch: io::Result<Scratch>) -> Result<Running, Ended> {
        let Self { task, parked: Parked { identity, stdout, stderr, gate, exit }, launch, sink, hunter, abort } = self;
        let main = Main { pid: identity.pid, started_ticks: identity.started_ticks };
        let (timeout_ms, target) = (task.timeout_ms, Target::delivery(task.token.as_str(), Some(main)));
        let ready = scratch.and_then(|scratch| Ok((scratch, Streams::new(stdout, stderr, task, sink)?)));
        let (scratch, streams) = ready.map_err(|problem| {
            let failure = scratch_failure(&problem, &launch);
            Ended::Failed { failure, outputs: Default::default() }
        })?;
        gate.release(&launch.order);
        Ok(Running { timeout_ms, target, streams, scratch, gate, order: launch.order, exit, abort, hunter })
    }
}

/// Why the wait for a script ended.
enum Stop {
    Exited(Exit),
    Lost,
    Timeout(u64),
    Abort,
}

impl Running {
    /// Waits for its end and kills what is left of it. Its folder goes when the caller drops it, the outcome being
    /// told.
    pub async fn run(self, script: &Script) -> (Ended, Option<Scratch>) {
        let Self { timeout_ms, target, mut streams, scratch, gate, order, mut exit, mut abort, hunter } = self;
        let stop = streams.until(wait(&mut exit, &mut abort, timeout_ms)).await;
        let clean = matches!(&stop, Stop::Exited(exit) if !exit.leftovers);
        if !clean {
            streams.until(hunter.hunt(target)).await;
        }
        if matches!(stop, Stop::Timeout(_) | Stop::Abort) {
            // Reaped before the outcome is told, so that nobody finds a process of an ended step.
            let _ = streams.until(tokio::time::timeout(NOTICE_WAIT, exit)).await;
        }
        streams.until_end(Duration::from_millis(PIPE_LINGER_MS)).await;
        (judge(stop, streams, script, &order, &gate), Some(scratch))
    }
}

async fn wait(exit: &mut oneshot::Receiver<Exit>, abort: &mut oneshot::Receiver<()>, timeout_ms: Option<u64>) -> Stop {
    let timeout = async {
        match timeout_ms {
            Some(ms) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                ms
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        exit = exit => exit.map_or(Stop::Lost, Stop::Exited),
        _ = abort => Stop::Abort,
        ms = timeout => Stop::Timeout(ms),
    }
}

fn judge(stop: Stop, streams: Streams, script: &Script, order: &Order, gate: &Gate) -> Ended {
    let (out, err) = streams.finish();
    match stop {
        Stop::Abort => Ended::Aborted,
        Stop::Lost => verdict::stopped(Failed::Lost, script, out, err),
        Stop::Timeout(ms) => verdict::stopped(Failed::Timeout(ms), script, out, err),
        Stop::Exited(exit) => match gate.exec_error() {
            Some(problem) => {
                Ended::Failed { failure: verdict::exec_failure(problem, order), outputs: Default::default() }
            }
            None => verdict::exited(exit.status, script, out, err),
        },
    }
}

fn scratch_failure(problem: &io::Error, launch: &Launch) -> Failure {
    let message = format!("the scratch folder {} of the script cannot be written: {problem}", launch.scratch.display());
    Failure::new(Kind::ResourceLimit, codes::SCRATCH, message)
        .with_hint("see the space and the permissions of the runtime folder")
}
