//! Where the repository is and which files belong to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, Result};

use crate::process;

/// Folders that never belong to the repository, for trees without git.
const FOREIGN: [&str; 3] = [".git", "target", "node_modules"];

/// The root of the workspace. `cargo` says where this crate lies, at run time too: two clones may share a target
/// directory, and then the one's program runs for the other.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&own).parent().expect("xtask lies in the root of the workspace");
        root.to_owned()
    });
    &ROOT
}

/// A file of the repository.
#[derive(Clone, Debug)]
pub struct File {
    /// From the root, with `/`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl File {
    /// Its content, if it is text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// A Rust source file.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Every file of the repository, sorted by path: what git tracks or would track, or, in a tree without git,
/// everything but build output.
///
/// # Errors
/// A file cannot be read.
pub fn files() -> Result<Vec<File>> {
    let mut paths = listed_by_git().map_or_else(|| walk(root()), Ok)?;
    paths.sort();
    paths.dedup();
    // A file that was deleted and not yet committed is still listed.
    paths.retain(|path| root().join(path).is_file());
    paths.into_iter().map(read).collect()
}

fn read(path: String) -> Result<File> {
    let bytes = fs::read(root().join(&path)).with_context(|| format!("reading {path}"))?;
    Ok(File { path, bytes })
}

fn listed_by_git() -> Option<Vec<String>> {
    let mut git = Command::new("git");
    // The clone may belong to another user than the one who runs CI.
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.current_dir(root()).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (!paths.is_empty()).then_some(paths)
}

fn walk(folder: &Path) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let entry = entry?;
        let path: PathBuf = entry.path();
        if FOREIGN.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => paths.extend(walk(&path)?),
            false => paths.push(relative(&path)),
        }
    }
    Ok(paths)
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

/// What `cargo metadata` says about the workspace, without the dependencies' own dependencies (needs no network).
///
/// # Errors
/// cargo fails, or prints something other than JSON.
pub fn metadata() -> Result<serde_json::Value> {
    let text = process::output(process::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    serde_json::from_str(&text).context("reading what `cargo metadata` printed")
}
