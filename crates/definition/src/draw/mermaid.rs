//! A Mermaid flowchart.

use super::{flow, words};
use crate::outline::{ListNumber, Outline, Role, StepNumber};
use crate::workflow::{Kind, Workflow};

/// The workflow as a Mermaid `flowchart`: steps are nodes, everything that holds steps is a subgraph.
pub fn mermaid(workflow: &Workflow) -> String {
    let outline = Outline::of(workflow);
    let mut page = Page { outline: &outline, lines: vec!["flowchart TD".to_owned()], depth: 1 };
    page.list(0);
    if let Some(finally) = outline.finally {
        page.group("finally", "finally", finally);
        for step in flow::of(&outline, &outline.lists[0]).last {
            page.line(&format!("s{step} -.-> finally"));
        }
    }
    page.lines.push(String::new());
    page.lines.join("\n")
}

/// Text inside a quoted label: everything that Mermaid or HTML would read as a sign becomes an entity.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => escaped.push_str("#quot;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '&' => escaped.push_str("#amp;"),
            '#' => escaped.push_str("#35;"),
            '%' => escaped.push_str("#37;"),
            '`' => escaped.push_str("#96;"),
            '\\' => escaped.push_str("#92;"),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
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

    fn list(&mut self, list: ListNumber) {
        let list = &self.outline.lists[list];
        for &step in &list.steps {
            self.step(step);
        }
        let flow = flow::of(self.outline, list);
        for (from, to) in flow.arrows {
            self.line(&format!("s{from} --> s{to}"));
        }
        for (from, to) in flow.compensations {
            self.line(&format!("s{from} -. on error .-> s{to}"));
        }
    }

    fn group(&mut self, id: &str, title: &str, list: ListNumber) {
        self.line(&format!("subgraph {id}[\"{}\"]", escape(title)));
        self.depth += 1;
        self.list(list);
        self.depth -= 1;
        self.line("end");
    }

    fn step(&mut self, number: StepNumber) {
        let entry = &self.outline.steps[number];
        let mut parts = vec![escape(&entry.step.id), escape(&words::kind(&entry.step.kind))];
        parts.extend(words::marks(entry.step).iter().map(|mark| escape(mark)));
        let label = parts.join("<br/>");
        if entry.inner.is_empty() {
            let (open, close) = shape(&entry.step.kind);
            self.line(&format!("s{number}{open}\"{label}\"{close}"));
            return;
        }
        self.line(&format!("subgraph s{number}[\"{label}\"]"));
        self.depth += 1;
        for &list in &entry.inner {
            if self.outline.lists[list].role == Role::Body {
                self.list(list);
            } else {
                let title = words::list(&self.outline.lists[list], Some(entry.step)).unwrap_or_default();
                self.group(&format!("l{list}"), &title, list);
            }
        }
        self.depth -= 1;
        self.line("end");
    }
}

/// People get rounded ends, waits a circle's ends, work a box.
fn shape(kind: &Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Approval(_) | Kind::Input { .. } => ("(", ")"),
        Kind::Wait(_) => ("([", "])"),
        Kind::Workflow(_) => ("[[", "]]"),
        Kind::Run { .. }
        | Kind::Uses { .. }
        | Kind::Agent(_)
        | Kind::Ai(_)
        | Kind::Switch { .. }
        | Kind::Parallel { .. }
        | Kind::Foreach { .. }
        | Kind::While { .. }
        | Kind::Repeat { .. } => ("[", "]"),
    }
}
