//! `skep completions`: what a shell needs to complete commands.

use clap::Args;
use clap_complete::Shell;

use super::Outcome;
use crate::{cli, exit, output};

/// Print completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep completions bash > /etc/bash_completion.d/skep")]
pub struct Arguments {
    /// Which one
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut cli::command(), "skep", &mut script);
    output::print_text(&String::from_utf8_lossy(&script));
    Ok(exit::OK)
}
