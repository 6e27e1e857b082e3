//! A search for results that lead to a step which no variation has reached: those that its own conditions name are varied
//! each for itself.

use std::collections::BTreeSet;

use super::super::inputs::Inputs;
use super::super::prepare::Pin;
use super::{Cases, Start, Starts};

/// Combinations that are tried for one step.
const COMBINATIONS_MAX: usize = 64;
/// Results that are varied for one step.
const RESULTS_MAX: usize = 4;

/// Looks for each step in the order of the text, because what leads to one may be found by looking for one before it.
pub(super) fn unreached(cases: &mut Cases<'_>, sets: &[Inputs], starts: &mut Starts) {
    let prepared = cases.prepared;
    for (index, step) in prepared.plan().steps.iter().enumerate() {
        if cases.found.reached.contains(&step.id) || !prepared.steps[index].rests_on_guesses {
            continue;
        }
        let named = named(cases, index);
        if named.is_empty() {
            continue;
        }
        let before = named.iter().filter_map(|(step, _, _)| starts.get(step));
        let Some(base) = before.max_by_key(|start| start.tried.pins.len()).cloned() else { continue };
        let all: usize = named.iter().map(|(_, _, width)| *width).product();
        for number in 0..all.min(COMBINATIONS_MAX) * sets.len() {
            let mut start = Start { set: number % sets.len(), ..base.clone() };
            let mut rest = number / sets.len();
            for (step, raw, width) in &named {
                start.tried.pins.retain(|pin| pin.step != *step || pin.raw != *raw);
                start.tried.pins.push(Pin { step: step.clone(), raw: raw.clone(), variation: rest % width });
                rest /= width;
            }
            let Some((_, begun)) = cases.all_succeed(sets, &start) else { return };
            for id in begun {
                starts.entry(id).or_insert_with(|| start.clone());
            }
            if cases.found.reached.contains(&step.id) || number >= COMBINATIONS_MAX {
                break;
            }
        }
    }
}

/// The made-up results that a step and what is around it name: step, raw name, number of candidates.
fn named(cases: &Cases<'_>, index: usize) -> Vec<(String, String, usize)> {
    let prepared = cases.prepared;
    let plan = prepared.plan();
    let mut places = BTreeSet::from([index]);
    let mut block = plan.steps[index].block;
    while let Some(owner) = plan.blocks[block as usize].owner {
        places.insert(owner as usize);
        block = plan.steps[owner as usize].block;
    }
    let mut found: Vec<(String, String, usize)> = Vec::new();
    for it in prepared.wanted.iter().filter(|it| it.by.is_some_and(|by| places.contains(&(by as usize)))) {
        let [root, id, outputs, name] = it.path.as_slice() else { continue };
        if root != "steps" || outputs != "outputs" {
            continue;
        }
        let Some((_, known)) = prepared.of_path(id).filter(|(_, known)| known.is_guessed) else { continue };
        let raw = known.raw_of(name);
        let Some((_, tree)) = known.raw.iter().find(|(known, _)| known == raw) else { continue };
        if found.len() < RESULTS_MAX && !found.iter().any(|(step, other, _)| step == id && other == raw) {
            found.push((id.clone(), raw.to_owned(), tree.width().max(1)));
        }
    }
    found
}
