//! The simulated executions: everything succeeds, in variations; then each step fails, recovers, takes too long, and each
//! person says no or nothing.

mod search;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use skep_model::Map;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::{Kind, OnReject, OnTimeout, Step, StepIndex, Wait};
use skep_model::status::{Execution as Status, SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use super::inputs::Inputs;
use super::prepare::{Prepared, Tried, inside};
use super::world::{Fault, Source, World, approval_of};
use super::{Case, DeadEnd, FailurePoint, Found, Path, SelfFailure};
use crate::service::cannot_be_undone;
use crate::simulate::{Bound, Bounds, End, Run, simulate, start_of};

/// Messages to the engine in one simulated execution.
const MESSAGES_MAX: usize = 20_000;
/// And for each step of a very large workflow.
const MESSAGES_PER_STEP_MAX: usize = 10;
/// What all simulated executions may cost: their turns, and half a turn for each step that is looked at afterwards. A
/// second or two; a workflow of a hundred steps takes a tenth of it.
const COST_MAX: usize = 300_000;
/// Variations in which everything succeeds.
const VARIATIONS_MAX: usize = 32;
/// Variations by chance, after every candidate was tried.
const VARIATIONS_BY_CHANCE: usize = 8;
/// Paths that are told.
const PATHS_MAX: usize = 50;
/// Steps in all of them.
const PATH_STEPS_MAX: usize = 10_000;
/// The least that is too long for a bound.
const TICK: Duration = Duration::from_millis(1);

/// With what an execution begins.
#[derive(Clone, Debug)]
struct Start {
    /// Which inputs.
    set: usize,
    tried: Tried,
}

/// For each step that began, with what it did so first.
type Starts = BTreeMap<String, Start>;

/// Messages after which one simulated execution is left.
pub(super) fn messages_max(prepared: &Prepared) -> usize {
    MESSAGES_MAX.max(prepared.steps.len() * MESSAGES_PER_STEP_MAX)
}

/// Simulates all cases.
pub(super) struct Cases<'a> {
    prepared: &'a Prepared,
    environment: &'a Map<String>,
    at: Timestamp,
    cost: usize,
    seen: HashSet<(Status, Vec<String>, Vec<String>)>,
    pub found: Found,
}

impl<'a> Cases<'a> {
    pub fn new(prepared: &'a Prepared, environment: &'a Map<String>, at: Timestamp) -> Self {
        Self { prepared, environment, at, cost: 0, seen: HashSet::new(), found: Found::default() }
    }

    /// All of them.
    pub fn run(mut self, sets: &[Inputs]) -> Found {
        let mut starts = self.variations(sets);
        search::unreached(&mut self, sets, &mut starts);
        let faults: Vec<Fault> = self.prepared.plan().steps.iter().flat_map(|step| self.faults_of(step)).collect();
        for fault in faults {
            // The first variation in which the step begins; one that never began cannot fail.
            let id = fault.step().unwrap_or_default().to_owned();
            let Some(Start { set, tried }) = starts.get(&id).cloned() else { continue };
            if self.cost >= COST_MAX {
                self.found.left_out += 1;
                continue;
            }
            self.fault(&sets[set], tried, fault);
        }
        self.unreached();
        self.found
    }

    fn simulate(&mut self, inputs: &Inputs, tried: Tried, fault: Fault) -> Run {
        let program = &self.prepared.program;
        let start = start_of(program, inputs.values.clone(), self.environment.clone());
        let mut world = World::new(self.prepared, Source::Case { tried, fault });
        let bounds = Bounds { messages: messages_max(self.prepared), ..Bounds::default() };
        let run = simulate(program, start, self.at, &mut world, bounds);
        self.cost += run.turns.len() + self.prepared.steps.len() / 2;
        self.found.executions += 1;
        run
    }

    /// Everything succeeds. Gives for each step that began the first inputs and results with which it did; those of an
    /// execution that completed count before others.
    fn variations(&mut self, sets: &[Inputs]) -> Starts {
        let (mut starts, mut broken) = (Starts::new(), Starts::new());
        let by_chance = if self.prepared.variations > 1 { VARIATIONS_BY_CHANCE } else { 0 };
        let each = self.prepared.variations + by_chance;
        let all = (0..each).flat_map(|variation| (0..sets.len()).map(move |set| (set, variation)));
        for (set, variation) in all.take(VARIATIONS_MAX.max(sets.len())) {
            let start = Start { set, tried: Tried { variation, pins: Vec::new() } };
            let Some((whole, begun)) = self.all_succeed(sets, &start) else { continue };
            let into = if whole { &mut starts } else { &mut broken };
            for id in begun {
                into.entry(id).or_insert_with(|| start.clone());
            }
        }
        for (id, start) in broken {
            starts.entry(id).or_insert(start);
        }
        starts
    }

    /// Everything succeeds, once. Gives whether it ended well, and the steps that began; `None` if there were too many
    /// executions before.
    fn all_succeed(&mut self, sets: &[Inputs], start: &Start) -> Option<(bool, Vec<String>)> {
        if self.cost >= COST_MAX {
            self.found.left_out += 1;
            return None;
        }
        let inputs = &sets[start.set];
        let run = self.simulate(inputs, start.tried.clone(), Fault::None);
        let case = Case { what: "everything succeeds".to_owned(), inputs: inputs.values.clone() };
        let whole = self.judge(&run, inputs, &case);
        self.note_path(&run, &case);
        self.found.completes |= whole && run.status == Status::Completed;
        let begun = run.path.iter().chain(&run.rollback).map(|path| super::id_of(path).to_owned()).collect();
        Some((whole, begun))
    }

    /// What is wrong with an execution in which nothing goes wrong. False if it ended as a made-up result wants it.
    fn judge(&mut self, run: &Run, inputs: &Inputs, case: &Case) -> bool {
        match &run.end {
            End::Over => {}
            End::DeadEnd(_) | End::Unfinished(_) | End::Broken(_) => {
                self.stands_still(run, case);
                return false;
            }
        }
        let mut whole = true;
        for (path, message) in failures(run) {
            whole = false;
            let id = super::id_of(&path).to_owned();
            let rests =
                self.prepared.of_path(&path).is_none_or(|(_, known)| known.rests_on_guesses || known.is_guessed);
            if rests {
                self.found.not_foreseen.entry(id).or_insert(message);
            } else {
                let varied = inputs.varied.clone();
                let failure = SelfFailure { message, inputs: inputs.values.clone(), varied };
                // The one with the fewest made-up inputs says most.
                let known = self.found.self_failures.entry(id).or_insert_with(|| failure.clone());
                if failure.varied.len() < known.varied.len() {
                    *known = failure;
                }
            }
        }
        whole
    }

    /// An execution that does not end by itself.
    fn stands_still(&mut self, run: &Run, case: &Case) {
        match &run.end {
            End::Over => {}
            End::DeadEnd(what) => {
                let view = run.view(self.prepared.plan());
                let waiting: Vec<StepPath> = view.waiting().map(|step| step.path.clone()).collect();
                let rests =
                    |path: &StepPath| self.prepared.of_path(path).is_none_or(|(_, known)| known.rests_on_guesses);
                let certain = !waiting.iter().any(rests);
                let step = waiting.first().map(|path| super::id_of(path).to_owned());
                let dead_end = DeadEnd { case: case.what.clone(), waits_for: what.clone(), step, certain };
                let is_known = |known: &DeadEnd| known.step == dead_end.step && known.waits_for == dead_end.waits_for;
                if !self.found.dead_ends.iter().any(is_known) {
                    self.found.dead_ends.push(dead_end);
                }
            }
            End::Unfinished(bound @ (Bound::Messages | Bound::Time | Bound::Patience)) => {
                let last = run.path.last().map(|path| super::id_of(path).to_owned());
                if *bound == Bound::Messages && !self.is_in_open_loop(last.as_deref()) {
                    let reason = "it has more rounds than are simulated".to_owned();
                    self.found.not_foreseen.insert(last.unwrap_or_default(), reason);
                    return;
                }
                let known = last.as_ref().and_then(|id| self.prepared.of_path(id));
                let endless =
                    (bound.as_str().to_owned(), last.clone(), known.is_some_and(|(_, it)| !it.rests_on_guesses));
                if !self.found.endless.contains(&endless) {
                    self.found.endless.push(endless);
                }
            }
            End::Broken(message) => drop(self.found.not_foreseen.insert(String::new(), message.clone())),
        }
    }

    /// True if only a condition says when the loops around a step end. Others have a number of rounds.
    fn is_in_open_loop(&self, id: Option<&str>) -> bool {
        let plan = self.prepared.plan();
        let loops = id.and_then(|id| plan.step_by_id(id)).map(|step| plan.loops_around(step)).unwrap_or_default();
        loops.iter().any(|index| {
            matches!(plan.steps[*index as usize].kind, Kind::While { .. } | Kind::Repeat { until: Some(_), .. })
        })
    }

    fn note_path(&mut self, run: &Run, case: &Case) {
        let ids = |paths: &[StepPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (steps, rolled_back) = (ids(&run.path), ids(&run.rollback));
        let plan = self.prepared.plan();
        for event in run.turns.iter().flat_map(|turn| &turn.events) {
            // A switch that takes no case completes without having begun.
            if let Event::Completed { path, .. } = event {
                self.found.reached.insert(super::id_of(path).to_owned());
            }
        }
        self.found.reached.extend(steps.iter().chain(&rolled_back).map(|path| super::id_of(path).to_owned()));
        let told: usize = self.found.paths.iter().map(|path| path.steps.len()).sum();
        if self.found.paths.len() < PATHS_MAX
            && told < PATH_STEPS_MAX
            && self.seen.insert((run.status, steps.clone(), rolled_back.clone()))
        {
            let skipped = run.view(plan).steps().iter().filter(|step| step.status == StepStatus::Skipped).count();
            let (case, status, took) = (case.clone(), run.status, run.took);
            self.found.paths.push(Path { case, status, steps, skipped, rolled_back, took });
        }
    }

    // ---- faults --------------------------------------------------------------------------------------------

    /// What can go wrong with a step.
    fn faults_of(&self, step: &Step) -> Vec<Fault> {
        let id = || step.id.clone();
        let mut faults = Vec::new();
        let long = |ms: u64| Duration::from_millis(ms) + TICK;
        match &step.kind {
            Kind::Run { .. } | Kind::Uses { .. } | Kind::Workflow { .. } => {
                faults.push(Fault::Fails(id()));
                if step.retry.as_ref().is_some_and(|retry| retry.max_attempts > 1) {
                    faults.push(Fault::FailsOnce(id()));
                }
                let bound = [step.timeout_ms, step.total_timeout_ms].into_iter().flatten().max();
                faults.extend(bound.map(|ms| Fault::Slow(id(), long(ms))));
            }
            Kind::Input(form) if form.timeout_ms.is_some() => faults.push(Fault::Unanswered(id())),
            Kind::Wait(Wait::Signal { timeout_ms: Some(_), .. }) => faults.push(Fault::Unanswered(id())),
            Kind::Switch { .. }
            | Kind::Parallel { .. }
            | Kind::Foreach { .. }
            | Kind::While { .. }
            | Kind::Repeat { .. } => {
                let work = |index: &StepIndex| self.prepared.plan().steps[*index as usize].kind.is_work();
                let first = inside(self.prepared.plan(), step).into_iter().find(work);
                let first = first.map(|index| self.prepared.plan().steps[index as usize].id.clone());
                faults.extend(first.zip(step.timeout_ms).map(|(first, ms)| Fault::Slow(first, long(ms))));
            }
            Kind::Input(_) | Kind::Approval(_) | Kind::Wait(_) | Kind::Agent { .. } | Kind::Ai { .. } => {}
        }
        if let Some(approval) = approval_of(step) {
            faults.push(Fault::Rejected(id()));
            if approval.timeout_ms.is_some() {
                faults.push(Fault::Unanswered(id()));
            }
        }
        let plan = self.prepared.plan();
        let is_first = plan.steps.iter().find(|step| step.kind.is_work()).is_some_and(|first| first.id == step.id);
        faults.extend(plan.timeout_ms.filter(|_| is_first).map(|ms| Fault::Slow(id(), long(ms))));
        faults
    }

    fn fault(&mut self, inputs: &Inputs, tried: Tried, fault: Fault) {
        let run = self.simulate(inputs, tried, fault.clone());
        let id = fault.step().unwrap_or_default().to_owned();
        let what = self.words(&fault);
        let case = Case { what: format!("`{id}` {what}"), inputs: inputs.values.clone() };
        self.note_path(&run, &case);
        if run.end != End::Over {
            self.stands_still(&run, &case);
        }
        let view = run.view(self.prepared.plan());
        let ended =
            view.steps().iter().filter(|step| super::id_of(&step.path) == id).map(|step| step.status).next_back();
        let recovered = matches!(fault, Fault::FailsOnce(_)) && ended == Some(StepStatus::Completed);
        let automatic: Vec<String> = run.rollback.iter().map(ToString::to_string).collect();
        let left = run.undoable(&self.prepared.program);
        let left: Vec<String> = left.iter().map(|undoable| undoable.path.to_string()).collect();
        // What runs only to undo something is not to be undone.
        let undoes = |step: &str| self.prepared.of_path(step).is_some_and(|(step, _)| step.compensation_only);
        let mut cannot = cannot_be_undone(self.prepared.plan(), &view, None);
        cannot.retain(|one| !one["step"].as_str().is_some_and(undoes));
        let others = failures(&run).into_iter().filter(|(path, _)| super::id_of(path) != id);
        self.found.failure_points.push(FailurePoint {
            step: id.clone(),
            case: what,
            status: run.status,
            handled: run.status == Status::Completed,
            recovered,
            completed: view.steps().iter().filter(|step| step.status == StepStatus::Completed).count(),
            rollback: automatic,
            could_be_undone: left,
            cannot_be_undone: cannot,
            also_fail: others.collect(),
        });
    }

    fn words(&self, fault: &Fault) -> String {
        let step = fault.step().and_then(|id| self.prepared.of_path(id)).map(|(step, _)| step);
        let approval = step.and_then(approval_of);
        match fault {
            Fault::None => "succeeds".to_owned(),
            Fault::Fails(_) => "fails".to_owned(),
            Fault::FailsOnce(_) => "fails once".to_owned(),
            Fault::Slow(_, long) => {
                let ms = u64::try_from(long.saturating_sub(TICK).as_millis()).unwrap_or(u64::MAX);
                format!("takes longer than {}", skep_model::span::print_duration_ms(ms))
            }
            Fault::Rejected(_) => match approval.map(|approval| approval.on_reject) {
                Some(OnReject::Continue) => "is rejected and goes on".to_owned(),
                Some(OnReject::Fail) | None => "is rejected".to_owned(),
            },
            Fault::Unanswered(_) => match approval.map(|approval| approval.on_timeout) {
                Some(OnTimeout::Approve) => "is not answered and counts as approved".to_owned(),
                Some(OnTimeout::Reject | OnTimeout::Fail) | None => "is not answered".to_owned(),
            },
        }
    }

    /// Steps that began in no execution.
    fn unreached(&mut self) {
        let prepared = self.prepared;
        let found = &self.found;
        let fails = !found.not_foreseen.is_empty() || !found.self_failures.is_empty();
        let stands = !found.dead_ends.is_empty() || !found.endless.is_empty();
        if ((fails || stands) && !found.completes) || self.found.left_out > 0 || self.found.executions == 0 {
            return;
        }
        let steps = prepared.plan().steps.iter().zip(&prepared.steps);
        let is_met = |id: &String| self.found.reached.contains(id) || self.found.self_failures.contains_key(id);
        let missing = steps.filter(|(step, _)| !is_met(&step.id));
        let missing: Vec<(String, bool)> =
            missing.map(|(step, known)| (step.id.clone(), !known.rests_on_guesses)).collect();
        self.found.unreached = missing;
        // What stands in a list that is not reached goes without saying.
        let names: BTreeSet<String> = self.found.unreached.iter().map(|(id, _)| id.clone()).collect();
        let implied: BTreeSet<String> = prepared
            .plan()
            .steps
            .iter()
            .filter(|step| names.contains(&step.id))
            .flat_map(|step| inside(prepared.plan(), step))
            .map(|index| prepared.plan().steps[index as usize].id.clone())
            .collect();
        self.found.unreached.retain(|(id, _)| !implied.contains(id));
    }
}

/// Steps that failed for good without anybody's doing, and why.
fn failures(run: &Run) -> Vec<(String, String)> {
    let events = run.turns.iter().flat_map(|turn| &turn.events);
    let failed = events.filter_map(|event| match event {
        Event::Failed { path, failure, .. } => Some((path, failure)),
        Event::Skipped { path, reason: SkipReason::OnError, failure: Some(failure) } => Some((path, failure)),
        _ => None,
    });
    // A list that fails because of a step in it says nothing of its own.
    let own = failed.filter(|(path, failure)| failure.step.as_deref().is_none_or(|step| step == &***path));
    own.map(|(path, failure)| (path.to_string(), failure.message.clone())).collect()
}
