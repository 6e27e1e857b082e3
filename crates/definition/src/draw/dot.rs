//! A Graphviz graph.

use super::{flow, words};
use crate::outline::{ListNumber, Outline, Role, StepNumber};
use crate::workflow::{Kind, Workflow};

/// The workflow as a DOT `digraph`. A step that holds steps is a node inside a cluster of its own, because
/// Graphviz draws arrows between nodes only; arrows are clipped at the cluster's edge.
pub fn dot(workflow: &Workflow) -> String {
    let outline = Outline::of(workflow);
    let mut page = Page { outline: &outline, lines: Vec::new(), depth: 0 };
    page.line(&format!("digraph {} {{", quote(&workflow.name)));
    page.depth = 1;
    page.line("compound=true;");
    page.line("node [shape=box, style=rounded];");
    page.list(0);
    if let Some(finally) = outline.finally {
        page.cluster("finally", "finally", |page| page.list(finally));
        let after = flow::of(&outline, &outline.lists[finally]).first;
        for from in flow::of(&outline, &outline.lists[0]).last {
            for to in &after {
                page.arrow(from, *to, &["style=dotted".to_owned(), "lhead=cluster_finally".to_owned()]);
            }
        }
    }
    page.depth = 0;
    page.line("}");
    page.lines.push(String::new());
    page.lines.join("\n")
}

/// A quoted string of DOT.
fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

struct Page<'o, 'w> {
    outline: &'o Outline<'w>,
    lines: Vec<String>,
    depth: usize,
}

impl Page<'_, '_> {
    fn line(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", "  ".repeat(self.depth)));
    }

    fn cluster(&mut self, id: &str, title: &str, fill: impl FnOnce(&mut Self)) {
        self.line(&format!("subgraph cluster_{id} {{"));
        self.depth += 1;
        self.line(&format!("label={};", quote(title)));
        fill(self);
        self.depth -= 1;
        self.line("}");
    }

    fn arrow(&mut self, from: StepNumber, to: StepNumber, attributes: &[String]) {
        let holds = |step: StepNumber| !self.outline.steps[step].inner.is_empty();
        let tail = holds(from).then(|| format!("ltail=cluster_s{from}"));
        let has_head = attributes.iter().any(|attribute| attribute.starts_with("lhead"));
        let head = (holds(to) && !has_head).then(|| format!("lhead=cluster_s{to}"));
        let all: Vec<String> = attributes.iter().cloned().chain(tail).chain(head).collect();
        let written = if all.is_empty() { String::new() } else { format!(" [{}]", all.join(", ")) };
        self.line(&format!("s{from} -> s{to}{written};"));
    }

    fn list(&mut self, list: ListNumber) {
        let list = &self.outline.lists[list];
        for &step in &list.steps {
            self.step(step);
        }
        let flow = flow::of(self.outline, list);
        for (from, to) in flow.arrows {
            self.arrow(from, to, &[]);
        }
        for (from, to) in flow.compensations {
            self.arrow(from, to, &["style=dotted".to_owned(), "label=\"on error\"".to_owned()]);
        }
    }

    fn step(&mut self, number: StepNumber) {
        let entry = &self.outline.steps[number];
        let mut parts = vec![entry.step.id.clone(), words::kind(&entry.step.kind)];
        parts.extend(words::marks(entry.step));
        let node = format!("s{number} [label={}{}];", quote(&parts.join("\n")), shape(&entry.step.kind));
        if entry.inner.is_empty() {
            self.line(&node);
            return;
        }
        self.cluster(&format!("s{number}"), &entry.step.id, |page| {
            page.line(&node);
            for &list in &entry.inner {
                page.inner(number, list);
            }
        });
    }

    fn inner(&mut self, owner: StepNumber, number: ListNumber) {
        let list = &self.outline.lists[number];
        if list.role == Role::Body {
            self.list(number);
        } else {
            let title = words::list(list, Some(self.outline.steps[owner].step)).unwrap_or_default();
            self.cluster(&format!("l{number}"), &title, |page| page.list(number));
        }
        for step in flow::of(self.outline, list).first {
            // Inside its own cluster the arrow must not be clipped at it.
            let head = (!self.outline.steps[step].inner.is_empty()).then(|| format!(" [lhead=cluster_s{step}]"));
            self.line(&format!("s{owner} -> s{step}{};", head.unwrap_or_default()));
        }
    }
}

fn shape(kind: &Kind) -> &'static str {
    match kind {
        Kind::Approval(_) | Kind::Input { .. } => ", shape=ellipse",
        Kind::Wait(_) => ", shape=octagon",
        Kind::Switch { .. } => ", shape=diamond",
        Kind::Parallel { .. } => ", shape=parallelogram",
        Kind::Foreach { .. } | Kind::While { .. } | Kind::Repeat { .. } => ", shape=hexagon",
        Kind::Run { .. } | Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_) | Kind::Workflow(_) => "",
    }
}
