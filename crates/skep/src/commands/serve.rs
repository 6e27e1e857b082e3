//! `skep serve`: own the data directory, recover what is open, and answer until told to end.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::json;
use skep_api::local::{CallError, Client, failure_of};
use skep_api::rest;
use skep_api::wire::{Failure, Needs};
use skep_model::access::Principal;
use skep_model::actor::Actor;
use skep_node::config::{Api, Config};
use skep_node::{DataDir, Node, Recovered, Recovery};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Outcome;
use crate::context::{Context, bad_request};
use crate::door::{Own, blocking};
use crate::follow::Interrupts;
use crate::{exit, output};

/// File of the key that the first start makes.
const FIRST_KEY: &str = "admin.key";
const LISTEN_HINT: &str = "for example `--listen 127.0.0.1:8902`, or `--listen off`";
/// An owner in the background ends after this long with nothing open.
const IDLE_END: Duration = Duration::from_secs(60);
/// Between two looks for what is old: ages are in days.
const PRUNE_INTERVAL: Duration = Duration::from_secs(3_600);
/// How long `--stop` waits for the owner to drain.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks whether it has ended.
const STOP_INTERVAL: Duration = Duration::from_millis(20);

/// Own the data directory: recover every open execution and perform what is asked, until SIGTERM or SIGINT
///
/// Other commands find it by themselves. Ending drains: what runs is stopped and taken up by the next owner.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  skep serve\n  skep serve --listen 127.0.0.1:8902 --dev\n  skep serve --recovery ask\n  skep serve --stop"
)]
pub struct Arguments {
    /// Drain and end the owner that runs now
    #[arg(long)]
    stop: bool,
    /// What goes on at the start of all that was under way: all of it, what `skep recover` would go on with, or nothing
    /// before somebody resumes it [default: `recovery` in config.toml, else always]
    #[arg(long, env = "SKEP_RECOVERY", value_name = "WHICH", value_parser = recoveries())]
    recovery: Option<Recovery>,
    /// Where programs reach it over HTTP, with a key: an address, or `off`; may be given several times [default:
    /// `listen` in config.toml, else 127.0.0.1:8902]
    #[arg(long, env = "SKEP_LISTEN", value_name = "ADDRESS", value_delimiter = ',')]
    listen: Vec<String>,
    /// Let everybody who reaches it over HTTP do everything, without a key: for trying things out on loopback
    #[arg(long)]
    dev: bool,
    /// Started by `run --detach`: leave the terminal, end when nothing is open
    #[arg(long, hide = true)]
    background: bool,
}

fn recoveries() -> impl TypedValueParser<Value = Recovery> {
    let words = PossibleValuesParser::new(Recovery::ALL.map(Recovery::as_str));
    words.map(|word| Recovery::parse(&word).unwrap_or_default())
}

/// Runs the command.
pub async fn run(context: &Context, arguments: &Arguments) -> Outcome {
    if arguments.stop {
        return stop(context).await;
    }
    if arguments.background {
        // It fails only for a group leader, which then has no terminal to lose.
        if let Err(error) = rustix::process::setsid() {
            tracing::debug!("no session of its own: {error}");
        }
    }
    let mut interrupts = Interrupts::listen();
    let (own, Recovered { taken_on, left }) = Own::recover(&context.directory, arguments.recovery).await?;
    let faces = faces(context, arguments, &own).await?;
    let addresses: Vec<String> =
        faces.iter().flat_map(|faces| faces.addresses()).map(|address| format!("http://{address}")).collect();
    let socket = context.directory.socket();
    let started = json!({ "listening": socket, "http": addresses, "pid": std::process::id(), "recovered": taken_on, "interrupted": left });
    context.answer(&started, || {
        let note =
            if left > 0 { format!(", {left} stay interrupted: `skep list`, `skep recover`") } else { String::new() };
        let http = addresses.iter().map(|address| format!(", {address}")).collect::<String>();
        format!("listening on {}{http}; {taken_on} open executions{note}", socket.display())
    });
    let mut stop = own.stop_asked();
    let tidying = Arc::new(Mutex::new(()));
    tokio::select! {
        _ = interrupts.next() => {}
        stopped = stop.wait_for(|stop| *stop) => drop(stopped),
        () = nothing_open(&own), if arguments.background => {}
        () = keep_tidy(&own, &tidying) => {}
    }
    if let Some(faces) = faces {
        faces.close().await;
    }
    own.node().stop_pruning();
    drop(tidying.lock().await);
    own.drain().await;
    Ok(exit::OK)
}

/// Opens the HTTP faces; none in the background, where `run --detach` only wants its work done.
async fn faces(context: &Context, arguments: &Arguments, own: &Own) -> Result<Option<rest::Server>, Failure> {
    if arguments.background {
        return Ok(None);
    }
    let config = Config::load(context.directory.root()).map_err(|error| failure_of(&error))?;
    let api = config.api().map_err(|error| failure_of(&error))?;
    let addresses = match arguments.listen.as_slice() {
        [] => api.listen,
        given => Api::addresses(given, api.behind_proxy).map_err(|problem| bad_request(&problem, LISTEN_HINT))?,
    };
    if arguments.dev && addresses.iter().any(|address| !address.ip().is_loopback()) {
        return Err(bad_request("`--dev` lets in everybody, so it listens on loopback only", "leave out `--listen`"));
    }
    if addresses.is_empty() {
        return Ok(None);
    }
    let open = arguments.dev.then(|| Principal::admin(skep_api::local::person()));
    if open.is_none() {
        let (node, directory) = (own.node().clone(), context.directory.clone());
        blocking(move || first_key(&node, &directory)).await??;
    }
    let settings = rest::Settings { addresses, open, per_minute: api.rate_limit };
    rest::Server::start(own.node(), settings).await.map(Some)
}

/// The first start makes an admin key and leaves it in a file that only this user can read.
fn first_key(node: &Node, directory: &DataDir) -> Result<(), Failure> {
    let made = node.ensure_admin_key(skep_node::clock::now()).map_err(|error| failure_of(&error))?;
    let Some(secret) = made else { return Ok(()) };
    let path = directory.root().join(FIRST_KEY);
    let written = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    let written = written.and_then(|mut file| file.write_all(format!("{}\n", secret.expose()).as_bytes()));
    written.map_err(|error| {
        bad_request(&format!("writing {} failed: {error}", path.display()), "`skep key create` makes another key")
    })?;
    output::note(&format!("the first key, of role admin, is in {}; keep it in a safe place", path.display()));
    Ok(())
}

/// Archives and cleans up at once and then every hour; never comes back.
/// `tidying` is held while it is at work, also when this future was dropped.
async fn keep_tidy(own: &Own, tidying: &Arc<Mutex<()>>) {
    loop {
        let (node, held) = (own.node().clone(), Arc::clone(tidying).lock_owned().await);
        let work = move || {
            let pruned = node.prune(skep_node::clock::now(), false, &Actor::Engine);
            drop((node, held));
            pruned
        };
        match blocking(work).await {
            Ok(Ok(pruned)) => super::prune::note(&pruned),
            Ok(Err(error)) => tracing::warn!("old executions could not be cleaned up: {error}"),
            Err(failure) => tracing::warn!("old executions could not be cleaned up: {failure}"),
        }
        tokio::time::sleep(PRUNE_INTERVAL).await;
    }
}

/// Comes back when for [`IDLE_END`] nothing was committed, nobody asked anything and no execution was open.
async fn nothing_open(own: &Own) {
    let mut beats = own.node().watcher().beats();
    let mut requests = own.requests();
    loop {
        beats.mark_unchanged();
        requests.mark_unchanged();
        tokio::select! {
            changed = beats.changed() => if changed.is_err() { return },
            changed = requests.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(IDLE_END) => {
                let node = own.node().clone();
                let open = blocking(move || node.reading().interrupted()).await;
                if *requests.borrow() == 0 && matches!(open, Ok(Ok(rows)) if rows.is_empty()) {
                    return;
                }
            }
        }
    }
}

async fn stop(context: &Context) -> Outcome {
    let pid = match ask_to_end(context).await? {
        Some(pid) => pid,
        None => {
            context.answer(&json!({ "stopped": false, "pid": null }), || "nobody owns the data directory".to_owned());
            return Ok(exit::OK);
        }
    };
    let deadline = Instant::now() + STOP_PATIENCE;
    while is_alive(pid) {
        if Instant::now() >= deadline {
            let late = CallError::Lost(format!("process {pid} still drains")).into_failure(Needs::Reading);
            return Err(Failure { hint: Some("look again with `skep doctor`".to_owned()), ..late });
        }
        tokio::time::sleep(STOP_INTERVAL).await;
    }
    context.answer(&json!({ "stopped": true, "pid": pid }), || format!("the owner (pid {pid}) has ended"));
    Ok(exit::OK)
}

async fn ask_to_end(context: &Context) -> Result<Option<u32>, Failure> {
    let asked = match Client::connect(&context.directory).await {
        Ok((client, _)) => client.stop().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(stopping) => Ok(Some(stopping.pid)),
        Err(CallError::NoOwner(_)) => Ok(None),
        Err(error) => Err(error.into_failure(Needs::Reading)),
    }
}

/// False also for a process that has ended and was not yet waited for by whoever started it.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}
