//! Input: a person fills in the form of a step that waits for it.

use serde_json::Value;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::ids::StepPath;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::Phase;
use crate::steps::form;

pub(super) fn handle(
    turn: &mut Deciding<'_>,
    path: Option<&StepPath>,
    values: &Map<Value>,
    actor: &Actor,
) -> Result<(), Rejection> {
    let waits = |instance: &crate::state::Instance| matches!(instance.phase, Phase::Filling { .. });
    let id = super::waiting_instance(turn, path, "a form", waits)?;
    form::fill(turn, id, values, actor)
}
