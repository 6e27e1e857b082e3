//! Names with hyphens, which an expression would otherwise read as subtractions.

use std::collections::HashSet;
use std::sync::Arc;

use skep_model::plan::{Kind, Plan, Step};

/// The known names that contain a hyphen: after a `.` the longest of them is taken; `a - b` with spaces is a
/// subtraction. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Names {
    hyphenated: Arc<HashSet<Box<str>>>,
}

impl Names {
    /// Keeps those of `names` that contain a hyphen.
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<str>>(names: I) -> Self {
        let hyphenated: HashSet<Box<str>> =
            names.into_iter().filter(|name| name.as_ref().contains('-')).map(|name| name.as_ref().into()).collect();
        Self { hyphenated: hyphenated.into() }
    }

    /// All names that a plan declares: inputs, variables, steps and their outputs, fields of forms, branches.
    pub fn of_plan(plan: &Plan) -> Self {
        let heads = [&plan.vars, &plan.outputs].into_iter().flat_map(|map| map.keys());
        let plain = plan.inputs.keys().chain(plan.env.keys()).chain(heads).map(String::as_str);
        Self::new(plain.chain(plan.steps.iter().flat_map(names_of_step)))
    }

    /// The longest known name at the start of `text` that ends where a name may end.
    pub(crate) fn longest_at<'t>(&self, text: &'t str) -> Option<&'t str> {
        let in_name = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
        let mut word = &text[..text.find(|letter| !in_name(letter)).unwrap_or(text.len())];
        // From the longest down, cut at the hyphens: a name ends at one of them or at the end of the word.
        while word.contains('-') {
            if self.hyphenated.contains(word) {
                return Some(word);
            }
            word = &word[..word.rfind('-')?];
        }
        None
    }
}

fn names_of_step(step: &Step) -> Vec<&str> {
    let outputs = step.outputs.iter().flat_map(|outputs| outputs.keys());
    let mut names: Vec<&str> = outputs.chain(step.env.keys()).chain(&step.output_names).map(String::as_str).collect();
    names.push(&step.id);
    if let Kind::Input(form) = &step.kind {
        names.extend(form.fields.keys().map(String::as_str));
    }
    if let Kind::Parallel { branches, .. } = &step.kind {
        names.extend(branches.iter().map(|branch| branch.name.as_str()));
    }
    names
}
