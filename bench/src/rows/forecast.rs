//! (k) Level paranoid of a definition of a hundred steps: everything that it takes, simulated executions included; and of
//! one with 200 finished executions to learn from.

use std::time::Instant;

use anyhow::{Result, bail};
use skep_definition::check::Level;
use skep_model::surroundings::Fixed;
use skep_node::DataDir;
use skep_node::service::{Look, Reading, validate_closely};

use super::definition::definition;
use crate::Plan;
use crate::disk::Scratch;
use crate::figures::{Figure, median, milliseconds};
use crate::load::{Loaded, Until};

const STEPS: usize = 100;
const EXECUTIONS: u64 = 200;

/// Looks again and again.
///
/// # Errors
/// It has errors, or an execution does not complete.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let repeats = plan.or_quick(30, 5);
    let text = definition(STEPS);
    let folder = Scratch::new(&plan.folder, "forecast")?;
    let mut loaded = Loaded::open(folder.path())?;
    let known = known();
    loaded.run(&known, 20, Until::Executions(EXECUTIONS))?;
    let reading = Reading::open(&DataDir::at(folder.path()))?;
    let (mut unseen, mut seen, mut executions) = (Vec::new(), Vec::new(), 0);
    for _ in 0..repeats {
        let (seconds, simulated) = once(&text, None)?;
        unseen.push(seconds);
        executions = simulated;
        seen.push(once(&known, Some(&reading))?.0);
    }
    loaded.close(STEPS as u64 + 1)?;
    let [unseen, seen] = [unseen, seen].map(|seconds| milliseconds(median(&seconds)));
    println!("forecast: {unseen}; with {EXECUTIONS} executions to learn from {seen}");
    Ok(vec![Figure {
        work: format!("(k) level paranoid, {STEPS} steps, {executions} simulated executions"),
        measured: format!("{unseen}; with {EXECUTIONS} executions to learn from {seen}"),
        floor: String::new(),
        ratio: String::new(),
        target: "under 1 s".to_owned(),
        repeats,
    }])
}

/// Seconds, and how many executions were simulated.
fn once(text: &str, reading: Option<&Reading>) -> Result<(f64, u64)> {
    let look = Look { level: Level::Paranoid, strict_mode: false, path: None, arguments: Vec::new() };
    let (catalogue, machine) = (skep_node::catalogue::build(), Fixed::default());
    let begun = Instant::now();
    let found = validate_closely(text, &look, &catalogue, reading, &machine);
    let took = begun.elapsed().as_secs_f64();
    let simulation = &found.metadata["simulation"];
    match (simulation["executions"].as_u64(), simulation["left_out"].as_u64()) {
        (Some(executions), Some(0)) if executions > 0 => Ok((took, executions)),
        _ => bail!("not everything was simulated: {simulation} {:?}", found.problems.first()),
    }
}

/// A sequence of steps that need no process.
fn known() -> String {
    let steps = (0..STEPS).map(|step| format!("  - {{id: s{step}, uses: set, with: {{value: {step}}}}}\n"));
    format!("name: known\ndescription: A hundred steps.\nsteps:\n{}", steps.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_definitions_are_simulated_as_a_whole() {
        once(&definition(20), None).unwrap();
        once(&known(), None).unwrap();
    }
}
