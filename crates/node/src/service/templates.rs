//! The library as templates (seed 000): each workflow with what it is, what it needs, and how it did so far.

use skep_definition::load;
use skep_definition::workflow::{Kind, Step, Workflow};
use skep_model::span::parse_duration_ms;
use skep_model::time::Timestamp;

use super::statistics::Usage;
use super::{Reading, WorkflowEntry};
use crate::error::Error;

/// A workflow of the library as a template.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its entry in the library; its path is the template's id.
    pub entry: WorkflowEntry,
    /// Its category; empty if it names none.
    pub category: String,
    /// For search.
    pub tags: Vec<String>,
    /// How long it takes, in seconds: as half of the executions that completed took, else as its author says.
    pub estimated_duration: Option<u64>,
    /// What its executions came to.
    pub usage: Usage,
    /// Steps, those inside others too.
    pub steps: usize,
    /// A person has to say yes somewhere.
    pub approval_required: bool,
    /// Something that it does can be undone.
    pub rollback_enabled: bool,
    /// Its text.
    pub text: String,
}

impl Reading {
    /// All templates, in the order of their paths.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn templates(&self, now: Timestamp) -> Result<Vec<Template>, Error> {
        let mut statistics = self.statistics(now)?;
        let mut templates = Vec::new();
        for entry in self.workflows()? {
            let usage = statistics.by_workflow.remove(&entry.path).unwrap_or_default();
            templates.push(self.template_of(entry, usage)?);
        }
        Ok(templates)
    }

    /// One template, by its path or the end of it.
    ///
    /// # Errors
    /// Unknown or ambiguous name, trouble with the store.
    pub fn template(&self, name: &str, now: Timestamp) -> Result<Template, Error> {
        let (entry, _) = self.workflow(name, None)?;
        let usage = self.statistics(now)?.by_workflow.remove(&entry.path).unwrap_or_default();
        self.template_of(entry, usage)
    }

    fn template_of(&self, entry: WorkflowEntry, usage: Usage) -> Result<Template, Error> {
        let (_, text) = self.workflow(&entry.path, Some(entry.number))?;
        let workflow = load::load(&text).workflow.unwrap_or_default();
        let measured = usage.median_ms().map(|median_ms| median_ms.div_ceil(1_000));
        Ok(Template {
            category: workflow.category.clone().unwrap_or_default(),
            tags: workflow.tags.clone(),
            estimated_duration: measured.or_else(|| said_seconds(&workflow)),
            usage,
            steps: all_steps(&workflow).len(),
            approval_required: all_steps(&workflow).iter().any(|step| asks(step)),
            rollback_enabled: all_steps(&workflow).iter().any(|step| step.rollback.is_some()),
            entry,
            text,
        })
    }
}

/// `estimated_duration` as its author wrote it: seconds, or a length of time.
fn said_seconds(workflow: &Workflow) -> Option<u64> {
    let said = workflow.annotations.get("estimated_duration")?;
    said.as_u64().or_else(|| said.as_str().and_then(parse_duration_ms).map(|ms| ms.div_ceil(1_000)))
}

fn asks(step: &Step) -> bool {
    step.approve.is_some() || matches!(step.kind, Kind::Approval(_))
}

fn all_steps(workflow: &Workflow) -> Vec<&Step> {
    let mut found = Vec::new();
    let mut lists = vec![&workflow.steps, &workflow.finally];
    while let Some(list) = lists.pop() {
        for step in list {
            found.push(step);
            match &step.kind {
                Kind::Switch { cases, default } => {
                    lists.extend(cases.iter().map(|case| &case.steps));
                    lists.extend(default.as_ref());
                }
                Kind::Parallel { branches, .. } => lists.extend(branches.iter().map(|branch| &branch.steps)),
                Kind::Foreach { steps, .. } | Kind::While { steps, .. } | Kind::Repeat { steps, .. } => {
                    lists.push(steps);
                }
                Kind::Run { .. }
                | Kind::Uses { .. }
                | Kind::Agent(_)
                | Kind::Ai(_)
                | Kind::Workflow(_)
                | Kind::Approval(_)
                | Kind::Input { .. }
                | Kind::Wait(_) => {}
            }
        }
    }
    found
}
