//! Spellings other than the canonical one.

use skep_model::problem::Problem;

use crate::tree::Node;

/// How a definition is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// The one that is documented and printed.
    Canonical,
    /// JSON templates (seed 000).
    TemplateJson,
    /// The YAML library (seed 003).
    LibraryYaml,
}

/// The same workflow in the canonical spelling, how it was spelled, and what is wrong with it.
pub fn to_canonical(node: Node) -> (Node, Spelling, Vec<Problem>) {
    (node, Spelling::Canonical, Vec::new())
}
