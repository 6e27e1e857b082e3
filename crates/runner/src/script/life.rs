//! One script from its release to its outcome.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
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
use crate::spawner::{Exit, Order, Parked, read_exec_error};

/// How long the end of a main process that was killed may take to be told, before it counts as unknown.
const NOTICE_WAIT: Duration = Duration::from_secs(1);

/// What a script needs to live.
pub(crate) struct Life {
    pub task: Arc<Task>,
    pub parked: Parked,
    pub launch: Launch,
    pub sink: Arc<dyn Sink>,
    pub hunter: Arc<Hunter>,
    pub abort: oneshot::Receiver<()>,
}

/// Why the wait for a script ended.
enum Stop {
    Exited(Exit),
    Lost,
    Timeout(u64),
    Abort,
}

/// Runs it: releases, waits, kills what is left, reports.
pub(crate) async fn run(life: Life, script: &Script) -> Ended {
    let Life { task, parked, launch, sink, hunter, mut abort } = life;
    let Parked { identity, stdout, stderr, gate, mut exit } = parked;
    let begun = begin(&task, sink, &launch, stdout, stderr, &gate);
    let (mut streams, _scratch) = match begun {
        Ok(begun) => begun,
        Err(problem) => {
            return Ended::Failed { failure: scratch_failure(&problem, &launch), outputs: Default::default() };
        }
    };
    let stop = streams.until(wait(&mut exit, &mut abort, task.timeout_ms)).await;
    let clean = matches!(&stop, Stop::Exited(exit) if !exit.leftovers);
    if !clean {
        let main = Main { pid: identity.pid, started_ticks: identity.started_ticks };
        streams.until(hunter.hunt(Target::delivery(task.token.as_str(), Some(main)))).await;
    }
    if matches!(stop, Stop::Timeout(_) | Stop::Abort) {
        // Reaped before the outcome is told, so that nobody finds a process of an ended step.
        let _ = streams.until(tokio::time::timeout(NOTICE_WAIT, exit)).await;
    }
    streams.until_end(Duration::from_millis(PIPE_LINGER_MS)).await;
    judge(stop, streams, script, &launch.order, &gate)
}

/// Everything that must be ready before the child goes, then the go itself. An error drops the gate: the child
/// then exits without having executed anything.
fn begin(
    task: &Arc<Task>,
    sink: Arc<dyn Sink>,
    launch: &Launch,
    stdout: OwnedFd,
    stderr: OwnedFd,
    gate: &OwnedFd,
) -> io::Result<(Streams, Scratch)> {
    let scratch = Scratch::make(&launch.scratch, &launch.files)?;
    let streams = Streams::new(stdout, stderr, Arc::clone(task), sink)?;
    // A child that died while it was parked has closed its end; its exit tells.
    let _ = rustix::net::send(gate.as_fd(), &[1], rustix::net::SendFlags::NOSIGNAL);
    Ok((streams, scratch))
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

fn judge(stop: Stop, streams: Streams, script: &Script, order: &Order, gate: &OwnedFd) -> Ended {
    let (out, err) = streams.finish();
    match stop {
        Stop::Abort => Ended::Aborted,
        Stop::Lost => verdict::stopped(Failed::Lost, script, out, err),
        Stop::Timeout(ms) => verdict::stopped(Failed::Timeout(ms), script, out, err),
        Stop::Exited(exit) => match read_exec_error(gate) {
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
