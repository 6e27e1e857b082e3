//! Data directories for one measurement.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A data directory that is empty at first and gone at the end.
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// `name` in `parent`, emptied.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn new(parent: &Path, name: &str) -> Result<Self> {
        let folder = parent.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is removed by the next run.
        drop(fs::remove_dir_all(&self.folder));
    }
}
