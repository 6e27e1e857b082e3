//! A tree that a person reads in a terminal.

use skep_model::plan::Order;

use super::words;
use crate::outline::{ListNumber, Outline, Role, StepNumber};
use crate::workflow::Workflow;

/// Columns that the names of a list are padded to at most; longer ones push their own line only.
const PADDED_COLUMNS_MAX: usize = 24;

/// One line of the tree with what hangs below it.
struct Branch {
    name: String,
    details: String,
    below: Vec<Branch>,
}

/// The workflow as a tree: one line per step, in the order of the text.
pub fn text(workflow: &Workflow) -> String {
    let outline = Outline::of(workflow);
    let mut page = workflow.name.clone();
    if let Some(version) = &workflow.version {
        page.push_str(&format!(" {version}"));
    }
    if workflow.order == Order::Graph {
        page.push_str(" (graph)");
    }
    page.push('\n');
    if let Some(line) = workflow.description.lines().next() {
        page.push_str(&format!("{line}\n"));
    }
    if !workflow.inputs.is_empty() {
        let names: Vec<&str> = workflow.inputs.keys().map(String::as_str).collect();
        page.push_str(&format!("inputs: {}\n", names.join(", ")));
    }
    let mut branches = steps_of(&outline, 0);
    branches.extend(outline.finally.map(|list| list_branch(&outline, list)));
    render(&branches, "", &mut page);
    page
}

fn steps_of(outline: &Outline<'_>, list: ListNumber) -> Vec<Branch> {
    outline.lists[list].steps.iter().map(|step| step_branch(outline, *step)).collect()
}

fn list_branch(outline: &Outline<'_>, number: ListNumber) -> Branch {
    let list = &outline.lists[number];
    let owner = list.owner.map(|owner| outline.steps[owner].step);
    Branch {
        name: words::list(list, owner).unwrap_or_default(),
        details: String::new(),
        below: steps_of(outline, number),
    }
}

fn step_branch(outline: &Outline<'_>, number: StepNumber) -> Branch {
    let entry = &outline.steps[number];
    let mut details = vec![words::kind(&entry.step.kind)];
    if !entry.step.depends_on.is_empty() {
        details.push(format!("after {}", entry.step.depends_on.join(", ")));
    }
    if outline.compensators.contains_key(&number) {
        details.push("only as a compensation".to_owned());
    }
    details.extend(words::marks(entry.step));
    let mut below = Vec::new();
    for &list in &entry.inner {
        if outline.lists[list].role == Role::Body {
            below.extend(steps_of(outline, list));
            if outline.lists[list].order == Order::Graph {
                details.push("graph".to_owned());
            }
        } else {
            below.push(list_branch(outline, list));
        }
    }
    Branch { name: entry.step.id.clone(), details: details.join(" · "), below }
}

fn render(branches: &[Branch], indent: &str, page: &mut String) {
    let width = |branch: &Branch| branch.name.chars().count();
    let padded = branches.iter().filter(|branch| !branch.details.is_empty()).map(width);
    let column = padded.filter(|width| *width <= PADDED_COLUMNS_MAX).max().unwrap_or(0);
    for (index, branch) in branches.iter().enumerate() {
        let is_last = index + 1 == branches.len();
        let (corner, bar) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let line = format!("{indent}{corner}{:<column$}  {}", branch.name, branch.details);
        page.push_str(line.trim_end());
        page.push('\n');
        render(&branch.below, &format!("{indent}{bar}"), page);
    }
}
