//! What executions share: places in groups and circuit breakers. Pure synchronous state machines: no clock, no
//! thread, no store; times come in as arguments, rows go out.
//!
//! ```text
//! engine --AskPermit----> Gates --Answer--> Message::Permit --> engine
//!        --ReleasePermit->   |
//!                            +--> rows, in the transaction of the turn that causes them
//! ```
//! [`groups`] knows who has a place and who is in line, [`breaker`] whether the other side is worth a call.

pub mod breaker;
pub mod groups;

use std::collections::BTreeMap;

use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::ids::{LocalId, StepPath};
use skep_model::permit::Answer;
use skep_model::plan::Breaker as Settings;
use skep_model::span::print_duration_ms;
use skep_model::time::Timestamp;
use skep_store::{BreakerRow, PermitRow, PermitState};

use crate::codes;
use breaker::{Admission, Breaker};
use groups::Groups;

/// Who asks: a step of an execution, or the execution itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The execution.
    pub local: LocalId,
    /// The step; `None`: the execution.
    pub path: Option<StepPath>,
}

/// All groups and breakers of a node.
#[derive(Debug, Default)]
pub struct Gates {
    /// Places.
    pub groups: Groups,
    breakers: BTreeMap<String, Breaker>,
}

/// The key of a group's rows. A workflow's group and a step's are different things, even under one name: else a step
/// could wait for the place that its own execution has.
pub fn group_key(name: &str, of_step: bool) -> String {
    format!("{}:{name}", if of_step { "step" } else { "workflow" })
}

/// The execution whose probe is out, as a breaker's row says.
pub(crate) fn probing(row: &BreakerRow) -> Option<LocalId> {
    match serde_json::from_str::<Breaker>(&row.state).ok()?.state() {
        breaker::State::HalfOpen { probe } => Some(probe.execution),
        breaker::State::Closed { .. } | breaker::State::Open { .. } => None,
    }
}

impl Gates {
    /// What a new owner starts with. Whoever waited in line asks again by itself; places that are taken stay taken,
    /// also by executions that nobody performs now. `is_open` says whether an execution may still give its place back:
    /// the others are given back here, and named.
    ///
    /// A probe that was out when the owner died may never come back, so its slot is free.
    pub fn rebuild(
        permits: Vec<PermitRow>,
        breakers: Vec<BreakerRow>,
        is_open: impl Fn(LocalId) -> bool,
    ) -> (Self, Vec<PermitRow>) {
        let mut gates = Self::default();
        let mut stale = Vec::new();
        for row in permits {
            match (is_open(row.execution), row.state) {
                (true, PermitState::Held) if !skep_model::mutant!("places-forgotten") => gates.groups.hold(&row),
                (true, PermitState::Held | PermitState::Waiting) => {}
                (false, PermitState::Held | PermitState::Waiting) => stale.push(row),
            }
        }
        for row in breakers.into_iter().filter(|_| !skep_model::mutant!("breaker-forgets")) {
            gates.restore(&row.name, Some(&row));
        }
        for breaker in gates.breakers.values_mut() {
            breaker.orphan_probe(&is_open);
        }
        (gates, stale)
    }

    /// A breaker becomes what the store says of it. One that it does not have, or that cannot be read, begins anew: closed.
    pub fn restore(&mut self, name: &str, row: Option<&BreakerRow>) {
        self.breakers.remove(name);
        match row.map(|row| serde_json::from_str(&row.state)) {
            None => {}
            Some(Ok(breaker)) => drop(self.breakers.insert(name.to_owned(), breaker)),
            Some(Err(error)) => tracing::error!(breaker = name, "its row cannot be read, it begins closed: {error}"),
        }
    }

    /// A step asks for leave of a breaker: the answer, and the breaker's row if it changed.
    pub fn ask_breaker(&mut self, settings: &Settings, who: &Holder, now: Timestamp) -> (Answer, Option<BreakerRow>) {
        let breaker = self.breakers.entry(settings.name.clone()).or_default();
        let before = breaker.clone();
        let answer = match breaker.ask(settings, who, now) {
            Admission::Granted { probe } => Answer::Granted { probe },
            Admission::Refused { retry_after_ms } => Answer::Refused(is_open(settings, retry_after_ms)),
        };
        let row = (*breaker != before).then(|| row_of(&settings.name, breaker));
        (answer, row)
    }

    /// An attempt behind a breaker ended: the breaker's row if it changed.
    pub fn attempt_ended(
        &mut self,
        settings: &Settings,
        who: &Holder,
        verdict: skep_model::permit::Verdict,
        now: Timestamp,
    ) -> Option<BreakerRow> {
        let breaker = self.breakers.entry(settings.name.clone()).or_default();
        let before = breaker.clone();
        breaker.ended(settings, who, verdict, now);
        (*breaker != before).then(|| row_of(&settings.name, breaker))
    }

    /// A breaker, if it was ever asked.
    pub fn breaker(&self, name: &str) -> Option<&Breaker> {
        self.breakers.get(name)
    }

    /// Its row as it stands, if it was ever asked.
    pub fn breaker_row(&self, name: &str) -> Option<BreakerRow> {
        self.breakers.get(name).map(|breaker| row_of(name, breaker))
    }
}

fn row_of(name: &str, breaker: &Breaker) -> BreakerRow {
    let state = serde_json::to_string(breaker).expect("a breaker is plain data and always serializes");
    BreakerRow { name: name.to_owned(), state }
}

fn is_open(settings: &Settings, retry_after_ms: u64) -> Failure {
    let wait = print_duration_ms(retry_after_ms.div_ceil(1_000) * 1_000);
    let message = format!(
        "the circuit breaker `{}` is open, nothing was called: it lets one call through in {wait} at the latest",
        settings.name
    );
    let mut failure = Failure::new(FailureKind::Unavailable, codes::BREAKER_OPEN.id, message)
        .with_hint("look whether the other side works again; with `retry` the step comes back by itself");
    failure.retry_after_ms = Some(retry_after_ms);
    failure
}

#[cfg(test)]
mod tests;
