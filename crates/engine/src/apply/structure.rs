//! Events of steps that hold others.

use super::*;

impl Fold<'_> {
    pub(super) fn case_taken(&mut self, path: &StepPath, case: Option<u32>) -> Result<(), Misfit> {
        let id = self.open(path)?;
        let Kind::Switch { cases, default } = &self.program.step(self.state.instances.get(id).step).kind else {
            return Err(Misfit(format!("`{path}` is no switch")));
        };
        let block = match case {
            Some(at) => Some(cases.get(at as usize).ok_or_else(|| Misfit(format!("`{path}` has no case {at}")))?.block),
            None => *default,
        };
        let frame = block.map(|block| self.open_frame(block, Role::Case, Some(id), None));
        self.set_phase(id, Phase::Choosing { frame }, StepStatus::Running);
        Ok(())
    }

    pub(super) fn forked(&mut self, path: &StepPath) -> Result<(), Misfit> {
        let id = self.open(path)?;
        let Kind::Parallel { branches, .. } = &self.program.step(self.state.instances.get(id).step).kind else {
            return Err(Misfit(format!("`{path}` is no parallel")));
        };
        let blocks: Vec<BlockIndex> = branches.iter().map(|branch| branch.block).collect();
        let mut frames = Vec::with_capacity(blocks.len());
        for (at, block) in blocks.into_iter().enumerate() {
            frames.push(self.open_frame(block, Role::Branch(at as u32), Some(id), None));
        }
        self.set_phase(id, Phase::Forking { frames, halted: false }, StepStatus::Running);
        Ok(())
    }

    pub(super) fn branch_ended(&mut self, path: &StepPath, branch: u32, status: StepStatus) -> Result<(), Misfit> {
        let id = self.known(path)?;
        let Phase::Forking { frames, .. } = &self.state.instances.get(id).phase else {
            return Err(Misfit(format!("`{path}` has no branches")));
        };
        let frame = *frames.get(branch as usize).ok_or_else(|| Misfit(format!("`{path}` has no branch {branch}")))?;
        self.state.frames.get_mut(frame).ended = Some(status);
        Ok(())
    }

    pub(super) fn loop_began(
        &mut self,
        path: &StepPath,
        items: Option<&Payload>,
        count: Option<u32>,
    ) -> Result<(), Misfit> {
        let id = self.open(path)?;
        if !self.program.step(self.state.instances.get(id).step).kind.is_loop() {
            return Err(Misfit(format!("`{path}` is no loop")));
        }
        if let Some(items) = items {
            self.note_payload(items);
        }
        let looping = Looping {
            items: items.cloned().map(Arc::new),
            count,
            begun: 0,
            running: BTreeMap::new(),
            results: Results::default(),
            failure: None,
        };
        self.set_phase(id, Phase::Looping(Box::new(looping)), StepStatus::Running);
        Ok(())
    }

    pub(super) fn iteration_began(&mut self, path: &StepPath, index: u32) -> Result<(), Misfit> {
        let id = self.going(path)?;
        let step = self.state.instances.get(id).step;
        let (Kind::Foreach { block, .. } | Kind::While { block, .. } | Kind::Repeat { block, .. }) =
            &self.program.step(step).kind
        else {
            return Err(Misfit(format!("`{path}` is no loop")));
        };
        let begun = self.looping(id)?.begun;
        if index != begun {
            return Err(Misfit(format!("round {index} of `{path}` begins, and {begun} is the next one")));
        }
        let frame = self.open_frame(*block, Role::Iteration(index), Some(id), Some((step, index, path)));
        let looping = self.looping(id)?;
        looping.begun = index + 1;
        looping.running.insert(index, frame);
        Ok(())
    }

    pub(super) fn iteration_ended(&mut self, path: &StepPath, index: u32, status: StepStatus) -> Result<(), Misfit> {
        let id = self.known(path)?;
        let looping = self.looping(id)?;
        let frame = looping.running.remove(&index).ok_or_else(|| Misfit(format!("`{path}[{index}]` does not run")))?;
        if self.state.frames.get(frame).active > 0 {
            return Err(Misfit(format!("`{path}[{index}]` ends while steps of it go on")));
        }
        let failure = self.state.frames.get(frame).failure.clone();
        let mut outputs = Map::new();
        self.close_frame(frame, &mut outputs);
        let looping = self.looping(id)?;
        if status == StepStatus::Failed {
            looping.failure = looping.failure.take().or(failure);
        }
        looping.results.set(index as usize, RoundResult { status, outputs });
        Ok(())
    }

    pub(super) fn looping(&mut self, id: InstanceId) -> Result<&mut Looping, Misfit> {
        let instance = self.state.instances.get_mut(id);
        match &mut instance.phase {
            Phase::Looping(looping) => Ok(looping),
            _ => Err(Misfit(format!("`{}` does not loop", instance.path))),
        }
    }
}
