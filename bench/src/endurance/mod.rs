//! `cargo xtask endurance`: one execution with a million events, and a hundred thousand that wait. Prints what they
//! take of memory and how long a restart needs; docs/reliability.md shows the figures of such a run.
//!
//! Everything is measured from outside: the release binary, its socket, `kill -9`, `/proc`.

mod history;
mod waiting;

use anyhow::Result;

use crate::Plan;

/// Runs both and prints a table.
///
/// # Errors
/// A server does not start, or an execution does not end as it has to.
pub fn run(plan: &Plan) -> Result<()> {
    let mut rows = Vec::new();
    rows.extend(history::measure(plan)?);
    rows.extend(waiting::measure(plan)?);
    println!("\n| what | measured |\n|---|---|");
    for (what, measured) in rows {
        println!("| {what} | {measured} |");
    }
    Ok(())
}

/// A line of the table.
type Row = (&'static str, String);
