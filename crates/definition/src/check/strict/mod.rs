//! Level strict: what a careful colleague would ask before this runs on real machines.
//!
//! ```text
//! scripts --script::survey--> programs that are called --dangers, sql--> what destroys
//!                                                     \--needs--> what has to be there --surroundings--> what is not
//! texts --secrets--> keys and passwords      steps --impact--> no approval   --coverage--> what can be undone
//! ```
//! Nothing here looks at the machine: that is asked through [`Surroundings`](skep_model::surroundings::Surroundings).
//! Nothing here is a guess about meaning: commands are words of a shell, not parts of texts.

mod coverage;
mod dangers;
mod environment;
mod impact;
mod needs;
mod scripts;
mod secrets;
mod sql;
#[cfg(test)]
mod tests;

pub(crate) use coverage::Coverage;
pub(crate) use environment::{busy as check_busy, check as check_environment};
pub use needs::Needs;
pub(crate) use scripts::Scripts;

use skep_model::catalogue::Catalogue;

use super::report::Report;
use crate::outline::Outline;
use crate::workflow::Workflow;

/// All that follows from the definition alone.
pub(crate) fn check(
    workflow: &Workflow,
    outline: &Outline<'_>,
    scripts: &Scripts<'_>,
    catalogue: &Catalogue,
    report: &mut Report<'_>,
) {
    dangers::check(outline, scripts, report);
    impact::check(workflow, outline, report);
    secrets::check(workflow, scripts, report);
    coverage::check(workflow, outline, catalogue, report);
}
