//! Where the audit and its key lie, and what can go wrong with them.

use std::path::{Path, PathBuf};

use skep_model::code::Code;

use crate::codes;
use crate::data_dir::{self, DataDir};

/// Where the log and its key are. Cheap to clone; holding one opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
    key: PathBuf,
}

impl Place {
    /// In a data directory; the key too, unless another file is named for it. A relative name is one in the data
    /// directory.
    pub fn of(directory: &DataDir, key: Option<&Path>) -> Self {
        let key = directory.root().join(key.unwrap_or(Path::new("audit.key")));
        Self { folder: directory.root().join("audit"), key }
    }

    /// The folder of the segments.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key's file.
    pub fn key(&self) -> &Path {
        &self.key
    }

    pub(super) fn head(&self) -> PathBuf {
        self.folder.join("head.json")
    }

    /// Beside the key, so that it is as safe as that: who can put back an older log cannot put back this.
    pub(super) fn mark(&self) -> PathBuf {
        let mut name = self.key.file_name().unwrap_or_default().to_owned();
        name.push(".mark");
        self.key.with_file_name(name)
    }
}

/// The log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error(transparent)]
    File(#[from] data_dir::Error),
    /// There are records, and the key that they were sealed with is gone.
    #[error("the audit has records, but its key {} is missing", path.display())]
    KeyMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The key's file does not hold a key.
    #[error("{} is no key of an audit: it must hold 64 hexadecimal digits", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    /// The stable code, with its page.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::File(error) => error.code(),
            Self::KeyMissing { .. } | Self::NoKey { .. } => &codes::AUDIT_KEY,
        }
    }

    /// What to do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File(error) => error.hint(),
            Self::KeyMissing { .. } | Self::NoKey { .. } => {
                "put the key back from a copy; if it is lost, move `audit/` away and a new log begins"
            }
        }
    }
}
