//! What is missing on the machine, and how full it is.

use skep_model::surroundings::{Load, Need, Presence, Surroundings};

use super::needs::{Needs, Wanted};
use crate::check::codes;
use crate::check::report::Finding;

/// Memory in use over this is a warning, in percent (seed 000's rule): what starts now may be killed.
const MEMORY_PERCENT_HIGH: f64 = 90.0;
/// Runnable processes over this share of the processors are a warning, in percent (seed 000's rule).
const CPU_PERCENT_HIGH: f64 = 90.0;
/// Disk in use over this is a warning, in percent (seed 000's rule).
const DISK_PERCENT_HIGH: f64 = 85.0;
/// Disk in use over this is an error, in percent (seed 000's rule): results could no longer be written down.
const DISK_PERCENT_FULL: f64 = 95.0;

/// Runnable processes over the last 5 minutes, by processor, over this are a warning: it is not only for a moment.
const LOAD_PER_PROCESSOR_HIGH: f64 = 1.0;
/// Processes and threads over this share of those that there may be are a warning, in percent.
const TASKS_PERCENT_HIGH: f64 = 80.0;

/// What is said at level paranoid about a machine that is busy for long, or has many processes.
pub(crate) fn busy(load: &Load) -> Vec<Finding> {
    let mut found = Vec::new();
    if let (Some([_, five, _]), Some(processors)) = (load.load_average, load.processors)
        && five > LOAD_PER_PROCESSOR_HIGH * processors as f64
    {
        let message = format!("the load average of 5 minutes is {five:.1}, with {processors} processor(s)");
        found.push(
            Finding::warning(codes::LOAD_HIGH, message).hint("wait, or look at the timeouts: steps will be slow"),
        );
    }
    if let (Some(tasks), Some(most)) = (load.tasks, load.tasks_max)
        && tasks as f64 * 100.0 > TASKS_PERCENT_HIGH * most as f64
    {
        let message = format!("{tasks} of the {most} processes and threads that there may be are there");
        found.push(Finding::warning(codes::PROCESSES_MANY, message).hint("find out who has them: `ps -eLf`"));
    }
    found
}

/// Asks about all needs and the load; each finding with its place.
pub(crate) fn check(
    needs: &Needs,
    surroundings: &dyn Surroundings,
    path: Option<&str>,
) -> Vec<(Option<skep_model::problem::Place>, Finding)> {
    let missing = needs.0.iter().filter(|(need, _)| surroundings.presence(need, path) == Presence::Missing);
    let mut found: Vec<_> = missing.map(|(need, wanted)| (wanted.place, absent(need, wanted))).collect();
    found.extend(load(surroundings.load()).into_iter().map(|finding| (None, finding)));
    found
}

fn absent(need: &Need, wanted: &Wanted) -> Finding {
    let who = match wanted.others {
        0 => format!("`{}` needs it", wanted.step),
        others => format!("`{}` and {others} more need it", wanted.step),
    };
    let (code, what, hint) = match need {
        Need::Interpreter(name) => (
            codes::INTERPRETER_MISSING,
            format!("the interpreter `{name}` is not on this machine: {who}"),
            format!("install `{name}`, or name another one in `shell`"),
        ),
        Need::Command(name) => (
            codes::COMMAND_MISSING,
            format!("the command `{name}` is not on this machine: {who}"),
            format!("install `{name}`, or set `PATH` in `env`; ask with `command -v {name}` if it is optional"),
        ),
        Need::File(path) => (
            codes::FILE_MISSING,
            format!("there is no `{path}` on this machine: {who}"),
            "mend the path, or make it in an earlier step".to_owned(),
        ),
    };
    let finding = match (need, wanted.is_vital) {
        (Need::Interpreter(_), true) => Finding::error(code, what),
        (Need::Interpreter(_) | Need::Command(_) | Need::File(_), _) => Finding::warning(code, what),
    };
    finding.hint(hint)
}

fn load(load: Load) -> Vec<Finding> {
    let over = |percent: Option<f64>, limit: f64| percent.filter(|percent| *percent > limit);
    let mut found = Vec::new();
    if let Some(percent) = over(load.memory_percent, MEMORY_PERCENT_HIGH) {
        let finding = Finding::warning(codes::MEMORY_LOW, format!("{percent:.0} % of the memory is in use"));
        found.push(finding.hint("wait until something has ended, or run it on another machine"));
    }
    if let Some(percent) = over(load.cpu_percent, CPU_PERCENT_HIGH) {
        let finding = Finding::warning(codes::CPU_BUSY, format!("the processors are {percent:.0} % busy"));
        found.push(finding.hint("steps will be slow: look at their timeouts, or wait"));
    }
    if let Some(percent) = over(load.disk_percent, DISK_PERCENT_FULL) {
        let finding = Finding::error(codes::DISK_FULL, format!("{percent:.0} % of the disk is in use"));
        found.push(finding.hint("make room first: every result is written down, `skep prune` removes old executions"));
    } else if let Some(percent) = over(load.disk_percent, DISK_PERCENT_HIGH) {
        let finding = Finding::warning(codes::DISK_FULL, format!("{percent:.0} % of the disk is in use"));
        found.push(finding.hint("make room soon: `skep prune` removes old executions"));
    }
    found
}
