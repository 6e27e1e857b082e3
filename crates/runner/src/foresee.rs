//! What the runner would answer, without anything being done: for those who simulate executions.
//!
//! The answers are made by the code that makes the real ones. It must not start, read or wait for anything.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde_json::Value;
use skep_model::Map;
use skep_model::effect::{Script, Task, Work};
use skep_model::outcome::Ended;

use crate::actions::{BuiltIn, Manner, Now, catalogue_actions};
use crate::perform;
use crate::script::{Captured, foreseen_exit, foreseen_timeout};
use crate::sink::{LogLine, Sink};

/// The outcome of work that takes no waiting and touches nothing (`set`, `log`, `noop`): it is really done, and what
/// it logs is dropped. `None` for all other work.
pub fn at_once(task: &Task) -> Option<Ended> {
    let Work::Action { name, with, .. } = &task.work else { return None };
    let Manner::Now(perform) = BuiltIn::named(name)?.manner() else { return None };
    let now = Now { task, with: with.clone(), sink: &Silent };
    Some(perform::ended_at(perform(now), &task.path))
}

/// Work that succeeded and gave nothing: empty streams and exit code 0, or null under every name that the action
/// declares.
pub fn succeeded(work: &Work) -> Ended {
    match work {
        Work::Script(script) => exited(script, 0, "", ""),
        Work::Action { name, .. } => {
            let names = catalogue_actions().remove(&**name).map(|action| action.outputs).unwrap_or_default();
            Ended::Succeeded(names.into_iter().map(|name| (name, Value::Null)).collect())
        }
        Work::UndoChild { .. } => Ended::Succeeded(Map::new()),
    }
}

/// A script that printed this and exited with `code` (0 to 255).
pub fn exited(script: &Script, code: u8, stdout: &str, stderr: &str) -> Ended {
    let status = ExitStatus::from_raw(i32::from(code) << 8);
    foreseen_exit(status, script, captured(stdout), captured(stderr))
}

/// A task that was stopped because it took longer than `ms` milliseconds. `None` for work that the runner does not do.
pub fn timed_out(task: &Task, ms: u64) -> Option<Ended> {
    let ended = match &task.work {
        Work::Script(script) => foreseen_timeout(ms, script),
        Work::Action { name, .. } => perform::action_timeout(name, ms),
        Work::UndoChild { .. } => return None,
    };
    Some(perform::of_step(ended, &task.path))
}

fn captured(text: &str) -> Captured {
    Captured { bytes: text.as_bytes().to_vec(), cut_bytes: 0 }
}

/// Nobody reads the log of what is not done.
struct Silent;

impl Sink for Silent {
    fn lines(&self, _: &Task, _: &[LogLine]) {}
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use skep_model::effect::Script;
    use skep_model::error::Kind;

    use super::*;

    fn script() -> Script {
        Script {
            shell: "sh".to_owned(),
            text: String::new(),
            values: Map::new(),
            env: Map::new(),
            working_dir: "/".to_owned(),
            inputs: Value::Null,
        }
    }

    #[test]
    fn a_script_gives_what_it_printed_and_how_it_ended() {
        let Ended::Succeeded(outputs) = exited(&script(), 0, "{\"n\": 1}\n", "") else { panic!("it exited with 0") };
        assert_eq!(json!(outputs), json!({"stdout": "{\"n\": 1}", "stderr": "", "exit_code": 0, "json": {"n": 1}}));
        let Ended::Failed { failure, outputs } = exited(&script(), 3, "", "no room") else { panic!("it failed") };
        assert_eq!((failure.kind, failure.exit_code), (Kind::Exit, Some(3)));
        assert!(failure.message.ends_with("exited with code 3: no room"), "{}", failure.message);
        assert_eq!(outputs["exit_code"], 3);
    }

    #[test]
    fn an_action_gives_null_under_its_names() {
        let work = |name: &str| Work::Action { name: name.into(), with: Value::Null, base_dir: "/".into() };
        let Ended::Succeeded(outputs) = succeeded(&work("http")) else { panic!("it succeeds") };
        assert!(outputs.contains_key("status") && outputs.values().all(Value::is_null), "{outputs:?}");
        assert_eq!(succeeded(&work("unheard-of")), Ended::Succeeded(Map::new()));
    }
}
