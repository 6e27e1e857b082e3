//! Data directories in odd places, several commands at once, and what a step sees of the caller.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::answer::Running;
use crate::support::place::Place;
use crate::support::wait;

const DONE: &str = "name: done\ndescription: Done.\nsteps: [{id: a, run: 'echo out'}]\n";
const GATE: &str = "name: gate\ndescription: Asks.\nsteps: [{id: ask, approval: {message: 'Go?'}}]\n";

#[test]
fn a_data_directory_with_a_long_path() {
    let below = ["a-folder-with-a-name-of-some-length"; 5].join("/");
    let place = Place::with_data_below(&below);
    assert!(place.data().join("skep.sock").as_os_str().len() > 107);
    place.write("workflow.yaml", GATE);
    let run = place.start(&["run", "workflow.yaml", "--wait", "--format", "json"]);
    wait::until("the question", wait::SOON, || {
        let answer = place.skep(&["status", "--format", "json"]);
        (answer.code == Some(0) && answer.value()["steps"]["ask"]["status"] == "waiting").then_some(())
    });
    place.json(&["approve", "@latest"], 0);
    assert_eq!(run.end().exits(0).value()["status"], "completed");
}

#[test]
fn the_data_directory_by_option() {
    let place = Place::new();
    let other = place.folder().join("other");
    let other = other.to_string_lossy().into_owned();
    place.write("workflow.yaml", DONE);
    place.json(&["run", "workflow.yaml", "--data-dir", &other], 0);
    assert_eq!(place.json(&["--data-dir", &other, "status"], 0)["status"], "completed");
    assert!(!place.data().exists(), "the option wins over the variable");
}

#[test]
fn two_runs_at_once_share_a_data_directory() {
    let place = Place::new();
    place.write("workflow.yaml", "name: two\ndescription: Two.\nsteps: [{id: a, run: sleep 0.2; echo a}]\n");
    let runs: Vec<Running> = (0..4).map(|_| place.start(&["run", "workflow.yaml", "--format", "json"])).collect();
    let answers: Vec<_> = runs.into_iter().map(|run| run.end().exits(0).value()).collect();
    let ids: std::collections::BTreeSet<String> = answers.iter().map(|it| it["execution_id"].to_string()).collect();
    assert_eq!(ids.len(), 4);
    assert!(answers.iter().all(|answer| answer["steps"]["a"]["outputs"]["stdout"] == "a"), "{answers:#?}");
}

#[test]
fn the_socket_file_of_a_dead_owner_is_no_obstacle() {
    let place = Place::new();
    place.write("workflow.yaml", GATE);
    let run = place.start(&["run", "workflow.yaml", "--wait"]);
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    run.kill();
    assert!(place.data().join("skep.sock").exists(), "nobody removed it");
    place.write("other.yaml", DONE);
    assert_eq!(place.json(&["run", "other.yaml"], 0)["status"], "completed");
}

/// The database and its neighbours, without the owner's lock and socket.
fn files(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(place.data()).expect("it exists");
    let files = entries.map(|entry| entry.expect("it can be read").path()).filter(|path| path.is_file());
    files.map(|path| (path.to_string_lossy().into_owned(), fs::read(&path).expect("it can be read"))).collect()
}

#[test]
fn reading_commands_write_nothing() {
    let place = Place::new();
    place.run(DONE, &[], 0);
    let before = files(&place);
    for arguments in [&["status"][..], &["list"], &["history"], &["logs", "@latest"], &["replay", "@latest"]] {
        place.skep(arguments).exits(0);
    }
    let database = |files: &BTreeMap<String, Vec<u8>>| {
        files.iter().find(|(name, _)| name.ends_with("skep.db")).map(|(_, bytes)| bytes.clone())
    };
    assert_eq!(database(&files(&place)), database(&before));
}

/// Makes everything below `folder` readable and nothing writable, for everybody but root.
fn freeze(folder: &Path) {
    for entry in fs::read_dir(folder).expect("it exists") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            freeze(&path);
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("it is ours");
        }
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).expect("it is ours");
}

fn thaw(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("it is ours");
    for entry in fs::read_dir(folder).expect("it exists") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            thaw(&path);
        }
    }
}

/// Reads a frozen data directory as somebody who may not write into it; root may always.
fn read_frozen(place: &Place) {
    let before = files(place);
    freeze(place.data());
    for arguments in [&["status", "--format", "json"][..], &["list"], &["logs", "@latest"], &["replay", "@latest"]] {
        let Some(command) = place.command_of_an_ordinary_user(arguments) else { break };
        let answer = Running::start(command).end().exits(0);
        if arguments[0] == "status" {
            assert_eq!(answer.value()["steps"]["a"]["status"], "completed", "{answer}");
        }
    }
    assert_eq!(files(place), before, "nothing changed");
    thaw(place.data());
}

#[test]
fn a_directory_that_may_only_be_read_is_read() {
    let place = Place::new();
    place.run(DONE, &[], 0);
    read_frozen(&place);
}

#[test]
fn what_a_dead_owner_left_is_read_where_nothing_can_be_written() {
    let place = Place::new();
    place.write(
        "workflow.yaml",
        "name: dead\ndescription: Dies.\nsteps: [{id: a, run: 'true'}, {id: b, run: 'touch b; sleep 600'}]\n",
    );
    let run = place.start(&["run", "workflow.yaml"]);
    wait::until("the second step", wait::SOON, || place.work().join("b").exists().then_some(()));
    run.kill();
    read_frozen(&place);
}

#[test]
fn a_missing_data_directory_reads_as_empty_and_stays_missing() {
    let place = Place::new();
    place.json(&["list"], 0);
    place.json(&["status", "@latest"], 1);
    assert!(!place.data().exists());
}

/// The environment that a step printed.
fn environment_of_a_step(place: &Place, arguments: &[&str], definition: &str) -> BTreeMap<String, String> {
    place.write("workflow.yaml", definition);
    let mut all = vec!["run", "workflow.yaml", "--format", "json"];
    all.extend(arguments);
    let mut command = place.command(&all);
    command.env("SECRET", "do not pass").env("WANTED", "pass").env("LC_ALL", "C.UTF-8").env("LD_DEBUG_X", "no");
    command.env("TZ", "Europe/Berlin").env("LANG", "C.UTF-8").env("USER", "ada").env("BASH_ENV", "/nowhere");
    let answer = Running::start(command).end().exits(0).value();
    let text = answer["steps"]["env"]["outputs"]["stdout"].as_str().expect("it printed").to_owned();
    text.lines().filter_map(|line| line.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

const ENVIRONMENT: &str = "
name: env
description: Prints its environment.
env: {FROM_WORKFLOW: w, BOTH: w}
steps:
  - {id: env, shell: sh, env: {FROM_STEP: s, BOTH: s}, run: exec env}
";

#[test]
fn a_step_sees_exactly_what_it_should() {
    let place = Place::new();
    let seen = environment_of_a_step(&place, &[], ENVIRONMENT);
    let ours = "SKEP_ATTEMPT SKEP_DELIVERY_TOKEN SKEP_EXECUTION_ID SKEP_IDEMPOTENCY_KEY SKEP_INPUTS SKEP_STEP";
    let expected = format!("BOTH FROM_STEP FROM_WORKFLOW HOME LANG LC_ALL PATH {ours} TZ USER");
    // `sh` sets PWD (and some shells more) by itself.
    let names: Vec<&str> =
        seen.keys().map(String::as_str).filter(|name| !["PWD", "OLDPWD", "_", "SHLVL"].contains(name)).collect();
    assert_eq!(names.join(" "), expected);
    assert_eq!(seen["BOTH"], "s");
    assert_eq!((seen["USER"].as_str(), seen["TZ"].as_str()), ("ada", "Europe/Berlin"));
    assert_eq!(seen["SKEP_STEP"], "env");
    assert_eq!(seen["SKEP_IDEMPOTENCY_KEY"], format!("{}/env/g1", seen["SKEP_EXECUTION_ID"]));
}

#[test]
fn more_is_passed_only_by_name() {
    let place = Place::new();
    let seen = environment_of_a_step(&place, &["--pass-env", "WANTED"], ENVIRONMENT);
    assert_eq!(seen.get("WANTED").map(String::as_str), Some("pass"));
    assert_eq!(seen.get("SECRET"), None);
}

#[test]
fn a_server_does_not_lend_its_environment() {
    let place = Place::new();
    let mut serve = place.command(["serve"]);
    serve.env("SECRET", "of the server").env("LC_TIME", "C");
    let serve = Running::start(serve);
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    let seen = environment_of_a_step(&place, &[], ENVIRONMENT);
    assert_eq!((seen.get("SECRET"), seen.get("LC_TIME")), (None, None));
    assert_eq!(seen["USER"], "ada", "it is the caller's");
    place.skep(&["serve", "--stop"]).exits(0);
    assert_eq!(serve.end().code, Some(0));
}

#[test]
fn a_step_has_no_descriptors_of_skep() {
    let place = Place::new();
    let text = "name: fds\ndescription: Fds.\nsteps: [{id: a, shell: sh, run: 'ls -l /proc/self/fd; cat'}]\n";
    let answer = place.run(text, &[], 0);
    let listed = answer["steps"]["a"]["outputs"]["stdout"].as_str().expect("it printed").to_owned();
    let inherited: Vec<&str> =
        listed.lines().filter(|line| line.contains(" -> ") && !line.contains("/proc/")).collect();
    assert_eq!(inherited.len(), 3, "{listed}");
    assert!(inherited[0].ends_with("/dev/null"), "{listed}");
}
