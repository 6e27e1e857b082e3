//! Any bytes are a definition: problems with places, or a plan that compiles, prints and reads back.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use skep_definition::check::{self, Level};
use skep_definition::{draw, load, plan, print};
use skep_model::catalogue::Catalogue;
use skep_model::plan::Plan;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(skep_fuzz::catalogue);

fuzz_target!(|bytes: &[u8]| {
    let loaded = load::load_bytes(bytes);
    for place in loaded.problems.iter().filter_map(|problem| problem.place) {
        assert!(place.start <= place.end && place.start <= bytes.len() + 1, "a place outside the text: {place:?}");
    }
    let usable = loaded.is_usable();
    let Some(workflow) = loaded.workflow else { return };
    check::not_built(&workflow, &CATALOGUE);
    let (problems, planned) = plan::check_and_plan(&workflow, &CATALOGUE, Level::Standard);
    assert_eq!(problems, check::check(&workflow, &CATALOGUE, Level::Standard), "checking twice says the same");
    if !usable {
        return;
    }
    draw::mermaid(&workflow);
    let again = load::load(&print::to_yaml(&workflow));
    assert_eq!(again.workflow.as_ref(), Some(&workflow), "what is printed reads back the same");
    if let Some(planned) = planned {
        let read: Plan = serde_json::from_slice(&planned.to_bytes()).expect("a plan reads back");
        assert_eq!(read.hash(), planned.hash());
        skep_engine::Program::new(planned).expect("a checked plan compiles");
    }
});
