//! Hunting real processes: those that try to get away.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use skep_model::effect::{Task, Work};
use skep_model::ids::Token;
use skep_model::outcome::Ended;

use super::processes::{Key, lives, send, started_ticks};
use crate::tests::{World, task, wait_for};
use crate::{Identity, Runner};

/// A daemon that forked twice, left its session, ignores SIGTERM and closed its pipes; `prefix` comes before it.
fn daemon(prefix: &str) -> String {
    let body = r#"trap "" TERM; echo $$ > pid.new; mv pid.new pid; while :; do sleep 1 <&-; done"#;
    format!("( {prefix} setsid bash -c '{body}' <&- >/dev/null 2>&1 & )\nuntil [ -e pid ]; do sleep 0.01; done\n")
}

fn script_task(world: &World, text: &str, timeout_ms: Option<u64>) -> Task {
    Task { timeout_ms, ..task("step", Work::Script(world.script(text))) }
}

fn daemon_is_gone(world: &World) -> bool {
    started_ticks(wait_for(&world.path("pid")).parse().unwrap()).is_none()
}

/// The hard cases; `prefix` changes how the daemon is started.
fn escapes_fail(prefix: &str) {
    let world = World::new();
    let waits = format!("{}while [ -d /proc/$(cat pid) ]; do sleep 0.05; done", daemon(prefix));
    let timeout_ms = 1_500;
    let begun = Instant::now();
    let ended = world.run(script_task(&world, &waits, Some(timeout_ms)));
    // One second after the timeout where the machine is free; twice that on a busy one.
    assert!(begun.elapsed() < Duration::from_millis(timeout_ms + 2_000), "took {:?}", begun.elapsed());
    assert!(matches!(ended, Ended::Failed { .. }), "{ended:?}");
    assert!(daemon_is_gone(&world), "main process waits, prefix {prefix:?}");

    let world = World::new();
    let ended = world.run(script_task(&world, &format!("{}echo out", daemon(prefix)), None));
    assert!(matches!(ended, Ended::Succeeded(_)), "{ended:?}");
    assert!(daemon_is_gone(&world), "main process exits, prefix {prefix:?}");
}

#[test]
fn a_daemon_does_not_outlive_its_step() {
    escapes_fail("");
}

#[test]
fn a_daemon_without_environment_does_not_outlive_its_step() {
    escapes_fail("env -i PATH=\"$PATH\"");
}

/// The same as an ordinary user: root runs this test program again as one.
#[test]
fn a_daemon_of_an_ordinary_user_does_not_outlive_its_step() {
    if !rustix::process::getuid().is_root() {
        return escapes_fail("");
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("deps/tests");
    let spawner = folder.path().join("examples/spawner");
    for (from, to) in [(std::env::current_exe().unwrap(), &copy), (crate::tests::spawner_program(), &spawner)] {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        // By another process: a child that some other test forks now must not hold the new file open for writing.
        assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
    }
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&copy);
    command.args(["--exact", "kill::tests::a_daemon_of_an_ordinary_user_does_not_outlive_its_step"]);
    let output = command.current_dir("/").env("HOME", "/").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// `prefix` changes how every second process is started.
fn fork_bomb_is_killed(prefix: &str) {
    let world = World::new();
    // Each process starts two and ends, so that no parent can be followed, and ignores SIGTERM; the seventh
    // generation only waits, which keeps the machine usable whatever happens here.
    let text = r#"cat > bomb <<'END'
#!/bin/bash
trap '' TERM
[ $1 -lt 7 ] || exec sleep 1000
./bomb $(($1 + 1)) &
PREFIX ./bomb $(($1 + 1)) &
END
chmod +x bomb
(./bomb 1 &)
"#;
    let text = text.replace("PREFIX", prefix);
    world.run(script_task(&world, &text, None));
    let name = world.folder.path().to_string_lossy().into_owned();
    let left = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        std::fs::read_link(entry.path().join("cwd")).is_ok_and(|folder| folder.to_string_lossy() == name)
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn a_fork_bomb_is_frozen_and_killed() {
    fork_bomb_is_killed("");
}

#[test]
fn a_fork_bomb_that_spreads_over_sessions_is_frozen_and_killed() {
    fork_bomb_is_killed("env -i PATH=\"$PATH\" setsid");
}

#[test]
fn a_daemon_that_holds_the_pipe_delays_nothing_and_other_steps_keep_theirs() {
    let world = World::new();
    let long = script_task(&world, &format!("{}sleep 1000", daemon("env -i PATH=\"$PATH\"")), None);
    world.runner.perform(long.clone(), None);
    let daemon: u32 = wait_for(&world.path("pid")).parse().unwrap();

    let other = script_task(&world, "(setsid sleep 1000 &) ; echo done", None);
    world.runner.perform(other.clone(), None);
    let outcome = world.next();
    assert_eq!(outcome.token, other.token);
    assert!(matches!(outcome.result, Ended::Succeeded(_)));
    assert!(started_ticks(daemon).is_some(), "it belongs to the step that still runs");

    world.runner.abort(&long.token);
    assert_eq!(world.next().result, Ended::Aborted);
    assert_eq!(started_ticks(daemon), None);
}

#[test]
fn a_sweep_kills_what_a_dead_owner_left() {
    let token = Token::new(format!("sweep-test-{}", std::process::id()));
    let mut main =
        Command::new("setsid").args(["sleep", "1000"]).env_clear().env("PATH", "/usr/bin:/bin").spawn().unwrap();
    let mut carrier = Command::new("sleep").arg("1000").env(super::TOKEN_VARIABLE, token.as_str()).spawn().unwrap();
    let identity =
        |pid, boot_id: &str| Identity { pid, started_ticks: started_ticks(pid).unwrap(), boot_id: boot_id.to_owned() };
    Runner::sweep(&[(token.clone(), identity(main.id(), "another boot"))]);
    assert!(!carrier.wait().unwrap().success(), "found by its token alone");
    assert!(main.try_wait().unwrap().is_none(), "a pid of another boot is another process");
    Runner::sweep(&[(token, identity(main.id(), crate::spawner::boot_id()))]);
    assert!(!main.wait().unwrap().success());
}

#[test]
fn a_signal_does_not_reach_a_process_that_only_has_the_same_pid() {
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    let key = Key { pid: child.id(), started_ticks: started_ticks(child.id()).unwrap() };
    send(Key { started_ticks: key.started_ticks + 1, ..key }, rustix::process::Signal::KILL);
    assert!(lives(key));
    send(key, rustix::process::Signal::KILL);
    assert!(!child.wait().unwrap().success());
}

#[test]
fn nobody_hunts_himself() {
    let own: HashSet<u32> = super::self_and_ancestors();
    assert!(own.contains(&std::process::id()) && own.contains(&1));
}
