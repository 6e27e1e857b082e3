//! What executions share, over all of them: places in groups and the leave of breakers, from what is durable alone.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use skep_model::error::{Class, Failure};
use skep_model::event::{Event, Turn};
use skep_model::ids::{LocalId, StepPath};
use skep_model::permit::Resource;
use skep_model::rollback::Question;
use skep_model::time::Timestamp;
use skep_store::BreakerRow;

use super::{Invariant, Verdict, demand};

/// Who asks: an execution, or one of its steps.
type Holder = (LocalId, Option<StepPath>);

/// Of a world.
#[derive(Default)]
pub struct Shared {
    asked: HashMap<Holder, Resource>,
    /// By group, those of executions apart from those of steps: who is in, and how many may be as far as they say.
    places: BTreeMap<(String, bool), HashMap<Holder, u32>>,
    /// Attempts that a breaker let through, with its name and how many failures open it.
    let_through: HashMap<Holder, (String, u32)>,
    breakers: BTreeMap<String, Breaker>,
}

#[derive(Default)]
struct Breaker {
    /// Its row, as the node wrote it last.
    row: Value,
    /// Failures since the last success, as the journal has them.
    failures: u32,
    /// How many of them open it.
    bound: u32,
}

impl Shared {
    /// A breaker's row was committed.
    pub fn row(&mut self, row: &BreakerRow) {
        let state: Value = serde_json::from_str(&row.state).unwrap_or_default();
        self.breakers.entry(row.name.clone()).or_default().row = state["state"].clone();
    }

    /// A commit failed: what the node counted with it is not in the journal.
    pub fn lost(&mut self) {
        self.breakers.values_mut().for_each(|breaker| breaker.failures = 0);
    }

    /// Before the rows of a turn: what it was granted. `is_over` says whether an execution has ended.
    pub fn granted(&mut self, local: LocalId, turn: &Turn, is_over: impl Fn(LocalId) -> bool) -> Verdict {
        for event in &turn.events {
            match event {
                Event::PermitAsked { path, resource } => {
                    self.asked.insert((local, path.clone()), resource.clone());
                }
                Event::PermitGranted { path, probe } => self.grant((local, path.clone()), *probe, turn.at, &is_over)?,
                Event::Ended { .. } | Event::Rerun { .. } => self.places.values_mut().for_each(|holders| {
                    holders.retain(|(holder, _), _| *holder != local);
                }),
                Event::Completed { path, .. }
                | Event::Failed { path, .. }
                | Event::Skipped { path, .. }
                | Event::Cancelled { path } => self.places.values_mut().for_each(|holders| {
                    holders.remove(&(local, Some(path.clone())));
                }),
                _ => {}
            }
        }
        Ok(())
    }

    fn grant(&mut self, who: Holder, probe: bool, at: Timestamp, is_over: &impl Fn(LocalId) -> bool) -> Verdict {
        match self.asked.remove(&who) {
            Some(Resource::Group(group)) => {
                let key = (group.group.clone(), who.1.is_some());
                let holders = self.places.entry(key).or_default();
                let text = format!("{who:?} is let into `{}` of {}, where {holders:?} are", group.group, group.limit);
                holders.insert(who, group.limit);
                // An answer whose commit failed is given again later, behind others with another limit.
                let limit = holders.values().copied().max().unwrap_or_default();
                demand(holders.len() <= limit as usize, Invariant::SharedLimits, || text)
            }
            Some(Resource::Breaker(breaker)) => {
                let known = self.breakers.entry(breaker.name.clone()).or_default();
                known.bound = breaker.failures;
                let row = known.row.clone();
                self.let_through.insert(who.clone(), (breaker.name.clone(), breaker.failures));
                let allowed = lets_through(&row, &who, probe, at, breaker.reset_ms, is_over);
                demand(allowed, Invariant::SharedLimits, || {
                    format!("{who:?} is let through `{}` at {at:?}, probe: {probe}, which is {row}", breaker.name)
                })
            }
            None => demand(false, Invariant::SharedLimits, || format!("{who:?} asked for nothing")),
        }
    }

    /// After the rows of a turn: what its attempts say of breakers.
    ///
    /// # Errors
    /// [`Invariant::SharedLimits`]: enough failures, and the breaker is closed.
    pub fn counted(&mut self, local: LocalId, turn: &Turn) -> Verdict {
        for event in &turn.events {
            let (path, failed) = match event {
                Event::Completed { path, .. } | Event::Proposed { path, .. } => (path, Some(false)),
                Event::Failed { path, failure, .. }
                | Event::AttemptFailed { path, failure, .. }
                | Event::QuestionAsked { path, about: Question::Escalated, failure: Some(failure), .. } => {
                    (path, Some(is_outage(failure)))
                }
                Event::Skipped { path, failure, .. } => (path, failure.as_ref().map(is_outage)),
                Event::Cancelled { path } => (path, None),
                _ => continue,
            };
            let Some((name, bound)) = self.let_through.remove(&(local, Some(path.clone()))) else { continue };
            let breaker = self.breakers.entry(name.clone()).or_default();
            match failed {
                Some(true) => breaker.failures += 1,
                Some(false) => breaker.failures = 0,
                None => {}
            }
            let closed = matches!(breaker.row["state"].as_str(), None | Some("closed"));
            demand(!(closed && breaker.failures >= bound), Invariant::SharedLimits, || {
                format!("`{name}` is closed after {} failures of {bound}", breaker.failures)
            })?;
        }
        Ok(())
    }
}

/// Whether the breaker, as its row has it, may let this attempt through.
fn lets_through(
    row: &Value,
    who: &Holder,
    probe: bool,
    at: Timestamp,
    reset_ms: u64,
    is_over: &impl Fn(LocalId) -> bool,
) -> bool {
    let time = |value: &Value| value.as_i64().map_or(Timestamp(i64::MAX), Timestamp);
    match row["state"].as_str() {
        None | Some("closed") => !probe,
        Some("open") => probe && at >= time(&row["until"]),
        _ => {
            let other = &row["probe"];
            let holder = LocalId(other["execution"].as_i64().unwrap_or_default());
            let same = holder == who.0 && other["path"].as_str() == who.1.as_deref();
            probe && (same || is_over(holder) || at >= time(&other["since"]).plus_ms(reset_ms))
        }
    }
}

/// Whether the other side did not answer.
fn is_outage(failure: &Failure) -> bool {
    matches!(failure.class, Class::Transient | Class::System)
}
