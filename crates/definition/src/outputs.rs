//! The names of a step's outputs, as far as they are known before it runs.

use skep_model::catalogue::{Action, Catalogue};

use crate::workflow::{Kind, Step, Wait};

/// What a script gives.
pub(crate) const OF_RUN: [&str; 4] = ["stdout", "stderr", "exit_code", "json"];
/// What a decision gives.
pub(crate) const OF_APPROVAL: [&str; 3] = ["approved", "by", "comment"];
const OF_SIGNAL: [&str; 2] = ["payload", "by"];
const OF_LOOP: [&str; 1] = ["results"];

/// Names of outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names<'a> {
    /// Exactly these.
    Known(Vec<&'a str>),
    /// Only the execution tells: any name may be there.
    Open,
}

impl<'a> Names<'a> {
    /// The known ones; none if open.
    pub fn known(&self) -> &[&'a str] {
        match self {
            Self::Known(names) => names,
            Self::Open => &[],
        }
    }
}

/// The names that other steps see under `steps.ID.outputs`.
pub(crate) fn visible<'a>(step: &'a Step, catalogue: &'a Catalogue) -> Names<'a> {
    let names = match &step.outputs {
        Some(outputs) => Names::Known(outputs.keys().map(String::as_str).collect()),
        None => own(step, catalogue),
    };
    match (names, &step.approve) {
        // A gate's decision stands beside the step's own result.
        (Names::Known(mut known), Some(_)) => {
            known.extend(OF_APPROVAL.iter().filter(|name| !known.contains(*name)).copied().collect::<Vec<_>>());
            Names::Known(known)
        }
        (names, _) => names,
    }
}

/// The names that the step's kind gives by itself; `outputs:` of the step is written over these.
pub(crate) fn own<'a>(step: &'a Step, catalogue: &'a Catalogue) -> Names<'a> {
    match &step.kind {
        Kind::Run { .. } => Names::Known(OF_RUN.to_vec()),
        Kind::Uses { action, .. } => of_action(catalogue.actions.get(action)),
        Kind::Agent(_) | Kind::Ai(_) | Kind::Workflow(_) => Names::Open,
        Kind::Approval(_) => Names::Known(OF_APPROVAL.to_vec()),
        Kind::Input { fields, .. } => Names::Known(fields.keys().map(String::as_str).collect()),
        Kind::Wait(Wait::Signal { .. }) => Names::Known(OF_SIGNAL.to_vec()),
        Kind::Wait(Wait::Duration(_) | Wait::Moment(_) | Wait::Condition { .. })
        | Kind::Switch { .. }
        | Kind::Parallel { .. } => Names::Known(Vec::new()),
        Kind::Foreach { .. } | Kind::While { .. } | Kind::Repeat { .. } => Names::Known(OF_LOOP.to_vec()),
    }
}

/// An action that lists no outputs decides them when it runs (`set`), and so may one that is not known here.
fn of_action(action: Option<&Action>) -> Names<'_> {
    match action {
        Some(action) if !action.outputs.is_empty() => Names::Known(action.outputs.iter().map(String::as_str).collect()),
        Some(_) | None => Names::Open,
    }
}
