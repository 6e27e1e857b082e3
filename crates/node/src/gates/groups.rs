//! Places in groups: so many may be in at a time, the others wait in line, by priority and then by arrival.
//!
//! | when_full | a place is free and nobody is before it | else |
//! |---|---|---|
//! | queue | in | in line; a line that is too long fails it |
//! | skip | in | left out |
//! | fail | in | fails |
//! | cancel_old | in | first in line; of all that are in and before it in line, the newest that fit stay, the others are cancelled |
//!
//! Asking again changes nothing: whoever is in is told so again, whoever is in line keeps its place there. The limit is
//! that of whoever asks, so a changed workflow needs no agreement with those that still run.

use std::collections::BTreeMap;

use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::ids::{LocalId, StepPath};
use skep_model::limits::PERMITS_WAITING_MAX;
use skep_model::permit::Answer;
use skep_model::plan::{Concurrency, Priority, WhenFull};
use skep_model::time::Timestamp;
use skep_store::PermitRow;

use super::{Holder, group_key};
use crate::codes;

/// All groups, by the key of their rows.
#[derive(Debug, Default)]
pub struct Groups {
    groups: BTreeMap<String, Group>,
}

#[derive(Debug, Default)]
struct Group {
    held: BTreeMap<Holder, Timestamp>,
    line: Vec<Waiting>,
}

#[derive(Clone, Debug)]
struct Waiting {
    who: Holder,
    priority: Priority,
    since: Timestamp,
    resource: Concurrency,
}

/// What follows from a request or a release.
#[derive(Debug, Default, PartialEq)]
pub struct Moves {
    /// Who is told what.
    pub answers: Vec<(Holder, Concurrency, Answer)>,
    /// Executions that are cancelled because a newer one takes their place.
    pub cancelled: Vec<LocalId>,
}

impl Waiting {
    /// Smaller is served first.
    fn rank(&self) -> (bool, std::cmp::Reverse<Priority>, Timestamp, &Holder) {
        let is_first = self.resource.when_full == WhenFull::CancelOld;
        (!is_first, std::cmp::Reverse(self.priority), self.since, &self.who)
    }
}

impl Groups {
    /// A place that is taken, from its row.
    pub fn hold(&mut self, row: &PermitRow) {
        let path = Some(row.path.clone()).filter(|path| !path.is_empty());
        let group = self.groups.entry(row.resource.clone()).or_default();
        group.held.insert(Holder { local: row.execution, path }, row.since);
    }

    /// Somebody asks for a place.
    pub fn ask(&mut self, resource: &Concurrency, who: Holder, priority: Priority, since: Timestamp) -> Moves {
        let group = self.groups.entry(group_key(&resource.group, who.path.is_some())).or_default();
        if group.held.contains_key(&who) {
            return Moves::answer(who, resource, Answer::Granted { probe: false });
        }
        group.line.retain(|waiting| waiting.who != who);
        let newcomer = Waiting { who, priority, since, resource: resource.clone() };
        let is_full = group.held.len() >= resource.limit.max(1) as usize;
        let is_behind = group.line.iter().any(|waiting| waiting.rank() < newcomer.rank());
        match resource.when_full {
            WhenFull::Skip if is_full || is_behind => Moves::answer(newcomer.who, resource, Answer::Skipped),
            WhenFull::Fail if is_full || is_behind => {
                Moves::answer(newcomer.who, resource, Answer::Refused(full(resource)))
            }
            WhenFull::Queue | WhenFull::CancelOld if group.line.len() >= PERMITS_WAITING_MAX => {
                Moves::answer(newcomer.who, resource, Answer::Refused(line_too_long(resource)))
            }
            WhenFull::CancelOld if is_full => {
                let cancelled = group.displaced_by(&newcomer);
                group.enter(newcomer);
                Moves { cancelled, ..Moves::default() }
            }
            WhenFull::Queue | WhenFull::Skip | WhenFull::Fail | WhenFull::CancelOld => {
                group.enter(newcomer);
                group.serve()
            }
        }
    }

    /// Somebody gives its place back, or leaves the line.
    pub fn release(&mut self, name: &str, who: &Holder) -> Moves {
        let key = group_key(name, who.path.is_some());
        let Some(group) = self.groups.get_mut(&key) else { return Moves::default() };
        group.held.remove(who);
        group.line.retain(|waiting| waiting.who != *who);
        let moves = group.serve();
        if group.held.is_empty() && group.line.is_empty() {
            self.groups.remove(&key);
        }
        moves
    }

    /// True if `who` has its place.
    pub fn holds(&self, name: &str, who: &Holder) -> bool {
        let group = self.groups.get(&group_key(name, who.path.is_some()));
        group.is_some_and(|group| group.held.contains_key(who))
    }
}

impl Group {
    fn enter(&mut self, newcomer: Waiting) {
        let at = self.line.partition_point(|waiting| waiting.rank() < newcomer.rank());
        self.line.insert(at, newcomer);
    }

    /// Lets in whoever is first, as long as its own limit allows it.
    fn serve(&mut self) -> Moves {
        let mut moves = Moves::default();
        let more = usize::from(skep_model::mutant!("one-place-more"));
        while self.line.first().is_some_and(|first| self.held.len() < first.resource.limit.max(1) as usize + more) {
            let Waiting { who, since, resource, .. } = self.line.remove(0);
            self.held.insert(who.clone(), since);
            moves.answers.push((who, resource, Answer::Granted { probe: false }));
        }
        moves
    }

    /// Who makes room: all but the newest that fit beside `newcomer`.
    fn displaced_by(&self, newcomer: &Waiting) -> Vec<LocalId> {
        let held = self.held.iter().map(|(who, since)| (*since, who));
        let first = self.line.iter().filter(|waiting| waiting.resource.when_full == WhenFull::CancelOld);
        let mut older: Vec<(Timestamp, &Holder)> =
            held.chain(first.map(|waiting| (waiting.since, &waiting.who))).collect();
        older.sort();
        let stay = newcomer.resource.limit.max(1) as usize - 1;
        older.truncate(older.len().saturating_sub(stay));
        older.into_iter().map(|(_, who)| who.local).filter(|local| *local != newcomer.who.local).collect()
    }
}

impl Moves {
    fn answer(who: Holder, resource: &Concurrency, answer: Answer) -> Self {
        Self { answers: vec![(who, resource.clone(), answer)], cancelled: Vec::new() }
    }
}

/// The path as a row has it.
pub fn row_path(who: &Holder) -> StepPath {
    who.path.clone().unwrap_or_else(|| "".into())
}

fn full(resource: &Concurrency) -> Failure {
    let message = format!("the group `{}` is full: it takes {} at a time", resource.group, resource.limit);
    Failure::new(FailureKind::ResourceLimit, codes::GROUP_FULL.id, message)
        .with_hint("`when_full: queue` lets it wait for its turn; `skep list` shows who runs")
}

fn line_too_long(resource: &Concurrency) -> Failure {
    let message = format!("{PERMITS_WAITING_MAX} wait for the group `{}` already", resource.group);
    Failure::new(FailureKind::ResourceLimit, codes::GROUP_FULL.id, message)
        .with_hint("raise its `limit`, start fewer, or leave some out with `when_full: skip`")
}
