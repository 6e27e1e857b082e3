//! Events of what executions share.

use skep_model::permit::Resource;

use super::*;

impl Fold<'_> {
    pub(super) fn permit_asked(&mut self, path: Option<&StepPath>, resource: &Resource) -> Result<(), Misfit> {
        let Some(path) = path else {
            self.state.entry = Entry::Queued { resource: resource.clone(), since: self.at };
            return Ok(());
        };
        let id = self.reach(path)?;
        let phase = Phase::AwaitingPermit { resource: Box::new(resource.clone()), since: self.at };
        self.set_phase(id, phase, StepStatus::Waiting);
        Ok(())
    }

    pub(super) fn permit_granted(&mut self, path: Option<&StepPath>) -> Result<(), Misfit> {
        let Some(path) = path else {
            let Entry::Queued { resource, .. } = &self.state.entry else {
                return Err(Misfit("the execution asked for nothing".to_owned()));
            };
            self.state.entry = Entry::Granted(resource.clone());
            return Ok(());
        };
        let id = self.known(path)?;
        let Phase::AwaitingPermit { resource, .. } = &self.state.instances.get(id).phase else {
            return Err(Misfit(format!("`{path}` asked for nothing")));
        };
        let resource = (**resource).clone();
        self.set_phase(id, Phase::Ready, StepStatus::Waiting);
        self.state.instances.get_mut(id).granted.push(resource);
        Ok(())
    }

    /// An attempt that was refused before it began counts as one.
    pub(super) fn count_refusal(&mut self, id: InstanceId) {
        let instance = self.state.instances.get_mut(id);
        if matches!(instance.phase, Phase::AwaitingPermit { .. }) {
            instance.attempt += 1;
        }
    }

    /// A breaker lets one attempt through; a place in a group is kept.
    pub(super) fn return_breaker(&mut self, id: InstanceId) {
        self.state.instances.get_mut(id).granted.retain(|resource| match resource {
            Resource::Group(_) => true,
            Resource::Breaker(_) => false,
        });
    }
}
