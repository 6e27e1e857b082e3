//! Waiting for a condition: when it is asked, without a word in the journal until it holds.
//!
//! The event `WaitBegan` records when the wait began and the pause between two askings; the condition is asked at
//! once, then at each multiple of the pause, when a step of the execution has ended, and after a recovery or a
//! resume. An asking that finds it false changes nothing that is folded: a wait of a year costs as many rows as a wait of
//! a second.
//!
//! So the moment of the next asking is no timer in `State::timers`. It is computed: the first multiple of the
//! pause after the last asking, which only memory knows ([`Asked`]). A state that was folded has not asked yet, its
//! next moment is the first multiple since the wait began, and that is past or the same: a crash can only make it ask earlier.
//! `Asked` is therefore left out of the comparison of states, and out of snapshots.

use serde_json::Value;
use skep_model::Map;
use skep_model::time::Timestamp;

use crate::decide::Deciding;
use crate::program::KindProgram;
use crate::rejection::Rejection;
use crate::state::{InstanceId, Phase, State};

/// When conditions were asked last: memory of this process, equal to every other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked(Option<Timestamp>);

impl PartialEq for Asked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl State {
    /// When the next condition is to be asked, if they were `asked` then; `None` if none is awaited.
    pub(crate) fn next_asking(&self, asked: Asked) -> Option<Timestamp> {
        self.asking.iter().filter_map(|id| self.next_asking_of(id, asked)).min()
    }

    fn next_asking_of(&self, id: InstanceId, asked: Asked) -> Option<Timestamp> {
        let Phase::Asking { since, every_ms, .. } = self.instance(id).phase else { return None };
        let every_ms = every_ms.max(1);
        let last = asked.0.map_or(since, |at| at.max(since));
        let rounds = last.ms_since(since) / every_ms + 1;
        Some(since.plus_ms(rounds.saturating_mul(every_ms)))
    }
}

impl Deciding<'_> {
    /// Asks every condition that is awaited; steps whose condition holds complete. Costs nothing where none is.
    pub fn ask_conditions(&mut self) -> Result<(), Rejection> {
        self.ask_again = false;
        if self.state.asking.is_empty() {
            return Ok(());
        }
        for id in self.state.asking.iter().collect::<Vec<_>>() {
            // One that held may have ended another, as the loser of a join.
            if self.state.asking.contains(id) {
                self.ask_condition(id)?;
            }
        }
        self.state.asked = Asked(Some(self.now));
        Ok(())
    }

    fn ask_condition(&mut self, id: InstanceId) -> Result<(), Rejection> {
        let instance = self.state.instance(id);
        let (frame, path) = (instance.frame, instance.path.clone());
        let KindProgram::WaitCondition(condition) = &self.program.step_program(instance.step).kind else {
            return Err(Rejection::Broken(format!("`{path}` waits for no condition")));
        };
        match self.value(frame, condition, &format_args!("`condition` of step `{path}`"))? {
            Ok(Value::Bool(true)) => self.complete(&path, Map::new()),
            Ok(_) => Ok(()),
            Err(failure) => self.fail(&path, failure, Map::new()),
        }
    }
}
