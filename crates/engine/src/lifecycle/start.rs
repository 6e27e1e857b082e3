//! Start: pending -> running, and everything that can begin begins in the same turn.

use skep_model::event::Event;
use skep_model::message::Start;

use crate::decide::Deciding;
use crate::rejection::Rejection;

pub(super) fn handle(turn: &mut Deciding<'_>, start: &Start) -> Result<(), Rejection> {
    turn.emit(Event::Started(Box::new(start.clone())))?;
    crate::permits::ask_entry(turn)
}
