//! A data directory and a work directory of a test's own.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::answer::{Answer, Running};

/// The binary under test.
pub const SKEP: &str = env!("CARGO_BIN_EXE_skep");

/// Somebody who is not root; `nobody` on every distribution.
const ORDINARY_USER: u32 = 65534;

/// Where one test lives. Its owner, if one is left, is stopped with it.
pub struct Place {
    folder: TempDir,
    data: PathBuf,
}

impl Place {
    /// Empty directories.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let data = folder.path().join("data");
        Self::with_data(folder, data)
    }

    /// With a data directory somewhere below the place.
    pub fn with_data_below(below: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let data = folder.path().join(below);
        Self::with_data(folder, data)
    }

    fn with_data(folder: TempDir, data: PathBuf) -> Self {
        fs::create_dir(folder.path().join("work")).expect("a folder can be made");
        Self { folder, data }
    }

    /// The folder around both.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where commands are called, so where steps run.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Writes a file into the work directory.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        fs::write(&path, text).expect("a file can be written");
        path
    }

    /// A file of the work directory; empty if it does not exist.
    pub fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.work().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// `skep` with these arguments, in a small environment, with nothing on standard input.
    pub fn command<Argument: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = Argument>) -> Command {
        let mut command = Command::new(SKEP);
        self.prepare(&mut command);
        command.args(arguments);
        command
    }

    /// Gives any command the surroundings of a place.
    pub fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.work())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("SKEP_DATA_DIR", &self.data)
            .env("SKEP_LISTEN", "off")
            .stdin(Stdio::null());
    }

    /// `skep` as somebody who is not root, with the binary where they may execute it. `None` if the tests do not
    /// run as root.
    pub fn command_of_an_ordinary_user(&self, arguments: &[&str]) -> Option<Command> {
        if !rustix::process::getuid().is_root() {
            return None;
        }
        open_to_all(self.folder());
        let binary = self.folder().join("skep");
        fs::copy(SKEP, &binary).expect("the binary can be copied");
        let mut command = Command::new("setpriv");
        self.prepare(&mut command);
        command.args([&format!("--reuid={ORDINARY_USER}"), "--clear-groups", "--no-new-privs", "--"]);
        command.arg(binary).args(arguments);
        Some(command)
    }

    /// Lets the ordinary user write into the place, if the tests run as root.
    pub fn give_away(&self) {
        if rustix::process::getuid().is_root() {
            for folder in [self.folder().to_owned(), self.work()] {
                open_to_all(&folder);
                std::os::unix::fs::chown(folder, Some(ORDINARY_USER), None).expect("root may give it away");
            }
        }
    }

    /// Starts `skep`.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments))
    }

    /// Runs `skep` to its end.
    pub fn skep(&self, arguments: &[&str]) -> Answer {
        self.start(arguments).end()
    }

    /// Runs `skep .. --format json`, expects `code`, and gives the value.
    #[track_caller]
    pub fn json(&self, arguments: &[&str], code: i32) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["--format", "json"]);
        self.skep(&all).exits(code).value()
    }

    /// Writes a definition and runs it.
    #[track_caller]
    pub fn run(&self, definition: &str, arguments: &[&str], code: i32) -> Value {
        self.write("workflow.yaml", definition);
        let mut all = vec!["run", "workflow.yaml"];
        all.extend(arguments);
        self.json(&all, code)
    }

    /// The status of the newest execution.
    pub fn status(&self) -> Value {
        self.json(&["status", "@latest"], 0)
    }
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("the folder is ours");
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.data.join("skep.sock").exists() {
            let mut command = self.command(["serve", "--stop"]);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            drop(command.status());
        }
    }
}
