//! How long it will take: executions drawn by chance from what steps took before.

use std::collections::BTreeSet;
use std::time::Duration;

use skep_model::Map;
use skep_model::plan::{Kind, Step, Wait};
use skep_model::time::Timestamp;

use super::Spread;
use super::chance::Chance;
use super::inputs::Inputs;
use super::prepare::{Known, Prepared};
use super::world::{Source, World};
use crate::simulate::{Bounds, End, simulate, start_of};

/// Executions that are drawn for a small workflow.
const DRAWS_MAX: usize = 400;
/// And for a large one.
const DRAWS_MIN: usize = 40;
/// Turns of all of them.
const TURNS_MAX: usize = 60_000;

/// The range, or `None` if too few of the executions come to an end.
pub(super) fn spread(
    prepared: &Prepared,
    inputs: &Inputs,
    environment: &Map<String>,
    (at, seed): (Timestamp, u64),
) -> Option<Spread> {
    let (mut took, mut turns, mut drawn) = (Vec::new(), 0, 0);
    let mut begun: BTreeSet<String> = BTreeSet::new();
    let mut seeds = Chance::new(seed);
    while drawn < DRAWS_MAX && (turns < TURNS_MAX || drawn < DRAWS_MIN) && turns < 2 * TURNS_MAX {
        let mut start = start_of(&prepared.program, inputs.values.clone(), environment.clone());
        start.seed = seeds.next();
        let mut world = World::new(prepared, Source::Drawn(Chance::new(seeds.next())));
        let bounds = Bounds { messages: super::cases::messages_max(prepared), ..Bounds::default() };
        let run = simulate(&prepared.program, start, at, &mut world, bounds);
        drawn += 1;
        turns += run.turns.len();
        if run.end == End::Over {
            took.push(run.took);
            begun.extend(run.path.iter().map(|path| super::id_of(path).to_owned()));
        }
    }
    if took.len() * 2 < drawn {
        return None;
    }
    took.sort_unstable();
    let part = |percent: usize| took[(took.len() - 1) * percent / 100];
    let unseen = begun.iter().filter(|id| prepared.of_path(id).is_some_and(|(step, known)| is_unseen(step, known)));
    let guessed = unseen.cloned().collect();
    Some(Spread { p10: part(10), p50: part(50), p90: part(90), drawn: took.len(), guessed })
}

/// It takes time, and nobody has seen how much.
fn is_unseen(step: &Step, known: &Known) -> bool {
    let work = known.past.successes.is_empty() && known.past.failures.is_empty();
    let people = known.past.answers.is_empty();
    let of_kind = match &step.kind {
        Kind::Run { .. } | Kind::Workflow { .. } | Kind::Agent { .. } | Kind::Ai { .. } => work,
        Kind::Uses { .. } => work && !known.raw.is_empty(),
        Kind::Approval(_) | Kind::Input(_) | Kind::Wait(Wait::Signal { .. }) => people,
        Kind::Wait(_)
        | Kind::Switch { .. }
        | Kind::Parallel { .. }
        | Kind::Foreach { .. }
        | Kind::While { .. }
        | Kind::Repeat { .. } => false,
    };
    of_kind || (step.approve.is_some() && people)
}

/// `350ms`, `1.4s`, `42s`, `4m10s`, `2h5m`: more digits than that would be made up.
pub(super) fn words(took: Duration) -> String {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..10_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        10_000..600_000 => skep_model::span::print_duration_ms(ms / 1_000 * 1_000),
        _ => skep_model::span::print_duration_ms(ms / 60_000 * 60_000),
    }
}
