//! Copies while an owner works, the archive, and what is cleaned up.

use std::fs;

use serde_json::Value;

use crate::support::place::Place;
use crate::support::wait;

const LARGE: &str = "
name: large
description: Prints much.
steps: [{id: print, run: 'echo first; head -c 40000 /dev/zero | tr \"\\0\" x'}]
";

fn configure(place: &Place, text: &str) {
    fs::create_dir_all(place.data()).expect("a folder can be made");
    fs::write(place.data().join("config.toml"), text).expect("it can be written");
}

#[test]
fn a_copy_made_while_executions_run_is_whole_and_goes_on() {
    let place = Place::new();
    let text = "name: many\ndescription: Many.\nsteps:\n  - id: each\n    foreach: [1,2,3,4,5,6,7,8]\n    steps:\n      - {id: a, run: 'head -c 20000 /dev/urandom | base64'}\n";
    place.write("many.yaml", text);
    let serve = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    let runs: Vec<_> = (0..4).map(|_| place.start(&["run", "many.yaml"])).collect();
    for number in 0..4 {
        let copy = place.folder().join(format!("copy-{number}")).to_string_lossy().into_owned();
        let copied = place.json(&["backup", &copy], 0);
        assert_eq!(copied["missing_blobs"], serde_json::json!([]));
        assert_eq!(place.json(&["verify", &copy], 0)["whole"], true);
        assert_eq!(place.json(&["verify"], 0)["whole"], true, "beside the owner");
        // What the copy has of an execution goes on in it.
        if let Some(id) = place.json(&["--data-dir", &copy, "history"], 0)["executions"][0]["execution_id"].as_str() {
            place.skep(&["--data-dir", &copy, "resume", id]);
            let status = place.json(&["--data-dir", &copy, "status", id], 0);
            assert_eq!(status["status"], "completed", "{status}");
        }
    }
    runs.into_iter().for_each(|run| drop(run.end().exits(0)));
    place.skep(&["backup", place.work().to_str().expect("it is a text")]).exits(1);
    place.skep(&["serve", "--stop"]).exits(0);
    drop(serve.end().exits(0));
}

#[test]
fn old_executions_leave_for_the_archive_and_are_read_there() {
    let place = Place::new();
    let answer = place.run(LARGE, &[], 0);
    let id = answer["execution_id"].as_str().expect("an id is a text").to_owned();
    let replayed = place.skep(&["replay", &id, "--format", "json"]).exits(0).out;
    let sum = place.json(&["status", &id], 0);
    assert_eq!(place.json(&["prune"], 0)["archived"], 0, "it is young");
    configure(&place, "[retention]\narchive_after = \"0ms\"\ndelete_after = \"off\"\n");
    assert_eq!(place.json(&["prune", "--dry-run"], 0)["archived"], 1);
    assert_eq!(place.json(&["history"], 0)["executions"].as_array().map(Vec::len), Some(1));
    let pruned = place.json(&["prune"], 0);
    assert_eq!(
        (&pruned["archived"], &pruned["blobs"]),
        (&Value::from(1), &Value::from(0)),
        "blobs are young: {pruned}"
    );
    assert_eq!(place.json(&["history"], 0)["executions"], serde_json::json!([]));
    assert!(!place.data().join("logs").join(&id).exists());
    let again = place.json(&["status", &id[..20]], 0);
    assert_eq!(
        (&again["status"], &again["steps"]["print"]["status"]),
        (&sum["status"], &sum["steps"]["print"]["status"])
    );
    assert_eq!(place.skep(&["replay", &id, "--format", "json"]).exits(0).out, replayed);
    place.skep(&["status", &id]).exits(0);
    let refused = place.skep(&["cancel", &id, "--format", "json"]).exits(1).value();
    assert_eq!(refused["error"]["code"], "SKEP-N040", "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("archive/")), "{refused}");
    assert_eq!(place.json(&["verify"], 0)["archived"], 1);
    // Its values go when they are old enough.
    for blob in crate::support::repository::files_below(&place.data().join("blobs")) {
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7_200);
        fs::File::open(blob).and_then(|file| file.set_modified(long_ago)).expect("it is ours");
    }
    assert_eq!(place.json(&["prune"], 0)["blobs"], 1);
    configure(&place, "[retention]\narchive_after = \"0ms\"\ndelete_after = \"0ms\"\n");
    assert_eq!(place.json(&["prune"], 0)["deleted"], 1);
    assert_eq!(place.json(&["status", &id], 1)["error"]["code"], "SKEP-N003");
    assert_eq!(place.json(&["verify"], 0)["whole"], true);
}

#[test]
fn an_owner_cleans_up_by_itself_when_it_starts() {
    let place = Place::new();
    place.run(LARGE, &[], 0);
    configure(&place, "[retention]\narchive_after = \"0ms\"\n");
    let serve = place.start(&["serve"]);
    wait::until("an empty list", wait::SOON, || {
        let list = place.skep(&["history", "--format", "json"]);
        (list.code == Some(0) && list.value()["executions"] == serde_json::json!([])).then_some(())
    });
    place.skep(&["serve", "--stop"]).exits(0);
    drop(serve.end().exits(0));
    assert_eq!(place.json(&["verify"], 0)["archived"], 1);
}

#[test]
fn below_the_reserve_nothing_new_starts_and_the_rest_goes_on() {
    let place = Place::new();
    let gate = "name: gate\ndescription: Asks.\nsteps: [{id: ask, approval: {message: 'Go?'}}, {id: a, run: 'true'}]\n";
    place.run(gate, &[], 4);
    configure(&place, "disk_reserve = \"1000000TiB\"\n");
    place.write("large.yaml", LARGE);
    let refused = place.json(&["run", "large.yaml"], 1);
    assert_eq!(refused["error"]["code"], "SKEP-N041", "{refused}");
    place.json(&["approve", "@latest"], 0);
    assert_eq!(place.status()["status"], "completed");
    configure(&place, "disk_reserve = \"much\"\n");
    assert_eq!(place.json(&["run", "large.yaml"], 1)["error"]["code"], "SKEP-N008");
}
