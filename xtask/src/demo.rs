//! `cargo xtask demo`: everything built, a server on a fresh store, a real workflow, and where to look.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::binary::{Binary, Profile};
use crate::{process, repository};

/// The workflow that is shown.
const EXAMPLE: &str = "examples/disk-report.yaml";
/// A server is ready within a second; a loaded machine may take longer, a broken one never gets there.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// A stop lets running steps end first.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two looks at a server that starts or stops: short for a person, long for a processor.
const POLL: Duration = Duration::from_millis(100);

/// Runs the demo. Its data directory, `target/demo`, stays until the next one.
///
/// # Errors
/// The build, the server or the workflow fails; the server is stopped all the same.
pub fn run(profile: Profile) -> Result<()> {
    println!("Building (the first time takes some minutes) ..");
    let skep = Binary::build(profile)?;
    let demo = Demo { data: skep.target().join("demo"), skep };
    demo.make_room()?;
    let mut server = demo.start_server()?;
    demo.show_workflow()?;
    demo.say_where_to_look();
    demo.stop(&mut server)
}

struct Demo {
    skep: Binary,
    data: PathBuf,
}

/// The server of the demo; it never outlives us.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // After an orderly stop both do nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Demo {
    /// Stops what an earlier demo may have left running and removes its data.
    fn make_room(&self) -> Result<()> {
        if self.data.exists() {
            process::succeeds(&mut self.command(&["serve", "--stop"]));
            fs::remove_dir_all(&self.data).with_context(|| format!("removing {}", self.data.display()))?;
        }
        fs::create_dir_all(&self.data).with_context(|| format!("creating {}", self.data.display()))
    }

    fn start_server(&self) -> Result<Server> {
        step("A server on a fresh embedded store", "skep serve");
        let mut command = self.command(&["serve"]);
        command.stdin(Stdio::null());
        let mut server = Server(command.spawn().context("starting `skep serve`")?);
        let end = Instant::now() + START_TIMEOUT;
        while !(has_socket(&self.data) && process::succeeds(&mut self.command(&["list"]))) {
            if let Some(status) = server.0.try_wait().context("looking at `skep serve`")? {
                bail!("`skep serve` ended before it was ready: {status}");
            }
            if Instant::now() > end {
                bail!("`skep serve` was not ready within {START_TIMEOUT:?}");
            }
            thread::sleep(POLL);
        }
        Ok(server)
    }

    fn show_workflow(&self) -> Result<()> {
        let input = format!("directory={}", repository::root().join("crates").display());
        let folder = self.data.display().to_string();
        step("A workflow, step by step", &format!("skep run {EXAMPLE} -i {input}"));
        process::run(&mut self.command(&["run", EXAMPLE, "-i", &input, "--workdir", &folder]))?;
        step("How it went, as a program sees it", "skep status @latest --format json");
        let answer = process::output(&mut self.command(&["status", "@latest", "--format", "json"]))?;
        let answer: Value = serde_json::from_str(&answer).context("reading what `skep status` printed")?;
        for name in ["execution_id", "status"] {
            println!("{name}: {}", answer[name]);
        }
        for name in ["entries", "kinds", "report"] {
            println!("outputs.{name}: {}", answer["outputs"][name]);
        }
        step("All executions", "skep list --all");
        process::run(&mut self.command(&["list", "--all"]))
    }

    fn say_where_to_look(&self) {
        println!("\nWhere to look (the data stays until the next demo):");
        println!("  {}", self.data.display());
        for command in ["status @latest", "logs @latest", "replay @latest"] {
            println!("  {} {command} --data-dir {}", self.skep.shown(), self.data.display());
        }
    }

    fn stop(&self, server: &mut Server) -> Result<()> {
        step("The end", "skep serve --stop");
        process::run(&mut self.command(&["serve", "--stop"]))?;
        let end = Instant::now() + STOP_TIMEOUT;
        loop {
            match server.0.try_wait().context("waiting for `skep serve`")? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("`skep serve` did not end well: {status}"),
                None if Instant::now() > end => bail!("`skep serve` did not stop within {STOP_TIMEOUT:?}"),
                None => thread::sleep(POLL),
            }
        }
    }

    /// `skep ARGUMENTS` on the data directory of the demo.
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.skep.command(arguments);
        command.arg("--data-dir").arg(&self.data);
        command
    }
}

fn step(what: &str, command: &str) {
    println!("\n== {what}: {command}");
}

/// The owner of a data directory listens on a socket in it; before that, readers would read the store themselves.
fn has_socket(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()))
}
