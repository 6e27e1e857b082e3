//! Signal: taken by the step that waits for it, else kept, up to a limit.

use serde_json::Value;
use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::limits;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::{KeptSignal, Phase};
use crate::steps::wait;

pub(super) fn handle(turn: &mut Deciding<'_>, name: &str, payload: &Value, actor: &Actor) -> Result<(), Rejection> {
    let listening = turn.state.instances.iter().find(|instance| match &instance.phase {
        Phase::Listening { signal, .. } => signal == name,
        _ => false,
    });
    match listening.map(|instance| instance.path.clone()) {
        Some(path) => {
            let payload = turn.store(payload.clone());
            wait::take(turn, &path, name, payload, actor, false)
        }
        None => keep(turn, name, payload, actor),
    }
}

/// Kept, whether a step waits for it or not: who performs the execution next hands it over.
pub(super) fn keep(turn: &mut Deciding<'_>, name: &str, payload: &Value, actor: &Actor) -> Result<(), Rejection> {
    if turn.state.signals.len() >= limits::SIGNALS_KEPT_MAX {
        return Err(Rejection::TooManySignals(turn.state.signals.len()));
    }
    let payload = turn.store(payload.clone());
    turn.emit(Event::SignalKept { name: name.to_owned(), payload, actor: actor.clone() })
}

/// Steps that wait for a signal that was kept meanwhile take it.
pub(super) fn hand_over(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    while let Some((path, signal)) = handed_over(turn) {
        let actor = Actor::person(signal.by);
        wait::take(turn, &path, &signal.name, signal.payload, &actor, true)?;
    }
    Ok(())
}

fn handed_over(turn: &Deciding<'_>) -> Option<(StepPath, KeptSignal)> {
    let signals = &turn.state.signals;
    if signals.is_empty() {
        return None;
    }
    turn.state.instances.iter().find_map(|instance| match &instance.phase {
        Phase::Listening { signal, .. } => {
            let kept = signals.iter().find(|kept| kept.name == *signal)?;
            Some((instance.path.clone(), kept.clone()))
        }
        _ => None,
    })
}
