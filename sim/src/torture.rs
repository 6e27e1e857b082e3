//! Any workflow, tried hard: each of its first deliveries fails once, every answer comes twice, and the owner dies
//! after each of its first turns, with the power and without. Every run must end and hold the invariants.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::catalogue::Catalogue;
use skep_model::plan::Input;

use crate::check::{Verdict, Violation};
use crate::generate;
use crate::world::{self, Trial};

/// Deliveries that fail, one per run: more are like these, and a loop has thousands.
const DELIVERIES_MAX: u32 = 24;
/// Turns after which the owner dies, one per run.
const TURNS_MAX: u32 = 40;

/// What a workflow went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tortured {
    /// Runs.
    pub runs: u32,
    /// Turns that were committed in all of them.
    pub turns: u64,
}

/// Tortures the workflow of this text. Required inputs get simple values.
///
/// # Errors
/// The first run that does not hold every invariant, with what was done to it; or why the text cannot start.
pub fn torture(text: &str, catalogue: &Catalogue) -> Result<Tortured, String> {
    let program = generate::compile(text, catalogue)?;
    let inputs = program.plan().inputs.iter().map(|(name, input)| (name.clone(), sample(input)));
    let inputs = skep_definition::inputs::resolve(&program.plan().inputs, &inputs.collect::<Map<Value>>());
    let inputs = inputs.map_err(|problems| format!("{problems:?}"))?;
    let mut all = Tortured::default();
    let quiet = Trial::default();
    let calm = world::run_trial(text, &program, &inputs, quiet);
    tell(&mut all, quiet, &calm)?;
    let (deliveries, turns) = (calm.report.deliveries, calm.report.turns);
    let up_to = |count: u64, most: u32| u32::try_from(count).unwrap_or(most).min(most);
    let mut trials = vec![Trial { twice: true, ..quiet }];
    trials.extend((1..=up_to(deliveries, DELIVERIES_MAX)).map(|at| Trial { fails: Some(at), ..quiet }));
    for at in 1..=up_to(turns, TURNS_MAX) {
        trials.push(Trial { dies_after: Some((at, false)), ..quiet });
        trials.push(Trial { dies_after: Some((at, true)), twice: true, ..quiet });
    }
    for trial in trials {
        tell(&mut all, trial, &world::run_trial(text, &program, &inputs, trial))?;
    }
    Ok(all)
}

fn tell(all: &mut Tortured, trial: Trial, ended: &world::Ended) -> Result<(), String> {
    all.runs += 1;
    all.turns += ended.report.turns;
    let verdict: &Verdict = &ended.verdict;
    match verdict {
        Ok(()) => Ok(()),
        Err(Violation { invariant, what }) => Err(format!("{trial:?}: {invariant:?}: {what}")),
    }
}

/// A value that an input takes, where it has no default.
pub fn sample(input: &Input) -> Value {
    if let Some(default) = &input.default {
        return default.clone();
    }
    if let Some(first) = input.schema.get("enum").and_then(Value::as_array).and_then(|values| values.first()) {
        return first.clone();
    }
    match input.kind.as_str() {
        "integer" | "number" => input.schema.get("minimum").cloned().unwrap_or(json!(3)),
        "boolean" => json!(true),
        "array" => json!([]),
        "object" => json!({}),
        "email" => json!("ada@example.org"),
        "url" => json!("https://example.org"),
        _ => json!("x"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn files(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, into);
            } else if path.extension().is_some_and(|end| end == "yaml" || end == "json") {
                into.push(path);
            }
        }
    }

    #[test]
    fn every_example_that_this_node_can_start_survives() {
        let mut paths = Vec::new();
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples"), &mut paths);
        paths.sort();
        let catalogue = skep_node::catalogue::build();
        let mut tortured = 0;
        for path in paths {
            let text = std::fs::read_to_string(&path).unwrap();
            // What needs an agent, a model or a sandbox is refused before the start.
            if generate::compile(&text, &catalogue).is_err() {
                continue;
            }
            match torture(&text, &catalogue) {
                Ok(went) => assert!(went.runs > 2, "{} does nothing", path.display()),
                Err(problem) => panic!("{}: {problem}", path.display()),
            }
            tortured += 1;
        }
        assert!(tortured >= 3, "only {tortured} examples could start");
    }
}
