//! Executions whose owner died: what is said of them, and that they go on.

use serde_json::json;

use crate::support::place::Place;
use crate::support::wait;

const WAITS: &str = "name: waits\ndescription: Waits for a file.\nsteps:\n  - {id: first, run: 'echo once >> first'}\n  - {id: second, run: 'touch begun; until [ -e go ]; do sleep 0.02; done'}\n";

#[test]
fn what_nobody_has_is_named_and_goes_on() {
    let place = Place::new();
    assert_eq!(place.json(&["recover"], 0), json!({"orphans": []}));
    place.write("waits.yaml", WAITS);
    let owner = place.start(&["run", "waits.yaml"]);
    let begun = || place.work().join("begun").exists().then_some(());
    wait::until("the second step to begin", wait::SOON, begun);
    let alive = place.json(&["recover", "--dry-run"], 0);
    assert_eq!(alive, json!({"orphans": []}), "its owner lives");
    owner.kill();

    let said = place.json(&["recover", "--dry-run"], 0);
    let orphan = &said["orphans"][0];
    assert_eq!(
        (&orphan["decision"], &orphan["progress"], &orphan["status"]),
        (&json!("resume"), &json!(0.5), &json!("running"))
    );
    assert!(place.skep(&["recover", "--dry-run"]).exits(0).out.contains("would go on"));
    assert_eq!(place.status()["status"], "running", "nothing was done");

    place.write("go", "");
    let done = place.json(&["recover"], 0);
    assert_eq!(done["orphans"][0]["execution_id"], orphan["execution_id"]);
    assert_eq!((place.status()["status"].as_str(), place.read("first").as_str()), (Some("completed"), "once\n"));
    assert_eq!(place.json(&["recover"], 0), json!({"orphans": []}));
}

#[test]
fn what_waits_for_a_person_is_no_orphan() {
    let place = Place::new();
    place.run("name: asks\ndescription: Asks.\nsteps: [{id: gate, approval: {message: ok?}}]\n", &[], 4);
    place.run("name: pauses\ndescription: Is undone by hand.\nrollback: {strategy: manual}\nsteps: [{id: a, run: 'true', rollback: 'true'}, {id: b, run: exit 1}]\n", &[], 4);
    let said = place.json(&["recover", "--dry-run"], 0);
    let names: Vec<_> = said["orphans"].as_array().into_iter().flatten().map(|orphan| &orphan["workflow"]).collect();
    assert_eq!(names, Vec::<&serde_json::Value>::new(), "{said:#}");
}
