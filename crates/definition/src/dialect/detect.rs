//! Which spelling a tree is in, seen from its shape.

use skep_model::problem::Problem;

use super::keys;
use super::make::{Report, get};
use super::{codes, library_yaml, template_json};
use crate::tree::Node;

/// A spelling of the workflow definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// The one that is documented, printed and drawn.
    Canonical,
    /// JSON templates: steps with `command` and `parameters` (seed 000).
    TemplateJson,
    /// Library files: `metadata`, steps with `type`, `config` and `conditions` (seed 003).
    LibraryYaml,
}

impl Spelling {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::TemplateJson => "template",
            Self::LibraryYaml => "library",
        }
    }
}

/// The same workflow in the canonical spelling, the spelling it was in, and what is wrong with it.
///
/// A tree that is canonical already (or no workflow at all) comes back untouched; keys of templates that
/// canonical files know as notes only, and that promise more, are problems. With problems the tree
/// still holds all that could be read, so that `lower` can list its own problems beside these.
pub fn to_canonical(node: Node) -> (Node, Spelling, Vec<Problem>) {
    let spelling = detect(&node);
    let (node, problems) = match spelling {
        Spelling::Canonical => {
            let problems = foreign_keys(&node);
            (node, problems)
        }
        Spelling::TemplateJson => template_json::rewrite(node),
        Spelling::LibraryYaml => library_yaml::rewrite(node),
    };
    (node, spelling, problems)
}

/// Keys of templates that would be mere notes in a canonical file although they promise something there.
fn foreign_keys(root: &Node) -> Vec<Problem> {
    let mut report = Report::default();
    let hints = [
        ("approval_required", "write a first step with `approval: {message: ..}`"),
        ("parameters", "write `inputs: {NAME: {default: ..}}`"),
    ];
    for entry in root.as_map().unwrap_or_default() {
        if let Some((key, hint)) = hints.iter().find(|(key, _)| *key == entry.key) {
            let message =
                format!("`{key}` belongs to the template spelling, and this file is in the canonical spelling");
            report.error(codes::MIXED, entry.key_place, message, hint);
        }
    }
    report.problems
}

/// The rules, first match wins: `metadata` -> library; at least
/// as many steps with `command` as with a canonical kind -> template; a step with
/// `config` or `conditions` and a library `type` -> library; no step with a canonical kind and another
/// tell-tale key -> template or library; else canonical.
pub(super) fn detect(root: &Node) -> Spelling {
    let steps: &[Node] = get(root, "steps").and_then(Node::as_list).unwrap_or_default();
    let any_step = |keys: &[&str]| steps.iter().any(|step| has_any(step, keys));
    if get(root, "metadata").is_some_and(|metadata| metadata.as_map().is_some()) {
        return Spelling::LibraryYaml;
    }
    let commands = steps.iter().filter(|step| has_any(step, &["command"])).count();
    let canonical_kinds: Vec<&str> = keys::canonical_kinds().collect();
    let kinds = steps.iter().filter(|step| has_any(step, &canonical_kinds)).count();
    if commands > 0 && commands >= kinds {
        return Spelling::TemplateJson;
    }
    if steps.iter().any(is_library_step) {
        return Spelling::LibraryYaml;
    }
    if kinds > 0 {
        return Spelling::Canonical;
    }
    if has_any(root, keys::TEMPLATE_WORKFLOW_TELLS) || any_step(keys::TEMPLATE_STEP_TELLS) {
        return Spelling::TemplateJson;
    }
    if any_step(keys::LIBRARY_STEP_TELLS) { Spelling::LibraryYaml } else { Spelling::Canonical }
}

fn has_any(node: &Node, keys: &[&str]) -> bool {
    node.as_map().unwrap_or_default().iter().any(|entry| keys.contains(&entry.key.as_str()))
}

fn is_library_step(step: &Node) -> bool {
    let known_type = get(step, "type").and_then(Node::as_text).is_some_and(|word| keys::LIBRARY_TYPES.contains(&word));
    known_type && has_any(step, keys::LIBRARY_STEP_TELLS)
}
