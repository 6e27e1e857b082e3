//! `skep validate` at its levels, for people, programs and code scanning; what it keeps and what it blocks.

use serde_json::json;

use super::answers::has_keys;
use crate::support::place::Place;

const DANGEROUS: &str = "name: danger
description: Deletes a folder.
steps:
  - {id: clean, run: 'sudo rm -rf build', env: {API_TOKEN: q7Zr2mXw9LpV4kTn8BsY}}
";

#[test]
fn each_level_holds_the_ones_before_it() {
    let place = Place::new();
    place.write("danger.yaml", DANGEROUS);
    let codes = |level: &str| {
        let answer = place.json(&["validate", "danger.yaml", "--level", level], 0);
        has_keys(
            &answer,
            &[
                "valid",
                "level",
                "errors",
                "warnings",
                "suggestions",
                "confidence",
                "validation_time",
                "checks_performed",
                "metadata",
            ],
        );
        assert_eq!(answer["level"], level);
        let warnings = answer["warnings"].as_array().expect("warnings are a list").clone();
        warnings.iter().map(|warning| warning["code"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((codes("basic"), codes("standard")), (Vec::new(), Vec::new()));
    let strict = codes("strict");
    assert!(["SKEP-C080", "SKEP-C084"].iter().all(|code| strict.iter().any(|found| found == code)), "{strict:?}");
    let paranoid = codes("paranoid");
    assert!(strict.iter().all(|code| paranoid.contains(code)), "{paranoid:?}");
    assert_eq!(place.skep(&["validate", "danger.yaml", "--level", "harsh"]).code, Some(2));
}

const UNDONE: &str = "name: undone
description: Takes back what it did.
inputs: {count: {type: integer, default: 2}}
steps:
  - {id: make, run: 'echo made > made.txt', rollback: {run: 'rm made.txt'}}
  - {id: part, uses: set, with: {each: '${{ 10 // inputs.count }}'}}
  - {id: use, run: 'echo \"${{ steps.part.outputs.each }}\"'}
";

#[test]
fn level_paranoid_says_what_would_happen_and_does_nothing() {
    let place = Place::new();
    place.write("undone.yaml", UNDONE);
    let answer = place.json(&["validate", "undone.yaml", "--level", "paranoid"], 0);
    let simulation = &answer["metadata"]["simulation"];
    has_keys(
        simulation,
        &[
            "executions",
            "left_out",
            "history",
            "paths",
            "failure_points",
            "unreached",
            "dead_ends",
            "not_foreseen",
            "lacking_inputs",
            "duration",
        ],
    );
    assert_eq!(simulation["paths"][0]["steps"], json!(["make", "part", "use"]));
    let points = simulation["failure_points"].as_array().expect("a list").clone();
    let point = points.iter().find(|point| point["step"] == "use").expect("`use` can fail");
    assert_eq!((&point["status"], &point["rollback"]), (&json!("rolled_back"), &json!(["make"])));
    assert!(simulation["duration"]["p10"].as_f64() < simulation["duration"]["p90"].as_f64());
    let zero = place.json(&["validate", "undone.yaml", "--level", "paranoid", "-i", "count=0"], 0);
    let warned = zero["warnings"].as_array().expect("a list").clone();
    assert!(warned.iter().any(|warning| warning["code"] == "SKEP-C107"), "{zero:#}");
    place.skep(&["validate", "undone.yaml", "--level", "paranoid", "-i", "count=many"]).exits(2);
    let shown = place.skep(&["validate", "undone.yaml", "--level", "paranoid"]).exits(0);
    assert!(shown.out.contains("if use fails: rolled_back; undone: `make`"), "{shown}");
    let sarif = ["validate", "undone.yaml", "--level", "paranoid", "--format", "sarif"];
    let log = place.skep(&sarif).exits(0).value();
    let results = log["runs"][0]["results"].as_array().expect("results are a list").clone();
    assert!(results.iter().any(|result| result["ruleId"] == "SKEP-C107"), "{log:#}");
    assert!(!place.work().join("made.txt").exists(), "nothing is executed");
}

#[test]
fn a_running_owner_simulates_too_and_learns_from_what_ran() {
    let place = Place::new();
    place.write("undone.yaml", UNDONE);
    place.json(&["workflow", "add", "undone.yaml"], 0);
    for count in ["0", "0", "0", "1", "2"] {
        place.skep(&["run", "undone", "--count", count]);
    }
    let paranoid = ["validate", "undone", "--level", "paranoid", "-i", "count=1"];
    let answer = place.json(&paranoid, 0);
    assert_eq!(answer["metadata"]["simulation"]["history"], 5);
    let warnings = answer["warnings"].as_array().expect("a list").clone();
    assert!(warnings.iter().any(|warning| warning["code"] == "SKEP-C103"), "{answer:#}");
    let history = place.json(&["validate", "undone", "--history"], 0);
    assert_eq!(history["validations"][0]["simulation"]["failure_points"], 3, "{history:#}");
}

#[test]
fn people_see_the_danger_and_not_the_secret() {
    let place = Place::new();
    place.write("danger.yaml", DANGEROUS);
    let shown = place.skep(&["validate", "danger.yaml", "--level", "strict", "--strict-mode"]).exits(2);
    assert!(shown.out.contains("SKEP-C080") && shown.out.contains("not valid: "), "{shown}");
    assert!(!shown.out.contains("q7Zr2mXw9LpV4kTn8BsY") && shown.out.contains("`q7Zr..`"), "{shown}");
}

#[test]
fn code_scanning_gets_what_it_needs() {
    let place = Place::new();
    place.write("danger.yaml", DANGEROUS);
    let arguments = ["validate", "danger.yaml", "--level", "strict", "--format", "sarif"];
    let log = place.skep(&arguments).exits(0).value();
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().expect("results are a list").clone();
    let danger = results.iter().find(|result| result["ruleId"] == "SKEP-C080").expect("the danger is a result");
    let place_of = &danger["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place_of["artifactLocation"]["uri"], &place_of["region"]["startLine"]),
        (&json!("danger.yaml"), &json!(4))
    );
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules are a list").clone();
    for result in &results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX)];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["text"].as_str().is_some_and(|help| help.len() > 20), "{rule:#}");
    }
    assert!(!log.to_string().contains("q7Zr2mXw9LpV4kTn8BsY"));
    place.skep(&["list", "--format", "sarif"]).exits(1);
}

#[test]
fn what_is_found_of_the_library_is_kept() {
    let place = Place::new();
    place.write("danger.yaml", DANGEROUS);
    place.json(&["workflow", "add", "danger.yaml"], 0);
    assert_eq!(place.json(&["validate", "danger", "--history"], 0)["validations"], json!([]));
    place.json(&["validate", "danger"], 0);
    place.json(&["validate", "danger", "--level", "strict", "--strict-mode"], 2);
    let history = place.json(&["validate", "danger", "--history"], 0);
    assert_eq!((&history["path"], &history["number"]), (&json!("danger"), &json!(1)));
    let kept = history["validations"].as_array().expect("validations are a list");
    let short: Vec<_> = kept.iter().map(|one| (one["level"].clone(), one["valid"].clone())).collect();
    assert_eq!(short, [(json!("strict"), json!(false)), (json!("standard"), json!(true))], "the newest first");
    assert!(place.skep(&["validate", "danger", "--history"]).exits(0).out.contains("CONFIDENCE"));
    place.skep(&["validate", "nothing", "--history"]).exits(1);
    place.skep(&["validate", "danger.yaml", "--history"]).exits(1);
}

#[test]
fn a_start_is_blocked_as_the_configuration_says() {
    let place = Place::new();
    std::fs::create_dir_all(place.data()).unwrap();
    let config = |text: &str| std::fs::write(place.data().join("config.toml"), text).unwrap();
    let quiet = "name: quiet\ndescription: Has a secret.\nsteps:\n  - {id: a, uses: noop, with: {api_key: q7Zr2mXw9LpV4kTn8BsY}}\n";
    place.run(quiet, &[], 0);
    config("[validation]\nlevel = \"strict\"\nstrict_mode = true\n");
    let refused = place.run(quiet, &[], 2);
    let codes = refused["errors"].as_array().expect("errors are a list").iter().map(|error| error["code"].clone());
    assert!(codes.into_iter().any(|code| code == "SKEP-C084"), "{refused:#}");
    config("[validation]\nlevel = \"strict\"\nstrict_mode = true\nauto_validate = false\n");
    place.run(quiet, &[], 0);
    let answer = place.json(&["validate", "workflow.yaml"], 2);
    assert_eq!((&answer["level"], &answer["valid"]), (&json!("strict"), &json!(false)), "validate still looks");
}
