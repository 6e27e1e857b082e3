//! `skep backup`: a copy of the data directory while its owner runs.

use std::path::Path;

use skep_store::DataDir;
use skep_store::backup::{Amount, Part, Summary};

use crate::config::{self, Config};
use crate::error::Error;

/// Copies a data directory into a new folder that is one itself, with its configuration.
///
/// # Errors
/// [`Error::Backup`]; nothing is left of the copy then.
pub fn backup(
    directory: &DataDir,
    destination: &Path,
    progress: &mut dyn FnMut(Part, Amount),
) -> Result<Summary, Error> {
    let audit = Config::load(directory.root())?.audit_place(directory);
    Ok(skep_store::backup::backup(directory, destination, &audit, &[config::FILE], progress)?)
}
