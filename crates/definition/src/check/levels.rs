//! Which checks belong to which level.

use skep_model::catalogue::Catalogue;
use skep_model::problem::{Place, Problem};
use skep_model::surroundings::{Load, Surroundings};

use super::built::{self, Part};
use super::dependencies::{self, Graph};
use super::expressions::{self, Understood};
use super::report::{Finding, Report};
use super::strict::{self, Needs};
use super::{declared, effects, possible, standard, structure};
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
    /// Also what a careful colleague would ask: destroying commands, secrets in the text, nobody asked, what cannot be
    /// undone; and with [`environment`], what this machine lacks.
    Strict,
    /// Also what happens: executions are simulated, with the outcomes of earlier ones where there are any, each step is
    /// made to fail, and the machines that steps talk to are asked whether they can be reached. `node` does that.
    Paranoid,
}

impl Level {
    /// All levels, the least close look first.
    pub const ALL: [Self; 4] = [Self::Basic, Self::Standard, Self::Strict, Self::Paranoid];

    /// The word that people and programs see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Standard => "standard",
            Self::Strict => "strict",
            Self::Paranoid => "paranoid",
        }
    }

    /// The level that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// What this level looks at beside the levels before it.
    fn own_checks(self) -> &'static [&'static str] {
        match self {
            Self::Basic => {
                &["required_fields", "duplicate_ids", "dependencies", "cycles", "names", "expressions", "limits"]
            }
            Self::Standard => {
                &["commands", "parameters", "types", "conditions", "timeouts", "retries", "unused_inputs"]
            }
            Self::Strict => &[
                "dangerous_patterns",
                "approvals",
                "secrets",
                "rollback_coverage",
                "programs",
                "memory",
                "cpu",
                "disk",
            ],
            Self::Paranoid => &["simulation", "failure_rates", "reachability", "load", "processes"],
        }
    }

    /// Everything that this level looks at.
    pub fn checks(self) -> Vec<&'static str> {
        Self::ALL.into_iter().filter(|level| *level <= self).flat_map(Self::own_checks).copied().collect()
    }
}

/// What the workflow needs of the machine that it runs on.
pub fn needs(workflow: &Workflow) -> Needs {
    let outline = Outline::of(workflow);
    let scripts = strict::Scripts::of(workflow, &outline);
    Needs::of(workflow, &outline, &scripts)
}

/// What of it is missing, and how full the machine is: the part of [`Level::Strict`] that is not the same everywhere.
/// `path` is the list of folders in which its scripts find programs.
pub fn environment(needs: &Needs, surroundings: &dyn Surroundings, path: Option<&str>) -> Vec<Problem> {
    let found = strict::check_environment(needs, surroundings, path).into_iter();
    found.map(|(place, finding)| problem(place, finding)).collect()
}

fn problem(place: Option<Place>, finding: Finding) -> Problem {
    let Finding { code, severity, message, hint } = finding;
    Problem { code, severity, message, place, hint }
}

/// What there is to say about a machine that is busy for long, or has many processes: the part of [`Level::Paranoid`] that
/// asks nobody else.
pub fn busy(load: &Load) -> Vec<Problem> {
    strict::check_busy(load).into_iter().map(|finding| problem(None, finding)).collect()
}

/// Steps with side effects, those of them that can be undone, and the ids of the others.
pub fn undoable(workflow: &Workflow, catalogue: &Catalogue) -> (usize, usize, Vec<String>) {
    let coverage = strict::Coverage::of(&Outline::of(workflow), catalogue);
    (coverage.with_effects, coverage.undoable, coverage.cannot)
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
        standard::check(workflow, outline, catalogue, report);
        possible::check(workflow, outline, &analysis.graphs, catalogue, report);
        standard::unused_inputs(workflow, &analysis.understood, report);
    }
    if level >= Level::Strict {
        let scripts = strict::Scripts::of(workflow, outline);
        strict::check(workflow, outline, &scripts, catalogue, report);
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
