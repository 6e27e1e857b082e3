//! Data directories for one measurement, and what a disk does without SQLite.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

/// Bytes that are read at a time.
const READ_BYTES: usize = 1024 * 1024;

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

/// Lets the system forget what it keeps of a file in memory, so that the next reader waits for the disk.
///
/// # Errors
/// The file system refuses.
pub fn forget(path: &Path) -> Result<()> {
    let shown = path.display();
    let file = fs::File::open(path).with_context(|| format!("opening {shown}"))?;
    // What is not on the disk yet cannot be forgotten.
    file.sync_all().with_context(|| format!("syncing {shown}"))?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).with_context(|| format!("forgetting {shown}"))
}

/// Seconds that it takes to read a file once.
///
/// # Errors
/// It cannot be read.
pub fn read_seconds(path: &Path) -> Result<f64> {
    let begun = Instant::now();
    let mut file = fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut buffer = vec![0; READ_BYTES];
    while file.read(&mut buffer).with_context(|| format!("reading {}", path.display()))? > 0 {}
    Ok(begun.elapsed().as_secs_f64())
}
