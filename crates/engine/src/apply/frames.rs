//! Frames and instances: how they come, change their phase, and go.

use skep_model::rollback::Part;

use super::*;

/// The loops around a frame.
struct Surroundings {
    prefixes: Arc<[StepPath]>,
    loops: Arc<[(StepIndex, u32)]>,
}

impl Fold<'_> {
    pub(super) fn open_frame(
        &mut self,
        block: BlockIndex,
        role: Role,
        owner: Option<InstanceId>,
        round: Option<(StepIndex, u32, &StepPath)>,
    ) -> FrameId {
        let plan = self.program.plan();
        let Surroundings { prefixes, loops } = self.surroundings(owner, round);
        let missing = missing_dependencies(plan, block);
        let steps = &plan.blocks[block as usize].steps;
        let passed_by = |at: usize| plan.steps[steps[at] as usize].compensation_only;
        let free = missing.iter().enumerate().filter(|(at, count)| **count == 0 && !passed_by(*at));
        let ready = free.map(|(at, _)| at as u32).collect();
        let stopping = owner.is_some_and(|owner| self.state.instances.get(owner).stop.is_some());
        let prefix = Arc::clone(prefixes.last().expect("the first prefix is the empty one"));
        let frame = Frame {
            block,
            role,
            owner,
            prefixes,
            loops,
            slots: vec![None; plan.blocks[block as usize].steps.len()],
            position: 0,
            missing,
            ready,
            active: 0,
            failure: None,
            stopping,
            ended: None,
        };
        let id = self.state.frames.insert(frame);
        self.state.frame_by_place.insert((prefix, block), id);
        id
    }

    fn surroundings(&self, owner: Option<InstanceId>, round: Option<(StepIndex, u32, &StepPath)>) -> Surroundings {
        let Some(owner) = owner else {
            let prefixes = Arc::from([StepPath::clone(self.program.no_prefix())]);
            return Surroundings { prefixes, loops: Arc::from([]) };
        };
        let around = self.state.frames.get(self.state.instances.get(owner).frame);
        let Some((step, index, path)) = round else {
            return Surroundings { prefixes: Arc::clone(&around.prefixes), loops: Arc::clone(&around.loops) };
        };
        let mut prefixes = around.prefixes.to_vec();
        prefixes.push(format!("{path}[{index}].").into());
        let mut loops = around.loops.to_vec();
        loops.push((step, index));
        Surroundings { prefixes: prefixes.into(), loops: loops.into() }
    }

    /// Takes a frame and all inside it out of the state; outputs of its steps are collected by step id.
    pub(super) fn close_frame(&mut self, id: FrameId, outputs: &mut Map<Map<Payload>>) {
        let Some(frame) = self.state.frames.remove(id) else { return };
        let prefix = Arc::clone(frame.prefixes.last().expect("the first prefix is the empty one"));
        self.state.frame_by_place.remove(&(prefix, frame.block));
        for instance in frame.slots.into_iter().flatten() {
            let Some(instance) = self.state.instances.remove(instance) else { continue };
            self.state.instance_by_path.remove(&instance.path);
            self.forget(&Part::Verify.of(&instance.path));
            for inner in child_frames(&instance.phase) {
                self.close_frame(inner, outputs);
            }
            let step = self.program.step(instance.step);
            if !step.kind.is_loop() {
                outputs.insert(step.id.clone(), instance.outputs);
            }
        }
    }

    pub(super) fn known(&self, path: &StepPath) -> Result<InstanceId, Misfit> {
        self.state.find(path).ok_or_else(|| Misfit(format!("`{path}` was not reached")))
    }

    /// The instance of `path`, which was reached and has not ended.
    pub(super) fn going(&self, path: &StepPath) -> Result<InstanceId, Misfit> {
        self.not_over(self.known(path)?, path)
    }

    /// As [`Fold::reach`], of a step that has not ended.
    pub(super) fn begin(&mut self, path: &StepPath) -> Result<InstanceId, Misfit> {
        let id = self.reach(path)?;
        self.not_over(id, path)
    }

    pub(super) fn not_over(&self, id: InstanceId, path: &StepPath) -> Result<InstanceId, Misfit> {
        match self.state.instances.get(id).status.is_final() {
            true => Err(Misfit(format!("`{path}` has ended already"))),
            false => Ok(id),
        }
    }

    /// As [`Fold::begin`], of a step whose inner steps have not begun.
    pub(super) fn open(&mut self, path: &StepPath) -> Result<InstanceId, Misfit> {
        let id = self.begin(path)?;
        let phase = &self.state.instances.get(id).phase;
        match child_frames(phase).is_empty() && !matches!(phase, Phase::Looping(_) | Phase::Choosing { .. }) {
            true => Ok(id),
            false => Err(Misfit(format!("`{path}` has begun already"))),
        }
    }

    /// The instance of `path`, made now if this is the first event about it.
    pub(super) fn reach(&mut self, path: &StepPath) -> Result<InstanceId, Misfit> {
        if let Some(id) = self.state.find(path) {
            return Ok(id);
        }
        let named = self.program.split_part(path).ok_or_else(|| no_step(path))?;
        let (_, step, part) = named;
        if part != Part::Step || self.program.step(step).compensation_only {
            return self.reach_beside(path, named);
        }
        let frame = self.frame_of(path, step)?;
        let id = self.new_instance(frame, step, path, Part::Step);
        self.state.instances.get_mut(id).tainted = self.is_tainted(frame, step);
        self.occupy(frame, step, id);
        self.set_deadline(id);
        Ok(id)
    }

    /// The frame in which the step at `path`, which is `step`, stands.
    fn frame_of(&self, path: &StepPath, step: StepIndex) -> Result<FrameId, Misfit> {
        let step = self.program.step(step);
        let prefix = match path.strip_suffix(step.id.as_str()) {
            Some("") | None => StepPath::clone(self.program.no_prefix()),
            Some(prefix) => StepPath::from(prefix),
        };
        self.state.frame_by_place.get(&(prefix, step.block)).copied().ok_or_else(|| no_step(path))
    }

    pub(super) fn occupy(&mut self, frame: FrameId, step: StepIndex, id: InstanceId) {
        let block = self.state.frames.get(frame).block;
        let position = self.program.block(block).position[&step];
        let frame = self.state.frames.get_mut(frame);
        frame.slots[position as usize] = Some(id);
        frame.position = position as usize + 1;
        frame.ready.remove(&position);
        frame.active += 1;
    }

    pub(super) fn is_tainted(&self, frame: FrameId, step: StepIndex) -> bool {
        let frame = self.state.frames.get(frame);
        let position = &self.program.block(frame.block).position;
        let dependencies = &self.program.step(step).depends_on;
        dependencies.iter().any(|dependency| {
            let slot = frame.slots[position[dependency] as usize];
            slot.is_some_and(|id| self.state.instances.get(id).tainted)
        })
    }

    /// A bound of the whole step: `total_timeout`, or `timeout` of a step that holds others.
    pub(super) fn set_deadline(&mut self, id: InstanceId) {
        let step = self.program.step(self.state.instances.get(id).step);
        let structured = !step.kind.blocks().is_empty();
        let Some(bound_ms) = step.total_timeout_ms.or(step.timeout_ms.filter(|_| structured)) else { return };
        let deadline = self.at.plus_ms(bound_ms);
        self.state.instances.get_mut(id).deadline = Some(deadline);
        self.state.timers.insert((deadline, Timer::Deadline(id)));
    }

    pub(super) fn set_phase(&mut self, id: InstanceId, phase: Phase, status: StepStatus) {
        let old = std::mem::replace(&mut self.state.instances.get_mut(id).phase, Phase::Over);
        self.drop_timer(id, &old);
        match (phase_timer(&phase), &phase) {
            (Some(at), Phase::Questioned(_)) => _ = self.state.question_timers.insert((at, id)),
            (Some(at), _) => _ = self.state.timers.insert((at, Timer::Phase(id))),
            (None, _) => {}
        }
        self.note_phase(id, &old, &phase);
        let instance = self.state.instances.get_mut(id);
        instance.phase = phase;
        instance.status = status;
    }

    /// Keeps the sets of instances by what they do.
    fn note_phase(&mut self, id: InstanceId, old: &Phase, new: &Phase) {
        self.note(id, old, false);
        self.note(id, new, true);
    }

    fn note(&mut self, id: InstanceId, phase: &Phase, is_in: bool) {
        let set = match phase {
            Phase::Asking { .. } => &mut self.state.asking,
            Phase::Retrying { .. } if self.has_child(id) => return,
            Phase::Performing | Phase::Retrying { .. } => &mut self.state.working,
            Phase::Child { .. } => &mut self.state.children,
            Phase::Queued { turn } => {
                let entry = (*turn, self.state.instances.get(id).step, id);
                let queued = &mut self.state.queued;
                let _ = if is_in { queued.insert(entry) } else { queued.remove(&entry) };
                return;
            }
            Phase::Over
            | Phase::Ready
            | Phase::Deciding { .. }
            | Phase::Filling { .. }
            | Phase::Sleeping { .. }
            | Phase::Listening { .. }
            | Phase::Choosing { .. }
            | Phase::Forking { .. }
            | Phase::Looping(_)
            | Phase::Doubtful { .. }
            | Phase::Questioned(_)
            | Phase::AwaitingPermit { .. } => return,
        };
        if is_in {
            set.insert(id)
        } else {
            set.remove(id)
        };
    }

    /// A step with a child execution takes no place among the working ones, between its attempts neither.
    fn has_child(&self, id: InstanceId) -> bool {
        let step = self.state.instances.get(id).step;
        matches!(self.program.step(step).kind, Kind::Workflow { .. })
    }

    pub(super) fn drop_timer(&mut self, id: InstanceId, phase: &Phase) {
        match (phase_timer(phase), phase) {
            (Some(at), Phase::Questioned(_)) => _ = self.state.question_timers.remove(&(at, id)),
            (Some(at), _) => _ = self.state.timers.remove(&(at, Timer::Phase(id))),
            (None, _) => {}
        }
    }

    /// The step is final: its frame goes on without it.
    pub(super) fn end(&mut self, path: &StepPath, status: StepStatus) -> Result<InstanceId, Misfit> {
        let id = self.reach(path)?;
        if self.state.instances.get(id).status.is_final() {
            return Err(Misfit(format!("`{path}` has ended already")));
        }
        self.answered(id);
        self.end_question(id);
        let deadline = self.state.instances.get(id).deadline;
        if let Some(deadline) = deadline {
            self.state.timers.remove(&(deadline, Timer::Deadline(id)));
        }
        let instance = self.state.instances.get_mut(id);
        instance.granted = Vec::new();
        // A loop's results and the frames of branches and cases stay readable.
        if child_frames(&instance.phase).is_empty() && !matches!(instance.phase, Phase::Looping(_)) {
            self.set_phase(id, Phase::Over, status);
        } else {
            instance.status = status;
        }
        if !is_beside(self.program, self.state.instances.get(id)) {
            self.leave(id, status);
        }
        Ok(id)
    }

    /// What a step holds is readable again.
    fn end_question(&mut self, id: InstanceId) {
        let phase = &mut self.state.instances.get_mut(id).phase;
        match std::mem::replace(phase, Phase::Over) {
            Phase::Questioned(mut question) => {
                *phase = std::mem::replace(&mut question.inside, Phase::Over);
                self.drop_timer(id, &Phase::Questioned(question));
            }
            other => *phase = other,
        }
    }

    pub(super) fn leave(&mut self, id: InstanceId, status: StepStatus) {
        let instance = self.state.instances.get_mut(id);
        instance.tainted |= matches!(status, StepStatus::Failed | StepStatus::Cancelled);
        let (frame_id, step) = (instance.frame, instance.step);
        let block = self.state.frames.get(frame_id).block;
        let program = self.program.block(block);
        let frame = self.state.frames.get_mut(frame_id);
        frame.active -= 1;
        if self.program.order(block) == Order::Graph {
            for dependent in &program.dependents[program.position[&step] as usize] {
                let missing = &mut frame.missing[*dependent as usize];
                *missing -= 1;
                let steps = self.program.block_steps(block);
                let passed_by = self.program.step(steps[*dependent as usize]).compensation_only;
                if *missing == 0 && !passed_by && frame.slots[*dependent as usize].is_none() {
                    frame.ready.insert(*dependent);
                }
            }
        }
    }

    pub(super) fn keep_outputs(&mut self, id: InstanceId, outputs: &Map<Payload>) {
        for payload in outputs.values() {
            self.note_payload(payload);
        }
        if !outputs.is_empty() {
            self.state.instances.get_mut(id).outputs = outputs.clone();
        }
    }

    pub(super) fn note_payload(&mut self, payload: &Payload) {
        self.state.blobs.note(payload);
        // An estimate by shape is enough: the bound it feeds is a tenth of what a row may hold.
        self.state.inline_bytes = self.state.inline_bytes.saturating_add(crate::payload::rough_size(&payload.value));
    }
}

/// A path that names nothing.
pub(super) fn no_step(path: &str) -> Misfit {
    Misfit(format!("`{path}` is no step of the plan that is running"))
}
