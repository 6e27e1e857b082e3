//! One execution that is undone while its owner dies at one moment of it, or again and again; then the world is looked
//! at.

use std::collections::BTreeSet;

use skep_model::catalogue::Catalogue;
use skep_model::event::Event;
use skep_model::ids::{ExecutionId, LocalId, StepPath};
use skep_model::message::Message;
use skep_model::rollback::Strategy;
use skep_model::status::Execution as Status;
use skep_store::Write;

use super::outside::Fates;
use super::people::Wish;
use super::ports::{Machine, lock};
use super::{Ended, Scenario, World, ended};
use crate::check::{Account, Invariant, Promise, Verdict, demand};
use crate::disk::{Armed, Fault};
use crate::report::{CrashPoint, Deed};

/// Rounds of answering and waiting; many more than any rollback needs.
const ROUNDS_MAX: u32 = 3_000;

/// How an execution comes to be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A step of it fails for good.
    Failure,
    /// Somebody wants it undone after its end.
    Completed,
    /// Somebody wants it undone after so many turns.
    Running(u64),
}

/// What is undone, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undoing {
    /// How it comes to that.
    pub way: Way,
    /// What somebody asks for.
    pub strategy: Strategy,
    /// How deliveries end.
    pub fates: Fates,
}

/// Where in the work on a commit the owner dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before it begins: nothing of it is on the disk.
    Before,
    /// After so many operations of the disk.
    Within(u32),
    /// When it is durable, and nobody knows.
    After,
}

/// When an owner dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// At this commit of the world, from 1.
    pub at: u32,
    /// Where in it.
    pub moment: Moment,
    /// The power fails, too: what was not synced may be gone.
    pub power: bool,
    /// So many more owners die, each after so many commits.
    pub again: (u32, u32),
}

/// What became of it.
pub struct Killed {
    /// What it covered, and what did not hold.
    pub ended: Ended,
    /// The first and the last commit of the rollback; `None` if there was nothing to undo.
    pub commits: Option<(u32, u32)>,
    /// How it ended.
    pub status: Option<Status>,
}

/// Lets one execution of the scenario be undone, with one owner or several.
pub fn run_kill(scenario: &Scenario, undoing: &Undoing, kill: Option<Kill>, catalogue: &Catalogue) -> Killed {
    let machine = std::sync::Arc::new(std::sync::Mutex::new(Machine::new(scenario.seed)));
    lock(&machine).outside.fates = Some(undoing.fates);
    let shared = std::sync::Arc::clone(&machine);
    let (mut commits, mut status) = (None, None);
    let ended = ended(&machine, || {
        let mut world = World::new(scenario, catalogue, shared)?;
        world.kill = kill;
        let root = world.undo(undoing)?;
        commits = world.undone_from.map(|first| (first, world.commits));
        status = root.map(|root| world.books.accounts[&root].state.status);
        world.end()
    });
    Killed { ended, commits, status }
}

impl World<'_> {
    /// The execution with its rollback; `None` if nothing of it can be undone.
    fn undo(&mut self, undoing: &Undoing) -> Result<Option<LocalId>, crate::check::Violation> {
        self.open()?;
        lock(&self.machine).outside.is_calm = true;
        self.start_next();
        let id = self.root_id();
        self.forwards(&id, undoing.way)?;
        let Some(root) = self.books.by_id(&id) else {
            let what = || format!("{id} did not start");
            return demand(false, Invariant::EverythingEnds, what).map(|()| None);
        };
        let asks = undoing.way != Way::Failure;
        if self.undone_from.is_none() && (!asks || self.books.accounts[&root].journal.stack.is_empty()) {
            return Ok(None);
        }
        self.backwards(root, asks.then_some(undoing.strategy))?;
        self.disk.arm(None);
        let account = &self.books.accounts[&root];
        let began = |event: &Event| matches!(event, Event::RollbackBegan { .. });
        if account.journal.stack.is_empty() && !account.turns.iter().flat_map(|turn| &turn.events).any(began) {
            // A step failed that is to be undone with all before it, and nothing was done before it.
            return Ok(None);
        }
        self.check_undone(root, undoing)?;
        Ok(Some(root))
    }

    fn root_id(&self) -> ExecutionId {
        ExecutionId::new(format!("sim-{}-{}", self.scenario.seed, self.scenario.starts[0].0))
    }

    /// Until the rollback begins by itself, or may be asked for.
    fn forwards(&mut self, id: &ExecutionId, way: Way) -> Verdict {
        for _ in 0..ROUNDS_MAX {
            let (mail, submitted) = {
                let machine = lock(&self.machine);
                (machine.mail.len(), machine.submitted.len())
            };
            if mail > 0 || submitted > 0 {
                self.turn(mail)?;
                let submitted = lock(&self.machine).submitted.len();
                self.commit(submitted)?;
            }
            let root = self.books.by_id(id).map(|local| &self.books.accounts[&local]);
            let there = root.is_some_and(|root| match way {
                Way::Failure | Way::Completed => root.state.status.is_terminal(),
                Way::Running(turns) => root.state.status.is_terminal() || root.state.seq >= turns,
            });
            if there || self.undone_from.is_some() {
                return Ok(());
            }
            if mail == 0 && submitted == 0 && !self.answer_wishes() && !self.pass_to_next() {
                return Ok(());
            }
        }
        demand(false, Invariant::EverythingEnds, || format!("{id} does not come to its rollback"))
    }

    /// Until the rollback is over. Whoever asked for it asks again if that was lost.
    fn backwards(&mut self, root: LocalId, asked: Option<Strategy>) -> Verdict {
        let mut refused = None;
        for _ in 0..ROUNDS_MAX {
            self.settle()?;
            let account = &self.books.accounts[&root];
            let begun = account.turns.iter().flat_map(|turn| &turn.events).any(begins);
            let status = account.state.status;
            let at_point = self.held_by(root) == Some(skep_engine::codes::AT_POINT.id);
            if begun && (status.is_terminal() || at_point) {
                return Ok(());
            }
            // A refusal stands until something happens; a request may have been lost with its owner.
            let now = Some((account.state.seq, lock(&self.machine).report.owners));
            if let Some(strategy) = asked.filter(|_| !begun && now != refused) {
                refused = now;
                self.ask_for_rollback(root, strategy);
                continue;
            }
            if !self.answer_wishes() && !self.pass_to_next() {
                break;
            }
        }
        demand(false, Invariant::EverythingEnds, || format!("no rollback ends: {}", self.describe(root)))
    }

    fn ask_for_rollback(&mut self, root: LocalId, strategy: Strategy) {
        let (actor, label) = self.somebody();
        let message = Message::Rollback { actor, reason: None, strategy: Some(strategy), to: None };
        self.tell(root, message, Promise::Said(root, label, Deed::Rollback));
    }

    /// Somebody answers one question, and says what is true, or lets go on what is held because owners died of it; false
    /// if there is nothing of the kind.
    fn answer_wishes(&mut self) -> bool {
        for local in self.books.open() {
            let Some(wish) = self.wishes(local).into_iter().next() else {
                let at_point = self.held_by(local) == Some(skep_engine::codes::AT_POINT.id);
                if !self.stands_still(local) || at_point {
                    continue;
                }
                self.resume(local);
                return true;
            };
            match &wish {
                Wish::Answer(path) => {
                    let was_done = lock(&self.machine).outside.things.has(&self.books.accounts[&local].id, path);
                    self.approve(local, Some(path.clone()), was_done);
                }
                Wish::Decision(_) | Wish::Form(_) | Wish::Signal(_) => self.fulfil(local, &wish, false),
            }
            return true;
        }
        false
    }

    /// Ends the owner at this commit, if that is its time.
    pub(super) fn strike(&mut self) {
        self.commits += 1;
        let Some(Kill { at, moment, power, again: (left, pause) }) = self.kill else { return };
        if self.commits < at {
            return;
        }
        self.kill =
            (left > 0).then(|| Kill { at: self.commits + pause, moment, power: !power, again: (left - 1, pause) });
        match moment {
            Moment::Before => lock(&self.machine).crash_at = Some((CrashPoint::BeforeCommit, 0, power)),
            Moment::After => lock(&self.machine).crash_at = Some((CrashPoint::AfterCommit, 0, power)),
            Moment::Within(after) => {
                let fault = if power { Fault::PowerFails } else { Fault::ProcessDies };
                self.disk.arm(Some(Armed { fault, after }));
            }
        }
    }

    /// Notes the commit with which undoing the execution began; children may have been undone before.
    pub(super) fn note_undoing(&mut self, done: &[Write]) {
        if self.undone_from.is_some() {
            return;
        }
        let touched = done.iter().filter_map(|write| self.books.accounts.get(&write.turn.as_ref()?.execution));
        let root = self.root_id();
        let last = touched.filter(|account| account.id == root).filter_map(|account| account.turns.last());
        if last.flat_map(|turn| &turn.events).any(begins) {
            self.undone_from = Some(self.commits);
        }
    }

    fn check_undone(&self, root: LocalId, undoing: &Undoing) -> Verdict {
        let rule = Invariant::UndoneIsGone;
        let account = &self.books.accounts[&root];
        self.check_status(account, undoing)?;
        let machine = lock(&self.machine);
        let things = &machine.outside.things;
        for account in self.books.accounts.values() {
            let there = things.of(&account.id);
            let (kept, unsure) = on_stack(account);
            let left: Vec<_> = there.difference(&kept).collect();
            demand(left.is_empty(), rule, || {
                format!("{} is {:?}, and {left:?} is there", account.id, account.state.status)
            })?;
            let gone: Vec<_> = kept.difference(&there).filter(|path| !unsure.contains(*path)).collect();
            demand(gone.is_empty(), rule, || {
                format!("{} is {:?}, and {gone:?} is gone, which was not undone", account.id, account.state.status)
            })?;
        }
        let untouched = account.state.status != Status::RolledBack || things.is_untouched();
        demand(untouched, rule, || format!("{} is rolled back, and not the world: {things:?}", account.id))
    }

    /// It is rolled back, or stands still at the point that was asked for; or one of its compensations was doomed.
    fn check_status(&self, account: &Account, undoing: &Undoing) -> Verdict {
        let rule = Invariant::UndoneIsGone;
        let events: Vec<&Event> = account.turns.iter().flat_map(|turn| &turn.events).collect();
        let began = events.iter().rposition(|event| matches!(event, Event::RollbackBegan { .. }));
        let Some(Event::RollbackBegan { strategy, to, actor, .. }) = began.map(|at| events[at]) else {
            return demand(false, rule, || format!("{} never began its rollback", account.id));
        };
        let as_asked = actor.is_none() || *strategy == undoing.strategy;
        demand(as_asked, rule, || format!("{} is undone {strategy:?}, not {:?}", account.id, undoing.strategy))?;
        let mut failed = false;
        for event in &events[began.unwrap_or_default()..] {
            if let Event::UndoFailed { path, failure } = event {
                failed = true;
                let may = self.may_fail(account, path, undoing);
                demand(may, rule, || format!("undoing {path} of {} failed: {failure:?}", account.id))?;
            }
        }
        let expected = match (failed, to) {
            (true, _) => Status::RollbackFailed,
            (false, Some(_)) => Status::Held,
            (false, None) => Status::RolledBack,
        };
        let status = account.state.status;
        demand(status == expected, rule, || format!("{} is {status:?}, not {expected:?}", account.id))
    }

    /// Whether undoing a step was doomed; a child's rollback fails with a doomed step of it.
    fn may_fail(&self, account: &Account, path: &StepPath, undoing: &Undoing) -> bool {
        let is_child = account
            .journal
            .step_of(path)
            .is_some_and(|(_, step)| matches!(step.kind, skep_model::plan::Kind::Workflow { .. }));
        undoing.fates.doomed && (is_child || lock(&self.machine).outside.is_doomed(&account.id, path))
    }
}

/// True if undoing begins with it.
fn begins(event: &Event) -> bool {
    matches!(event, Event::RollbackAsked { .. } | Event::RollbackBegan { .. } | Event::CompensationAsked { .. })
}

/// Steps with work of their own that an execution has still to undo, and those of them of which nobody knows whether
/// they were done.
fn on_stack(account: &Account) -> (BTreeSet<StepPath>, BTreeSet<StepPath>) {
    let works = |path: &&StepPath| {
        let step = account.journal.step_of(path);
        step.is_some_and(|(_, step)| !matches!(step.kind, skep_model::plan::Kind::Workflow { .. }))
    };
    let kept: BTreeSet<StepPath> = account.journal.stack.iter().filter(works).cloned().collect();
    let mut unsure = BTreeSet::new();
    for event in account.turns.iter().flat_map(|turn| &turn.events) {
        if let Event::UndoKept { path, unsure: is_unsure, .. } = event {
            if *is_unsure {
                unsure.insert(path.clone())
            } else {
                unsure.remove(path)
            };
        }
    }
    (kept, unsure)
}
