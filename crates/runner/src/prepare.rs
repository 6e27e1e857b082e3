//! From tasks to parked children.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use skep_model::effect::{Task, Work};
use skep_model::error::{Failure, Kind};
use skep_model::ids::Token;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::codes;
use crate::config::Config;
use crate::kill::Main;
use crate::live::Live;
use crate::script::{Launch, Scratch, spawn_failure};
use crate::spawner::{Client, Identity, ParkResult, Parked};

/// A child that waits, forked but not executing. Dropping it makes the child exit without having done anything.
pub struct Prepared {
    /// What the node records durably before it lets the child go.
    pub identity: Identity,
    pub(crate) parked: Parked,
    pub(crate) launch: Launch,
    /// Its folder, made while the identity is being recorded.
    pub(crate) scratch: oneshot::Receiver<io::Result<Scratch>>,
    pub(crate) registration: Registration,
}

/// Keeps a main process among the live ones.
pub(crate) struct Registration {
    live: Arc<Live>,
    token: Token,
}

impl Registration {
    fn new(live: &Arc<Live>, token: &Token, identity: &Identity) -> Self {
        live.add_main(token, Main { pid: identity.pid, started_ticks: identity.started_ticks });
        Self { live: Arc::clone(live), token: token.clone() }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.live.forget_main(&self.token);
    }
}

/// The spawner as the runner sees it: started at the first script, and again when it died.
pub(crate) struct Nursery {
    client: Mutex<Option<Client>>,
    config: Arc<Config>,
    live: Arc<Live>,
    runtime: Handle,
}

impl Nursery {
    pub fn new(config: Arc<Config>, live: Arc<Live>, runtime: Handle) -> Self {
        Self { client: Mutex::new(None), config, live, runtime }
    }

    /// One parked child per task, in order.
    pub fn prepare(&self, tasks: &[&Task]) -> Vec<Result<Prepared, Failure>> {
        let launches: Vec<Result<Launch, Failure>> =
            tasks.iter().map(|task| launch(task, &self.config.runtime_dir)).collect();
        let mut parked = match self.park(launches.iter().flatten().count()) {
            Ok(parked) => parked.into_iter(),
            Err(problem) => {
                return launches.into_iter().map(|launch| launch.and_then(|_| Err(no_spawner(&problem)))).collect();
            }
        };
        let prepared = tasks.iter().zip(launches).map(|(task, launch)| {
            let mut launch = launch?;
            let parked = parked.next().expect("there is one answer per launch").map_err(spawn_failure)?;
            let identity = parked.identity.clone();
            let registration = Registration::new(&self.live, &task.token, &identity);
            Ok(Prepared { identity, parked, scratch: self.make_scratch(&mut launch), launch, registration })
        });
        prepared.map(|result: Result<Prepared, Failure>| result).collect()
    }

    fn make_scratch(&self, launch: &mut Launch) -> oneshot::Receiver<io::Result<Scratch>> {
        let (made, scratch) = oneshot::channel();
        let (folder, files) = (launch.scratch.clone(), std::mem::take(&mut launch.files));
        // Nobody waits for it any more: the folder goes again.
        self.runtime.spawn(async move { made.send(Scratch::make(&folder, &files)) });
        scratch
    }

    /// Asks the spawner. A dead one is replaced once; what it had on its way is forgotten, unexecuted.
    fn park(&self, count: usize) -> io::Result<Vec<ParkResult>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = slot.as_mut() {
            match client.park(count) {
                Ok(parked) => return Ok(parked),
                Err(problem) => tracing::warn!(%problem, "the spawner died; another is started"),
            }
        }
        self.end_client(slot.take());
        let client = slot.insert(self.start()?);
        self.live.set_spawner(Some(client.pid()));
        client.park(count)
    }

    fn start(&self) -> io::Result<Client> {
        let program = match &self.config.spawner_program {
            Some(program) => program.clone(),
            // The link stays right when the file is replaced by an upgrade while the node runs.
            None => Path::new("/proc/self/exe").to_owned(),
        };
        Client::start(&program, &self.runtime)
    }

    fn end_client(&self, client: Option<Client>) {
        if let Some(client) = client {
            self.live.set_spawner(None);
            client.end();
        }
    }

    /// Ends the spawner and with it every process that it still has.
    pub fn end(&self) {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.end_client(client);
    }
}

fn launch(task: &Task, runtime_dir: &Path) -> Result<Launch, Failure> {
    match &task.work {
        Work::Script(script) => Launch::of(task, script, runtime_dir),
        Work::Action { name, .. } => {
            let message = format!("a process was prepared for the action `{name}`, which needs none");
            Err(Failure::new(Kind::Bug, codes::PANIC, message))
        }
        Work::UndoChild { child } => {
            let message = format!("a process was prepared for undoing the child execution {child}");
            Err(Failure::new(Kind::Bug, codes::PANIC, message))
        }
    }
    .map_err(|failure| failure.at_step(&task.path))
}

fn no_spawner(problem: &io::Error) -> Failure {
    let message = format!("the helper process that starts scripts does not work: {problem}");
    Failure::new(Kind::ResourceLimit, codes::SPAWNER, message)
        .with_hint("see `ulimit -u -n`, the memory of the machine, and whether the skep binary is still in its place")
}
