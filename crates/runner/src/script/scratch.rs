//! The folder of one delivery: readable only by its user, gone after it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

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

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(problem) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %problem, "the scratch folder of a step stays behind; remove it by hand");
        }
    }
}
