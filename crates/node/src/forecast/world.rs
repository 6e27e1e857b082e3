//! The world of a forecast: who succeeds, who fails, what is given and how long it takes.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::effect::{Child, Task, Work};
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::outcome::Ended;
use skep_model::plan::{Approval, Kind, RetryOn, Step, Wait};
use skep_model::rollback::Part;
use skep_model::status::Execution as Status;
use skep_runner::foresee;

use super::chance::Chance;
use super::history::median;
use super::prepare::{Known, Prepared, Tried};
use crate::simulate::{AskedFor, ChildGave, Outside, Performed, Question, Said, Sent, Word};

/// What work takes that nobody has seen: a second is neither a blink nor a coffee.
const WORK_USUAL: Duration = Duration::from_secs(1);
/// The range in which it is drawn then.
const WORK_SECONDS: (f64, f64) = (0.1, 10.0);
/// What a person takes whom nobody has seen.
const PERSON_USUAL: Duration = Duration::from_secs(60);
/// The range in which it is drawn then.
const PERSON_SECONDS: (f64, f64) = (10.0, 3_600.0);
/// Code of failures that are only made up.
const SIMULATED: &str = "simulated";

/// What goes wrong in a simulated execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// Every attempt of the step fails.
    Fails(String),
    /// Its first attempt fails.
    FailsOnce(String),
    /// The step takes so long.
    Slow(String, Duration),
    /// A person says no.
    Rejected(String),
    /// Nobody answers, or the signal does not come.
    Unanswered(String),
}

impl Fault {
    /// The step that it is about.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Fails(step)
            | Self::FailsOnce(step)
            | Self::Slow(step, _)
            | Self::Rejected(step)
            | Self::Unanswered(step) => Some(step),
        }
    }
}

/// Where outcomes come from.
pub(super) enum Source {
    /// Fixed ones: the candidates of a variation, usual durations, and one fault.
    Case { tried: Tried, fault: Fault },
    /// Drawn ones: outcomes, results and durations of earlier executions.
    Drawn(Chance),
}

/// Gives the outcomes.
pub(super) struct World<'a> {
    pub prepared: &'a Prepared,
    pub source: Source,
    /// How often each step was performed.
    calls: HashMap<String, usize>,
}

impl<'a> World<'a> {
    pub fn new(prepared: &'a Prepared, source: Source) -> Self {
        Self { prepared, source, calls: HashMap::new() }
    }

    /// Counts a performance of a step from 0.
    fn call(&mut self, id: &str) -> usize {
        let calls = self.calls.entry(id.to_owned()).or_default();
        *calls += 1;
        *calls - 1
    }

    fn fault(&self, id: &str) -> Option<&Fault> {
        match &self.source {
            Source::Case { fault, .. } => Some(fault).filter(|fault| fault.step() == Some(id)),
            Source::Drawn(_) => None,
        }
    }

    /// The raw results of a step that succeeds.
    fn results(&mut self, step: &Step, known: &Known, call: usize) -> Map<Value> {
        let outputs = &known.past.outputs;
        match &mut self.source {
            Source::Case { tried, .. } => match outputs.len() {
                0 => known.guessed(&step.id, tried, call),
                count => known.giving(&step.id, &outputs[(count - 1 + tried.variation + call) % count]),
            },
            Source::Drawn(chance) => match chance.pick(outputs) {
                Some(outputs) => known.giving(&step.id, outputs),
                None => known.guessed(&step.id, &Tried::default(), call),
            },
        }
    }

    /// What an attempt takes, at most `bound`.
    fn takes(&mut self, seen: &[Duration], bound_ms: Option<u64>) -> Duration {
        let takes = match &mut self.source {
            Source::Case { .. } => median(seen.iter().copied()).unwrap_or(WORK_USUAL),
            Source::Drawn(chance) => chance
                .pick(seen)
                .copied()
                .unwrap_or_else(|| Duration::from_secs_f64(chance.between_logs(WORK_SECONDS.0, WORK_SECONDS.1))),
        };
        within(takes, bound_ms)
    }

    /// What an answer takes, at most `bound`; and whether it is a yes.
    fn answers(&mut self, past: &[(Duration, bool)], bound_ms: Option<u64>) -> (Duration, bool) {
        let (takes, yes) = match &mut self.source {
            Source::Case { .. } => (median(past.iter().map(|(took, _)| *took)).unwrap_or(PERSON_USUAL), true),
            Source::Drawn(chance) => chance.pick(past).copied().unwrap_or_else(|| {
                (Duration::from_secs_f64(chance.between_logs(PERSON_SECONDS.0, PERSON_SECONDS.1)), true)
            }),
        };
        (within(takes, bound_ms), yes)
    }

    fn drawn(&mut self, task: &Task, known: &Known) -> Option<Performed> {
        let Source::Drawn(chance) = &mut self.source else { return None };
        let share = known.past.success_share()?;
        if chance.share() < share {
            return None;
        }
        let (takes, failure) = chance.pick(&known.past.failures)?.clone();
        let bound = task.timeout_ms.map(Duration::from_millis);
        // One that was stopped after its time is stopped there again.
        let takes =
            if failure.kind == FailureKind::Timeout { bound.map_or(takes, |bound| bound + TICK) } else { takes };
        Some(Performed { result: Ended::Failed { failure, outputs: Map::new() }, takes })
    }
}

/// The least span that is over a bound.
const TICK: Duration = Duration::from_millis(1);

/// Never as long as the bound: what takes that long is another case.
fn within(takes: Duration, bound_ms: Option<u64>) -> Duration {
    bound_ms.map_or(takes, |bound| takes.min(Duration::from_millis(bound) * 9 / 10))
}

impl Outside for World<'_> {
    fn work(&mut self, task: &Task) -> Option<Performed> {
        let prepared = self.prepared;
        let (step, known) = prepared.of_path(&task.path)?;
        let (_, part) = Part::split(&task.path);
        if part != Part::Step {
            let past = prepared.steps_past(super::id_of(&task.path));
            let takes = self.takes(past, task.timeout_ms);
            return Some(Performed { result: foresee::succeeded(&task.work), takes });
        }
        if foresee::at_once(task).is_some() && self.fault(&step.id).is_none() {
            return None;
        }
        if let Some(drawn) = self.drawn(task, known) {
            return Some(drawn);
        }
        let call = self.call(&step.id);
        let takes = self.takes(&known.past.successes, task.timeout_ms);
        let takes = match self.fault(&step.id) {
            Some(Fault::Fails(_)) => return Some(Performed { result: failed(task, step), takes }),
            Some(Fault::FailsOnce(_)) if task.attempt == 1 => {
                return Some(Performed { result: failed(task, step), takes });
            }
            Some(Fault::Slow(_, long)) => *long,
            _ => takes,
        };
        let result = match foresee::at_once(task) {
            Some(computed) => computed,
            None => Ended::Succeeded(self.results(step, known, call)),
        };
        Some(Performed { result, takes })
    }

    fn person(&mut self, question: &Question<'_>) -> Option<Said> {
        let prepared = self.prepared;
        let id = super::id_of(question.path);
        let found = prepared.of_path(question.path);
        let by = Actor::person("somebody");
        let said = |word, after| Some(Said { by, word, after, comment: None });
        match question.about {
            AskedFor::Decision => {
                let (step, known) = found?;
                let bound = approval_of(step).and_then(|approval| approval.timeout_ms);
                let (after, yes) = self.answers(&known.past.answers, bound);
                match self.fault(id) {
                    Some(Fault::Rejected(_)) => said(Word::No, after),
                    Some(Fault::Unanswered(_)) => None,
                    _ => said(if yes { Word::Yes } else { Word::No }, after),
                }
            }
            AskedFor::Form(_) => {
                let (step, known) = found?;
                let bound = if let Kind::Input(form) = &step.kind { form.timeout_ms } else { None };
                let (after, _) = self.answers(&known.past.answers, bound);
                if self.fault(id).is_some() {
                    return None;
                }
                let call = self.call(id);
                let values = self.results(step, known, call);
                let values = values.into_iter().filter(|(_, value)| !value.is_null()).collect();
                said(Word::Values(values), after)
            }
            AskedFor::Undo => said(Word::Yes, PERSON_USUAL),
            AskedFor::Answer(_) | AskedFor::GoOn => said(Word::No, PERSON_USUAL),
        }
    }

    fn child(&mut self, child: &Child) -> ChildGave {
        let prepared = self.prepared;
        let Some((step, known)) = prepared.of_path(&child.path) else { return ChildGave::completed(Map::new()) };
        let call = self.call(&step.id);
        let takes = self.takes(&known.past.successes, step.timeout_ms);
        let fails = match &mut self.source {
            Source::Drawn(chance) => chance.share() >= known.past.success_share().unwrap_or(1.0),
            Source::Case { fault: Fault::Fails(id), .. } => *id == step.id,
            Source::Case { fault: Fault::FailsOnce(id), .. } => *id == step.id && call == 0,
            Source::Case { .. } => false,
        };
        if fails {
            let failure = Failure::new(FailureKind::Exit, SIMULATED, "the child execution failed in this simulation");
            let (status, outputs, failure) = (Status::Failed, Map::new(), Some(failure));
            return ChildGave { status, outputs, failure, can_be_undone: false, takes };
        }
        let takes = if let Some(Fault::Slow(_, long)) = self.fault(&step.id) { *long } else { takes };
        let outputs = self.results(step, known, call);
        ChildGave { takes, can_be_undone: true, ..ChildGave::completed(outputs) }
    }

    fn awaited(&mut self, path: &str, signal: &str) -> Option<Sent> {
        let prepared = self.prepared;
        let (step, known) = prepared.of_path(path)?;
        let bound = if let Kind::Wait(Wait::Signal { timeout_ms, .. }) = &step.kind { *timeout_ms } else { None };
        let (after, _) = self.answers(&known.past.answers, bound);
        if self.fault(&step.id).is_some() {
            return None;
        }
        let call = self.call(&step.id);
        let payload = self.results(step, known, call).shift_remove("payload").unwrap_or(json!({}));
        let by = Actor::person("somebody");
        Some(Sent { name: signal.to_owned(), payload, by, after })
    }
}

impl Prepared {
    /// What the work at `id`, a step or a compensation, took when it succeeded.
    fn steps_past(&self, id: &str) -> &[Duration] {
        self.sides.get(id).map_or(&[], |past| &past.successes)
    }
}

/// The decision that is asked about a step.
pub(super) fn approval_of(step: &Step) -> Option<&Approval> {
    match (&step.kind, &step.approve) {
        (Kind::Approval(approval), _) => Some(approval),
        (_, Some(gate)) => Some(&gate.approval),
        (_, None) => None,
    }
}

/// A failure that the step's `retry` repeats, if it repeats any.
fn failed(task: &Task, step: &Step) -> Ended {
    let on = step.retry.as_ref().and_then(|retry| retry.on.first());
    let made_up = |kind| Failure::new(kind, SIMULATED, format!("`{}` failed in this simulation", task.path));
    let failure = match (on, &task.work) {
        (Some(RetryOn::ExitCode(code)), Work::Script(script)) => {
            let code = u8::try_from(*code).ok().filter(|code| *code > 0).unwrap_or(1);
            return foresee::exited(script, code, "", "");
        }
        (Some(RetryOn::Kind(kind)), _) => made_up(*kind),
        (Some(RetryOn::Class(class)), _) => {
            let kind = FailureKind::ALL.into_iter().find(|kind| kind.class() == *class);
            made_up(kind.unwrap_or(FailureKind::Exit))
        }
        (Some(RetryOn::HttpStatus(status)), _) => {
            let mut failure = made_up(FailureKind::Unavailable);
            failure.http_status = Some(*status);
            failure
        }
        (None, Work::Script(script)) => return foresee::exited(script, 1, "", ""),
        (Some(RetryOn::ExitCode(_)) | None, Work::Action { .. } | Work::UndoChild { .. }) => {
            made_up(FailureKind::Unavailable)
        }
    };
    Ended::Failed { failure, outputs: Map::new() }
}
