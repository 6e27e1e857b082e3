//! Inputs to simulate with: the given ones, else defaults, and variations of what nobody gave.

use serde_json::Value;
use skep_definition::inputs::{resolve, samples};
use skep_definition::wanted::Wanted;
use skep_model::Map;
use skep_model::plan::{Input, Plan};

/// Sets of inputs that are tried.
const SETS_MAX: usize = 16;

/// One set of inputs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Inputs {
    pub values: Map<Value>,
    /// Names of those that nobody gave and that are not their default.
    pub varied: Vec<String>,
}

/// Sets of inputs, the most usual first, and the inputs for which no value was found: then there are no sets.
pub(super) fn sets(plan: &Plan, given: &Map<Value>, wanted: &[Wanted]) -> (Vec<Inputs>, Vec<String>) {
    let open: Vec<(&String, Vec<Value>)> = plan
        .inputs
        .iter()
        .filter(|(name, _)| !given.contains_key(*name))
        .map(|(name, input)| (name, values(name, input, wanted)))
        .collect();
    let lacking: Vec<String> = open
        .iter()
        .filter(|(name, values)| values.is_empty() && plan.inputs[*name].required)
        .map(|(name, _)| (*name).clone())
        .collect();
    if !lacking.is_empty() {
        return (Vec::new(), lacking);
    }
    let mut found: Vec<Inputs> = Vec::new();
    let mut add = |varied: Option<(&str, &Value)>| {
        let mut values = given.clone();
        for (name, candidates) in &open {
            let usual = plan.inputs[*name].default.is_none().then(|| candidates.first()).flatten();
            let value = varied.filter(|(of, _)| of == name).map(|(_, value)| value).or(usual);
            values.extend(value.map(|value| ((*name).clone(), value.clone())));
        }
        let Ok(values) = resolve(&plan.inputs, &values) else { return };
        let by_sample = open.iter().filter(|(name, _)| plan.inputs[*name].default.is_none());
        let mut names: Vec<String> = by_sample.map(|(name, _)| (*name).clone()).collect();
        names.extend(varied.map(|(name, _)| name.to_owned()));
        names.dedup();
        if found.len() < SETS_MAX && !found.iter().any(|known| known.values == values) {
            found.push(Inputs { values, varied: names });
        }
    };
    add(None);
    let rounds = open.iter().map(|(_, candidates)| candidates.len()).max().unwrap_or(0);
    for round in 0..rounds {
        for (name, candidates) in &open {
            if let Some(value) = candidates.get(round) {
                add(Some((name, value)));
            }
        }
    }
    (found, Vec::new())
}

/// The default, what expressions compare it with as far as the declaration admits that, and samples.
fn values(name: &str, input: &Input, wanted: &[Wanted]) -> Vec<Value> {
    let Ok(validator) = skep_definition::inputs::compile(&input.schema) else { return Vec::new() };
    let compared = wanted.iter().filter(|it| it.path == ["inputs", name] && it.keys.is_empty());
    let compared = compared.flat_map(|it| it.values.iter().cloned()).filter(|value| validator.is_valid(value));
    let mut found: Vec<Value> = Vec::new();
    let mut samples = samples(&input.schema);
    if is_free_text(&input.schema) {
        // A text may mean anything: one that nobody compares it with says nothing about the workflow.
        samples.truncate(usize::from(input.default.is_none()));
    }
    for value in input.default.iter().cloned().chain(samples).chain(compared) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// A text whose declaration says nothing about its content.
fn is_free_text(schema: &Value) -> bool {
    let narrowing = ["enum", "const", "pattern", "format"];
    schema["type"] == "string" && narrowing.iter().all(|key| schema.get(*key).is_none())
}
