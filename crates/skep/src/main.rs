//! The command `skep`.
//!
//! ```text
//! arguments --inputs--> cli (clap) --> commands/<verb> --door--> owner elsewhere | owner here | files
//!                                           \--> output (JSON, pages, live view)
//! ```
//! It must not decide anything about executions: every answer comes through the door from the one application
//! interface. Standard output carries the answer, everything else goes to standard error.

mod cli;
mod commands;
mod context;
mod door;
mod exit;
mod follow;
mod inputs;
mod launch;
mod output;
mod password;

use std::process::ExitCode;

/// A turn is a few dozen small allocations in one thread that another one frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything else: the helper that forks scripts must have one thread.
    if skep_runner::spawner::is_requested(std::env::args_os()) {
        return skep_runner::spawner::main();
    }
    cli::main()
}
