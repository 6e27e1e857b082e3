//! Signal: taken by the step that waits for it, else kept, up to a limit.

use serde_json::Value;
use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::limits;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::Phase;
use crate::steps::wait;

pub(super) fn handle(turn: &mut Deciding<'_>, name: &str, payload: &Value, actor: &Actor) -> Result<(), Rejection> {
    let listening = turn.state.instances.iter().find(|instance| match &instance.phase {
        Phase::Listening { signal, .. } => signal == name,
        _ => false,
    });
    let path = listening.map(|instance| instance.path.clone());
    if path.is_none() && turn.state.signals.len() >= limits::SIGNALS_KEPT_MAX {
        return Err(Rejection::TooManySignals(turn.state.signals.len()));
    }
    let payload = turn.store(payload.clone());
    match path {
        Some(path) => wait::take(turn, &path, name, payload, actor, false),
        None => turn.emit(Event::SignalKept { name: name.to_owned(), payload, actor: actor.clone() }),
    }
}
