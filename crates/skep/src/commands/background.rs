//! An owner in the background, for `run --detach`.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use skep_api::local::{CallError, Client};
use skep_api::wire::{Class, Failure, Needs};
use skep_node::DataDir;
use tokio::time::Instant;

use crate::door::Door;

/// What it prints, in the data directory.
pub const LOG_FILE: &str = "serve.log";
/// How long it may take to listen: it recovers what is open first.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two tries to reach it.
const TRY_INTERVAL: Duration = Duration::from_millis(20);

/// A door to the owner of the directory; one is started in the background if there is none.
///
/// # Errors
/// The owner could not be started or does not listen in time.
pub async fn door(directory: &DataDir) -> Result<Door, Failure> {
    let deadline = Instant::now() + PATIENCE;
    let mut child: Option<Child> = None;
    loop {
        match Client::connect(directory).await {
            Ok((client, _)) => return Ok(Door::Remote(client)),
            Err(CallError::Failure(failure)) => return Err(failure),
            Err(error @ (CallError::NoOwner(_) | CallError::Lost(_))) if Instant::now() >= deadline => {
                return Err(error.into_failure(Needs::Owner));
            }
            Err(CallError::NoOwner(_) | CallError::Lost(_)) => {}
        }
        match &mut child {
            None => child = Some(spawn(directory).map_err(|error| not_started(directory, &error.to_string()))?),
            // It may have lost the race for the lock against another one, which then answers; else it is tried anew.
            Some(running) => {
                if running.try_wait().is_ok_and(|ended| ended.is_some_and(|status| !status.success())) {
                    return Door::open(directory, Needs::Reading).await.and_then(|door| match door {
                        Door::Remote(_) => Ok(door),
                        Door::Own(_) | Door::Files(_) => Err(not_started(directory, "it ended at once")),
                    });
                }
            }
        }
        tokio::time::sleep(TRY_INTERVAL).await;
    }
}

fn spawn(directory: &DataDir) -> std::io::Result<Child> {
    std::fs::create_dir_all(directory.root())?;
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(directory.root().join(LOG_FILE))?;
    Command::new(std::env::current_exe()?)
        .arg("serve")
        .arg("--background")
        .arg("--data-dir")
        .arg(directory.root())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

fn not_started(directory: &DataDir, problem: &str) -> Failure {
    let log = directory.root().join(LOG_FILE);
    Failure::new(
        "SKEP-N009",
        Class::Transient,
        format!("an owner could not be started in the background: {problem}"),
        format!("see {}", log.display()),
    )
}
