//! What has to be there for the scripts and steps of a workflow, as far as that is certain.
//!
//! Left out: what a variable names, what runs elsewhere, what the script asks for first (`command -v jq`), and
//! everything in a script that changes `PATH` or reads functions from another file.

use std::collections::{BTreeMap, BTreeSet};

use skep_model::problem::Place;
use skep_model::surroundings::Need;

use super::scripts::{Script, Scripts};
use crate::check::built::is_used;
use crate::check::report::place_in_script;
use crate::outline::Outline;
use crate::script::{Survey, is_builtin};
use crate::workflow::{Kind, Workflow};

/// Where a need was met first, and how badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The first place.
    pub place: Option<Place>,
    /// The first step.
    pub step: String,
    /// Other steps that need it, too.
    pub others: usize,
    /// Without it the step fails for certain, and the step runs for certain.
    pub is_vital: bool,
}

/// What a workflow needs of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs(pub(crate) BTreeMap<Need, Wanted>);

impl Needs {
    /// Of these scripts and steps.
    pub(crate) fn of(workflow: &Workflow, outline: &Outline<'_>, scripts: &Scripts<'_>) -> Self {
        let mut needs = Self::default();
        for script in &scripts.0 {
            let entry = &outline.steps[script.step];
            // An image brings its own programs.
            if is_used(entry.step.later.get("image")) {
                continue;
            }
            let is_vital = entry.list == 0 && entry.step.condition.is_none() && !script.is_side;
            let id = &entry.step.id;
            let whole = workflow.places.find(&script.pointer);
            if let Some(need) = interpreter(script) {
                needs.add(need, id, whole, is_vital);
            }
            if let Some(survey) = &script.survey {
                for (need, start, end) in commands(script, survey) {
                    let place = place_in_script(workflow, &script.pointer, &script.text, start, end);
                    needs.add(need, id, place, false);
                }
            }
        }
        for entry in &outline.steps {
            let folder = entry.step.working_dir.as_deref().filter(|folder| is_certain_path(folder));
            if let (Kind::Run { .. }, Some(folder)) = (&entry.step.kind, folder) {
                let place = workflow.places.find(&format!("{}/working_dir", entry.pointer));
                needs.add(Need::File(folder.to_owned()), &entry.step.id, place, false);
            }
        }
        needs
    }

    fn add(&mut self, need: Need, step: &str, place: Option<Place>, is_vital: bool) {
        let first = Wanted { place, step: step.to_owned(), others: 0, is_vital };
        let entry = self.0.entry(need).and_modify(|wanted| {
            wanted.others += usize::from(wanted.step != step);
            wanted.is_vital |= is_vital;
        });
        entry.or_insert(first);
    }
}

fn is_certain_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains(['$', '*', '?', '~', '{'])
}

/// The program that reads the script.
fn interpreter(script: &Script<'_>) -> Option<Need> {
    let program = script.shell.split_whitespace().next()?;
    if script.sets_path || program.contains("${{") {
        return None;
    }
    match program {
        "python" => Some(Need::Interpreter("python3".to_owned())),
        path if path.contains('/') => is_certain_path(path).then(|| Need::File(path.to_owned())),
        name => Some(Need::Interpreter(name.to_owned())),
    }
}

/// The programs that the script calls, each once, with the place of the first call.
fn commands(script: &Script<'_>, survey: &Survey) -> Vec<(Need, usize, usize)> {
    let changes_path = survey.assignments.iter().any(|(name, ..)| name == "PATH");
    let reads_others = survey.invocations.iter().any(|call| matches!(call.name(), "." | "source" | "enable" | "hash"));
    let asked: BTreeSet<&str> = survey.invocations.iter().filter(|call| asks(call.name())).flat_map(words_of).collect();
    let mut needs = Vec::new();
    for call in &survey.invocations {
        let is_defined = survey.functions.contains(&call.program);
        let is_sure = call.certain && !call.remote && call.start < survey.unclear_from;
        if !is_sure || is_defined || is_builtin(&call.program) || asked.contains(call.program.as_str()) {
            continue;
        }
        if call.program.contains('/') {
            if is_certain_path(&call.program) {
                needs.push((Need::File(call.program.clone()), call.start, call.end));
            }
        } else if is_name(&call.program) && !changes_path && !reads_others && !script.sets_path {
            needs.push((Need::Command(call.program.clone()), call.start, call.end));
        }
    }
    needs
}

fn asks(name: &str) -> bool {
    matches!(name, "command" | "which" | "type" | "whence")
}

fn words_of(call: &crate::script::Invocation) -> impl Iterator<Item = &str> {
    let is_question = call.name() != "command" || call.skeletons.first().is_some_and(|word| word.starts_with('-'));
    call.skeletons.iter().filter(move |_| is_question).map(String::as_str)
}

fn is_name(program: &str) -> bool {
    program.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && program.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '+'))
}
