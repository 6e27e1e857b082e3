//! Building `skep` and calling it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{process, repository};

/// How it is built.
#[derive(Clone, Copy, Debug)]
pub enum Profile {
    /// Quick to build.
    Dev,
    /// Quick to run.
    Release,
}

/// A built `skep`.
#[derive(Clone, Debug)]
pub struct Binary {
    path: PathBuf,
    target: PathBuf,
}

impl Binary {
    /// Builds every crate of the product. It builds the workspace, not one package, so that features are the
    /// same as in a test run and nothing is compiled twice.
    ///
    /// # Errors
    /// The build fails.
    pub fn build(profile: Profile) -> Result<Self> {
        let mut cargo = process::cargo();
        cargo.args(["build", "--workspace", "--exclude", "xtask", "--exclude", "skep-sim", "--exclude", "skep-bench"]);
        let folder = match profile {
            Profile::Dev => "debug",
            Profile::Release => {
                cargo.arg("--release");
                "release"
            }
        };
        process::run(&mut cargo)?;
        let target = target_directory()?;
        Ok(Self { path: target.join(folder).join("skep"), target })
    }

    /// `skep ARGUMENTS`, from the root of the repository.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).current_dir(repository::root());
        command
    }

    /// The binary for people: from the root of the repository where it lies inside.
    pub fn shown(&self) -> String {
        self.path.strip_prefix(repository::root()).unwrap_or(&self.path).display().to_string()
    }

    /// cargo's folder for what is built.
    pub fn target(&self) -> &Path {
        &self.target
    }
}

/// cargo's folder for what is built.
///
/// # Errors
/// cargo does not say.
pub fn target_directory() -> Result<PathBuf> {
    let metadata = repository::metadata()?;
    let path = metadata["target_directory"].as_str().context("`cargo metadata` names no target directory")?;
    Ok(PathBuf::from(path))
}
