//! Calls about decisions.

use serde_json::json;
use skep_definition::moment;
use skep_model::time::Timestamp;
use skep_node::service::DecisionQuery;
use skep_views::decisions;

use crate::local::convert::failure_of;
use crate::local::desk::{Desk, Perform};
use crate::wire::{Decision, DecisionRules, DecisionStats, Decisions, Failure, RuleCount, RuleStats};

impl Perform for Decisions {
    fn perform(&self, desk: &Desk) -> Result<Vec<Decision>, Failure> {
        let decisions = desk.reading().decisions(&self.execution).map_err(|error| failure_of(&error))?;
        Ok(decisions.into_iter().map(decision_of).collect())
    }
}

impl Perform for DecisionStats {
    fn perform(&self, desk: &Desk) -> Result<RuleStats, Failure> {
        let query = DecisionQuery { workflow: self.workflow.clone(), since: self.since_us.map(Timestamp) };
        let stats = desk.reading().decision_stats(&query).map_err(|error| failure_of(&error))?;
        let rules = stats.tally.0.into_iter().map(|((rule, action), count)| RuleCount {
            rule,
            decision: action.as_str().to_owned(),
            decided: count.decided,
            worth_it: count.worth_it,
            not_worth_it: count.not_worth_it,
        });
        Ok(RuleStats { executions: stats.executions, has_more: stats.has_more, rules: rules.collect() })
    }
}

impl Perform for DecisionRules {
    fn perform(&self, desk: &Desk) -> Result<String, Failure> {
        desk.reading().decision_rules().map_err(|error| failure_of(&error))
    }
}

fn decision_of(decision: decisions::Decision) -> Decision {
    let judged = decision.judged;
    Decision {
        at: moment::print(decision.at),
        step: judged.path.to_string(),
        attempt: judged.attempt,
        kind: judged.kind.as_str().to_owned(),
        decision: judged.action.as_str().to_owned(),
        autonomy: judged.autonomy.map_or("definition", |autonomy| autonomy.as_str()).to_owned(),
        rule: judged.rule,
        reason: judged.reason,
        facts: json!(judged.facts),
        alternatives: json!(judged.alternatives),
        outcome: decision.outcome,
        worth_it: decision.worth_it,
    }
}
