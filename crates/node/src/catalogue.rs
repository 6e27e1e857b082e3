//! What this build can execute: the runner's actions and the features that the engine has.

use crate::config::Config;
use std::collections::BTreeSet;

use skep_model::catalogue::{Catalogue, Feature};

/// Features of the definition language that this build executes. What a workflow uses beyond these is
/// refused before it starts.
const FEATURES: [Feature; 18] = [
    Feature::Escalation,
    Feature::Rollback,
    Feature::Compensate,
    Feature::Escalate,
    Feature::CancelRollback,
    Feature::Unknown,
    Feature::Irreversible,
    Feature::ChildWorkflow,
    Feature::WaitCondition,
    Feature::OutputSchema,
    Feature::SuccessCriteria,
    Feature::MaxParallel,
    Feature::Concurrency,
    Feature::CircuitBreaker,
    Feature::Priority,
    Feature::Idempotency,
    Feature::RollbackStrategy,
    Feature::Checkpoint,
];

/// The catalogue of this node.
pub fn build() -> Catalogue {
    Catalogue { actions: skep_runner::catalogue_actions(), features: BTreeSet::from(FEATURES), rules: None }
}

/// The same with the table of decisions of a configuration.
pub fn with_rules(config: &Config) -> Catalogue {
    Catalogue { rules: config.rules().cloned().map(Box::new), ..build() }
}
