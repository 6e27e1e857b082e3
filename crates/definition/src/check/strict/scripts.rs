//! Every script of a workflow, surveyed once: `run`, `verify`, `rollback` and the `verify` inside it.

use std::borrow::Cow;

use skep_model::Map;

use crate::check::SHELL_DEFAULT;
use crate::check::effects;
use crate::lower::settings::SideWork;
use crate::outline::{Outline, StepNumber};
use crate::script::{Survey, survey};
use crate::workflow::{Kind, Workflow};

/// One script.
pub(crate) struct Script<'w> {
    /// Whose.
    pub step: StepNumber,
    /// Where its text stands.
    pub pointer: String,
    pub text: Cow<'w, str>,
    /// The interpreter as written, or the default.
    pub shell: Cow<'w, str>,
    /// It undoes or verifies: what a step does to the world is meant elsewhere.
    pub is_side: bool,
    /// `PATH` is set for it, by the workflow, the step or the side.
    pub sets_path: bool,
    /// What it calls; `None` if no shell reads it.
    pub survey: Option<Survey>,
}

/// All of them.
pub(crate) struct Scripts<'w>(pub Vec<Script<'w>>);

impl<'w> Scripts<'w> {
    pub fn of(workflow: &'w Workflow, outline: &Outline<'w>) -> Self {
        let mut scripts = Vec::new();
        let default = workflow.defaults.shell.as_deref().unwrap_or(SHELL_DEFAULT);
        let sets_path = |env: &Map<String>| workflow.env.contains_key("PATH") || env.contains_key("PATH");
        for (number, entry) in outline.steps.iter().enumerate() {
            if let Kind::Run { script, shell } = &entry.step.kind {
                let shell = shell.as_deref().unwrap_or(default);
                scripts.push(Script {
                    step: number,
                    pointer: format!("{}/run", entry.pointer),
                    text: Cow::Borrowed(script),
                    shell: Cow::Borrowed(shell),
                    is_side: false,
                    sets_path: sets_path(&entry.step.env),
                    survey: survey(script, shell),
                });
            }
            if entry.step.rollback.is_none() && !entry.step.later.contains_key("verify") {
                continue;
            }
            for (pointer, side) in effects::sides(workflow, entry) {
                let SideWork::Run { script, shell } = side.work else { continue };
                let shell = shell.unwrap_or_else(|| default.to_owned());
                scripts.push(Script {
                    step: number,
                    pointer,
                    survey: survey(&script, &shell),
                    text: Cow::Owned(script),
                    shell: Cow::Owned(shell),
                    is_side: true,
                    sets_path: sets_path(&side.env),
                });
            }
        }
        Self(scripts)
    }
}
