//! Resume: whatever stopped goes on. After a hold for lost deliveries, outstanding work is delivered again; steps
//! that failed and about which a person was asked are tried again. At a rollback point the execution goes on from it.

use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::status::Execution as Status;

use crate::decide::Deciding;
use crate::permits;
use crate::rejection::Rejection;
use crate::rollback::Stage;
use crate::state::{InstanceId, Phase};
use crate::steps::approval;
use crate::unknown;

pub(super) fn handle(turn: &mut Deciding<'_>, actor: &Actor) -> Result<(), Rejection> {
    let was = turn.state.status;
    if !matches!(was, Status::Paused | Status::Held) {
        return Ok(());
    }
    if turn.state.undo.stage == Stage::AtPoint {
        return super::rollback::go_back(turn, actor);
    }
    unknown::check_resume(turn)?;
    let undelivered = turn.state.undelivered;
    turn.emit(Event::Resumed { actor: actor.clone() })?;
    if undelivered {
        super::recovered::deliver_again(turn)?;
    }
    unknown::repeat_all(turn, actor)?;
    go_on(turn)
}

/// Everything that may begin begins: allowed steps, lists, due timers; what is waited for in line is asked for again, as
/// nobody answers an execution that stands still.
pub(crate) fn go_on(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    permits::ask_again(turn);
    super::signal::hand_over(turn)?;
    let ready: Vec<InstanceId> =
        turn.state.instances.ids().filter(|id| turn.state.instance(*id).phase == Phase::Ready).collect();
    for id in ready {
        approval::begin_ready(turn, id)?;
    }
    turn.mark_all();
    turn.ask_again = true;
    super::timer::fire_due(turn)
}
