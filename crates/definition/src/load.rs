//! From text to workflow in one step: what the CLI and the node call.

use skep_model::problem::{Problem, Severity};

use crate::dialect::{self, Spelling};
use crate::workflow::Workflow;
use crate::{lower, tree};

/// A definition that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// As far as it could be read; `None` if the text is no YAML or no mapping. Use it only if
    /// [`Loaded::is_usable`], except for listing more problems.
    pub workflow: Option<Workflow>,
    /// Errors and warnings in the order of the text.
    pub problems: Vec<Problem>,
    /// How it is spelled.
    pub spelling: Spelling,
}

impl Loaded {
    /// True if there is a workflow and no error.
    pub fn is_usable(&self) -> bool {
        self.workflow.is_some() && !self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// Reads a definition in any of the three spellings.
pub fn load(text: &str) -> Loaded {
    lower_parsed(tree::parse_all(text))
}

/// The same from bytes: broken UTF-8 is an error with its place.
pub fn load_bytes(bytes: &[u8]) -> Loaded {
    lower_parsed(tree::parse_bytes(bytes))
}

fn lower_parsed(parsed: tree::Parsed) -> Loaded {
    let mut problems = parsed.problems;
    let Some(node) = parsed.node else { return Loaded { workflow: None, problems, spelling: Spelling::Canonical } };
    let (canonical, spelling, found) = dialect::to_canonical(node);
    problems.extend(found);
    let (workflow, found) = lower::workflow(&canonical);
    problems.extend(found);
    problems.sort_by_key(|problem| problem.place.map_or(usize::MAX, |place| place.start));
    Loaded { workflow, problems, spelling }
}
