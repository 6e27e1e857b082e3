//! One task from its beginning to its outcome.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use skep_model::Map;
use skep_model::effect::{Task, Work};
use skep_model::error::{Failure, Kind};
use skep_model::ids::StepPath;
use skep_model::outcome::{Ended, Outcome};
use skep_model::time::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinError;

use crate::actions::{self, BuiltIn, Cancel, Context, Manner, Now};
use crate::codes;
use crate::live::Live;
use crate::prepare::Prepared;
use crate::runner::{Done, Shared};
use crate::script::Life;

/// The promise that every task gets exactly one outcome, kept also when it panics or the runner ends.
pub(crate) struct Report {
    done: Arc<Done>,
    live: Arc<Live>,
    task: Arc<Task>,
    began_at: Timestamp,
    sent: bool,
}

impl Report {
    fn send(mut self, result: Ended) {
        self.tell(result);
    }

    fn tell(&mut self, result: Ended) {
        self.sent = true;
        self.live.end(&self.task.token);
        let result = of_step(result, &self.task.path);
        let outcome = Outcome {
            path: self.task.path.clone(),
            token: self.task.token.clone(),
            began_at: self.began_at,
            ended_at: crate::clock::now(),
            result,
        };
        (self.done)(self.task.execution.clone(), outcome);
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.sent {
            let result = if std::thread::panicking() { failed(panicked()) } else { Ended::Aborted };
            self.tell(result);
        }
    }
}

fn failed(failure: Failure) -> Ended {
    Ended::Failed { failure, outputs: Map::new() }
}

fn panicked() -> Failure {
    Failure::new(Kind::Bug, codes::PANIC, "Skep itself failed while it performed this step")
        .with_hint("the log of the owner says where; please report it")
}

/// Performs `task`; the outcome comes by `done`.
pub(crate) fn perform(shared: &Arc<Shared>, task: Task, prepared: Option<Prepared>) {
    let execution = task.execution.clone();
    match perform_at_once(shared, Box::new(task)) {
        Ok(outcome) => (shared.done)(execution, outcome),
        Err(task) => begin(shared, Arc::from(task), prepared),
    }
}

/// Begins what takes some waiting.
fn begin(shared: &Arc<Shared>, task: Arc<Task>, prepared: Option<Prepared>) {
    let abort = shared.live.begin(&task.token);
    let report = Report {
        done: Arc::clone(&shared.done),
        live: Arc::clone(&shared.live),
        task: Arc::clone(&task),
        began_at: crate::clock::now(),
        sent: false,
    };
    if !is_permitted(&task) {
        return report.send(failed(no_sandbox(&task)));
    }
    match &task.work {
        Work::Script(_) => perform_script(shared, task, prepared, abort, report),
        Work::Action { name, with, base_dir } => {
            perform_action(shared, context(shared, &task, name, with, base_dir), abort, report);
        }
        Work::UndoChild { child } => {
            let message = format!("the child execution {child} cannot be undone by a runner, only by the node");
            report.send(failed(Failure::new(Kind::Bug, codes::PANIC, message)));
        }
    }
}

/// Performs `task` if that takes no waiting, or gives it back.
pub(crate) fn perform_at_once(shared: &Arc<Shared>, mut task: Box<Task>) -> Result<Outcome, Box<Task>> {
    let Work::Action { name, with, .. } = &mut task.work else { return Err(task) };
    let Some(Manner::Now(perform)) = BuiltIn::named(name).map(BuiltIn::manner) else { return Err(task) };
    // It takes no time that a clock of microseconds would tell from none.
    let (with, at) = (std::mem::take(with), crate::clock::now());
    let result = if is_permitted(&task) {
        let now = Now { task: &task, with, sink: &*shared.sink };
        ended(catch_unwind(AssertUnwindSafe(|| perform(now))).unwrap_or_else(|_| Err(panicked())))
    } else {
        failed(no_sandbox(&task))
    };
    let Task { path, token, .. } = *task;
    let result = of_step(result, &path);
    Ok(Outcome { path, token, began_at: at, ended_at: at, result })
}

pub(crate) fn of_step(result: Ended, path: &StepPath) -> Ended {
    match result {
        Ended::Failed { failure, outputs } => Ended::Failed { failure: failure.at_step(path), outputs },
        Ended::Succeeded(_) | Ended::Aborted => result,
    }
}

fn is_permitted(task: &Task) -> bool {
    matches!(&*task.policy, "none" | "")
}

/// Refusing is the only safe answer to a wish for a sandbox that does not exist.
fn no_sandbox(task: &Task) -> Failure {
    let message = format!("the step asks for the policy `{}` and this node has no sandbox", task.policy);
    Failure::new(Kind::Sandbox, codes::NO_SANDBOX, message)
        .with_hint("use `policy: none` if it may run as the node's user")
}

fn perform_script(
    shared: &Arc<Shared>,
    task: Arc<Task>,
    prepared: Option<Prepared>,
    abort: oneshot::Receiver<()>,
    report: Report,
) {
    let prepared = match prepared {
        Some(prepared) => Ok(prepared),
        None => shared.nursery.prepare(&[&task]).pop().expect("there is one answer per task"),
    };
    let Prepared { parked, launch, mut scratch, registration, .. } = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => return report.send(failed(failure)),
    };
    let life = Life {
        task: Arc::clone(&task),
        parked,
        launch,
        sink: Arc::clone(&shared.sink),
        hunter: Arc::clone(&shared.hunter),
        abort,
    };
    let _runtime = shared.runtime.enter();
    // Let go at once if nothing is missing: the change to another thread would be a part of its time.
    let begun = match scratch.try_recv() {
        Ok(scratch) => Ok(life.release(scratch)),
        Err(_) => Err(life),
    };
    shared.runtime.spawn(async move {
        let Work::Script(script) = &task.work else { return };
        let begun = match begun {
            Ok(begun) => begun,
            Err(life) => life.release(scratch.await.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))),
        };
        let (ended, scratch) = match begun {
            Ok(running) => running.run(script).await,
            Err(ended) => (ended, None),
        };
        drop(registration);
        report.send(ended);
        drop(scratch);
    });
}

fn context(shared: &Arc<Shared>, task: &Arc<Task>, name: &str, with: &Value, base_dir: &str) -> Context {
    Context {
        task: Arc::clone(task),
        name: name.to_owned(),
        with: with.clone(),
        base_dir: PathBuf::from(base_dir),
        config: Arc::clone(&shared.config),
        clients: Arc::clone(&shared.clients),
        cancel: Arc::new(Cancel::default()),
    }
}

fn perform_action(shared: &Arc<Shared>, context: Context, abort: oneshot::Receiver<()>, report: Report) {
    let Some(action) = BuiltIn::named(&context.name) else {
        return report.send(failed(unknown(&context.name)));
    };
    match action.manner() {
        Manner::Now(_) => unreachable!("what takes no waiting was done at once"),
        Manner::Blocking(perform) => {
            shared.runtime.spawn(async move { report.send(block(context, perform, abort).await) });
        }
        Manner::Request => {
            shared.runtime.spawn(async move { report.send(request(context, abort).await) });
        }
    }
}

fn unknown(name: &str) -> Failure {
    let known: Vec<String> = actions::catalogue_actions().into_keys().collect();
    Failure::new(Kind::NotFound, codes::UNKNOWN_ACTION, format!("this node has no action `{name}`"))
        .with_hint(format!("it has: {}", known.join(", ")))
}

/// The outcome of work that was done without a runner.
pub(crate) fn ended_at(result: Result<Map<Value>, Failure>, path: &StepPath) -> Ended {
    of_step(ended(result), path)
}

/// An action that was stopped after its time.
pub(crate) fn action_timeout(name: &str, ms: u64) -> Ended {
    Stop::Timeout(ms).ended(name)
}

fn ended(result: Result<Map<Value>, Failure>) -> Ended {
    match result {
        Ok(outputs) => Ended::Succeeded(outputs),
        Err(failure) => failed(failure),
    }
}

/// Why work is stopped before its end.
enum Stop {
    Abort,
    Timeout(u64),
}

impl Stop {
    /// Ends when the work is to be stopped.
    async fn asked(abort: oneshot::Receiver<()>, timeout_ms: Option<u64>) -> Self {
        let Some(ms) = timeout_ms else {
            // The sender lives as long as the delivery.
            let _ = abort.await;
            return Self::Abort;
        };
        match tokio::time::timeout(Duration::from_millis(ms), abort).await {
            Ok(_) => Self::Abort,
            Err(_) => Self::Timeout(ms),
        }
    }

    fn ended(&self, name: &str) -> Ended {
        match self {
            Self::Abort => Ended::Aborted,
            Self::Timeout(ms) => {
                let message = format!("the action `{name}` took longer than {ms} ms and was stopped");
                failed(
                    Failure::new(Kind::Timeout, codes::ACTION_TIMEOUT, message)
                        .with_hint("give the step a larger `timeout`"),
                )
            }
        }
    }
}

async fn request(context: Context, abort: oneshot::Receiver<()>) -> Ended {
    let stop = Stop::asked(abort, context.task.timeout_ms);
    let name = context.name.clone();
    tokio::select! {
        biased;
        result = actions::request(context) => ended(result),
        stop = stop => stop.ended(&name),
    }
}

/// Between two requests to stop. One is not enough: an interrupt that comes before a statement begins is lost.
const ASK_PAUSE: Duration = Duration::from_millis(10);

/// Blocking work is asked to stop and then waited for: another attempt must not begin beside it. If it succeeded
/// all the same, it was faster.
async fn block(
    context: Context,
    perform: fn(&Context) -> Result<Map<Value>, Failure>,
    abort: oneshot::Receiver<()>,
) -> Ended {
    let (cancel, name, timeout_ms) = (Arc::clone(&context.cancel), context.name.clone(), context.task.timeout_ms);
    let mut work = tokio::task::spawn_blocking(move || perform(&context));
    let stop = tokio::select! {
        biased;
        done = &mut work => return ended(unpanicked(done)),
        stop = Stop::asked(abort, timeout_ms) => stop,
    };
    work.abort();
    let done = loop {
        cancel.ask();
        if let Ok(done) = tokio::time::timeout(ASK_PAUSE, &mut work).await {
            break done;
        }
    };
    match done {
        Ok(Ok(outputs)) => Ended::Succeeded(outputs),
        Ok(Err(_)) | Err(_) => stop.ended(&name),
    }
}

fn unpanicked(done: Result<Result<Map<Value>, Failure>, JoinError>) -> Result<Map<Value>, Failure> {
    done.unwrap_or_else(|_| Err(panicked()))
}
