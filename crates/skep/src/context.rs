//! What every command knows: the data directory and how to answer.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;
use skep_api::wire::{Class, Failure};
use skep_node::DataDir;

/// How a command answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON value on standard output; `logs` and `replay` give JSON Lines.
    Json,
    /// SARIF 2.1.0, for what shows problems in code; only `validate`
    #[value(hide = true)]
    Sarif,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct Globals {
    /// Directory with all state [default: $XDG_DATA_HOME/skep or ~/.local/share/skep]
    #[arg(long, global = true, env = "SKEP_DATA_DIR", value_name = "DIR", help_heading = "Everywhere")]
    pub data_dir: Option<PathBuf>,
    /// How to answer
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Everywhere")]
    pub format: Format,
}

/// The options, resolved.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where all state is.
    pub directory: DataDir,
    /// How to answer.
    pub format: Format,
}

impl Context {
    /// Resolves the options; the data directory becomes absolute.
    pub fn new(globals: &Globals) -> Result<Self, Failure> {
        let given = globals.data_dir.clone().filter(|path| !path.as_os_str().is_empty());
        let path = given.or_else(|| default_directory(|name| std::env::var_os(name).map(PathBuf::from)));
        let no_home = "neither --data-dir nor SKEP_DATA_DIR nor HOME is set, so there is no place for state";
        let path = path.ok_or_else(|| bad_request(no_home, "name a directory with `--data-dir DIR`"))?;
        let absolute = std::path::absolute(&path)
            .map_err(|error| bad_request(&format!("the data directory {}: {error}", path.display()), "name another"))?;
        Ok(Self { directory: DataDir::at(absolute), format: globals.format })
    }

    /// True if programs read the answer.
    pub fn is_json(&self) -> bool {
        match self.format {
            Format::Json | Format::Sarif => true,
            Format::Human => false,
        }
    }

    /// Answers with `value` for programs, or with what `human` makes of it.
    pub fn answer(&self, value: &Value, human: impl FnOnce() -> String) {
        match self.format {
            Format::Json | Format::Sarif => crate::output::print_json(value),
            Format::Human => crate::output::print(&human()),
        }
    }
}

fn default_directory(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let base = variable("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let home = || variable("HOME").filter(|path| !path.as_os_str().is_empty());
    base.or_else(|| home().map(|home| home.join(".local/share"))).map(|base| base.join("skep"))
}

/// A mistake in how a command was called.
pub fn bad_request(message: &str, hint: &str) -> Failure {
    Failure::new("SKEP-N010", Class::User, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_directory_follows_the_base_directory_rules() {
        for (xdg, home, expect) in [
            (Some("/data"), Some("/home/ada"), Some("/data/skep")),
            (Some("relative"), Some("/home/ada"), Some("/home/ada/.local/share/skep")),
            (None, Some("/home/ada"), Some("/home/ada/.local/share/skep")),
            (None, Some(""), None),
            (None, None, None),
        ] {
            let found = default_directory(|name| match name {
                "XDG_DATA_HOME" => xdg.map(PathBuf::from),
                _ => home.map(PathBuf::from),
            });
            assert_eq!(found, expect.map(PathBuf::from), "{xdg:?} {home:?}");
        }
    }
}
