//! What executions share: asking for it, going on with it, giving it back.
//!
//! | | asks | keeps it | gives it back |
//! |---|---|---|---|
//! | group of a workflow | in the start's turn | until the execution ends | with `Ended` |
//! | group of a step | before it begins | over all attempts | with the step's end |
//! | breaker of a step | before every attempt, after the group | for that attempt | with its outcome and a verdict |
//!
//! The node decides who gets what; here is only what one execution does. What is asked for follows from the fold
//! ([`Phase::AwaitingPermit`], [`Entry::Queued`]), so a new owner asks again; what is given back follows from the events
//! that end things, so nothing can be forgotten.

use skep_definition::expr::Template;
use skep_model::Map;
use skep_model::effect::Effect;
use skep_model::error::{Class, Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::limits::SHARED_NAME_BYTES_MAX;
use skep_model::permit::{Resource, Verdict};
use skep_model::plan::{Breaker, Concurrency, Priority, StepIndex};
use skep_model::rollback::Question;
use skep_model::status::Execution as Status;

use crate::codes;
use crate::decide::Deciding;
use crate::program::Program;
use crate::rejection::Rejection;
use crate::state::{Entry, FrameId, Instance, Phase, State};

/// Asks for what the step at `path` still lacks before it may begin, or begin again. True if it has to wait for
/// the answer, or failed.
pub(crate) fn ask(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    index: StepIndex,
    path: &StepPath,
) -> Result<bool, Rejection> {
    let (program, step) = (turn.program.step_program(index), turn.program.step(index));
    if let (Some(template), Some(group)) = (&program.group, &step.concurrency)
        && !has(turn, path, |resource| matches!(resource, Resource::Group(_)))
    {
        let resource = |name| Resource::Group(Concurrency { group: name, ..group.clone() });
        return ask_named(turn, frame, path, template, "concurrency", resource);
    }
    if let (Some(template), Some(breaker)) = (&program.breaker, &step.circuit_breaker)
        && !has(turn, path, |resource| matches!(resource, Resource::Breaker(_)))
    {
        let resource = |name| Resource::Breaker(Breaker { name, ..breaker.clone() });
        return ask_named(turn, frame, path, template, "circuit_breaker", resource);
    }
    Ok(false)
}

fn has(turn: &Deciding<'_>, path: &StepPath, is: impl Fn(&Resource) -> bool) -> bool {
    turn.state.find(path).is_some_and(|id| turn.state.instance(id).granted.iter().any(is))
}

fn ask_named(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    path: &StepPath,
    template: &Template,
    key: &str,
    resource: impl FnOnce(String) -> Resource,
) -> Result<bool, Rejection> {
    let what = format!("`{key}` of step `{path}`");
    let name = match turn.text(frame, template, &what)? {
        Ok(name) => good_name(name, &what),
        Err(failure) => Err(Box::new(failure)),
    };
    match name {
        Ok(name) => {
            turn.emit(Event::PermitAsked { path: Some(path.clone()), resource: resource(name) })?;
            ask_at(turn, path);
        }
        Err(failure) => turn.fail(path, *failure, Map::new())?,
    }
    Ok(true)
}

fn good_name(name: String, what: &str) -> Result<String, Box<Failure>> {
    if !name.is_empty() && name.len() <= SHARED_NAME_BYTES_MAX {
        return Ok(name);
    }
    let problem = if name.is_empty() { "is empty" } else { "is too long" };
    let message = format!("the name that {what} gave {problem}");
    let failure = Failure::new(FailureKind::Invalid, codes::BAD_SHARED_NAME.id, message);
    Err(Box::new(failure.with_hint(format!("a name has 1 to {SHARED_NAME_BYTES_MAX} bytes"))))
}

/// Asks for the execution's own place, in the turn of its start.
pub(crate) fn ask_entry(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    let program = turn.program;
    let (Some(template), Some(group)) = (&program.group, &program.plan().concurrency) else { return Ok(()) };
    let Some(root) = turn.state.root else { return Ok(()) };
    let what = "`concurrency` of the workflow";
    let name = match turn.text(root, template, &what)? {
        Ok(name) => good_name(name, what),
        Err(failure) => Err(Box::new(failure)),
    };
    match name {
        Ok(name) => {
            let resource = Resource::Group(Concurrency { group: name, ..group.clone() });
            turn.emit(Event::PermitAsked { path: None, resource })?;
            turn.effects.extend(entry_effect(turn.state));
            Ok(())
        }
        Err(failure) => end(turn, Status::Failed, *failure),
    }
}

/// An execution that got no place is over before it began.
pub(crate) fn end(turn: &mut Deciding<'_>, status: Status, failure: Failure) -> Result<(), Rejection> {
    turn.emit(Event::Ended { status, outputs: Map::new(), failure: Some(failure) })
}

fn ask_at(turn: &mut Deciding<'_>, path: &StepPath) {
    let instance = turn.state.find(path).map(|id| turn.state.instance(id));
    let effect = instance.and_then(|instance| effect_of(turn.program, instance));
    turn.effects.extend(effect);
}

/// Asks again for everything that is waited for: a new owner knows nothing of it.
pub(crate) fn ask_again(turn: &mut Deciding<'_>) {
    let effects = queued(turn.state, turn.program);
    turn.effects.extend(effects);
}

/// What is asked for and not answered, in a stable order.
pub fn queued(state: &State, program: &Program) -> Vec<Effect> {
    if !program.shares || state.status.is_terminal() {
        return Vec::new();
    }
    let steps = state.instances.iter().filter_map(|instance| effect_of(program, instance));
    entry_effect(state).into_iter().chain(steps).collect()
}

impl State {
    /// True if this is asked for and not answered. `None` is the execution's own place.
    pub fn awaits_permit_at(&self, path: Option<&StepPath>, resource: &Resource) -> bool {
        let Some(path) = path else {
            return matches!(&self.entry, Entry::Queued { resource: asked, .. } if asked == resource);
        };
        let phase = self.find(path).map(|id| &self.instance(id).phase);
        matches!(phase, Some(Phase::AwaitingPermit { resource: asked, .. }) if **asked == *resource)
    }

    /// True if this was granted and not given back since. `None` is the execution's own place.
    pub fn has_permit_at(&self, path: Option<&StepPath>, resource: &Resource) -> bool {
        let Some(path) = path else { return matches!(&self.entry, Entry::Granted(granted) if granted == resource) };
        self.find(path).is_some_and(|id| self.instance(id).granted.contains(resource))
    }
}

fn entry_effect(state: &State) -> Option<Effect> {
    let Entry::Queued { resource, since } = &state.entry else { return None };
    Some(Effect::AskPermit { path: None, resource: resource.clone(), priority: Priority::default(), since: *since })
}

fn effect_of(program: &Program, instance: &Instance) -> Option<Effect> {
    let Phase::AwaitingPermit { resource, since } = &instance.phase else { return None };
    let priority = program.step(instance.step).priority;
    let path = Some(instance.path.clone());
    Some(Effect::AskPermit { path, resource: (**resource).clone(), priority, since: *since })
}

/// What an event gives back, looked up before it is applied.
pub(crate) fn released_by(state: &State, program: &Program, event: &Event) -> Vec<Effect> {
    if !program.shares {
        return Vec::new();
    }
    match event {
        Event::Completed { path, .. } => of_step(state, path, Verdict::Success, true),
        Event::Proposed { path, .. } => of_step(state, path, Verdict::Success, false),
        Event::Failed { path, failure, .. } => of_step(state, path, verdict(failure), true),
        Event::AttemptFailed { path, failure, .. } => of_step(state, path, verdict(failure), false),
        // It failed for good and a person is asked: the attempt is over, the step is not.
        Event::QuestionAsked { path, failure: Some(failure), about: Question::Escalated, .. } => {
            of_step(state, path, verdict(failure), false)
        }
        Event::Skipped { path, failure, .. } => {
            of_step(state, path, failure.as_ref().map_or(Verdict::Nothing, verdict), true)
        }
        Event::Cancelled { path } => of_step(state, path, Verdict::Nothing, true),
        Event::Ended { .. } => of_execution(state),
        _ => Vec::new(),
    }
}

/// Whether the other side answered: what it refused for good it did answer.
fn verdict(failure: &Failure) -> Verdict {
    match failure.class {
        Class::Transient | Class::System => Verdict::Failure,
        Class::Permanent | Class::Business => Verdict::Success,
    }
}

fn of_step(state: &State, path: &StepPath, verdict: Verdict, ends: bool) -> Vec<Effect> {
    state.find(path).map_or_else(Vec::new, |id| of_instance(state.instance(id), verdict, ends))
}

fn of_instance(instance: &Instance, verdict: Verdict, ends: bool) -> Vec<Effect> {
    let release = |resource: &Resource, verdict| Effect::ReleasePermit {
        path: Some(instance.path.clone()),
        resource: resource.clone(),
        verdict,
    };
    let given = instance.granted.iter().filter(|resource| match resource {
        Resource::Group(_) => ends,
        Resource::Breaker(_) => true,
    });
    let mut effects: Vec<Effect> = given.map(|resource| release(resource, verdict)).collect();
    if let Phase::AwaitingPermit { resource, .. } = &instance.phase {
        effects.push(release(resource, Verdict::Nothing));
    }
    effects
}

fn of_execution(state: &State) -> Vec<Effect> {
    let mut effects: Vec<Effect> =
        state.instances.iter().flat_map(|instance| of_instance(instance, Verdict::Nothing, true)).collect();
    match &state.entry {
        Entry::Open => {}
        Entry::Queued { resource, .. } | Entry::Granted(resource) => {
            effects.push(Effect::ReleasePermit { path: None, resource: resource.clone(), verdict: Verdict::Nothing })
        }
    }
    effects
}
