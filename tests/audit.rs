//! The audit from outside: what people and the engine did is in it once, after any kill; what somebody changes in it
//! is found.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use skep_model::event::Event;
use skep_model::ids::Position;
use skep_store::{DataDir, Reader, SqliteReader};

use crate::support::place::Place;
use crate::support::random::Random;
use crate::support::wait;

const GATE: &str = "
name: gate
description: Asks, then works.
inputs: {password: {type: string, default: hunter2}}
steps:
  - {id: ask, approval: {message: 'Go?'}}
  - {id: fails, run: 'echo secret-output; exit 3', on_error: {strategy: skip}}
";

/// Quick steps and one that fails once, so that owners die in all kinds of places.
const QUICK: &str = "
name: quick
description: Works a little.
defaults: {shell: sh}
steps:
  - {id: a, uses: set, with: {value: 1}}
  - {id: b, run: 'sleep 0.02'}
  - {id: c, run: '[ \"$SKEP_ATTEMPT\" -ge 2 ]', retry: {max_attempts: 3, delay: 5ms}}
  - {id: d, uses: set, with: {value: 2}}
";

fn records(place: &Place) -> Vec<Value> {
    place.skep(&["audit", "export"]).exits(0).lines()
}

fn types(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["event_type"].as_str().expect("a type is a word")).collect()
}

fn verified(place: &Place) -> Value {
    place.json(&["audit", "verify"], 0)
}

#[test]
fn who_did_what_is_recorded_without_any_value() {
    let place = Place::new();
    place.write("gate.yaml", GATE);
    place.json(&["workflow", "add", "gate.yaml", "--as", "deploy/gate"], 0);
    let id = place.json(&["run", "gate"], 4)["execution_id"].as_str().expect("an id is a text").to_owned();
    place.json(&["approve", &id, "--comment", "it is friday"], 0);
    assert_eq!(place.json(&["status", &id], 0)["status"], "completed");
    place.json(&["workflow", "rm", "gate"], 0);
    let all = records(&place);
    let of_execution: Vec<Value> = all.iter().filter(|record| record["execution_id"] == id.as_str()).cloned().collect();
    assert_eq!(
        types(&of_execution),
        ["execution_started", "approval_asked", "approval_decided", "step_skipped", "execution_completed"]
    );
    let decided = &of_execution[2];
    let me = decided["actor"]["name"].as_str().expect("a person has a name");
    let (uid, pid) = (rustix::process::getuid().as_raw(), &decided["actor"]["pid"]);
    assert_eq!(decided["actor"], json!({ "kind": "person", "name": me, "uid": uid, "pid": pid }));
    assert!(pid.is_number(), "{decided:#}");
    assert_eq!((&decided["step"], &decided["outcome"]), (&json!("ask"), &json!("approved")));
    assert_eq!(decided["details"]["comment"], "it is friday");
    assert_eq!(of_execution[0]["details"]["inputs"], json!(["password"]));
    assert_eq!(of_execution[0]["workflow"], "gate");
    for word in ["server_started", "server_stopped", "workflow_added", "workflow_removed", "head"] {
        assert!(types(&all).contains(&word), "{word}: {all:#?}");
    }
    let text = json!(all).to_string();
    assert!(!text.contains("hunter2") && !text.contains("secret-output"), "{text}");
    let listed =
        place.json(&["audit", "list", "--actor", me, "--type", "approval_decided", "--execution", &id[..13]], 0);
    assert_eq!(listed["records"].as_array().map(Vec::len), Some(1), "{listed:#}");
    let bad = place.json(&["audit", "list", "--severity", "warning", "--since", "1h", "--limit", "1"], 0);
    assert_eq!(bad["records"][0]["event_type"], "step_skipped", "{bad:#}");
    assert_eq!(place.json(&["audit", "list", "--since", "2999-01-01T00:00:00Z"], 0)["records"], json!([]));
    place.skep(&["audit", "list", "--type", "nonsense"]).exits(2);
    let verified = verified(&place);
    assert_eq!(verified["status"], "verified");
    assert_eq!(verified["events_verified"], all.len());
    assert_eq!(verified["first_bad"], Value::Null);
}

#[test]
fn what_was_changed_is_named_also_beside_an_owner() {
    let place = Place::new();
    place.write("quick.yaml", QUICK);
    place.skep(&["run", "quick.yaml"]).exits(0);
    let segment = place.data().join("audit/000001.jsonl");
    let text = fs::read_to_string(&segment).expect("there are records");
    let sequence = 1 + text.lines().position(|line| line.contains("execution_started")).expect("it was started");
    fs::write(&segment, text.replacen("\"execution_started\"", "\"execution_stopped\"", 1)).expect("we may");
    let expect = |found: &Value| {
        assert_eq!(found["status"], "failed", "{found:#}");
        assert_eq!(found["first_bad"]["file"], "000001.jsonl", "{found:#}");
        assert_eq!(found["first_bad"]["line"], sequence, "{found:#}");
        assert!(found["first_bad"]["why"].is_string() && found["events_failed"].as_u64() >= Some(1), "{found:#}");
    };
    expect(&place.json(&["audit", "verify"], 1));
    let serve = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    expect(&place.json(&["audit", "verify"], 1));
    let whole = place.json(&["verify"], 1);
    assert_eq!(whole["findings"][0]["kind"], "audit", "{whole:#}");
    place.skep(&["serve", "--stop"]).exits(0);
    drop(serve.end().exits(0));
    fs::write(&segment, text).expect("we may");
    // The owner that ran meanwhile appended after it: what it wrote is gone with the old text.
    let cut = place.json(&["audit", "verify"], 1);
    assert!(cut["first_bad"]["why"].as_str().is_some_and(|why| why.contains("names record")), "{cut:#}");
    place.skep(&["run", "quick.yaml"]).exits(0);
    let after = place.json(&["audit", "verify"], 1);
    assert!(types(&records(&place)).contains(&"audit_damaged"), "{after:#}");
}

/// The ids that the records of the journal must have: what matters of these workflows, in the journal's own words.
fn expected(place: &Place) -> BTreeSet<String> {
    let reader = SqliteReader::open(&DataDir::at(place.data())).expect("the store reads");
    let (mut ids, mut from) = (BTreeSet::new(), Position(1));
    loop {
        let page = reader.journal(from, 1_000).expect("the journal reads");
        let Some(last) = page.last() else { return ids };
        from = Position(last.turn.position.0 + 1);
        for row in &page {
            let events: Vec<Event> = serde_json::from_str(&row.turn.events).expect("a turn is a list of events");
            let matter = events.iter().enumerate().filter(|(_, event)| matters(event));
            ids.extend(matter.map(|(index, _)| format!("turn-{}-{}", row.turn.position.0, index + 1)));
        }
    }
}

fn matters(event: &Event) -> bool {
    let value = json!(event);
    let words = ["started", "ended", "attempt_failed", "failed", "redelivered", "held", "doubted", "paused", "resumed"];
    words.contains(&value["t"].as_str().unwrap_or_default())
}

#[test]
fn an_owner_that_is_killed_at_any_moment_loses_and_doubles_no_record() {
    let place = Place::new();
    place.write("quick.yaml", QUICK);
    let mut random = Random::new(47);
    for _ in 0..14 {
        let serve = place.start(&["serve"]);
        wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
        for _ in 0..random.below(4) {
            // An owner that dies takes the answer with it; what is in the journal counts.
            place.skep(&["run", "quick.yaml", "--detach"]);
        }
        if random.below(2) == 0 {
            place.skep(&["audit", "verify"]).exits(0);
        }
        serve.kill();
        assert_eq!(place.json(&["audit", "verify"], 0)["status"], "verified", "a kill is no tampering");
        drop(fs::remove_file(place.data().join("skep.sock")));
    }
    let serve = place.start(&["serve"]);
    // One that does not listen yet cannot be told to stop.
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    wait::until("the end of all", wait::SOON, || {
        let open = place.json(&["list"], 0);
        open["executions"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    place.skep(&["serve", "--stop"]).exits(0);
    drop(serve.end().exits(0));
    let all = records(&place);
    let ids: Vec<String> =
        all.iter().map(|record| record["event_id"].as_str().expect("an id is a text").to_owned()).collect();
    let once: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(once.len(), ids.len(), "nothing is there twice");
    let of_turns: BTreeSet<String> = once.into_iter().filter(|id| id.starts_with("turn-")).collect();
    let expected = expected(&place);
    assert!(expected.len() > 40, "{} events matter", expected.len());
    assert_eq!(of_turns, expected);
}

#[test]
fn a_copy_has_the_records_and_goes_on_with_them() {
    let place = Place::new();
    place.write("quick.yaml", QUICK);
    let serve = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    place.skep(&["run", "quick.yaml"]).exits(0);
    let copy = place.folder().join("copy").to_string_lossy().into_owned();
    place.json(&["backup", &copy], 0);
    assert!(types(&records(&place)).contains(&"backup_made"), "the original says who copied it");
    place.skep(&["serve", "--stop"]).exits(0);
    drop(serve.end().exits(0));
    let of_copy =
        |arguments: &[&str]| [&["--data-dir", &copy], arguments].concat().into_iter().map(str::to_owned).collect();
    let run = |arguments: Vec<String>, code| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        place.json(&arguments, code)
    };
    assert_eq!(run(of_copy(&["audit", "verify"]), 0)["status"], "verified");
    run(of_copy(&["run", "quick.yaml"]), 0);
    let verified = run(of_copy(&["audit", "verify"]), 0);
    assert!(verified["events_verified"].as_u64() > Some(4), "{verified:#}");
    let started = run(of_copy(&["audit", "list", "--type", "execution_started"]), 0);
    assert_eq!(started["records"].as_array().map(Vec::len), Some(2), "{started:#}");
    // Without an owner the copying process says it itself.
    place.json(&["backup", &place.folder().join("second").to_string_lossy()], 0);
    let made = place.json(&["audit", "list", "--type", "backup_made"], 0);
    assert_eq!(made["records"].as_array().map(Vec::len), Some(2), "{made:#}");
}

#[test]
fn what_leaves_the_journal_was_recorded_before() {
    let place = Place::new();
    fs::create_dir_all(place.data()).expect("a folder can be made");
    let configure = |text: &str| fs::write(place.data().join("config.toml"), text).expect("it can be written");
    configure("[retention]\narchive_after = \"0ms\"\n");
    place.write("quick.yaml", QUICK);
    place.skep(&["run", "quick.yaml", "--detach"]).exits(0);
    wait::until("it to leave", wait::SOON, || (place.json(&["prune"], 0)["archived"] == 1).then_some(()));
    place.skep(&["serve", "--stop"]).exits(0);
    let all = records(&place);
    for word in ["execution_started", "step_retried", "execution_completed", "pruned"] {
        assert_eq!(types(&all).iter().filter(|kind| **kind == word).count(), 1, "{word}: {:?}", types(&all));
    }
    // Elsewhere, and with another configuration.
    configure("[audit]\nkey = \"../elsewhere.key\"\n");
    let refused = place.json(&["run", "quick.yaml"], 1);
    assert_eq!(refused["error"]["code"], "SKEP-T024", "no new key in the place of one that is gone: {refused:#}");
    for name in ["audit.key", "audit.key.mark"] {
        let target = place.folder().join(name.replace("audit", "elsewhere"));
        fs::rename(place.data().join(name), target).expect("it is there");
    }
    place.skep(&["run", "quick.yaml"]).exits(0);
    assert!(types(&records(&place)).contains(&"configuration_changed"));
    assert_eq!(verified(&place)["status"], "verified");
}

#[test]
fn nothing_is_recorded_where_nobody_wants_it() {
    let place = Place::new();
    fs::create_dir_all(place.data()).expect("a folder can be made");
    fs::write(place.data().join("config.toml"), "[audit]\nenabled = false\n").expect("it can be written");
    place.write("quick.yaml", QUICK);
    place.skep(&["run", "quick.yaml"]).exits(0);
    assert!(!place.data().join("audit").exists());
    let verified = verified(&place);
    assert!(verified["notes"][0].as_str().is_some_and(|note| note.contains("audit.enabled")), "{verified:#}");
}

#[test]
fn a_caller_who_is_refused_is_recorded() {
    let place = Place::new();
    let serve = place.start(&["serve"]);
    let socket = place.data().join("skep.sock");
    wait::until("the socket", wait::SOON, || socket.exists().then_some(()));
    let open = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    open(place.data().to_owned(), 0o755);
    open(socket, 0o777);
    let Some(mut stranger) = place.command_of_an_ordinary_user(&["list"]) else {
        eprintln!("skipped: only root can be somebody else");
        return;
    };
    let answer = stranger.output().expect("it can be started");
    assert_eq!(answer.status.code(), Some(1));
    let denied = place.json(&["audit", "list", "--type", "access_denied"], 0);
    let record = &denied["records"][0];
    assert_eq!((&record["outcome"], &record["severity"]), (&json!("refused"), &json!("warning")), "{denied:#}");
    assert!(record["source"].as_str().is_some_and(|source| source.starts_with("unix uid=65534 pid=")), "{denied:#}");
    place.skep(&["serve", "--stop"]).exits(0);
    drop(serve.end().exits(0));
}

#[test]
fn who_asked_is_recorded_as_the_system_says_it() {
    use std::io::{Read, Write};
    let place = Place::new();
    place.write("gate.yaml", GATE);
    let serve = place.start(&["serve"]);
    let socket = place.data().join("skep.sock");
    wait::until("the socket", wait::SOON, || socket.exists().then_some(()));
    let id = place.json(&["run", "gate.yaml"], 4)["execution_id"].as_str().expect("an id is a text").to_owned();
    // This process itself, so that its number is known.
    let mut stream = std::os::unix::net::UnixStream::connect(&socket).expect("the owner listens");
    let body = json!({ "execution": id, "reason": null }).to_string();
    let length = body.len();
    let request = format!(
        "POST /v1/cancel HTTP/1.1\r\nhost: skep\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the owner reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the owner answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    place.skep(&["serve", "--stop"]).exits(0);
    drop(serve.end().exits(0));
    let all = records(&place);
    let of = |kind: &str| all.iter().find(|record| record["event_type"] == kind).unwrap_or_else(|| panic!("{kind}"));
    let uid = rustix::process::getuid().as_raw();
    let asked = &of("cancel_asked")["actor"];
    assert_eq!((&asked["uid"], &asked["pid"]), (&json!(uid), &json!(std::process::id())), "{asked}");
    assert!(asked["name"].as_str().is_some_and(|name| !name.is_empty()), "{asked}");
    let started = &of("execution_started")["actor"];
    assert!(started["uid"] == uid && started["pid"] != of("server_started")["details"]["pid"], "{started}");
    let listed = place.skep(&["audit", "list", "--type", "cancel_asked"]).exits(0).out;
    assert!(listed.contains(&format!("(uid {uid}, pid {})", std::process::id())), "{listed}");
    assert_eq!(verified(&place)["status"], "verified");
    // Without an owner beside it, the command is its own caller.
    place.skep(&["workflow", "add", "gate.yaml", "--as", "deploy/gate"]).exits(0);
    let all = records(&place);
    let added = all.iter().find(|record| record["event_type"] == "workflow_added").expect("it is recorded");
    assert!(added["actor"]["uid"] == uid && added["actor"]["pid"].is_u64(), "{added}");
}
