//! (d) Forty scripts that run `true`, one after the other.

use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::Plan;
use crate::disk::Scratch;
use crate::figures::{Figure, median, milliseconds, ratio};
use crate::server::Server;

const SCRIPTS: usize = 40;
const SHELLS: [&str; 2] = ["sh", "bash"];

/// The same through the socket and by hand, in turn, for each shell.
///
/// # Errors
/// The server does not answer, an execution does not complete, a shell is missing.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let folder = Scratch::new(&plan.folder, "scripts")?;
    let server = Server::start(plan.skep()?, folder.path())?;
    SHELLS.into_iter().map(|shell| with_shell(plan, &server, shell)).collect()
}

fn with_shell(plan: &Plan, server: &Server, shell: &str) -> Result<Figure> {
    let repeats = plan.or_quick(30, 5);
    let mut socket = server.connect()?;
    let text = workflow(shell);
    // The helper that starts scripts is started with the first one.
    socket.run(&text)?;
    by_hand(shell)?;
    let (mut seconds, mut floors, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repeats {
        let begun = Instant::now();
        socket.run(&text)?;
        seconds.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        by_hand(shell)?;
        floors.push(begun.elapsed().as_secs_f64());
        ratios.push(seconds[seconds.len() - 1] / floors[floors.len() - 1]);
    }
    let (measured, floor) = (milliseconds(median(&seconds)), milliseconds(median(&floors)));
    println!("scripts, {shell}: {measured}; floor {floor}");
    Ok(Figure {
        work: format!("(d) {SCRIPTS} scripts that run `true`, `shell: {shell}`"),
        measured,
        floor: format!("{floor} (`{shell} -c true` x {SCRIPTS})"),
        ratio: ratio(median(&ratios)),
        target: "1.5 x floor".to_owned(),
        repeats,
    })
}

fn by_hand(shell: &str) -> Result<()> {
    for _ in 0..SCRIPTS {
        let mut command = Command::new(shell);
        command.args(["-c", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().with_context(|| format!("starting {shell}"))?;
        if !status.success() {
            bail!("`{shell} -c true` failed: {status}");
        }
    }
    Ok(())
}

fn workflow(shell: &str) -> String {
    let head = format!("name: scripts\ndescription: Scripts.\ndefaults: {{shell: {shell}}}\nsteps:\n");
    (0..SCRIPTS).fold(head, |mut text, number| {
        writeln!(text, "  - {{id: s{number}, run: \"true\"}}").expect("a String takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use skep_bench::pure::{Prepared, Run};

    use super::*;

    #[test]
    fn the_scripts_run_one_after_the_other() {
        let turns = Run::new(&Prepared::new(&workflow("sh")).unwrap(), 0).to_the_end().unwrap();
        assert_eq!(turns.len(), SCRIPTS + 1);
    }
}
