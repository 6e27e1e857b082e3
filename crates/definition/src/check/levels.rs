//! Which checks belong to which level.

use skep_model::catalogue::Catalogue;
use skep_model::problem::Problem;

use super::built::{self, Part};
use super::dependencies::{self, Graph};
use super::expressions::{self, Understood};
use super::report::{Finding, Report};
use super::{declared, effects, standard, structure};
use crate::outline::Outline;
use crate::workflow::Workflow;

/// How closely a workflow is looked at. Each level holds the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What must hold for an execution to make sense: names, dependencies, expressions, shapes. What this
    /// node cannot execute is a warning.
    Basic,
    /// Also what is probably not meant: unknown actions, arguments against schemas, unusual numbers,
    /// constant conditions, unused inputs.
    Standard,
}

/// What the checks found out, for whoever makes a plan of it.
pub(crate) struct Analysis {
    /// The edges of every list that is a graph.
    pub graphs: Vec<Option<Graph>>,
    /// What the expressions say.
    pub understood: Understood,
}

/// All problems of `workflow` at `level`, in the order of the text.
///
/// `catalogue` says what the node can do. An empty list means: nothing to say.
pub fn check(workflow: &Workflow, catalogue: &Catalogue, level: Level) -> Vec<Problem> {
    let outline = Outline::of(workflow);
    let mut report = Report::new(workflow);
    all(workflow, &outline, catalogue, level, &mut report);
    report.into_problems()
}

/// The same with an outline that is there already.
pub(crate) fn all<'w>(
    workflow: &'w Workflow,
    outline: &Outline<'w>,
    catalogue: &Catalogue,
    level: Level,
    report: &mut Report<'w>,
) -> Analysis {
    let analysis = basic(workflow, outline, catalogue, report);
    built::notes(workflow, outline, report);
    if level >= Level::Standard {
        standard::check(workflow, outline, catalogue, &analysis.understood, report);
    }
    for missing in built::missing(workflow, outline, catalogue) {
        let wanted = match missing.part {
            Part::Feature(_) => true,
            Part::Action(_) => level >= Level::Standard,
        };
        if wanted {
            let Problem { code, severity, message, place, hint } = missing.problem;
            report.add_at(place, Finding { code, severity, message, hint });
        }
    }
    analysis
}

/// All that a plan relies on.
pub(crate) fn basic<'w>(
    workflow: &'w Workflow,
    outline: &Outline<'w>,
    catalogue: &Catalogue,
    report: &mut Report<'w>,
) -> Analysis {
    structure::check(workflow, outline, report);
    declared::check(workflow, outline, report);
    effects::check(workflow, outline, report);
    let graphs = dependencies::check(outline, report);
    let understood = expressions::check(workflow, outline, &graphs, catalogue, report);
    Analysis { graphs, understood }
}
