//! Events of steps that wait for people and time.

use skep_model::actor::Actor;

use super::frames::no_step;
use super::*;

impl Fold<'_> {
    pub(super) fn approval_asked(
        &mut self,
        path: &StepPath,
        until: Option<Timestamp>,
        escalations: &[(Timestamp, String)],
    ) -> Result<(), Misfit> {
        let id = self.begin(path)?;
        let proposed = self.state.instances.get(id).proposed;
        let escalations: VecDeque<_> = escalations.iter().cloned().collect();
        self.set_phase(id, Phase::Deciding { until, escalations, proposed }, StepStatus::Waiting);
        Ok(())
    }

    pub(super) fn escalated(&mut self, path: &StepPath) -> Result<(), Misfit> {
        if self.state.undo.is_busy() {
            // What could not be undone has ended long ago: somebody is told, and nothing waits.
            return self.program.split_path(path).map(drop).ok_or_else(|| no_step(path));
        }
        let id = self.going(path)?;
        let mut phase = std::mem::replace(&mut self.state.instances.get_mut(id).phase, Phase::Over);
        self.drop_timer(id, &phase);
        match &mut phase {
            Phase::Deciding { escalations, .. } => _ = escalations.pop_front(),
            Phase::Questioned(question) => {
                if let Some((_, to)) = question.escalations.pop_front() {
                    question.to = to;
                }
            }
            _ => {}
        }
        self.set_phase(id, phase, StepStatus::Waiting);
        Ok(())
    }

    pub(super) fn decided(
        &mut self,
        path: &StepPath,
        approved: bool,
        actor: &Actor,
        comment: Option<&str>,
    ) -> Result<(), Misfit> {
        let id = self.going(path)?;
        if approved {
            self.set_phase(id, Phase::Ready, StepStatus::Waiting);
            // The decision stands beside the result that the step will have, or has proposed.
            for (name, value) in crate::steps::approval::decision_outputs(true, actor, comment) {
                self.state.instances.get_mut(id).outputs.insert(name, Payload::inline(value));
            }
        }
        Ok(())
    }

    pub(super) fn wait(&mut self, path: &StepPath, phase: Phase) -> Result<(), Misfit> {
        let id = self.begin(path)?;
        self.set_phase(id, phase, StepStatus::Waiting);
        Ok(())
    }

    pub(super) fn wait_began(
        &mut self,
        path: &StepPath,
        until: Option<Timestamp>,
        signal: Option<&str>,
        every_ms: Option<u64>,
    ) -> Result<(), Misfit> {
        let since = self.at;
        match (signal, until, every_ms) {
            (None, until, Some(every_ms)) => self.wait(path, Phase::Asking { since, every_ms, until }),
            (Some(signal), until, _) => self.wait(path, Phase::Listening { signal: signal.to_owned(), until }),
            (None, Some(until), None) => self.wait(path, Phase::Sleeping { until }),
            (None, None, None) => Err(Misfit(format!("`{path}` waits for nothing"))),
        }
    }
}
