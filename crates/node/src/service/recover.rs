//! Orphans: executions that would move by themselves and that no living owner has. Which of them go on, and why.
//!
//! | updated | progress | a failed step of high priority | it |
//! |---|---|---|---|
//! | within [`FRESH_US`] | over [`PROGRESS_MIN`] | any | goes on |
//! | within [`FRESH_US`] | up to it | no | goes on |
//! | within [`FRESH_US`] | up to it | yes | is left to a person |
//! | longer ago | any | any | is left to a person |
//!
//! The rule is seed 004's. What waits for a person is no orphan, and a child execution goes on with its parent.

use skep_model::actor::Actor;
use skep_model::ids::LocalId;
use skep_model::plan::{Plan, Priority};
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_model::time::Timestamp;
use skep_store::ExecutionRow;
use skep_views::execution::Execution;

use super::{Reading, would_move};
use crate::error::Error;
use crate::fold;
use crate::owner::Node;

/// Who was at work within this time is still wanted, in microseconds (seed 004: 24 h).
const FRESH_US: i64 = 24 * 3_600 * 1_000_000;
/// What has come further than this share is worth going on with (seed 004: 20 %).
const PROGRESS_MIN: f64 = 0.2;
/// From this priority on a step counts as one of high priority: the word `high`.
const HIGH: Priority = Priority(75);
/// Executions that one look at the store fetches.
const PAGE: usize = 1_000;

/// What is done with an orphan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Resume,
    /// A person has to look.
    Leave,
}

/// An execution that nobody has.
#[derive(Clone, Debug, PartialEq)]
pub struct Orphan {
    /// Its id.
    pub id: String,
    /// Id of its workflow.
    pub workflow: String,
    /// Its state.
    pub status: Status,
    /// Time of its last event.
    pub updated_at: Timestamp,
    /// How far it is, from 0 to 1.
    pub progress: f64,
    /// What is done with it.
    pub verdict: Verdict,
    /// Why, for people.
    pub reason: String,
}

impl Reading {
    /// All orphans, the oldest first; `is_owned` tells of an execution whether a living owner has it.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn orphans(&self, now: Timestamp, is_owned: &dyn Fn(LocalId) -> bool) -> Result<Vec<Orphan>, Error> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.reader().open_executions(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.local);
            for row in page.iter().filter(|row| is_orphan(row) && !is_owned(row.local)) {
                found.push(self.orphan(row, now)?);
            }
        }
    }

    fn orphan(&self, row: &ExecutionRow, now: Timestamp) -> Result<Orphan, Error> {
        let plan = fold::plan(self.reader(), row.plan_hash)?;
        let (view, _) = self.view(row.id.as_str())?;
        let updated_at = view.updated_at.unwrap_or(row.updated_at);
        let progress = view.progress().figure;
        let (verdict, reason) =
            judge(now.0.saturating_sub(updated_at.0), progress, failed_of_high_priority(&plan, &view));
        Ok(Orphan {
            id: row.id.to_string(),
            workflow: row.workflow.clone(),
            status: row.status,
            updated_at,
            progress,
            verdict,
            reason,
        })
    }
}

impl Node {
    /// Takes on the orphans that are to go on, and gives all of them.
    ///
    /// # Errors
    /// Trouble with the store; those that were taken on until then go on.
    pub fn recover(&self, now: Timestamp) -> Result<Vec<Orphan>, Error> {
        let orphans = self.reading().orphans(now, &|local| self.watcher().summary(local).is_some())?;
        for orphan in orphans.iter().filter(|orphan| orphan.verdict == Verdict::Resume) {
            self.resume(&orphan.id, Actor::Engine)?;
        }
        Ok(orphans)
    }
}

/// It would move by itself, and nobody's step waits for it.
fn is_orphan(row: &ExecutionRow) -> bool {
    let moves = would_move(row.status, row.waiting.as_deref());
    moves && row.actor != Actor::Engine.label()
}

fn failed_of_high_priority<'v>(plan: &Plan, view: &'v Execution) -> Option<&'v str> {
    let steps = view.steps().into_iter().filter(|step| step.status == StepStatus::Failed);
    let mut paths = steps.map(|step| &*step.path);
    paths.find(|path| {
        let id = path.rsplit("].").next().unwrap_or(path);
        plan.step_by_id(id).is_some_and(|index| plan.steps[index as usize].priority >= HIGH)
    })
}

fn judge(age_us: i64, progress: f64, failed: Option<&str>) -> (Verdict, String) {
    let percent = format!("{:.0} % done", progress * 100.0);
    if age_us > FRESH_US {
        let age =
            skep_model::span::print_duration_ms(u64::try_from(age_us / 1_000).unwrap_or(0) / 3_600_000 * 3_600_000);
        return (Verdict::Leave, format!("nothing happened for {age}; `skep resume` goes on with it"));
    }
    match failed {
        _ if progress > PROGRESS_MIN => (Verdict::Resume, format!("at work within 24 h, {percent}")),
        None => (Verdict::Resume, format!("at work within 24 h, {percent}, no step of high priority failed")),
        Some(step) => (Verdict::Leave, format!("only {percent}, and `{step}`, of high priority, failed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_004_decides() {
        let hour = 3_600 * 1_000_000;
        for (age_us, progress, failed, expected) in [
            (hour, 0.5, None, Verdict::Resume),
            (hour, 0.5, Some("deploy"), Verdict::Resume),
            (hour, 0.2, None, Verdict::Resume),
            (hour, 0.2, Some("deploy"), Verdict::Leave),
            (24 * hour, 0.0, None, Verdict::Resume),
            (24 * hour + 1, 0.9, None, Verdict::Leave),
        ] {
            let (verdict, reason) = judge(age_us, progress, failed);
            assert_eq!(verdict, expected, "{age_us} {progress} {failed:?}: {reason}");
            assert!(failed.is_none_or(|step| verdict == Verdict::Resume || reason.contains(step)), "{reason}");
        }
    }
}
