//! What was decided about failed attempts, in one execution and by rule over many, and the table by which it is.

use skep_definition::decisions;
use skep_model::ids::LocalId;
use skep_model::time::Timestamp;
use skep_store::{Filter, Reader};
use skep_views::decisions::{Decision, Decisions, Tally};

use super::Reading;
use crate::config::Config;
use crate::error::Error;
use crate::fold;

/// Executions that statistics look at, at most: the newest.
const EXECUTIONS_MAX: usize = 1_000;
/// Executions that one look at the store fetches.
const PAGE: usize = 200;

/// Which executions statistics are of.
#[derive(Clone, Debug, Default)]
pub struct DecisionQuery {
    /// Of this workflow: its id or its library path.
    pub workflow: Option<String>,
    /// Accepted at this moment or later.
    pub since: Option<Timestamp>,
}

/// Decisions by rule over many executions.
#[derive(Clone, Debug, Default)]
pub struct DecisionStats {
    /// Executions that were looked at.
    pub executions: usize,
    /// There were more, which were not.
    pub has_more: bool,
    /// What was counted.
    pub tally: Tally,
}

impl Reading {
    /// The decisions about failed attempts of an execution, in their order.
    ///
    /// # Errors
    /// Unknown execution, trouble with the store.
    pub fn decisions(&self, execution: &str) -> Result<Vec<Decision>, Error> {
        let located = self.locate(execution)?;
        decisions_of(located.reader(), located.row.local)
    }

    /// The decisions of the newest 1,000 executions, by rule.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn decision_stats(&self, query: &DecisionQuery) -> Result<DecisionStats, Error> {
        let filter = Filter { workflow: query.workflow.clone(), started_since: query.since, ..Filter::default() };
        let (mut stats, mut cursor) = (DecisionStats::default(), None);
        loop {
            let page = self.reader().list(&filter, cursor, PAGE)?;
            for row in &page.rows {
                if stats.executions == EXECUTIONS_MAX {
                    stats.has_more = true;
                    return Ok(stats);
                }
                stats.executions += 1;
                decisions_of(self.reader(), row.local)?.iter().for_each(|decision| stats.tally.add(decision));
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(stats);
            }
        }
    }

    /// The table that a node of this directory decides by, as YAML: the built-in one with its comments, or the one of
    /// `decisions.yaml`, filled up with what it takes from the built-in one.
    ///
    /// # Errors
    /// [`Error::Config`] if that file is not in order.
    pub fn decision_rules(&self) -> Result<String, Error> {
        let config = Config::load(self.directory().root())?;
        Ok(config.rules().map_or_else(|| decisions::DEFAULT.to_owned(), decisions::yaml))
    }
}

fn decisions_of(reader: &dyn Reader, local: LocalId) -> Result<Vec<Decision>, Error> {
    let mut decisions = Decisions::default();
    fold::each_turn(reader, local, 1, |turn| {
        decisions.apply(turn);
        Ok(())
    })?;
    Ok(decisions.into_vec())
}
