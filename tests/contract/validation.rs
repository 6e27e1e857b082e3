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
    assert_eq!(place.skep(&["validate", "danger.yaml", "--level", "paranoid"]).code, Some(2), "it is not built");
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
