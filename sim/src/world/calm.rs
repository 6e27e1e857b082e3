//! The end of a world: faults stop, people answer everything, time passes, and every execution has to end.

use skep_model::ids::LocalId;
use skep_views::step::Waiting;

use super::World;
use super::people::Wish;
use super::ports::lock;
use crate::check::{Invariant, Verdict, demand};
use crate::generate::NEVER;

/// Rounds of answering and waiting; many more than any world needs.
const ROUNDS_MAX: usize = 20_000;

impl World<'_> {
    /// Lets everything come to its end.
    pub(super) fn calm_down(&mut self) -> Verdict {
        self.disk.arm(None);
        self.disk.make_room();
        {
            let mut machine = lock(&self.machine);
            if machine.outside.trial.is_none() {
                machine.crash_at = None;
            }
            machine.blob_trouble = None;
            let time = machine.time;
            machine.outside.calm_down(time);
        }
        while self.start_next() {
            self.settle()?;
        }
        // What the owner was not asked for yet.
        for local in self.books.open() {
            self.adopt(local);
        }
        self.run_down()?;
        // What waits for ever is cancelled; what waited behind it, for its place in a group, goes on then.
        while let Some(first) = self.books.open().first().copied() {
            let stuck: Vec<LocalId> =
                self.books.open().into_iter().filter(|local| self.waits_for_ever(*local)).collect();
            demand(!stuck.is_empty(), Invariant::EverythingEnds, || self.describe(first))?;
            for local in &stuck {
                self.cancel(*local);
            }
            self.run_down()?;
            let left = stuck.into_iter().find(|local| self.books.open().contains(local));
            demand(left.is_none(), Invariant::EverythingEnds, || self.describe(left.unwrap_or(first)))?;
        }
        demand(self.promises.is_empty(), Invariant::EverybodyIsAnswered, || "somebody still waits".to_owned())
    }

    /// Until nothing moves any more.
    fn run_down(&mut self) -> Verdict {
        for _ in 0..ROUNDS_MAX {
            self.settle()?;
            if self.answer_everybody() {
                continue;
            }
            if !self.pass_to_next() {
                return Ok(());
            }
        }
        let open = self.books.open();
        demand(false, Invariant::EverythingEnds, || {
            format!("it goes on for ever: {}", open.first().map_or_else(String::new, |local| self.describe(*local)))
        })
    }

    /// Handles what there is until the driver and the writer have nothing to do.
    pub(super) fn settle(&mut self) -> Verdict {
        loop {
            let (mail, submitted) = {
                let machine = lock(&self.machine);
                (machine.mail.len(), machine.submitted.len())
            };
            if mail == 0 && submitted == 0 {
                return Ok(());
            }
            self.turn(mail)?;
            let submitted = lock(&self.machine).submitted.len();
            self.commit(submitted)?;
        }
    }

    fn answer_everybody(&mut self) -> bool {
        let mut anything = false;
        for local in self.books.open() {
            let asks = self.wishes(local).into_iter().find(|wish| matches!(wish, Wish::Answer(_)));
            if let Some(wish) = asks {
                self.fulfil(local, &wish, false);
                anything = true;
                continue;
            }
            if self.stands_still(local) {
                match self.held_by(local) {
                    Some(code) if code == skep_engine::codes::MANUAL_ROLLBACK.id => self.undone(local),
                    // Going on may bring it here again, and again.
                    Some(code) if code == skep_engine::codes::AT_POINT.id => self.cancel(local),
                    Some(_) | None => self.resume(local),
                }
                anything = true;
                continue;
            }
            // One answer at a time: it may take the question of another away.
            if let Some(wish) = self.wishes(local).first() {
                self.fulfil(local, wish, false);
                anything = true;
            }
        }
        anything
    }

    fn waits_for_ever(&self, local: LocalId) -> bool {
        let account = &self.books.accounts[&local];
        let mut never = false;
        for step in account.view.active() {
            match (&step.waiting, &step.child) {
                (Some(Waiting::Signal { name, until: None }), _) if name == NEVER => never = true,
                // Its turn never comes because of the one that waits.
                (Some(Waiting::Turn), _) => {}
                (Some(_), _) => return false,
                (None, Some(child)) => {
                    let waits = self.books.by_id(child).is_some_and(|child| self.waits_for_ever(child));
                    if !waits {
                        return false;
                    }
                    never = true;
                }
                (None, None) => {}
            }
        }
        never && account.journal.working() == 0
    }

    pub(super) fn describe(&self, local: LocalId) -> String {
        let account = &self.books.accounts[&local];
        let active: Vec<String> =
            account.view.active().map(|step| format!("{} {:?} {:?}", step.path, step.status, step.waiting)).collect();
        let live = self.owner.as_ref().is_some_and(|owner| owner.driver.core().get(local).is_some());
        format!(
            "{} is {:?} after turn {}, {} memory; active: {active:?}",
            account.id,
            account.state.status,
            account.state.seq,
            if live { "in" } else { "not in" }
        )
    }
}
