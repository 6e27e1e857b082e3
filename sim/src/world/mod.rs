//! A simulated world: one machine with its disk, one owner after the other, people, and time that passes when nothing
//! else happens. The driver, the engine and the store are the real ones.

mod calm;
mod kills;
mod kinds;
mod outside;
mod owner;
mod people;
mod ports;
mod scenario;
mod things;
mod time;
mod trial;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use skep_engine::Program;
use skep_model::catalogue::Catalogue;
use skep_store::writer::commit_group;
use skep_store::{Stats, Write};

use crate::check::{Books, Invariant, Promises, Store, Verdict, Violation};
use crate::disk::{Armed, Disk, Fault, VFS};
use crate::generate;
use crate::random::Random;
use crate::report::{CrashPoint, Report, Trouble};
use crate::trace;

pub use kills::{Kill, Killed, Moment, Undoing, Way, run_kill};
pub use kinds::kind_of;
pub use outside::{Fates, Outside, Running};
pub use scenario::{May, Scenario};
pub use things::Things;
pub use time::{BASE_SECONDS, Time};
pub use trial::{Trial, run_trial};

use owner::Owner;
use ports::{Machine, Shared, SimBlobs, lock, settle_death};

/// Inputs that the driver takes in one pass, at most.
const INPUTS_PER_TURN_MAX: usize = 6;

/// A world in motion.
pub struct World<'a> {
    scenario: &'a Scenario,
    programs: Vec<(Arc<Program>, String)>,
    machine: Shared,
    disk: Disk,
    blobs: Arc<SimBlobs>,
    owner: Option<Owner>,
    books: Books,
    store: Store,
    promises: Promises,
    random: Random,
    /// Executions that were asked for.
    started: usize,
    /// People who have said something.
    people: u64,
    /// Executions that the owner has still to take on.
    recovering: usize,
    /// The library has the definitions.
    is_stocked: bool,
    /// Of every execution that people start.
    inputs: skep_model::Map<serde_json::Value>,
    /// Commits that were begun.
    commits: u32,
    /// What ends the owner at which of them.
    kill: Option<Kill>,
    /// The commit with which undoing the only execution began.
    undone_from: Option<u32>,
}

/// What became of a world.
pub struct Ended {
    /// What it covered.
    pub report: Report,
    /// The first invariant that did not hold.
    pub verdict: Verdict,
}

/// Lets a world run from its beginning to its end. A panic is a violation too.
pub fn run(scenario: &Scenario, catalogue: &Catalogue) -> Ended {
    let machine = Arc::new(std::sync::Mutex::new(Machine::new(scenario.seed)));
    let shared = Arc::clone(&machine);
    ended(&machine, || World::new(scenario, catalogue, shared)?.live())
}

/// What became of a world that was let run. A panic is a violation too.
fn ended(machine: &Shared, world: impl FnOnce() -> Verdict) -> Ended {
    let ran = catch_unwind(AssertUnwindSafe(world));
    let verdict = ran.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(Violation::new(Invariant::NothingIsBroken, format!("a panic: {}", text.unwrap_or("without a text"))))
    });
    let report = std::mem::take(&mut lock(machine).report);
    Ended { report, verdict }
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, catalogue: &Catalogue, machine: Shared) -> Result<Self, Violation> {
        let mut programs = Vec::new();
        for workflow in &scenario.workflows {
            let text = generate::print(workflow, BASE_SECONDS);
            let program = generate::compile(&text, catalogue)
                .map_err(|problem| Violation::new(Invariant::NothingIsBroken, format!("{problem}\n{text}")))?;
            programs.push((program, text));
        }
        Ok(Self::with(scenario, programs, machine))
    }

    fn with(scenario: &'a Scenario, programs: Vec<(Arc<Program>, String)>, machine: Shared) -> Self {
        let blobs = SimBlobs { kept: skep_store::blobs::MemoryBlobs::new(), machine: Arc::clone(&machine) };
        Self {
            inputs: skep_model::Map::from_iter([("n".to_owned(), serde_json::json!(3))]),
            scenario,
            programs,
            blobs: Arc::new(blobs),
            machine,
            disk: Disk::new(scenario.seed),
            owner: None,
            books: Books::default(),
            store: Store::default(),
            promises: Promises::default(),
            random: Random::of(scenario.seed, "world"),
            started: 0,
            people: 0,
            recovering: 0,
            is_stocked: false,
            commits: 0,
            kill: None,
            undone_from: None,
        }
    }

    fn live(mut self) -> Verdict {
        lock(&self.machine).report.worlds += 1;
        self.open()?;
        for _ in 0..self.scenario.moves {
            self.step()?;
        }
        self.calm_down()?;
        self.end()
    }

    /// One thing happens.
    fn step(&mut self) -> Verdict {
        let (mail, submitted) = {
            let machine = lock(&self.machine);
            (machine.mail.len(), machine.submitted.len())
        };
        let may = self.scenario.may;
        let some = |there: bool, weight: u64| if there { weight } else { 0 };
        let starts = self.started < self.scenario.starts.len();
        let weights = [
            some(mail > 0, 400),
            some(submitted > 0, 300),
            some(starts, 60),
            some(may.people_act, 60),
            some(true, if mail + submitted > 0 { 40 } else { 300 }),
            some(may.processes_die || may.power_fail, 3),
            some(may.processes_die || may.power_fail, 8),
            some(may.disks_fail && self.disk.armed().is_none(), 12),
            some(may.blobs_fail, 6),
            some(may.clocks_jump, 4),
            some(may.disks_fail && self.disk.is_full(), 40),
            some(self.recovering > 0 && (may.processes_die || may.power_fail), 12),
        ];
        match self.random.weighted(&weights) {
            0 => {
                let count = 1 + self.random.below(mail.min(INPUTS_PER_TURN_MAX));
                self.turn(count)?;
            }
            1 => {
                let count = if self.random.percent(60) { submitted } else { 1 + self.random.below(submitted) };
                self.commit(count)?;
            }
            2 => drop(self.start_next()),
            3 => self.act(),
            4 => self.pass()?,
            5 => {
                let power = self.power();
                self.die(CrashPoint::Idle, power)?;
            }
            6 => self.plan_crash(),
            7 => self.arm_disk(),
            8 => {
                let trouble = self.random.pick(&[Trouble::BlobNotWritten, Trouble::BlobNotRead]);
                lock(&self.machine).blob_trouble = Some(trouble);
            }
            9 => self.set_clock(),
            10 => self.disk.make_room(),
            _ => {
                let power = self.power();
                self.die(CrashPoint::InRecovery, power)?;
            }
        }
        Ok(())
    }

    /// Whether a crash takes the power with it.
    fn power(&mut self) -> bool {
        let may = self.scenario.may;
        may.power_fail && (!may.processes_die || self.random.percent(50))
    }

    fn plan_crash(&mut self) {
        let points = [
            CrashPoint::BeforePrepare,
            CrashPoint::AfterPrepare,
            CrashPoint::BeforeBlob,
            CrashPoint::AfterBlob,
            CrashPoint::BeforeCommit,
            CrashPoint::AfterCommit,
            CrashPoint::BeforeEffect,
            CrashPoint::AfterEffect,
            CrashPoint::BeforeAbort,
            CrashPoint::AfterAbort,
        ];
        let (point, power) = (self.random.pick(&points), self.power());
        let after = self.random.below(4) as u32;
        lock(&self.machine).crash_at = Some((point, after, power));
    }

    fn arm_disk(&mut self) {
        let may = self.scenario.may;
        let allowed = |fault: &Fault| match fault {
            Fault::ProcessDies => may.processes_die,
            Fault::PowerFails => may.power_fail,
            Fault::WriteError
            | Fault::ShortWrite
            | Fault::SyncError
            | Fault::SyncErrorLosing
            | Fault::DiskFull
            | Fault::ReadError => true,
        };
        let faults: Vec<Fault> = Fault::ALL.into_iter().filter(allowed).collect();
        let fault = self.random.pick(&faults);
        let after = self.random.below(12) as u32;
        trace::line(|| format!("disk: {fault:?} after {after}"));
        self.disk.arm(Some(Armed { fault, after }));
    }

    fn set_clock(&mut self) {
        let mut machine = lock(&self.machine);
        let forward = machine.random.percent(50);
        let by_us = i64::try_from(machine.random.between(1, 600)).unwrap_or(1) * 1_000_000;
        machine.time.set_us += if forward { by_us } else { -by_us };
        machine.note(if forward { Trouble::ClockSetForward } else { Trouble::ClockSetBack });
    }

    /// Time passes: to the next thing that is due, or a little.
    fn pass(&mut self) -> Verdict {
        if self.random.percent(70) {
            self.pass_to_next();
        } else {
            let by_us = i64::try_from(self.random.below(2_000_000)).unwrap_or(0);
            lock(&self.machine).time.pass(by_us);
            self.collect_due();
        }
        self.turn(0)
    }

    /// Lets time pass until something is due; false if nothing ever is.
    fn pass_to_next(&mut self) -> bool {
        let wake = self.owner.as_mut().and_then(|owner| owner.driver.until_wake());
        let mut machine = lock(&self.machine);
        let wake = wake.map(|wait| machine.time.elapsed_us + i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 4));
        let later = machine.later.iter().map(|(due, _)| *due).min();
        // A timer of the driver may be due already without anything to do; then a step of time makes it move on.
        let next = [wake, later, machine.outside.next_end_us()].into_iter().flatten().min();
        let Some(next) = next else { return false };
        let by_us = next - machine.time.elapsed_us;
        machine.time.pass(by_us.max(1));
        drop(machine);
        self.collect_due();
        // A timer that is due needs a turn of the crank, also without mail.
        lock(&self.machine).nudge();
        true
    }

    /// What is due reaches the driver.
    fn collect_due(&mut self) {
        let mut machine = lock(&self.machine);
        let Machine { outside, time, random, report, later, mail, .. } = &mut *machine;
        for (execution, outcome) in outside.due(*time, random, report) {
            mail.push_back(skep_node::driver::Input::Outcome(execution, Box::new(outcome)));
        }
        let now = time.elapsed_us;
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(later).into_iter().partition(|(at, _)| *at <= now);
        *later = rest;
        mail.extend(due.into_iter().map(|(_, input)| input));
    }

    /// One turn of the driver's crank with the next inputs.
    fn turn(&mut self, count: usize) -> Verdict {
        let owner = self.owner.as_mut().expect("there is always an owner");
        let inputs: Vec<_> = {
            let mut machine = lock(&self.machine);
            let count = count.min(machine.mail.len());
            machine.mail.drain(..count).collect()
        };
        let adopted = inputs.iter().filter(|input| matches!(input, skep_node::driver::Input::Adopt(..))).count();
        self.recovering = self.recovering.saturating_sub(adopted);
        trace::line(|| format!("turn with {}", inputs.iter().map(name).collect::<Vec<_>>().join(", ")));
        owner.driver.turn(inputs);
        self.count_struck();
        settle_death(&self.machine, &self.disk);
        if let Some((point, power)) = self.dead() {
            return self.die(point, power);
        }
        self.look()
    }

    /// How the process ended, if it did.
    fn dead(&mut self) -> Option<(CrashPoint, bool)> {
        let dead = lock(&self.machine).dead;
        dead.or_else(|| self.disk.is_dead().then_some((CrashPoint::InCommit, self.disk.lost_power())))
    }

    /// What must hold after every turn.
    fn look(&mut self) -> Verdict {
        {
            let mut machine = lock(&self.machine);
            if let Some(violation) = machine.deliveries.violations.pop() {
                return Err(violation);
            }
            if let Some(violation) = machine.outside.things.wrong.take() {
                return Err(violation);
            }
            self.promises.look(&self.books, &mut machine.report)?;
        }
        let owner = self.owner.as_mut().expect("there is always an owner");
        let dirty = std::mem::take(&mut owner.dirty);
        self.books.compare(owner.driver.core(), &dirty)
    }

    /// The writer commits the first `count` writes that wait, as one group.
    fn commit(&mut self, count: usize) -> Verdict {
        if count == 0 {
            return Ok(());
        }
        self.strike();
        let owner = self.owner.as_mut().expect("there is always an owner");
        let group: Vec<_> = {
            let mut machine = lock(&self.machine);
            if !machine.pass(CrashPoint::BeforeCommit) {
                drop(machine);
                let (point, power) = self.dead().expect("it died just now");
                return self.die(point, power);
            }
            let count = count.min(machine.submitted.len());
            machine.submitted.drain(..count).collect()
        };
        let writes: Vec<(u64, Write)> = group.iter().map(|sub| (sub.ticket.0, sub.write.clone())).collect();
        let acks = commit_group(&mut owner.journal, group, &mut Stats::default());
        trace::line(|| {
            let tell = |ack: &skep_store::Ack| match &ack.result {
                Ok(position) => format!("{:?} at {position:?}", ack.ticket),
                Err(error) => format!("{:?}: {error}", ack.ticket),
            };
            format!("commit {:?}", acks.iter().map(tell).collect::<Vec<_>>())
        });
        self.count_struck();
        // A write that was refused for itself was taken out before the rest was tried.
        let refused = |ticket: u64| {
            let of_it = |ack: &&skep_store::Ack| ack.ticket.0 == ticket;
            acks.iter().find(of_it).is_some_and(|ack| ack.result.as_ref().is_err_and(|error| error.culprit().is_some()))
        };
        let writes: Vec<(u64, Write)> = writes.into_iter().filter(|(ticket, _)| !refused(*ticket)).collect();
        if self.disk.is_dead() {
            self.store.doubt(writes.into_iter().map(|(_, write)| write).collect());
            let power = self.disk.lost_power();
            return self.die(CrashPoint::InCommit, power);
        }
        let landed = |ticket: u64| acks.iter().any(|ack| ack.ticket.0 == ticket && ack.result.is_ok());
        let (done, lost): (Vec<_>, Vec<_>) = writes.into_iter().partition(|(ticket, _)| landed(*ticket));
        let done: Vec<Write> = done.into_iter().map(|(_, write)| write).collect();
        if done.is_empty() && !lost.is_empty() {
            self.in_doubt(lost.into_iter().map(|(_, write)| write).collect())?;
        } else if !done.is_empty() {
            self.store.committed(&done)?;
            for write in &done {
                self.book(write)?;
            }
            self.note_undoing(&done);
        }
        let mut machine = lock(&self.machine);
        if machine.pass(CrashPoint::AfterCommit) {
            machine.mail.push_back(skep_node::driver::Input::Acks(acks));
            return Ok(());
        }
        drop(machine);
        let (point, power) = self.dead().expect("it died just now");
        self.die(point, power)
    }

    /// A commit that failed: the store may have it all the same.
    fn in_doubt(&mut self, lost: Vec<Write>) -> Verdict {
        self.store.doubt(lost);
        self.books.lost();
        let owner = self.owner.as_ref().expect("there is always an owner");
        // A disk that cannot be read now is compared later.
        let Ok(verdict) = self.store.compare(&owner.reader, true) else { return Ok(()) };
        for write in &verdict? {
            self.book(write)?;
        }
        Ok(())
    }

    /// Enters a committed write into the books.
    fn book(&mut self, write: &Write) -> Verdict {
        let mut machine = lock(&self.machine);
        let Machine { outside, deliveries, report, .. } = &mut *machine;
        self.books.commit(write, outside, deliveries, report)?;
        drop(machine);
        if let (Some(owner), Some(turn)) = (&mut self.owner, &write.turn) {
            owner.dirty.push(turn.execution);
        }
        Ok(())
    }

    /// The last look at everything.
    fn end(mut self) -> Verdict {
        self.books.audit()?;
        let owner = self.owner.take().expect("there is always an owner");
        let found = self.store.compare(&owner.reader, false);
        found.map_err(|error| Violation::new(Invariant::StoreIsSound, error.to_string()))??;
        drop(owner);
        sound(&self.disk)
    }
}

/// An input in a few words.
fn name(input: &skep_node::driver::Input) -> String {
    use skep_node::driver::Input;
    match input {
        Input::Create(creation, _) => format!("start {}", creation.start.execution),
        Input::Message(local, message, _) => format!("{} told {message:?}", local.0),
        Input::Adopt(local, _) => format!("take on {}", local.0),
        Input::Acks(acks) => format!("{} acknowledgements", acks.len()),
        Input::Outcome(execution, outcome) => format!("{execution} {} ended", outcome.path),
        Input::Rows(..) => "rows".to_owned(),
        Input::Waiting(task) => format!("{} waits again", task.path),
        Input::Leave(locals, _) => format!("{} are left alone", locals.len()),
        Input::Stop(_) => "stop".to_owned(),
        Input::TakeIdle(_) => "take on what waits".to_owned(),
        Input::Snapshot(snapshot) => format!("a snapshot of {} was made", snapshot.execution.0),
        Input::ChildEnded(parent, ended) => format!("{parent}: child of {} ended {:?}", ended.path, ended.status),
        Input::StartChild(child) => format!("start child {}", child.id),
        Input::CancelChild(_, _, child) => format!("cancel child {child}"),
        Input::AskPermit(local, _) => format!("{} asks for a permit again", local.0),
        Input::TellParent(local, _) => format!("{} tells its parent", local.0),
    }
}

/// SQLite's own opinion.
fn sound(disk: &Disk) -> Verdict {
    let wrong = |what: String| Violation::new(Invariant::StoreIsSound, what);
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let checked = rusqlite::Connection::open_with_flags_and_vfs(disk.database(), flags, VFS)
        .and_then(|connection| connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)));
    match checked.map_err(|error| wrong(error.to_string()))?.as_str() {
        "ok" => Ok(()),
        other => Err(wrong(other.to_owned())),
    }
}
