//! Every kind of damage is named by `verify`, and `repair` leaves a store that works.

mod kinds;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::place::Place;
use kinds::{DAMAGES, Damage};

/// A script with a large output and a log, in the library; a second version of it; a gate that waits.
const LARGE: &str = "
name: large
description: Prints much.
steps:
  - {id: print, run: 'echo first; head -c 40000 /dev/zero | tr \"\\0\" x'}
  - {id: other, run: 'head -c 50000 /dev/zero | tr \"\\0\" y'}
";
const SMALL: &str = "name: small\ndescription: Small.\nsteps: [{id: a, uses: set, with: {value: 1}}]\n";
const GATE: &str = "name: gate\ndescription: Asks.\nsteps: [{id: ask, approval: {message: 'Go?'}}]\n";

/// A store with everything in it, copied by `backup`: one archived execution, two completed, one that waits.
fn sound(place: &Place) {
    place.run(SMALL, &[], 0);
    fs::write(place.data().join("config.toml"), "[retention]\narchive_after = \"0ms\"\n").expect("it can be written");
    let pruned = place.json(&["prune"], 0);
    assert_eq!(pruned["archived"], 1, "{pruned}");
    fs::remove_file(place.data().join("config.toml")).expect("it is there");
    place.write("large.yaml", LARGE);
    place.json(&["workflow", "add", "large.yaml"], 0);
    place.json(&["run", "large"], 0);
    place.write("large.yaml", format!("{LARGE}# changed\n"));
    place.json(&["workflow", "add", "large.yaml"], 0);
    place.run(SMALL, &[], 0);
    place.run(GATE, &[], 4);
    let copied = place.json(&["backup", &sound_folder(place)], 0);
    assert_eq!((copied["executions"].as_i64(), copied["archive"]["files"].as_i64()), (Some(3), Some(1)), "{copied}");
}

fn sound_folder(place: &Place) -> String {
    place.folder().join("sound").to_string_lossy().into_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder exists") {
        let path = entry.expect("the folder can be read").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        match path.is_dir() {
            true => copy(&path, &target),
            false => assert!(fs::copy(&path, &target).is_ok(), "a file can be copied"),
        }
    }
}

fn kinds_of(verified: &Value) -> BTreeSet<String> {
    let findings = verified["findings"].as_array().expect("findings are a list");
    findings.iter().map(|finding| finding["kind"].as_str().expect("a kind is a word").to_owned()).collect()
}

fn verify(place: &Place, data: &str) -> Value {
    let answer = place.skep(&["verify", data, "--format", "json"]);
    let value = answer.value();
    let expected = i32::from(value["whole"] != true);
    assert_eq!(answer.code, Some(expected), "{answer}");
    value
}

/// Gives what is wrong with how one kind of damage was handled.
fn check(place: &Place, damage: &Damage) -> Result<(), String> {
    let data = place.folder().join("damaged");
    drop(fs::remove_dir_all(&data));
    copy(Path::new(&sound_folder(place)), &data);
    (damage.make)(&data);
    let text = data.to_string_lossy().into_owned();
    let before = verify(place, &text);
    let found = kinds_of(&before);
    if !found.contains(damage.kind) {
        return Err(format!("verify does not say {}: {before:#}", damage.kind));
    }
    let repaired = place.skep(&["repair", &text, "--format", "json"]);
    let after = verify(place, &text);
    let left = kinds_of(&after);
    let allowed: BTreeSet<String> = damage.left.iter().map(ToString::to_string).collect();
    if !left.is_subset(&allowed) {
        return Err(format!("left {left:?}: {after:#}\n{repaired}"));
    }
    if damage.works {
        for arguments in [&["list"][..], &["run", "small.yaml"], &["status"]] {
            let mut all = vec!["--data-dir", &text];
            all.extend(arguments);
            let answer = place.skep(&all);
            if answer.code != Some(0) {
                return Err(format!("{answer}\n{repaired}"));
            }
        }
    }
    Ok(())
}

#[test]
fn every_damage_is_named_and_repair_leaves_a_store_that_works() {
    let place = Place::new();
    sound(&place);
    place.write("small.yaml", SMALL);
    assert_eq!(verify(&place, &sound_folder(&place))["findings"], serde_json::json!([]));
    let wrong: Vec<String> = DAMAGES
        .iter()
        .filter_map(|damage| check(&place, damage).err().map(|error| format!("=== {}\n{error}", damage.name)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), DAMAGES.len(), wrong.join("\n"));
}

#[test]
fn what_is_set_aside_is_kept_and_the_list_says_why() {
    let place = Place::new();
    let gate = place.run(GATE, &[], 4)["execution_id"].as_str().expect("an id is a text").to_owned();
    place.run(SMALL, &[], 0);
    kinds::sql(place.data(), "UPDATE journal SET at = at + 1 WHERE execution = 1 AND seq = 1");
    // Who meets the damage holds this one execution; the others go on.
    let refused = place.skep(&["approve", &gate, "--format", "json"]).exits(1).value();
    assert_eq!(refused["error"]["code"], "SKEP-T021", "{refused}");
    let held = place.json(&["list"], 0)["executions"][0].clone();
    assert_eq!((&held["execution_id"], &held["status"]), (&Value::from(gate.as_str()), &Value::from("held")), "{held}");
    place.run(SMALL, &[], 0);
    let repaired = place.json(&["repair"], 0);
    let folder = repaired["folder"].as_str().expect("there is a folder").to_owned();
    let rows = fs::read_to_string(Path::new(&folder).join(format!("{gate}.jsonl"))).expect("its rows are kept");
    assert!(rows.lines().count() >= 2 && rows.contains("approval_asked"), "{rows}");
    let notes = place.json(&["verify"], 0)["notes"].clone();
    assert!(notes[0].as_str().is_some_and(|note| note.contains(&gate)), "{notes}");
    place.run(SMALL, &[], 0);
}

#[test]
fn garbage_is_no_reason_to_crash() {
    let place = Place::new();
    place.json(&["verify", "nowhere"], 1);
    fs::create_dir_all(place.data().join("skep.db")).expect("a folder can be made");
    place.json(&["verify"], 1);
    assert_eq!(place.skep(&["verify"]).code, Some(1));
}
