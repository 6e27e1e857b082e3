//! `max_parallel` of a workflow: so many steps of the execution do work at a time, over all its lists.
//!
//! A step that may begin and finds no place records that (`Queued`), so that its turn is the same after a crash.
//! Who came in an earlier turn begins first, in one turn the plan's order decides; so a loop that goes round and
//! round cannot keep others waiting. A pause between attempts keeps its place: a retry never waits behind others.
//! A place is the last thing that a step asks for, and only scripts and actions take one: whoever has one ends without
//! anybody else's help. A step that waits for a child execution takes none, as it does no work itself; the child may wait
//! in line for what a step without a place holds ([`crate::permits`]).
//! A workflow without the key never looks at any of this.

use skep_model::event::Event;
use skep_model::ids::StepPath;

use crate::decide::{Deciding, EVENTS_PER_TURN};
use crate::rejection::Rejection;
use crate::steps::work;

impl Deciding<'_> {
    /// True if a step may begin its work now; else it is queued.
    pub fn takes_slot(&mut self, path: &StepPath) -> Result<bool, Rejection> {
        let Some(limit) = self.program.plan().max_parallel else { return Ok(true) };
        if self.state.working.len() < limit.max(1) as usize || skep_model::mutant!("no-slots") {
            return Ok(true);
        }
        self.emit(Event::Queued { path: path.clone() })?;
        Ok(false)
    }

    /// Begins queued steps as long as there are free places.
    pub fn grant_slots(&mut self) -> Result<(), Rejection> {
        let Some(limit) = self.program.plan().max_parallel else { return Ok(()) };
        while self.state.flows()
            && self.events.len() < EVENTS_PER_TURN
            && self.state.working.len() < limit.max(1) as usize
            && let Some((_, _, id)) = self.state.queued.first().copied()
        {
            let instance = self.state.instance(id);
            let (frame, step, path) = (instance.frame, instance.step, instance.path.clone());
            work::begin(self, frame, step, &path)?;
        }
        Ok(())
    }
}
