//! The front: what the node calls.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;

use skep_model::effect::{Task, Work};
use skep_model::error::Failure;
use skep_model::ids::{ExecutionId, Token};
use skep_model::outcome::Outcome;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::actions::Clients;
use crate::config::Config;
use crate::kill::{self, Hunter, Main, Target};
use crate::live::Live;
use crate::perform;
use crate::prepare::{Nursery, Prepared};
use crate::sink::Sink;
use crate::spawner::{Identity, boot_id};

/// Takes the outcome of a task. Called exactly once per [`Runner::perform`], from the runner's threads; for what
/// needs no waiting (`noop`, `set`, `log`, a refusal) from within `perform` itself, on the caller's thread.
pub type Done = Box<dyn Fn(ExecutionId, Outcome) + Send + Sync>;

/// Threads for blocking actions (`file`, `sql`, `email`). They end after ten idle seconds.
const BLOCKING_THREADS_MAX: usize = 16;
/// What the runtime gets to end after everything in it was stopped.
const RUNTIME_GRACE: Duration = Duration::from_millis(200);

/// The runner cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder for scratch files cannot be made.
    #[error("the runner's folder {folder} cannot be made: {source}; see its parent's permissions and space")]
    RuntimeDir {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// No thread can be started.
    #[error("the runner's thread cannot be started: {0}; see `ulimit -u` and the memory of the machine")]
    Thread(io::Error),
}

/// Performs tasks. One per node; it costs one thread until there is work.
pub struct Runner {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

/// What all tasks share.
pub(crate) struct Shared {
    pub config: Arc<Config>,
    pub sink: Arc<dyn Sink>,
    pub done: Arc<Done>,
    pub live: Arc<Live>,
    pub nursery: Nursery,
    pub hunter: Arc<Hunter>,
    pub clients: Arc<Clients>,
    pub runtime: Handle,
}

impl Runner {
    /// Starts a runner; the folder must belong to this owner alone, and what a dead one left in it goes. The spawner is started with the first script, the HTTP client with the first request.
    pub fn start(config: Config, sink: Arc<dyn Sink>, done: Done) -> Result<Self, Error> {
        let folder = &config.runtime_dir;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| Error::RuntimeDir { folder: folder.display().to_string(), source })?;
        crate::script::remove_stale(folder);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .thread_name("skep-runner")
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let (config, live) = (Arc::new(config), Arc::new(Live::default()));
        let around = Arc::clone(&live);
        let shared = Shared {
            nursery: Nursery::new(Arc::clone(&config), Arc::clone(&live), runtime.handle().clone()),
            config,
            sink,
            done: Arc::new(done),
            live,
            hunter: Arc::new(Hunter::new(move || around.surroundings())),
            clients: Arc::new(Clients::default()),
            runtime: runtime.handle().clone(),
        };
        Ok(Self { shared: Arc::new(shared), runtime: Some(runtime) })
    }

    /// True if the task runs in a local process, so that [`Runner::prepare`] is worth calling for it.
    pub fn needs_child(task: &Task) -> bool {
        matches!(task.work, Work::Script(_))
    }

    /// Forks one parked child per task and gives them in the same order; each task must [need
    /// one](Runner::needs_child). Blocks for about 0.2 ms per child, and a few ms more at the first call, which
    /// starts the spawner. A failure is the outcome of its task: nothing was begun.
    pub fn prepare(&self, tasks: &[&Task]) -> Vec<Result<Prepared, Failure>> {
        self.shared.nursery.prepare(tasks)
    }

    /// Performs the task: lets its prepared child go, or does everything itself. Returns at once; the outcome
    /// comes by `done`.
    pub fn perform(&self, task: Task, prepared: Option<Prepared>) {
        perform::perform(&self.shared, task, prepared);
    }

    /// Performs the task now if that takes no waiting (`noop`, `set`, `log`); then nothing comes by `done`.
    ///
    /// # Errors
    /// The task, if it is one for [`Runner::perform`].
    pub fn perform_at_once(&self, task: Box<Task>) -> Result<Outcome, Box<Task>> {
        perform::perform_at_once(&self.shared, task)
    }

    /// Stops a delivery. Its outcome is `Aborted`, or what it was faster with. An unknown token is ignored.
    pub fn abort(&self, token: &Token) {
        self.shared.live.abort(token);
    }

    /// Kills what still runs of deliveries of an owner that died: each child by its identity, and whatever carries
    /// a token or descends from one that does. Blocks until nothing is left (milliseconds if nothing runs).
    pub fn sweep(identities: &[(Token, Identity)]) {
        let hunts = identities.iter().map(|(token, identity)| {
            let main = Main { pid: identity.pid, started_ticks: identity.started_ticks };
            let same_boot = identity.boot_id == boot_id();
            kill::Hunt::polite(Target::delivery(token.as_str(), same_boot.then_some(main)))
        });
        kill::hunt_all(hunts.collect(), &Live::default().surroundings(), || ());
    }

    /// Ends the runner: aborts everything, waits up to `grace` for the outcomes, then kills what is left. Every
    /// task has had its outcome when this returns.
    pub fn shutdown(mut self, grace: Duration) {
        self.stop(grace);
    }

    fn stop(&mut self, grace: Duration) {
        let Some(runtime) = self.runtime.take() else { return };
        self.shared.live.abort_all();
        self.shared.live.wait_idle(grace);
        self.shared.nursery.end();
        runtime.shutdown_timeout(RUNTIME_GRACE);
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}
