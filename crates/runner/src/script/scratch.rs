//! The folder of one delivery: readable only by its user, gone after it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Length of a delivery token in characters.
const TOKEN_LENGTH: usize = 32;

/// A folder with files; removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes `folder` anew (whatever an earlier owner left of this delivery goes) and writes its files.
    pub fn make(folder: &Path, files: &[(String, String)]) -> io::Result<Self> {
        let made = DirBuilder::new().mode(0o700).create(folder).or_else(|problem| match problem.kind() {
            io::ErrorKind::AlreadyExists => {
                fs::remove_dir_all(folder).and_then(|()| DirBuilder::new().mode(0o700).create(folder))
            }
            io::ErrorKind::NotFound => DirBuilder::new().mode(0o700).recursive(true).create(folder),
            _ => Err(problem),
        });
        made?;
        let scratch = Self(folder.to_owned());
        for (name, content) in files {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(name))?;
            file.write_all(content.as_bytes())?;
        }
        Ok(scratch)
    }
}

/// Removes the folders that an owner which died left under `runtime_dir`. Only names that are tokens are touched,
/// in case somebody configured a folder that holds more.
pub(crate) fn remove_stale(runtime_dir: &Path) {
    let is_token = |name: &str| name.len() == TOKEN_LENGTH && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Ok(entries) = fs::read_dir(runtime_dir) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_token) {
            drop(Scratch(entry.path()));
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(problem) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %problem, "the scratch folder of a step stays behind; remove it by hand");
        }
    }
}
