//! Whatever a step leaves behind is stopped: at its timeout, and when its main process has ended.
//!
//! The daemon here does everything that hides a process: it forks twice, leads a session of its own, ignores
//! SIGTERM and SIGHUP, closes its pipes and drops its environment.

use std::process::Command;
use std::time::Duration;

use crate::support::answer::Running;
use crate::support::place::Place;
use crate::support::{processes, wait};

/// How long the timeout of the first step is.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Whose command it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum User {
    /// Whoever runs the tests.
    Own,
    /// An ordinary one, only if the tests run as root.
    Ordinary,
}

/// When the main process ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum MainProcess {
    Waits,
    EndsAtOnce,
}

/// Makes a daemon that has `mark` among its arguments, says that it lives by a file, and stays.
fn daemon(mark: &str) -> String {
    format!(
        r#"import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for descriptor in range(3):
            os.close(descriptor)
        open("alive", "w").close()
        os.execve("/bin/sleep", ["sleep", "{mark}"], {{}})
    os._exit(0)
"#
    )
}

fn definition(main_process: MainProcess) -> String {
    let rest = match main_process {
        MainProcess::Waits => "; trap '' TERM; while true; do sleep 0.05; done",
        MainProcess::EndsAtOnce => "; until [ -e alive ]; do sleep 0.01; done",
    };
    format!(
        "
name: tree
description: Leaves a daemon behind.
steps:
  - id: leaves
    run: {PYTHON} daemon.py{rest}
    timeout: {}ms
",
        TIMEOUT.as_millis()
    )
}

const PYTHON: &str = "/usr/bin/python3";

/// A command of `skep` as `user`, in a place that this user may use.
fn command(place: &Place, user: User, arguments: &[&str]) -> Option<Command> {
    match user {
        User::Own => Some(place.command(arguments)),
        User::Ordinary => place.command_of_an_ordinary_user(arguments),
    }
}

/// A number of seconds to sleep that no other process has.
fn mark() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("3600.{}{next:03}", std::process::id())
}

fn check(user: User, main_process: MainProcess) {
    let place = Place::new();
    let mark = mark();
    place.write("daemon.py", daemon(&mark));
    place.write("tree.yaml", definition(main_process));
    if user == User::Ordinary {
        place.give_away();
    }
    let Some(command) = command(&place, user, &["run", "tree.yaml", "--format", "json"]) else { return };
    let run = Running::start(command);
    wait::until("the daemon to live", wait::SOON, || place.work().join("alive").exists().then_some(()));
    // TERM, 500 ms, KILL: a machine with other work to do may take its time, but nothing outlives its step.
    let answer = run.end();
    let left = processes::with_argument(&mark);
    left.iter().for_each(|pid| processes::signal(*pid, rustix::process::Signal::KILL));
    assert!(left.is_empty(), "{user:?}, main process {main_process:?}: {left:?} outlived their step; {answer}");
    check_answer(main_process, &answer.value());
}

fn check_answer(main_process: MainProcess, answer: &serde_json::Value) {
    match main_process {
        MainProcess::Waits => {
            assert_eq!(answer["status"], "failed", "{answer:#}");
            assert_eq!(answer["steps"]["leaves"]["error"]["kind"], "timeout", "{answer:#}");
        }
        MainProcess::EndsAtOnce => assert_eq!(answer["status"], "completed", "{answer:#}"),
    }
}

#[test]
fn a_daemon_is_gone_after_the_timeout() {
    check(User::Own, MainProcess::Waits);
}

#[test]
fn a_daemon_of_an_ordinary_user_is_gone_after_the_timeout() {
    check(User::Ordinary, MainProcess::Waits);
}

#[test]
fn a_daemon_is_gone_after_its_step() {
    check(User::Own, MainProcess::EndsAtOnce);
}

#[test]
fn a_daemon_of_an_ordinary_user_is_gone_after_its_step() {
    check(User::Ordinary, MainProcess::EndsAtOnce);
}

/// One step ends beside another one whose daemon it must not touch: what hides so well is told apart all the same.
#[test]
fn a_daemon_lives_as_long_as_its_own_step() {
    let place = Place::new();
    let mark = mark();
    place.write("daemon.py", daemon(&mark));
    let text = format!(
        "
name: beside
description: One step ends while the daemon of another one lives.
steps:
  - id: both
    parallel:
      keeps: [{{id: keeps, run: '{PYTHON} daemon.py; until [ -e go ]; do sleep 0.01; done'}}]
      ends: [{{id: ends, run: 'until [ -e alive ]; do sleep 0.01; done; (setsid sleep 3600 &)'}}]
"
    );
    place.write("beside.yaml", text);
    let run = place.start(&["run", "beside.yaml", "--format", "json"]);
    wait::until("the one step to end", wait::SOON, || {
        let answer = place.skep(&["status", "--format", "json"]);
        (answer.code == Some(0) && answer.value()["steps"]["ends"]["status"] == "completed").then_some(())
    });
    assert_eq!(processes::with_argument(&mark).len(), 1, "the daemon of the step that still runs");
    place.write("go", "");
    assert_eq!(run.end().exits(0).value()["status"], "completed");
    assert!(processes::with_argument(&mark).is_empty(), "its step has ended");
}
